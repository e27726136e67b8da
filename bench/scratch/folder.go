package scratch

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	folderPrefix = "deliverybench-"
	// A folder is made under this prefix, which CleanStale does not match,
	// and renamed once its owner file is locked.
	draftPrefix = ".deliverybench-"
	ownerFile   = "owner"
	ownerText   = "deliverybench workspace: removed when its owner is gone\n"
)

var folderName = regexp.MustCompile(`^deliverybench-[0-9]+$`)

// New makes a folder under the first of the parents that exists, can be
// written and has need bytes free. remove removes it. Should the process be
// killed first, a later CleanStale does.
func New(parents []string, need int64) (dir string, remove func() error, err error) {
	var refused []string
	for _, parent := range parents {
		err := hasRoom(parent, need)
		if err == nil {
			dir, remove, err = create(parent)
		}
		if err == nil {
			return dir, remove, nil
		}
		refused = append(refused, err.Error())
	}
	return "", nil, fmt.Errorf("no folder has room for %s: %s", inMiB(need), strings.Join(refused, "; "))
}

// create makes a locked folder. Its path is absolute: programs in it are known
// by their command lines.
func create(parent string) (string, func() error, error) {
	parent, err := filepath.Abs(parent)
	if err != nil {
		return "", nil, err
	}
	draft, err := os.MkdirTemp(parent, draftPrefix)
	if err != nil {
		return "", nil, err
	}
	// A bare descriptor: an os.File that nobody keeps would be closed, and the
	// lock lost, by the garbage collector. O_CLOEXEC keeps workers from
	// holding the lock for us.
	lock, err := lockOwner(draft, unix.O_CREAT|unix.O_EXCL)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(draft))
	}
	dir := filepath.Join(parent, folderPrefix+strings.TrimPrefix(filepath.Base(draft), draftPrefix))
	err = os.WriteFile(filepath.Join(draft, ownerFile), []byte(ownerText), 0o600)
	if err == nil {
		err = os.Rename(draft, dir)
	}
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(draft), unix.Close(lock))
	}
	return dir, sync.OnceValue(func() error { return errors.Join(erase(dir), unix.Close(lock)) }), nil
}

// lockOwner opens the owner file and locks it, or fails with EWOULDBLOCK while
// its owner lives.
func lockOwner(dir string, flags int) (int, error) {
	path := filepath.Join(dir, ownerFile)
	lock, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW|flags, 0o600)
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	if err := unix.Flock(lock, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return -1, errors.Join(&fs.PathError{Op: "lock", Path: path, Err: err}, unix.Close(lock))
	}
	return lock, nil
}

// CleanStale removes the folders under the parents whose owners are gone, with
// what still runs in them, and nothing else: a folder counts as one of ours by
// its name and by the owner file in it, and as stale when that file's lock is
// free. It returns what it removed. Parents that do not exist, and other users'
// folders, are passed over.
func CleanStale(parents []string) (removed []string, err error) {
	var errs []error
	for _, parent := range parents {
		parent, err := filepath.Abs(parent)
		if err != nil {
			return removed, err
		}
		entries, err := os.ReadDir(parent)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		for _, entry := range entries {
			if !entry.IsDir() || !folderName.MatchString(entry.Name()) {
				continue
			}
			dir := filepath.Join(parent, entry.Name())
			done, err := cleanOne(dir)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", dir, err))
			}
			if done {
				removed = append(removed, dir)
			}
		}
	}
	return removed, errors.Join(errs...)
}

func cleanOne(dir string) (bool, error) {
	lock, err := lockOwner(dir, 0)
	if err != nil {
		return false, nil // owned, another user's, or not one of ours
	}
	defer unix.Close(lock)
	text := make([]byte, len(ownerText)+1)
	n, err := unix.Pread(lock, text, 0)
	if err != nil || !bytes.Equal(text[:n], []byte(ownerText)) {
		return false, err
	}
	if err := endRunning(dir); err != nil {
		return false, err
	}
	if err := erase(dir); err != nil {
		return false, err
	}
	return true, nil
}

// erase removes the owner file last: what is left after a failure is still
// known as one of ours.
func erase(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, entry := range entries {
		if entry.Name() == ownerFile {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	return os.RemoveAll(dir)
}

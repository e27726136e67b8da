package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ceiling is where a counter of one byte stops. A counter that stands there is
// a lower bound, and Verdict.Saturated says how many do.
const ceiling = 255

// plane is one byte for each message in a sparse file that is mapped shared:
// what was stored before a SIGKILL of this process is in the file after it.
//
// The file is locked while it is open, so that no two processes write the
// same byte. The lock goes with the process, and its descriptor is not
// inherited by programs that the process starts.
type plane struct {
	file  *os.File
	bytes []byte
}

// openPlane maps the first size bytes of the file and creates it where needed;
// fresh empties one that exists.
func openPlane(dir, name string, size int64, fresh bool) (*plane, error) {
	path := filepath.Join(dir, name)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	p, err := mapPlane(file, size, fresh)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ledger: %s: %w", path, err), file.Close())
	}
	return p, nil
}

func mapPlane(file *os.File, size int64, fresh bool) (*plane, error) {
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.New("another process has it open: every writer needs a number or incarnation of its own")
		}
		return nil, err
	}
	if fresh {
		if err := file.Truncate(0); err != nil {
			return nil, err
		}
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	whole := wholePages(size)
	// Size 0 is a file whose writer was killed before it gave it a size.
	if info.Size() != 0 && info.Size() != whole {
		return nil, fmt.Errorf("has %d bytes where the layout needs %d: it belongs to another ledger", info.Size(), whole)
	}
	if err := file.Truncate(whole); err != nil {
		return nil, err
	}
	bytes, err := unix.Mmap(int(file.Fd()), 0, int(whole), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return &plane{file: file, bytes: bytes}, nil
}

func wholePages(size int64) int64 {
	page := int64(os.Getpagesize())
	return (size + page - 1) / page * page
}

// close unmaps the plane and lets go of its lock. The file stays.
func (p *plane) close() error {
	if p == nil || p.file == nil {
		return nil
	}
	err := errors.Join(unix.Munmap(p.bytes), p.file.Close())
	p.bytes, p.file = nil, nil
	return err
}

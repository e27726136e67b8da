package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// server is who the server runs as: nil for the program's own user. PostgreSQL
// refuses to run as root.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if errUID != nil || errGID != nil || uid == 0 {
			continue
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody: run the program as another user")
}

// enterable leaves out the folders that the server's user could not reach.
func enterable(parents []string, as *syscall.Credential) (reachable []string, err error) {
	if as == nil {
		return parents, nil
	}
	for _, parent := range parents {
		if entered(parent, as) {
			reachable = append(reachable, parent)
		}
	}
	if len(reachable) == 0 {
		return nil, fmt.Errorf("the user with id %d, as whom PostgreSQL runs when the program is root's, may enter none of %v: name another folder with -scratch, or let others enter with chmod o+x", as.Uid, parents)
	}
	return reachable, nil
}

// entered reports whether the user may pass through the folder and all above it.
func entered(dir string, as *syscall.Credential) bool {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	for err == nil {
		var info os.FileInfo
		if info, err = os.Stat(dir); err != nil {
			break
		}
		pass := os.FileMode(0o001)
		if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid == as.Uid {
			pass = 0o100
		} else if ok && owner.Gid == as.Gid {
			pass = 0o010
		}
		if info.Mode()&pass == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
		dir = filepath.Dir(dir)
	}
	return false
}

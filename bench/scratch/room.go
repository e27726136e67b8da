package scratch

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// hasRoom fails when the folder's file system has less than need bytes free.
func hasRoom(dir string, need int64) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("free space of %s: %w", dir, err)
	}
	// Bavail is what an unprivileged process may still write.
	if free := int64(fs.Bavail) * int64(fs.Bsize); free < need {
		return fmt.Errorf("%s has %s free", dir, inMiB(free))
	}
	return nil
}

func inMiB(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }

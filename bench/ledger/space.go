package ledger

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Check fails when the directory's file system has less than need bytes free.
//
// Ask before a trial: planes are sparse, so creating them always succeeds, and
// on a full file system it is the store into a hole that fails. The kernel
// reports that with SIGBUS, which ends the process.
func Check(dir string, need int64) error {
	free, err := freeBytes(dir)
	if err != nil {
		return err
	}
	if free < need {
		return fmt.Errorf("ledger: %s has %s free and the ledger needs %s: free some, or send fewer messages", dir, inMiB(free), inMiB(need))
	}
	return nil
}

// freeBytes returns what an unprivileged process may still write.
func freeBytes(dir string) (int64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, fmt.Errorf("ledger: free space of %s: %w", dir, err)
	}
	return int64(fs.Bavail) * int64(fs.Bsize), nil
}

func inMiB(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }

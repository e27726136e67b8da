package scratch

import (
	"slices"

	"golang.org/x/sys/unix"
)

// OnDisk returns the parents with those that lie in memory last, for what is
// too large for them.
func OnDisk(parents []string) []string {
	sorted := slices.Clone(parents)
	slices.SortStableFunc(sorted, func(a, b string) int { return inMemory(a) - inMemory(b) })
	return sorted
}

// inMemory is 1 for a folder on a tmpfs, else 0.
func inMemory(dir string) int {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err == nil && fs.Type == unix.TMPFS_MAGIC {
		return 1
	}
	return 0
}

package scratch

import (
	"slices"

	"golang.org/x/sys/unix"
)

// OnDisk returns the parents with those that lie in memory last, for what is
// too large for them.
func OnDisk(parents []string) []string {
	sorted := slices.Clone(parents)
	slices.SortStableFunc(sorted, func(a, b string) int { return rank(a) - rank(b) })
	return sorted
}

// InMemory reports whether a folder lies on a tmpfs.
func InMemory(dir string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(dir, &fs) == nil && fs.Type == unix.TMPFS_MAGIC
}

func rank(dir string) int {
	if InMemory(dir) {
		return 1
	}
	return 0
}

package scratch_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"deliverybench/bench/scratch"
)

func TestOnDiskPutsMemoryLast(t *testing.T) {
	memory, disk := t.TempDir(), t.TempDir()
	if err := unix.Mount("tmpfs", memory, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("needs a file system of its own: mount: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(memory, 0)) })
	given := []string{memory, disk, "/nowhere"}
	require.Equal(t, []string{disk, "/nowhere", memory}, scratch.OnDisk(given))
	require.Equal(t, memory, given[0], "what was given stays")
	require.True(t, scratch.InMemory(memory))
	require.False(t, scratch.InMemory("/nowhere"))
	dir, _, err := scratch.New([]string{memory}, 2<<20)
	require.Empty(t, dir)
	require.EqualError(t, err, "no folder has room for 2.0 MiB: "+memory+" has 1.0 MiB free")
}

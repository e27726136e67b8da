package sink_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
	"deliverybench/bench/sink/postgres"
)

// disk is a file system of the test's own, of so many MiB.
func disk(t *testing.T, mib int) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("small", dir, "tmpfs", 0, "mode=755,size="+strconv.Itoa(mib)+"m"); err != nil {
		t.Skipf("needs a file system of its own: mount: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

// resize makes it as large as what is on it and extra bytes.
func resize(t *testing.T, dir string, extra uint64) {
	t.Helper()
	var fs unix.Statfs_t
	require.NoError(t, unix.Statfs(dir, &fs))
	used := (fs.Blocks - fs.Bfree) * uint64(fs.Bsize)
	require.NoError(t, unix.Mount("", dir, "tmpfs", unix.MS_REMOUNT, "size="+strconv.FormatUint(used+extra, 10)))
}

// A disk that fills up costs nothing that was acknowledged, and with room again
// the same writer goes on.
func requireWholeWhenFull(t *testing.T, dir string, target sink.Target, says string) {
	t.Helper()
	w := opened(t, target)
	require.NoError(t, w.Apply(t.Context(), messages(0, 100)))
	resize(t, dir, 256<<10)
	acked, err := 100, error(nil)
	for err == nil && acked < 200_000 {
		if err = w.Apply(t.Context(), messages(acked, 100)); err == nil {
			acked += 100
		}
	}
	require.ErrorContains(t, err, says)
	require.NotErrorIs(t, err, sink.ErrUnknown)
	require.NotErrorIs(t, err, sink.ErrLost)
	resize(t, dir, 64<<20)
	requireBooks(t, target, messages(0, acked), 1)
	require.NoError(t, w.Apply(t.Context(), messages(acked, 100)))
	requireBooks(t, target, messages(0, acked+100), 1)
}

func TestAFullDiskUnderSQLite(t *testing.T) {
	dir := disk(t, 16)
	target := sink.Target{Database: profile.SQLite, Address: dir + "/trial.db", Write: profile.UniqueKey, Effect: profile.AddToBalance, Accounts: accounts}
	require.NoError(t, sink.Create(t.Context(), target))
	requireWholeWhenFull(t, dir, target, ": database or disk is full: free some space on its disk, or name a folder on another; nothing of the batch was applied")
}

func TestATooSmallDiskUnderSQLite(t *testing.T) {
	dir := disk(t, 1)
	target := sink.Target{Database: profile.SQLite, Address: dir + "/trial.db", Accounts: 100_000}
	require.ErrorContains(t, sink.Create(t.Context(), target), "database or disk is full: free some space")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left, "what was made is removed")
}

func TestAFullDiskUnderPostgres(t *testing.T) {
	dir := disk(t, 2048) // what the server asks for; it uses a fraction
	spawner := process.NewSpawner(os.Args[0])
	t.Cleanup(spawner.Close)
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711))
	s, err := postgres.Start(t.Context(), postgres.Options{Spawner: spawner, Getenv: os.Getenv, Scratch: []string{dir}, Logs: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.True(t, s.InMemory())
	target := inServer(s).target(t)
	target.Write, target.Effect, target.Accounts = profile.UniqueKey, profile.AddToBalance, accounts
	require.NoError(t, sink.Create(t.Context(), target))
	requireWholeWhenFull(t, dir, target, "No space left on device (SQLSTATE 53100): free some space on the database's disk; nothing of the batch was applied")
}

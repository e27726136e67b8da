package postgres_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/sink/postgres"
)

// installed is a folder with programs of the names.
func installed(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o700))
	}
	return dir
}

func TestBinaries(t *testing.T) {
	whole, half := installed(t, "initdb", "postgres"), installed(t, "initdb")
	find := func(variables map[string]string) (string, error) {
		return postgres.Binaries(func(name string) string { return variables[name] })
	}
	dir, err := find(map[string]string{"PG_BIN": whole, "PATH": half})
	require.NoError(t, err)
	require.Equal(t, whole, dir)
	dir, err = find(map[string]string{"PATH": half + ":.:" + whole})
	require.NoError(t, err)
	require.Equal(t, whole, dir)
	_, err = find(map[string]string{"PG_BIN": half, "PATH": whole})
	require.EqualError(t, err, "PG_BIN is "+half+", which does not have both initdb and postgres in it: name the folder that has")
	if dir, err = find(nil); err != nil { // nothing in Debian's place
		require.ErrorIs(t, err, postgres.ErrMissing)
		require.ErrorContains(t, err, "apt-get install postgresql")
	} else {
		require.Regexp(t, `^/usr/lib/postgresql/\d+/bin$`, dir)
	}
}

// A folder that the server's user cannot reach is known before it is used.
func TestFoldersThatTheServerMayEnter(t *testing.T) {
	dir := t.TempDir()
	other := &syscall.Credential{Uid: 12345, Gid: 12345}
	require.False(t, postgres.Entered(dir, other), "its parent is its owner's alone")
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711))
	require.True(t, postgres.Entered(dir, other))
	require.NoError(t, os.Chmod(dir, 0o700))
	require.False(t, postgres.Entered(dir, other))
	require.True(t, postgres.Entered(dir, &syscall.Credential{Uid: uint32(os.Getuid()), Gid: 12345}))
	require.False(t, postgres.Entered(filepath.Join(dir, "missing"), other))
	if os.Geteuid() != 0 {
		return
	}
	o := options(t)
	o.Scratch = []string{dir}
	_, err := postgres.Start(t.Context(), o)
	require.ErrorContains(t, err, "may enter none of ["+dir+"]: name another folder with -scratch, or let others enter with chmod o+x")
}

// What the server says when it cannot start is told, and its data is removed.
func TestAServerThatCannotStart(t *testing.T) {
	o := options(t)
	o.Settings = []string{"shared_buffers=none"}
	_, err := postgres.Start(t.Context(), o)
	require.ErrorContains(t, err, `invalid value for parameter "shared_buffers": "none"`)
	left, err := os.ReadDir(o.Scratch[0])
	require.NoError(t, err)
	require.Empty(t, left)
}

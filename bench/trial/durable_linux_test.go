package trial_test

import (
	"os"
	"testing"

	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
	"deliverybench/bench/trial"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// commitsOnce is a calm trial with rows; its warnings are what it is run for.
func commitsOnce(t *testing.T, b *bench, kind profile.Database) []string {
	t.Helper()
	s := short()
	s.Sink.Database = kind
	return b.complete(t, s).Warnings
}

// A database in memory is warned of: its commits cost nothing of what they cost
// on a disk.
func TestADatabaseInMemory(t *testing.T) {
	t.Parallel()
	memory, err := os.MkdirTemp("/dev/shm", "trial-memory")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.Remove(memory), "nothing is left in it") })
	const warning = "the database lies in memory, where a commit is no write to a disk: "
	b := newBench(t)
	disk := b.env.Scratch
	b.env.Scratch = []string{memory}
	requireWarned(t, onTmpfs(t, memory), commitsOnce(t, b, profile.SQLite), warning)

	b.env.Scratch = append(b.env.Scratch, disk...) // a disk is taken where there is one
	requireWarned(t, onTmpfs(t, memory) && onTmpfs(t, disk[0]), commitsOnce(t, b, profile.SQLite), warning)

	b = ownPostgres(t, b)
	b.env.Database.InMemory = true
	requireWarned(t, true, commitsOnce(t, b, profile.Postgres), warning)
}

func onTmpfs(t *testing.T, dir string) bool {
	t.Helper()
	var fs unix.Statfs_t
	require.NoError(t, unix.Statfs(dir, &fs))
	return fs.Type == unix.TMPFS_MAGIC
}

// requireWarned: one warning, where one is due.
func requireWarned(t *testing.T, due bool, warnings []string, want string) {
	t.Helper()
	if !due {
		require.Empty(t, warnings)
		return
	}
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], want)
}

// A user's PostgreSQL may answer commits early: a trial in it says so.
func TestAPostgresThatCommitsEarly(t *testing.T) {
	t.Parallel()
	b := ownPostgres(t, newBench(t))
	theirs := &trial.Database{Address: b.env.Database.Address, Password: b.env.Database.Password}
	b.env.Database = theirs
	require.Empty(t, commitsOnce(t, b, profile.Postgres))
	config, err := pgx.ParseConfig(theirs.Address)
	require.NoError(t, err)
	config.Password = theirs.Password
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "ALTER ROLE CURRENT_USER SET synchronous_commit = off")
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	why, err := sink.Undurable(t.Context(), sink.Target{Database: profile.Postgres, Address: theirs.Address, Password: theirs.Password})
	require.NoError(t, err)
	require.Len(t, why, 1)
	require.Equal(t, why, commitsOnce(t, b, profile.Postgres))
}

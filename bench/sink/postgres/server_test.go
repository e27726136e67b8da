package postgres_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"deliverybench/bench/process"
	"deliverybench/bench/sink/postgres"
)

const within = 2 * time.Minute

// enterable is a folder that PostgreSQL's user may reach.
func enterable(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711))
	return dir
}

func options(t *testing.T) postgres.Options {
	t.Helper()
	spawner := process.NewSpawner(os.Args[0])
	t.Cleanup(spawner.Close)
	return postgres.Options{Spawner: spawner, Getenv: os.Getenv, Scratch: []string{enterable(t)}, Logs: t.TempDir()}
}

func started(t *testing.T, o postgres.Options) *postgres.Server {
	t.Helper()
	s, err := postgres.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		left, err := os.ReadDir(o.Scratch[0])
		require.NoError(t, err)
		require.Empty(t, left)
	})
	return s
}

func connected(t *testing.T, s *postgres.Server) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	config, err := pgx.ParseConfig(s.Address())
	require.NoError(t, err)
	config.Password = s.Password()
	conn, err := pgx.ConnectConfig(ctx, config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func setting(t *testing.T, conn *pgx.Conn, name string) (value string) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&value))
	return value
}

// The server is durable, on loopback alone, and has what was committed after
// the death of all its processes.
func TestServer(t *testing.T) {
	s := started(t, options(t))
	conn := connected(t, s)
	for name, value := range map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "password_encryption": "scram-sha-256",
	} {
		require.Equal(t, value, setting(t, conn, name), name)
	}
	_, err := conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 7 AS n")
	require.NoError(t, err)
	require.ErrorContains(t, s.Start(t.Context()), "it runs")

	require.NoError(t, s.Kill(t.Context()))
	require.NoError(t, s.Failure(), "it was asked to")
	require.Error(t, conn.Ping(t.Context()))
	require.NoError(t, s.Start(t.Context()))
	var n int
	require.NoError(t, connected(t, s).QueryRow(t.Context(), "SELECT n FROM kept").Scan(&n))
	require.Equal(t, 7, n)

	_, err = pgx.Connect(t.Context(), s.Address())
	require.ErrorContains(t, err, "SQLSTATE 28P01", "nobody is let in without the password")
}

// A start, or a kill, that was called off is picked up by the next start: the
// server that runs already is waited for, and one that is to end has ended.
func TestAStartThatWasCalledOff(t *testing.T) {
	s := started(t, options(t))
	called, off := context.WithCancel(t.Context())
	off()
	require.NoError(t, s.Kill(called))
	require.ErrorIs(t, s.Start(called), context.Canceled)
	pid := s.PIDs()[0]
	require.NoError(t, s.Start(t.Context()))
	require.Equal(t, pid, s.PIDs()[0], "no second server")
	require.NoError(t, connected(t, s).Ping(t.Context()))
	require.ErrorContains(t, s.Start(t.Context()), "it runs")
}

func TestFreezeAndThaw(t *testing.T) {
	s := started(t, options(t))
	conn := connected(t, s)
	require.NoError(t, s.Freeze())
	answered := make(chan error, 1)
	go func() { answered <- conn.Ping(context.WithoutCancel(t.Context())) }()
	for _, state := range states(t, s) {
		require.Equal(t, byte('T'), state)
	}
	require.Empty(t, answered)
	require.NoError(t, s.Thaw())
	select {
	case err := <-answered:
		require.NoError(t, err)
	case <-time.After(within):
		require.FailNow(t, "waited for an answer after the thaw")
	}
	require.NoError(t, s.Freeze()) // it is closed so
}

// states are those of the server's processes, once none is about to change.
func states(t *testing.T, s *postgres.Server) (all []byte) {
	t.Helper()
	pids := s.PIDs()
	require.Greater(t, len(pids), 5)
	for _, pid := range pids {
		var state byte
		require.Eventually(t, func() bool { state, _ = postgres.Stat(pid); return state != 'R' && state != 'D' }, within, time.Millisecond)
		if postgres.Alive(pid) { // not one that ended before, which nobody collects now
			all = append(all, state)
		}
	}
	return all
}

package main

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"deliverybench/bench/client"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
	"deliverybench/bench/sink/postgres"
)

// usersPostgres is a server as a user has one: its URL holds the password.
func usersPostgres(t *testing.T) (address, password string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "bench-postgres")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	require.NoError(t, os.Chmod(folder, 0o711)) // its processes may be another user's
	executable, err := os.Executable()
	require.NoError(t, err)
	spawner := process.NewSpawner(executable)
	t.Cleanup(spawner.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	server, err := postgres.Start(ctx, postgres.Options{Spawner: spawner, Getenv: os.Getenv, Scratch: []string{folder}, Logs: folder})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	u, err := url.Parse(server.Address())
	require.NoError(t, err)
	u.User = url.UserPassword(u.User.Username(), server.Password())
	return u.String(), server.Password()
}

// clean lists the schemas that runs left, and drops only those: not what a run
// still uses, what others made under such a name, or put into it.
func TestCleanADatabase(t *testing.T) {
	given, password := usersPostgres(t)
	address, _, err := sink.ParseURL(given)
	require.NoError(t, err)
	target := func(name string) sink.Target {
		return sink.Target{Database: profile.Postgres, Address: address, Password: password, Schema: name, Write: profile.Insert, Effect: profile.AddToBalance, Accounts: 1}
	}
	at := func(hour int) time.Time { return time.Date(2026, 11, 21, hour, 15, 0, 0, time.UTC) }
	killed, living := client.SchemaOf(client.RunTag(at(10), 4711), 7), client.SchemaOf(client.RunTag(at(11), 4712), 8)
	begun := client.SchemaOf(client.RunTag(at(13), 4714), 10)
	marked, unmarked := "mine", client.SchemaOf(client.RunTag(at(12), 4713), 9)
	release, err := sink.Hold(t.Context(), target(begun)) // a trial that has no workers yet
	require.NoError(t, err)
	defer release()
	for _, schema := range []string{killed, living, marked, begun} {
		require.NoError(t, sink.Create(t.Context(), target(schema)))
	}
	worker, err := sink.Open(t.Context(), target(living))
	require.NoError(t, err)
	defer func() { require.NoError(t, worker.Close()) }()
	user, err := pgx.Connect(t.Context(), given)
	require.NoError(t, err)
	defer func() { require.NoError(t, user.Close(t.Context())) }()
	_, err = user.Exec(t.Context(), "CREATE SCHEMA "+pgx.Identifier{unmarked}.Sanitize())
	require.NoError(t, err)
	schemas := func() []string {
		rows, err := user.Query(t.Context(), "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'deliverybench-%' OR nspname = 'mine' ORDER BY nspname")
		require.NoError(t, err)
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		return names
	}

	p := newPlace(t)
	got := p.bench("clean", "-database", given)
	require.Equal(t, exitMet, got.code, got.stderr)
	require.Equal(t, `schema  `+killed+`  2026-11-21 10:15:00    
schema  `+living+`  2026-11-21 11:15:00    in use
schema  `+begun+`  2026-11-21 13:15:00    in use
3 schemas of earlier runs; -yes deletes what no run uses.
`, got.stdout)
	require.Equal(t, []string{killed, living, unmarked, begun, marked}, schemas())

	table := pgx.Identifier{killed, "users"}.Sanitize()
	_, err = user.Exec(t.Context(), "CREATE TABLE "+table+" ()")
	require.NoError(t, err)
	got = p.bench("clean", "-database", given, "-yes")
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.stderr, "something else is in the trial's schema: nothing was removed")
	require.Equal(t, []string{killed, living, unmarked, begun, marked}, schemas())
	_, err = user.Exec(t.Context(), "DROP TABLE "+table)
	require.NoError(t, err)

	got = p.bench("clean", "-database", given, "-yes", "-json")
	require.Equal(t, exitMet, got.code, got.stderr)
	require.NotContains(t, got.stdout, password)
	var found leftovers
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &found))
	require.Equal(t, leftovers{
		Database: address, Topics: []leftover{}, Groups: []leftover{},
		Schemas: []leftover{{Name: killed, Made: at(10), Deleted: true}, {Name: living, Made: at(11), InUse: true}, {Name: begun, Made: at(13), InUse: true}},
	}, found)
	require.Equal(t, []string{living, unmarked, begun, marked}, schemas())
}

func TestCleanRefusesADatabase(t *testing.T) {
	p := newPlace(t)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-database", "localhost:5432"}, exitUsage, "-database: not a PostgreSQL URL: use postgres://USER@HOST:PORT/DATABASE"},
		{[]string{"-database", "postgres://ada@127.0.0.1:1/x", "-broker", "local"}, exitUsage, "clean needs -broker HOST:PORT or -database URL"},
		{[]string{"-database", "postgres://ada@127.0.0.1:1/x", "-client-config", "file"}, exitUsage, "-client-config is for a cluster"},
		{[]string{"-database", "postgres://ada:wrong-password@127.0.0.1:1/x"}, exitFailed, "connection refused: check that the server runs, and its address\n"},
	} {
		got := p.bench(append([]string{"clean"}, c.args...)...)
		require.Equal(t, c.code, got.code, got.stderr)
		require.Contains(t, got.stderr, c.want)
		require.NotContains(t, got.stderr, "wrong-password")
	}
}

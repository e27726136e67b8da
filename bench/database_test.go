package main

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const intoPostgres = `load: {rate: 1000/s, warmup: 100ms, duration: 500ms, cooldown: 100ms}
consumer: {commit: {every: 50}}
sink: {database: postgres}
scenarios: {calm: {}, struck: {faults: [{kill: database, at: 50%, restart: 100ms}]}}
claims: {"*/calm": [lost == 0, database.effects == due, database.difference_cents == 0]}
`

// A PostgreSQL of the user's takes the effects and is left as it was, is struck
// by nothing, and its password is nowhere in what is kept.
func TestADatabaseOfTheUsers(t *testing.T) {
	given, password := usersPostgres(t)
	address, err := url.Parse(given)
	require.NoError(t, err)
	p := newPlace(t)
	source := p.profile("rows", intoPostgres)
	got := p.bench("-profile", source, "-database", given, "-out", p.out)
	require.Equal(t, exitMet, got.code, got.stdout+got.stderr)
	require.Contains(t, got.stdout, "not this program's to")
	require.NotContains(t, got.stdout+got.stderr, password)
	p.requireNothingLeft()
	require.NoError(t, filepath.WalkDir(p.out, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		require.False(t, bytes.Contains(text, []byte(password)), path)
		return err
	}))

	got = p.bench("-profile", source, "-database", "postgres://nobody:wrong-password@"+address.Host+"/postgres", "-out", p.out)
	require.Equal(t, exitFailed, got.code, got.stdout+got.stderr)
	require.NotContains(t, got.stdout+got.stderr, "wrong-password")
	require.Contains(t, got.stderr, "password")
	got = p.bench("-profile", source, "-database", "localhost:5432", "-out", p.out)
	require.Equal(t, exitUsage, got.code)
	require.Contains(t, got.stderr, "-database: not a PostgreSQL URL")
}

package trial_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"deliverybench/bench/process"
	"deliverybench/bench/sink/postgres"
	"deliverybench/bench/trial"

	"github.com/stretchr/testify/require"
)

// database is a PostgreSQL that the tests of this package share, but for those
// that strike one; TestMain closes it.
var database sharedPostgres

type sharedPostgres struct {
	starting sync.Mutex
	spawner  *process.Spawner
	server   *postgres.Server
	folder   string
}

// with gives the trials of a bench a PostgreSQL.
func (p *sharedPostgres) with(t *testing.T, b *bench) *bench {
	t.Helper()
	p.starting.Lock()
	defer p.starting.Unlock()
	if p.server == nil {
		executable, err := os.Executable()
		require.NoError(t, err)
		p.folder, err = os.MkdirTemp("", "trial-postgres")
		require.NoError(t, err)
		p.spawner = process.NewSpawner(executable)
		p.server = startPostgres(t, p.spawner, p.folder)
	}
	return withServer(b, p.server)
}

func (p *sharedPostgres) close() {
	if p.server != nil {
		_ = p.server.Close()
	}
	if p.spawner != nil {
		p.spawner.Close()
		_ = os.RemoveAll(p.folder)
	}
}

func withServer(b *bench, server *postgres.Server) *bench {
	with := *b
	with.env.Database = &trial.Database{Address: server.Address(), Password: server.Password(), Server: server}
	return &with
}

// ownPostgres is one that a test may strike.
func ownPostgres(t *testing.T, b *bench) *bench {
	t.Helper()
	folder, err := os.MkdirTemp("", "trial-postgres")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	server := startPostgres(t, b.env.Spawner, folder)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return withServer(b, server)
}

func startPostgres(t *testing.T, spawner *process.Spawner, folder string) *postgres.Server {
	t.Helper()
	require.NoError(t, os.Chmod(folder, 0o711)) // its processes may be another user's
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	server, err := postgres.Start(ctx, postgres.Options{Spawner: spawner, Getenv: os.Getenv, Scratch: []string{folder}, Logs: folder})
	require.NoError(t, err)
	return server
}

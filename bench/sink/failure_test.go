package sink_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
	"deliverybench/bench/sink/postgres"
)

// A server that is killed amid a stream of batches, and started again, has all
// that was acknowledged, and with either remedy nothing twice.
func TestAKilledServer(t *testing.T) {
	s := started(t)
	for name, apply := range map[string]func(ctx context.Context, w *sink.Writer, batch []sink.Effect) error{
		"unique-key": func(ctx context.Context, w *sink.Writer, batch []sink.Effect) error { return w.Apply(ctx, batch) },
		"with-effect": func(ctx context.Context, w *sink.Writer, batch []sink.Effect) error {
			first := batch[0].Offset
			return w.ApplyAt(ctx, batch, map[int32]int64{1: first}, map[int32]int64{1: first + int64(len(batch))})
		},
	} {
		t.Run(name, func(t *testing.T) {
			write := profile.Insert
			if name == "unique-key" {
				write = profile.UniqueKey
			}
			target := inServer(s).made(t, write, profile.AddToBalance)
			w := opened(t, target)
			const batches, size = 300, 100
			acked, done := make(chan int, batches), make(chan error, 1)
			lost := 0
			go func() {
				defer close(acked)
				done <- stream(t.Context(), w, batches, size, apply, func(n int) { acked <- n }, func() { lost++ })
			}()
			for n := range acked {
				if n == batches/10 || n == batches/2 {
					require.NoError(t, s.Kill(t.Context()))
					require.NoError(t, s.Start(t.Context()))
				}
			}
			require.NoError(t, <-done)
			require.Positive(t, lost, "the kills were noticed")
			requireBooks(t, target, messages(0, batches*size), 1)
		})
	}
}

// stream applies batches one after another, each until it is acknowledged or
// found to be there.
func stream(ctx context.Context, w *sink.Writer, batches, size int, apply func(context.Context, *sink.Writer, []sink.Effect) error, acked func(int), lost func()) error {
	for n := range batches {
		batch := messages(n*size, size)
		err := apply(ctx, w, batch)
		unknown := false
		for errors.Is(err, sink.ErrLost) || errors.Is(err, sink.ErrUnknown) {
			lost()
			unknown = unknown || errors.Is(err, sink.ErrUnknown)
			err = apply(ctx, w, batch)
		}
		if unknown && errors.Is(err, sink.ErrFenced) { // it had been committed
			var next map[int32]int64
			if next, err = w.Offsets(ctx, []int32{1}); err == nil && next[1] != int64((n+1)*size) {
				err = sink.ErrFenced
			}
		}
		if err != nil {
			return err
		}
		acked(n)
	}
	return nil
}

// A commit whose answer does not come is unknown, whether the server has heard
// of it or not; applied again with a unique key it is there once.
func TestAnUnansweredCommit(t *testing.T) {
	s := started(t)
	for name, heard := range map[string]bool{"committed": true, "not committed": false} {
		for write, copies := range map[profile.SinkWrite]int64{profile.Insert: 2, profile.UniqueKey: 1} {
			t.Run(name+"/"+string(write), func(t *testing.T) {
				target := inServer(s).made(t, write, profile.AddToBalance)
				cut := target
				cut.Address = cutAtCommit(t, target.Address, heard)
				batch := messages(0, 20)
				err := opened(t, cut).Apply(t.Context(), batch)
				require.ErrorIs(t, err, sink.ErrUnknown)
				require.NotErrorIs(t, err, sink.ErrLost)
				if !heard {
					copies = 1
					requireBooks(t, target, nil, 0)
				} else {
					requireBooks(t, target, batch, 1)
				}
				require.NoError(t, opened(t, target).Apply(t.Context(), batch))
				requireBooks(t, target, batch, copies)
			})
		}
	}
}

// cutAtCommit is the address of a proxy that ends a connection at its first
// commit, with or without delivering it.
func cutAtCommit(t *testing.T, address string, deliver bool) string {
	t.Helper()
	return before(t, address, func(client net.Conn, server string) { answerCommit(client, server, deliver, nil) })
}

// before is the address of one who stands before a server and does what serve does
// with each of its clients.
func before(t *testing.T, address string, serve func(client net.Conn, server string)) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	server := u.Host
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	u.Host = listener.Addr().String()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(client, server)
		}
	}()
	return u.String()
}

// A server that went away between batches is noticed before the commit.
func TestALostConnection(t *testing.T) {
	s := started(t)
	target := inServer(s).made(t, profile.Insert, profile.AddToBalance)
	w := opened(t, target)
	require.NoError(t, w.Apply(t.Context(), messages(0, 5)))
	require.NoError(t, s.Kill(t.Context()))
	require.ErrorIs(t, w.Apply(t.Context(), messages(5, 5)), sink.ErrLost)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := w.Apply(ctx, messages(5, 5))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, sink.ErrLost, "it may be there again for the next attempt")
	require.ErrorContains(t, err, "connection refused")
	require.NoError(t, s.Start(t.Context()))
	require.NoError(t, w.Apply(t.Context(), messages(5, 5)))
	requireBooks(t, target, messages(0, 10), 1)
}

// Each refusal says what to do, and does not tell the password.
func TestRefusals(t *testing.T) {
	s := started(t, "max_connections=4", "superuser_reserved_connections=0")
	good := inServer(s).made(t, profile.Insert, profile.AddToBalance)
	for name, test := range map[string]struct {
		change func(*sink.Target)
		says   string
	}{
		"wrong password": {func(t *sink.Target) { t.Password = "hunter2" },
			"password authentication failed for user \"deliverybench\" (SQLSTATE 28P01): give the user's password with PGPASSWORD or PGPASSFILE"},
		"no such database": {func(t *sink.Target) { t.Address = replaced(t.Address, "postgres") },
			"database \"elsewhere\" does not exist (SQLSTATE 3D000): create the database, or name another in -database"},
		"schema already there": {func(*sink.Target) {},
			" is there already, of another run or another program, and is kept: use another name, or drop it if nobody needs it"},
		"nothing listens": {func(t *sink.Target) { t.Address = "postgres://me@127.0.0.1:1/x?sslmode=disable" }, "connection refused"},
		"no accounts":     {func(t *sink.Target) { t.Accounts = 0 }, "sink: 0 accounts: give at least 1"},
	} {
		t.Run(name, func(t *testing.T) {
			target := good
			test.change(&target)
			err := sink.Create(t.Context(), target)
			require.ErrorContains(t, err, test.says)
			require.NotContains(t, err.Error(), target.Password)
			require.NotContains(t, err.Error(), "\n")
		})
	}
	t.Run("connection limit", func(t *testing.T) {
		var all []*sink.Writer
		closeAll := func() {
			for _, w := range all {
				require.NoError(t, w.Close())
			}
			all = nil
		}
		defer closeAll()
		var err error
		// A server counts the connections that were just closed for a moment yet.
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			closeAll()
			for err = nil; err == nil && len(all) < 5; {
				var w *sink.Writer
				if w, err = sink.Open(t.Context(), good); err == nil {
					all = append(all, w)
				}
			}
			assert.Len(c, all, 4)
		}, time.Minute, 100*time.Millisecond)
		require.ErrorContains(t, err, "sorry, too many clients already (SQLSTATE 53300): raise the server's max_connections, or run fewer consumers")
	})
}

// replaced is the address with another database in place of this.
func replaced(address, database string) string {
	return string(bytes.Replace([]byte(address), []byte("/"+database+"?"), []byte("/elsewhere?"), 1))
}

// What is there already is neither overwritten nor removed.
func TestNothingOfOthersIsTouched(t *testing.T) {
	t.Run("another run's tables", func(t *testing.T) {
		for _, p := range places(t) {
			target := p.made(t, profile.Insert, profile.AddToBalance)
			require.NoError(t, opened(t, target).Apply(t.Context(), messages(0, 5)))
			require.ErrorContains(t, sink.Create(t.Context(), target), "is there already")
			requireBooks(t, target, messages(0, 5), 1)
		}
	})
	t.Run("another program's file", func(t *testing.T) {
		for name, content := range map[string][]byte{"text": []byte("dear diary, this is no database\n"), "empty": nil} {
			target := inFile().target(t)
			target.Accounts = accounts
			require.NoError(t, os.WriteFile(target.Address, content, 0o600))
			require.ErrorContains(t, sink.Create(t.Context(), target), "is there already", name)
			require.ErrorContains(t, sink.Drop(t.Context(), target), "kept", name)
			kept, err := os.ReadFile(target.Address)
			require.NoError(t, err)
			require.True(t, bytes.HasPrefix(kept, content), name)
		}
	})
	t.Run("another program's schema", func(t *testing.T) { othersSchema(t, started(t)) })
	t.Run("nothing there", func(t *testing.T) {
		for _, p := range places(t) {
			require.NoError(t, sink.Drop(t.Context(), p.target(t)))
		}
	})
}

func othersSchema(t *testing.T, s *postgres.Server) {
	t.Helper()
	target := inServer(s).target(t)
	target.Schema, target.Accounts = "others", accounts
	config, err := pgx.ParseConfig(s.Address())
	require.NoError(t, err)
	config.Password = s.Password()
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	there := func(table string) {
		t.Helper()
		_, err := conn.Exec(t.Context(), "SELECT FROM "+table)
		require.NoError(t, err)
	}
	_, err = conn.Exec(t.Context(), "CREATE SCHEMA others; CREATE TABLE others.journal ()")
	require.NoError(t, err)
	require.ErrorContains(t, sink.Create(t.Context(), target), "is there already")
	require.ErrorContains(t, sink.Drop(t.Context(), target), "was not made by this program and is kept")
	there("others.journal")

	ours := inServer(s).made(t, profile.Insert, profile.AddToBalance)
	table := pgx.Identifier{ours.Schema, "more"}.Sanitize()
	_, err = conn.Exec(t.Context(), "CREATE TABLE "+table+" ()")
	require.NoError(t, err)
	require.ErrorContains(t, sink.Drop(t.Context(), ours), "something else is in the trial's schema: nothing was removed")
	there(table)
	requireBooks(t, ours, nil, 0)
	_, err = conn.Exec(t.Context(), "DROP TABLE "+table)
	require.NoError(t, err)
}

package sink_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
	"deliverybench/bench/sink/postgres"
)

var errPatience = errors.New("the test's patience is over")

// requireTold runs a call that cannot come to its end, and expects it to say what
// it waited for, where, and who gave up.
func requireTold(t *testing.T, target sink.Target, what string, call func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 200*time.Millisecond, errPatience)
	defer cancel()
	err := call(ctx)
	require.ErrorContains(t, err, "sink: schema "+target.Schema+" of "+target.Address+": waited for "+what+": the test's patience is over; at last: ")
	require.ErrorIs(t, err, errPatience)
	require.NotContains(t, err.Error(), target.Password)
	return err
}

// sessionOf is another program's in a server.
func sessionOf(t *testing.T, s *postgres.Server) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(s.Address())
	require.NoError(t, err)
	config.Password = s.Password()
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	return conn
}

// Whoever waits for what another session has locked learns that it waited, and is
// not told of a connection that broke. Nothing is applied or removed.
func TestWaitingForALock(t *testing.T) {
	s := started(t)
	target := inServer(s).made(t, profile.Insert, profile.AddToBalance)
	w := opened(t, target)
	other := sessionOf(t, s)
	lock, err := other.Begin(t.Context())
	require.NoError(t, err)
	_, err = lock.Exec(t.Context(), "LOCK TABLE "+pgx.Identifier{target.Schema, "accounts"}.Sanitize())
	require.NoError(t, err)

	err = requireTold(t, target, "the database to apply a batch", func(ctx context.Context) error { return w.Apply(ctx, messages(0, 5)) })
	require.ErrorIs(t, err, sink.ErrLost)
	require.NotContains(t, err.Error(), "broke")
	requireTold(t, target, "the trial's tables to be removed", func(ctx context.Context) error { return sink.Drop(ctx, target) })

	require.NoError(t, lock.Rollback(t.Context()))
	requireBooks(t, target, nil, 0)
	require.NoError(t, w.Apply(t.Context(), messages(0, 5)))
	requireBooks(t, target, messages(0, 5), 1)
}

// Every call of a server that says nothing tells what it waited for.
func TestWaitingForASilentServer(t *testing.T) {
	s := started(t)
	target := inServer(s).made(t, profile.Insert, profile.AddToBalance)
	at := func(next int64) map[int32]int64 { return map[int32]int64{1: next} }
	for what, call := range map[string]func(context.Context, *sink.Writer) error{
		"the trial's tables to be made":    func(ctx context.Context, _ *sink.Writer) error { return sink.Create(ctx, target) },
		"the trial's tables to be removed": func(ctx context.Context, _ *sink.Writer) error { return sink.Drop(ctx, target) },
		"the audit of the database": func(ctx context.Context, _ *sink.Writer) error {
			_, err := sink.Audit(ctx, target, func(int, int64, int64) error { return nil })
			return err
		},
		"the database to be opened": func(ctx context.Context, _ *sink.Writer) error {
			_, err := sink.Open(ctx, target)
			return err
		},
		"the database to say what it has of the batch": func(ctx context.Context, w *sink.Writer) error {
			_, err := w.Check(ctx, messages(0, 5))
			return err
		},
		"the database to apply a batch": func(ctx context.Context, w *sink.Writer) error { return w.Act(ctx, messages(0, 5)) },
		"the database to apply a batch with its offsets": func(ctx context.Context, w *sink.Writer) error {
			return w.ApplyAt(ctx, messages(0, 5), at(0), at(5))
		},
		"the database to apply a batch with its messages": func(ctx context.Context, w *sink.Writer) error {
			return w.ApplyWith(ctx, messages(0, 5), nil, nil)
		},
		"the database to tell offsets": func(ctx context.Context, w *sink.Writer) error {
			_, err := w.Offsets(ctx, []int32{1})
			return err
		},
		"the database to tell what is in the outbox": func(ctx context.Context, w *sink.Writer) error {
			_, err := w.Outbox(ctx, 1)
			return err
		},
		"the database to clear the outbox of what is published": func(ctx context.Context, w *sink.Writer) error {
			return w.Clear(ctx, []sink.Outgoing{{ID: 1}})
		},
	} {
		t.Run(what, func(t *testing.T) {
			w := opened(t, target)
			require.NoError(t, s.Freeze())
			defer func() { require.NoError(t, s.Thaw()) }()
			requireTold(t, target, what, func(ctx context.Context) error { return call(ctx, w) })
		})
	}
}

// A file is waited for as a server is.
func TestWaitingForAFile(t *testing.T) {
	target := inFile().made(t, profile.Insert, profile.AddToBalance)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errPatience)
	_, err := sink.Open(ctx, target)
	require.ErrorContains(t, err, "sink: "+target.Address+": waited for the database to be opened: the test's patience is over; at last: ")
}

package sink

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"deliverybench/bench/profile"
)

// holdAgainEvery is how long a session that cannot be opened again is left alone.
const holdAgainEvery = time.Second

// Hold keeps a session by which Leftovers knows that the trial goes on, also
// while it has no workers, until it is released: hold before Create, release
// after Drop. A session that ends, because somebody restarts the server, is
// opened again. An SQLite file needs none: it lies in a folder that has its owner.
func Hold(ctx context.Context, t Target) (release func(), err error) {
	if t.Database == profile.SQLite {
		return func() {}, nil
	}
	config, err := configOf(t)
	if err != nil {
		return nil, err
	}
	var conn *pgx.Conn
	err = within(ctx, createWithin, "a session that holds the trial's tables", t.place(), func(ctx context.Context) (err error) {
		conn, err = connect(ctx, config, t.place(), recovers)
		return err
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	released := make(chan struct{})
	go func() {
		defer close(released)
		for conn != nil {
			watch(ctx, conn)
			conn = again(ctx, config, t.place())
		}
	}()
	return func() { cancel(); <-released }, nil
}

// watch returns when the session has ended, or the context, which ends it.
func watch(ctx context.Context, conn *pgx.Conn) {
	for ctx.Err() == nil && !conn.IsClosed() {
		_, _ = conn.WaitForNotification(ctx) // of which none comes: it hears the connection's end
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectWithin)
	defer cancel()
	_ = conn.Close(ctx) // an error says that it had broken already
}

// again opens a session as soon as that can be; nil is that the context has ended.
func again(ctx context.Context, config *pgx.ConnConfig, place string) *pgx.Conn {
	for ctx.Err() == nil {
		conn, err := connect(ctx, config, place, passes)
		if err == nil {
			return conn
		}
		select {
		case <-ctx.Done():
		case <-time.After(holdAgainEvery):
		}
	}
	return nil
}

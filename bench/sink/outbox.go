package sink

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Outgoing is a message in the outbox: its row is there from the transaction of
// the effect that it tells of until the message is published.
type Outgoing struct {
	// ID is the row's, in the order in which rows were written; the database
	// gives it.
	ID int64
	// Key is nil for a message without one.
	Key, Value []byte
}

// ApplyWith writes effects and the messages that tell of them in one transaction.
// written, unless nil, is called when all is written and nothing is committed.
func (w *Writer) ApplyWith(ctx context.Context, batch []Effect, messages []Outgoing, written func()) error {
	if len(batch) == 0 && len(messages) == 0 {
		return nil
	}
	return w.apply(ctx, "the database to apply a batch with its messages", change{effects: batch, outbox: messages, written: written})
}

// Outbox are the oldest messages that wait to be published, at most so many. A
// transaction that commits late puts its messages before later ones, so that a
// position is no way to know what was published: rows are cleared.
func (w *Writer) Outbox(ctx context.Context, most int) (messages []Outgoing, err error) {
	err = w.within(ctx, "the database to tell what is in the outbox", func(ctx context.Context) (err error) {
		messages, err = w.db.outbox(ctx, most)
		return err
	})
	return messages, err
}

// Clear removes messages that were published from the outbox. It may be repeated.
func (w *Writer) Clear(ctx context.Context, messages []Outgoing) error {
	if len(messages) == 0 {
		return nil
	}
	ids := make([]int64, len(messages))
	for i := range messages {
		ids[i] = messages[i].ID
	}
	return w.within(ctx, "the database to clear the outbox of what is published", func(ctx context.Context) error { return w.db.clear(ctx, ids) })
}

// The outbox in PostgreSQL.
const (
	postgresEnlist = `INSERT INTO outbox (message_key, message) SELECT * FROM unnest($1::bytea[], $2::bytea[])`
	postgresOutbox = `SELECT id, message_key, message FROM outbox ORDER BY id LIMIT $1`
	postgresClear  = `DELETE FROM outbox WHERE id = ANY($1::bigint[])`
)

func queueOutbox(queue *pgx.Batch, messages []Outgoing) {
	keys, values := make([][]byte, len(messages)), make([][]byte, len(messages))
	for i := range messages {
		keys[i], values[i] = messages[i].Key, messages[i].Value
	}
	queue.Queue(postgresEnlist, keys, values)
}

func (p *postgres) outbox(ctx context.Context, most int) ([]Outgoing, error) {
	if err := p.ensure(ctx); err != nil {
		return nil, err
	}
	rows, err := p.conn.Query(ctx, postgresOutbox, most)
	var messages []Outgoing
	if err == nil {
		messages, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Outgoing])
	}
	if err != nil {
		return nil, p.before(err)
	}
	return messages, nil
}

// clear returns ErrLost also when it is not known whether the rows are gone: they
// are then removed again.
func (p *postgres) clear(ctx context.Context, ids []int64) error {
	if err := p.ensure(ctx); err != nil {
		return err
	}
	if _, err := p.conn.Exec(ctx, postgresClear, ids); err != nil {
		return p.before(err)
	}
	return nil
}

// The outbox in SQLite, whose JSON has no bytes: each message is a statement.
const (
	sqliteCreateOutbox = `CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, message_key blob, message blob NOT NULL)`
	sqliteEnlist       = `INSERT INTO outbox (message_key, message) VALUES (?, ?)`
	sqliteOutbox       = `SELECT id, message_key, message FROM outbox ORDER BY id LIMIT ?`
	sqliteClear        = `DELETE FROM outbox WHERE id IN (SELECT value ->> 0 FROM json_each(?))`
)

func (s *sqlite) enlist(ctx context.Context, messages []Outgoing) error {
	for i := range messages {
		if _, err := s.prepared[sqliteEnlist].ExecContext(ctx, messages[i].Key, messages[i].Value); err != nil {
			return err
		}
	}
	return nil
}

func (s *sqlite) outbox(ctx context.Context, most int) (messages []Outgoing, err error) {
	rows, err := s.prepared[sqliteOutbox].QueryContext(ctx, most)
	if err != nil {
		return nil, s.explain(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m Outgoing
		if err := rows.Scan(&m.ID, &m.Key, &m.Value); err != nil {
			return nil, fmt.Errorf("sink: %s: %w", s.place, err)
		}
		messages = append(messages, m)
	}
	return messages, s.explain(rows.Err())
}

func (s *sqlite) clear(ctx context.Context, ids []int64) error {
	rows := jsonRows(len(ids), func(i int) []int64 { return ids[i : i+1] })
	return s.explain(s.transaction(ctx, func() error {
		_, err := s.prepared[sqliteClear].ExecContext(ctx, rows)
		return err
	}))
}

package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"deliverybench/bench/profile"
)

// Target is where a trial's effects go. It crosses to the workers as JSON, on
// their standard input.
type Target struct {
	Database profile.Database
	// Address is the path of SQLite's file, or PostgreSQL's URL without the password.
	Address  string
	Password string
	// Schema is the trial's own in PostgreSQL. An SQLite file is a trial's own.
	Schema   string
	Write    profile.SinkWrite
	Effect   profile.SinkEffect
	Accounts int
}

// Errors of a Writer that are not the end: the worker applies the batch again,
// or after ErrFenced begins at the database's offsets.
var (
	// ErrUnknown means that the answer to a commit did not come: the batch may
	// be applied or not.
	ErrUnknown = errors.New("sink: whether the batch was committed is not known")
	// ErrLost means that there was no connection, or none any more, before the
	// commit was asked for: nothing of the batch is applied.
	ErrLost = errors.New("sink: the connection ended before the commit")
	// ErrFenced means that the partition's offset in the database is not where
	// the batch begins: somebody else applied from there. Nothing of the batch
	// is applied.
	ErrFenced = errors.New("sink: another consumer has moved the partition's offset")
)

// Bounds, so that nothing hangs on a database.
const (
	connectWithin = 10 * time.Second // one attempt
	// answerWithin is for a transaction, with waiting for others' locks and for a
	// server that is gone to be there again: whoever tries again has no longer.
	answerWithin = time.Duration(profile.StoreWithin)
	createWithin = 2 * time.Minute
	auditWithin  = 10 * time.Minute
)

// What a status is before and after the effect set-status.
const (
	StatusOpen   = "open"
	StatusActive = "active"
)

// AccountState is an account's in the books.
type AccountState struct {
	BalanceCents int64
	Status       string
}

// Books are what the database says after a trial.
type Books struct {
	// Version is the database's own.
	Version string
	// Rows is how many the journal has.
	Rows int64
	// Accounts are by their number, dense from 0.
	Accounts []AccountState
}

// database is what SQLite and PostgreSQL do each in their way.
type database interface {
	// apply makes a change in one transaction.
	apply(ctx context.Context, c change) error
	// known are those of the batch's messages that have a row in the journal.
	known(ctx context.Context, batch []Effect) (map[identity]bool, error)
	offsets(ctx context.Context, partitions []int32) (map[int32]int64, error)
	// outbox are the oldest rows of the outbox, at most so many; clear removes rows.
	outbox(ctx context.Context, most int) ([]Outgoing, error)
	clear(ctx context.Context, ids []int64) error
	audit(ctx context.Context, row func(producer int, sequence int64, copies int64) error) (Books, error)
	close() error
}

// change is what one transaction writes: any of effects, offsets that move, and
// rows of the outbox.
type change struct {
	effects []Effect
	move    []step
	outbox  []Outgoing
	// written, unless nil, is called when all is written and nothing committed.
	written func()
}

// step moves the offset of a partition.
type step struct {
	partition  int32
	from, next int64
}

// Create makes the trial's tables. What is there already is not touched, but
// refused.
func Create(ctx context.Context, t Target) error {
	if t.Accounts < 1 {
		return fmt.Errorf("sink: %d accounts: give at least 1", t.Accounts)
	}
	return within(ctx, createWithin, "the trial's tables to be made", t.place(), func(ctx context.Context) error {
		if t.Database == profile.SQLite {
			return createSQLite(ctx, t)
		}
		return createPostgres(ctx, t)
	})
}

// Drop removes what Create made, and nothing else.
func Drop(ctx context.Context, t Target) error {
	return within(ctx, createWithin, "the trial's tables to be removed", t.place(), func(ctx context.Context) error {
		if t.Database == profile.SQLite {
			return dropSQLite(ctx, t)
		}
		return dropPostgres(ctx, t)
	})
}

// Audit tells, in order, how many rows the journal has for each message that
// has any, and returns the books. Nobody should be writing any more.
func Audit(ctx context.Context, t Target, row func(producer int, sequence int64, copies int64) error) (Books, error) {
	var books Books
	err := within(ctx, auditWithin, "the audit of the database", t.place(), func(ctx context.Context) error {
		db, err := open(ctx, t)
		if err != nil {
			return err
		}
		books, err = db.audit(ctx, row)
		return errors.Join(err, db.close())
	})
	if err != nil {
		return Books{}, err
	}
	if len(books.Accounts) != t.Accounts {
		return Books{}, fmt.Errorf("sink: the database has %d accounts and should have %d: something else wrote into %s", len(books.Accounts), t.Accounts, t.place())
	}
	return books, nil
}

func open(ctx context.Context, t Target) (database, error) {
	if t.Database == profile.SQLite {
		return openSQLite(ctx, t)
	}
	return openPostgres(ctx, t)
}

// place names the trial's tables in messages.
func (t Target) place() string {
	if t.Database == profile.SQLite || t.Schema == "" {
		return t.Address
	}
	return fmt.Sprintf("schema %s of %s", t.Schema, t.Address)
}

// Writer applies effects. It is for one goroutine.
type Writer struct {
	write profile.SinkWrite
	place string
	db    database
}

// Open connects to tables that Create made.
func Open(ctx context.Context, t Target) (*Writer, error) {
	w := &Writer{write: t.Write, place: t.place()}
	err := w.within(ctx, "the database to be opened", func(ctx context.Context) (err error) {
		w.db, err = open(ctx, t)
		return err
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// Apply writes the batch's effects in one transaction; check-then-act takes
// two, Check and Act.
func (w *Writer) Apply(ctx context.Context, batch []Effect) error {
	if w.write == profile.CheckThenAct {
		fresh, err := w.Check(ctx, batch)
		if err != nil {
			return err
		}
		batch = fresh
	}
	return w.Act(ctx, batch)
}

// Check returns the first effect of each message that has no row yet. By the
// time of Act another writer may have written one.
func (w *Writer) Check(ctx context.Context, batch []Effect) ([]Effect, error) {
	var known map[identity]bool
	err := w.within(ctx, "the database to say what it has of the batch", func(ctx context.Context) (err error) {
		known, err = w.db.known(ctx, batch)
		return err
	})
	if err != nil {
		return nil, err
	}
	var fresh []Effect
	for _, effect := range batch {
		if id := effect.identity(); !known[id] {
			known[id] = true
			fresh = append(fresh, effect)
		}
	}
	return fresh, nil
}

// Act writes the batch's effects in one transaction.
func (w *Writer) Act(ctx context.Context, batch []Effect) error {
	if len(batch) == 0 {
		return nil
	}
	return w.apply(ctx, "the database to apply a batch", change{effects: batch})
}

// ApplyAt writes the batch's effects and moves the partitions' offsets in one
// transaction, or returns ErrFenced when one of them is not at from any more.
// A partition that was never moved is wherever the batch says.
func (w *Writer) ApplyAt(ctx context.Context, batch []Effect, from, next map[int32]int64) error {
	if w.write == profile.CheckThenAct {
		return fmt.Errorf("sink: %s takes two transactions, and offsets with effects are written in one: use %s or %s", profile.CheckThenAct, profile.Insert, profile.UniqueKey)
	}
	move := make([]step, 0, len(next))
	for partition, to := range next {
		start, known := from[partition]
		if !known {
			return fmt.Errorf("sink: the offset of partition %d moves to %d from nowhere", partition, to)
		}
		move = append(move, step{partition, start, to})
	}
	if len(move) == 0 {
		return errors.New("sink: offsets with effects, but no offsets")
	}
	slices.SortFunc(move, func(a, b step) int { return int(a.partition) - int(b.partition) })
	return w.apply(ctx, "the database to apply a batch with its offsets", change{effects: batch, move: move})
}

func (w *Writer) apply(ctx context.Context, what string, c change) error {
	return w.within(ctx, what, func(ctx context.Context) error { return w.db.apply(ctx, c) })
}

// Offsets are the next ones of the partitions that were ever moved.
func (w *Writer) Offsets(ctx context.Context, partitions []int32) (next map[int32]int64, err error) {
	err = w.within(ctx, "the database to tell offsets", func(ctx context.Context) (err error) {
		next, err = w.db.offsets(ctx, partitions)
		return err
	})
	return next, err
}

// Close ends the connection.
func (w *Writer) Close() error { return w.db.close() }

func (w *Writer) within(ctx context.Context, what string, do func(context.Context) error) error {
	return within(ctx, answerWithin, what, w.place, do)
}

// within bounds what is done. Where the bound, or the caller's, ended it, it tells
// what was waited for and where: drivers say only that a deadline was exceeded.
func within(ctx context.Context, bound time.Duration, what, place string, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, bound, fmt.Errorf("%s are over", bound))
	defer cancel()
	err := do(ctx)
	if err == nil || ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("sink: %s: waited for %s: %w; at last: %w", place, what, context.Cause(ctx), err)
}

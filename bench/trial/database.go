package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/ledger"
	"deliverybench/bench/message"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/scratch"
	"deliverybench/bench/sink"
	"deliverybench/bench/worker"
)

// Database is the PostgreSQL that effects outside Kafka go to.
type Database struct {
	// Address is its URL without the password.
	Address, Password string
	// Server is its process, for faults to strike; nil when it is somebody else's.
	Server Server
	// InMemory says that its data lie in memory.
	InMemory bool
}

// Server is a database server that the run started.
type Server interface {
	// Kill ends all its processes by SIGKILL, Start starts it again on its data
	// and returns when it answers.
	Kill(ctx context.Context) error
	Start(ctx context.Context) error
	Freeze() error
	Thaw() error
	// Failure is why it is gone though nobody ended it, nil while it runs.
	Failure() error
}

// databaseRoom is the least that an SQLite file needs, bytes, and what one row takes.
const (
	databaseRoom = 64 << 20
	rowRoom      = 100
)

// serverGone is why the trial cannot go on: the broker or the database ended by itself.
func (c *conductor) serverGone() error {
	if err := c.env.Broker.Failed(); err != nil || c.sink == nil || c.sink.Database != profile.Postgres || c.env.Database.Server == nil {
		return err
	}
	return c.env.Database.Server.Failure()
}

// createDatabase makes the tables of the trial, in a file or schema of its own.
// The one who cleans up calls drop.
func (c *conductor) createDatabase(ctx context.Context) error {
	s := c.trial.Settings.Sink
	if !s.Enabled() {
		return nil
	}
	c.enter("creating tables")
	target := sink.Target{Database: s.Database, Write: s.Write, Effect: s.Effect, Accounts: s.Accounts}
	switch {
	case s.Database == profile.SQLite:
		// On a disk: in memory a transaction that is made durable costs nothing.
		dir, remove, err := scratch.New(scratch.OnDisk(c.env.Scratch), databaseRoom+rowRoom*expectedMessages(c.trial.Settings))
		if err != nil {
			return fmt.Errorf("the SQLite file: %w: free some, send fewer messages, or name another folder with -scratch", err)
		}
		c.removeDatabase = remove
		target.Address = filepath.Join(dir, "effects.sqlite")
		c.warnOfMemory(scratch.InMemory(dir))
	case c.env.Database == nil:
		return errors.New("sink.database: postgres needs a PostgreSQL, and the run has none")
	default:
		c.warnOfMemory(c.env.Database.InMemory)
		target.Address, target.Password = c.env.Database.Address, c.env.Database.Password
		target.Schema = client.SchemaOf(c.env.RunID, c.tag)
		if c.env.Database.Server == nil { // others clean up there
			release, err := sink.Hold(ctx, target)
			if err != nil {
				return err
			}
			c.releaseDatabase = release
		}
	}
	if err := sink.Create(ctx, target); err != nil {
		return err
	}
	c.sink = &target
	why, err := sink.Undurable(ctx, target)
	c.warnings = append(c.warnings, why...)
	return err
}

// warnOfMemory is for a database that found no room on a disk, or was given none.
func (c *conductor) warnOfMemory(lies bool) {
	if lies {
		c.warnings = append(c.warnings, "the database lies in memory, where a commit is no write to a disk: durable latencies and commits/s are not "+
			"a disk's; free some room on one, or name a folder there with -scratch")
	}
}

// dropDatabase removes what createDatabase made. A server that is down because a
// fault's restart failed keeps it until its folder goes.
func (c *conductor) dropDatabase() error {
	var failed error
	if c.sink != nil && c.sink.Database == profile.Postgres && !c.databaseDown {
		failed = sink.Drop(context.Background(), *c.sink)
	}
	if c.releaseDatabase != nil {
		c.releaseDatabase()
	}
	if c.removeDatabase != nil {
		failed = errors.Join(failed, c.removeDatabase())
	}
	return failed
}

// storedOffsets are how far the consumers are by the database, where their
// strategy keeps that there; -1 is where it knows of nothing.
func (c *conductor) storedOffsets(ctx context.Context) (client.Offsets, error) {
	if c.sink == nil || c.trial.Settings.Consumer.Commit.When != profile.WithEffect {
		return nil, nil
	}
	writer, err := sink.Open(ctx, *c.sink)
	if err != nil {
		return nil, err
	}
	partitions := make([]int32, c.trial.Settings.Topic.Partitions)
	for i := range partitions {
		partitions[i] = int32(i)
	}
	stored, err := writer.Offsets(ctx, partitions)
	if err := errors.Join(err, writer.Close()); err != nil {
		return nil, err
	}
	kept := client.Offsets{}
	for _, p := range partitions {
		kept[p] = -1
		if offset, known := stored[p]; known {
			kept[p] = offset
		}
	}
	return kept, nil
}

// auditDatabase asks the database what it has of each message, and for the books.
func (c *conductor) auditDatabase(ctx context.Context) error {
	if c.sink == nil {
		return nil
	}
	c.enter("auditing the database")
	rows, err := ledger.OpenRows(c.scratch)
	if err != nil {
		return err
	}
	c.books, err = sink.Audit(ctx, *c.sink, func(producer int, sequence, copies int64) error {
		index, ok := c.layout.Index(producer, sequence)
		if !ok {
			index = -1
		}
		rows.Add(index, copies)
		return nil
	})
	if err == nil {
		err = rows.Finish()
	}
	return errors.Join(err, rows.Close())
}

// settleDatabase compares the books with the ledger.
func (c *conductor) settleDatabase(in ledger.Inputs) (*result.Database, error) {
	if c.sink == nil {
		return nil, nil
	}
	d := &result.Database{Kind: string(c.sink.Database), Version: c.books.Version}
	if s := c.trial.Settings; s.Pipeline == profile.ByOutbox {
		d.Outbox = &result.Outbox{}
	}
	books, err := c.enterAll(in, d)
	if err != nil {
		return nil, err
	}
	for number, account := range c.books.Accounts {
		d.ActualCents += account.BalanceCents
		if account.Status != books[number].Status {
			d.WrongStatus++
		}
	}
	d.DifferenceCents = d.ActualCents - d.ExpectedCents
	for _, m := range c.crew {
		d.Commits += m.counts.RowCommits
		d.Rows += m.counts.Rows
	}
	if d.Commits > 0 {
		d.RowsPerCommit = float64(d.Rows) / float64(d.Commits)
		d.CommitsPerSecond = float64(d.Commits) / c.storing().Seconds()
	}
	if c.untold(d) != nil {
		return d, nil // nobody knows what those rows put where
	}
	return d, c.prove(books, d)
}

// untold says of which rows the ledger does not tell, nil when it tells of all. Those
// that it tells of are there all the same, and what they prove stands.
func (c *conductor) untold(d *result.Database) error {
	if d == nil || d.Effects == c.books.Rows {
		return nil
	}
	return inconclusive{fmt.Errorf("the journal has %d rows, and the ledger counts %d: some are of messages that nobody sent, or one message has more than 255", c.books.Rows, d.Effects)}
}

// prove compares each account's balance with what its rows add up to: what is
// wrong by as much in two accounts does not show in the total.
func (c *conductor) prove(books []sink.AccountState, d *result.Database) error {
	first, wrong := 0, 0
	for number, account := range c.books.Accounts {
		if account.BalanceCents == books[number].BalanceCents {
			continue
		}
		if wrong == 0 {
			first = number
		}
		wrong++
	}
	if wrong == 0 {
		return nil
	}
	return fmt.Errorf("the books do not add up: the accounts hold %d cents, and expected are %d − %d lost + %d redelivered; %d of %d are off, first account %d, which holds %d and should hold %d",
		d.ActualCents, d.ExpectedCents, d.DifferenceByCause.Lost, d.DifferenceByCause.Redelivered,
		wrong, len(books), first, c.books.Accounts[first].BalanceCents, books[first].BalanceCents)
}

// enterAll adds up what every message should have done and did, and returns the
// accounts as they should be: each balance by the rows that there are, each status
// by the messages that are owed one.
func (c *conductor) enterAll(in ledger.Inputs, d *result.Database) (books []sink.AccountState, err error) {
	s := c.trial.Settings
	keys := make([]*message.Keys, s.Producer.Count)
	for n := range keys {
		if keys[n], err = message.NewKeys(s.Load.Message.Key, s.Load.Message.Keys, worker.KeySeed(c.trial.Seed, n)); err != nil {
			return nil, err
		}
	}
	books = slices.Repeat([]sink.AccountState{{Status: sink.StatusOpen}}, s.Sink.Accounts)
	err = ledger.EachEntry(c.scratch, in, func(e ledger.Entry) {
		d.Effects += e.Rows
		compare(d.Outbox, e)
		if !e.Owed {
			return
		}
		account := &books[sink.Account(keys[e.Producer].At(e.Sequence), e.Producer, e.Sequence, s.Sink.Accounts)]
		amount := int64(0)
		if s.Sink.Effect == profile.AddToBalance {
			amount = sink.Amount(e.Producer, e.Sequence)
			account.BalanceCents += amount * e.Rows
		} else {
			account.Status = sink.StatusActive
		}
		d.ExpectedCents += amount
		if e.Rows == 0 {
			d.Lost++
			d.DifferenceByCause.Lost += amount
		} else {
			d.Duplicates += e.Rows - 1
			d.DifferenceByCause.Redelivered += amount * (e.Rows - 1)
		}
	})
	return books, err
}

// storing is from the load's start to the database's last transaction.
func (c *conductor) storing() time.Duration {
	var last int64
	for _, m := range c.crew {
		last = max(last, m.counts.RowsLast)
	}
	return max(time.Duration(last-c.start), time.Millisecond)
}

// Steps of a fault on the database.
const (
	databaseKilled  = "database killed"
	databaseStarted = "database started again and recovered"
	databaseFrozen  = "database frozen"
	databaseThawed  = "database thawed"
)

// strikeDatabase carries out one fault on the database beside the conductor.
func (c *conductor) strikeDatabase(f *activeFault) {
	c.aside(func(ctx context.Context) error {
		select { // one at a time
		case c.ending <- struct{}{}:
			defer func() { <-c.ending }()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := c.carryOutOnDatabase(ctx, f, c.env.Database.Server); err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
		return nil
	})
}

func (c *conductor) carryOutOnDatabase(ctx context.Context, f *activeFault, server Server) error {
	begin, end, length := server.Kill, server.Start, time.Duration(f.Restart)
	begun, ended := databaseKilled, databaseStarted
	if f.Freeze != "" {
		begin = func(context.Context) error { return server.Freeze() }
		end = func(context.Context) error { return server.Thaw() }
		begun, ended, length = databaseFrozen, databaseThawed, time.Duration(f.For)
	}
	within, cancel := context.WithTimeoutCause(ctx, endWithin+wakeWithin+length, fmt.Errorf("%s passed", endWithin+wakeWithin+length))
	defer cancel()
	err := c.note(within, func() error { f.fired, c.databaseDown = c.env.Clock.Now(), true; return nil })
	if err = cmp.Or(err, begin(within)); err != nil {
		return err
	}
	err = c.note(within, func() error { f.ended = c.env.Clock.Now(); f.noteStep(f.ended, "%s", begun); return nil })
	if err = cmp.Or(err, c.rest(within, length)); err != nil {
		return err
	}
	if err := end(within); err != nil {
		return err
	}
	f.back = true
	return c.note(within, func() error {
		f.healed, c.databaseDown = c.env.Clock.Now(), false
		f.noteStep(f.healed, "%s", ended)
		return nil
	})
}

// reviveDatabase leaves the server to the next trial as it was found. An
// interrupted run has no use for it.
func (c *conductor) reviveDatabase(ctx context.Context) error {
	if !c.databaseDown || ctx.Err() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wakeWithin, fmt.Errorf("%s passed", wakeWithin))
	defer cancel()
	var failed error
	for _, f := range c.faults {
		switch {
		case !f.Database() || f.fired == 0 || f.back:
		case f.Freeze != "":
			failed = errors.Join(failed, c.env.Database.Server.Thaw())
		default:
			failed = errors.Join(failed, c.env.Database.Server.Start(ctx))
		}
	}
	c.databaseDown = failed != nil
	return failed
}

// databaseRecovered is when the first effect was durable after a fault on the
// database, to the nearest progress report, or all were before: 0 is not yet.
func (c *conductor) databaseRecovered(f *activeFault) int64 {
	if f.healed == 0 {
		return 0
	}
	var first int64
	for _, m := range c.crew {
		if last := m.counts.RowsLast; last > f.healed && (first == 0 || last < first) {
			first = last
		}
	}
	if first != 0 {
		f.noteStep(first, "%s", result.DurableAgain)
	}
	return first
}

// hide keeps what lets clients in out of a text that is shown or kept.
func (env Environment) hide(text string) string {
	if env.Database != nil {
		text = client.Hide(text, env.Database.Password)
	}
	return env.Broker.Endpoint().Hide(text)
}

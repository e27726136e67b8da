package trial_test

import (
	"testing"
	"time"

	"deliverybench/bench/claim"
	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// rowsTogether are the rows of one transaction of a writer.
const rowsTogether = 30

// halves is what one kill must cost a row and its message.
type halves struct {
	write profile.OutboxWrite
	role  profile.Role
	point profile.Point
	// unknown are messages whose producer never heard of the end of its transaction;
	// twice are published again.
	unknown, twice                         int64
	rowsWithoutMessage, messagesWithoutRow int64
}

// kills: an outbox has both halves or none, and publishes at least once; of a
// dual write, whichever half came first stands alone.
func kills() []halves {
	outbox, rowFirst, messageFirst := profile.InOutbox, profile.RowFirst, profile.MessageFirst
	writer, publisher := profile.ProducerRole, profile.PublisherRole
	const n = rowsTogether
	return []halves{
		{outbox, writer, profile.PointSent, -1, 0, 0, 0},
		{outbox, writer, profile.PointInserted, n, 0, 0, 0},
		{outbox, writer, profile.PointCommitted, 0, 0, 0, 0},
		{outbox, publisher, profile.PointRead, 0, 0, 0, 0},
		{outbox, publisher, profile.PointPublished, 0, batch, 0, 0},
		{outbox, publisher, profile.PointCleared, 0, 0, 0, 0},
		{rowFirst, writer, profile.PointSent, -1, 0, 0, 0},
		{rowFirst, writer, profile.PointInserted, n, 0, 0, 0},
		{rowFirst, writer, profile.PointBetweenWrites, 0, 0, n, 0},
		{messageFirst, writer, profile.PointSent, -1, 0, 0, 0},
		{messageFirst, writer, profile.PointBetweenWrites, n, 0, 0, n},
		{messageFirst, writer, profile.PointInserted, n, 0, 0, n},
		{messageFirst, writer, profile.PointCommitted, 0, 0, 0, 0},
	}
}

func outboxed(kind profile.Database, write profile.OutboxWrite) profile.Settings {
	s := short()
	s.Pipeline, s.Guarantee = profile.ByOutbox, profile.AtLeastOnce
	s.Sink.Database = kind
	s.Outbox = profile.Outbox{Write: write, RowsPerTransaction: rowsTogether, PublishEvery: batch, PollEvery: profile.Duration(50 * time.Millisecond)}
	return s
}

func TestARowAndItsMessage(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *bench, kind profile.Database) {
		for _, k := range kills() {
			b.sample(t, name(k.write, k.role, k.point), func(t *testing.T) {
				s := outboxed(kind, k.write)
				s.Faults = []profile.Fault{kill(k.role, k.point, 0.3)}
				requireHalves(t, b.complete(t, s), k)
			})
		}
	})
}

func requireHalves(t *testing.T, r *result.Trial, k halves) {
	t.Helper()
	v, d := r.Verdict, r.Database
	if k.unknown < 0 { // a transaction that was not full: as many as were in it
		require.Less(t, v.Unknown, int64(rowsTogether))
		k.unknown = v.Unknown
	}
	require.Equal(t, [2]int64{v.Due - k.unknown, k.unknown}, [2]int64{v.Acked, v.Unknown}, "acked, unknown")
	require.Equal(t, ledger.Lost{Total: k.rowsWithoutMessage, Log: k.rowsWithoutMessage}, v.Lost)
	require.Equal(t, ledger.Dups{Total: k.twice, Resent: k.twice}, v.Duplicates, "the attempt is the publisher's incarnation")
	require.Equal(t, k.twice, v.MultipleEffects)
	require.Equal(t, &result.Outbox{
		Agreed:             v.Due - k.unknown - k.rowsWithoutMessage,
		RowsWithoutMessage: k.rowsWithoutMessage, MessagesWithoutRow: k.messagesWithoutRow,
	}, d.Outbox)
	require.Equal(t, [3]int64{v.Acked, 0, 0}, [3]int64{d.Effects, d.Lost, d.Duplicates}, "rows, lost, twice")
	require.Zero(t, d.DifferenceCents)
	lost := k.rowsWithoutMessage
	require.Equal(t, &result.Predicted{
		Lost: &lost, Duplicates: &k.twice,
		RowsWithoutMessage: &k.rowsWithoutMessage, MessagesWithoutRow: &k.messagesWithoutRow, Exact: true,
	}, r.Faults[0].Predicted)
	promise := result.Held
	if k.rowsWithoutMessage+k.messagesWithoutRow > 0 {
		promise = result.Violated
	}
	require.Equal(t, promise, r.Promise)
}

// Left alone, all three have every row and its message once, also with several
// writers, keys, and rows one by one.
func TestRowsAndMessagesAgree(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *bench, kind profile.Database) {
		for _, write := range []profile.OutboxWrite{profile.InOutbox, profile.RowFirst, profile.MessageFirst} {
			t.Run(string(write), func(t *testing.T) {
				t.Parallel()
				s := outboxed(kind, write)
				s.Load.Rate, s.Producer.Count, s.Outbox.RowsPerTransaction = 300, 2, 1
				s.Load.Message.Key, s.Load.Message.Keys = profile.UniformKey, 50
				s.Guarantee = profile.ExactlyOnce
				r := b.complete(t, s)
				requireFlawless(t, r)
				require.Equal(t, &result.Outbox{Agreed: r.Verdict.Due}, r.Database.Outbox)
				require.Equal(t, 1.0, r.Database.RowsPerCommit)
				require.Equal(t, r.Verdict.Due, r.Database.Commits)
				measured := int64(s.Load.Rate) * int64(time.Duration(s.Load.Duration)/time.Second)
				require.Equal(t, measured, r.Latency[result.Ack].Count, "until the row was committed")
				require.Equal(t, measured, r.Latency[result.EndToEnd].Count, "until the message was visible")
				require.Len(t, r.Workers, map[bool]int{true: 5, false: 4}[write == profile.InOutbox], "writers, observer, auditor, publisher")
			})
		}
	})
}

// silenced is a trial in which whoever produces hears nothing for longer than the
// time of its messages and the second in which the library looks for those whose
// time is over; but not so often longer that its attempts are no longer told apart.
func silenced(write profile.OutboxWrite, role profile.Role, way profile.Direction) profile.Settings {
	s := outboxed(profile.SQLite, write)
	s.Load.Rate, s.Load.Warmup, s.Topic.Partitions = 500, profile.Duration(2*time.Second), 1 // it is connected by then
	s.Producer.MessageTimeout = profile.Duration(time.Second)
	s.Faults = []profile.Fault{{Blackhole: role, Direction: way, At: profile.Moment{Share: 0.5}, For: profile.Duration(4 * time.Second)}}
	return s
}

// What the publisher gave up it publishes again, and that is its own doing: the
// client sends nothing twice. The broker has had the first of it.
func TestWhatAPublisherSendsAgain(t *testing.T) {
	t.Parallel()
	s := silenced(profile.InOutbox, profile.PublisherRole, profile.ToClient)
	s.Producer.Idempotence, s.Producer.MaxInFlight, s.Producer.Retries = false, 1, 0
	r := newBench(t).complete(t, s)
	v := r.Verdict
	require.Equal(t, v.Due, v.Acked)
	require.Equal(t, ledger.Lost{}, v.Lost)
	require.Equal(t, &result.Outbox{Agreed: v.Due}, r.Database.Outbox)
	require.Positive(t, v.Duplicates.Resent, "%+v", v.Duplicates)
	require.Equal(t, ledger.Dups{Total: v.Duplicates.Resent, Resent: v.Duplicates.Resent}, v.Duplicates)
	require.Equal(t, result.Held, r.Promise)
}

// Whoever gives up on messages has not had them in the topic: a publisher leaves
// them in its outbox, and a writer that sends the message first writes no row.
func TestWhatIsGivenUp(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	t.Run("outbox", func(t *testing.T) {
		t.Parallel()
		r := b.complete(t, silenced(profile.InOutbox, profile.PublisherRole, profile.BothWays))
		require.Equal(t, r.Verdict.Due, r.Verdict.Acked)
		require.Equal(t, ledger.Lost{}, r.Verdict.Lost)
		require.Equal(t, &result.Outbox{Agreed: r.Verdict.Due}, r.Database.Outbox)
		require.Equal(t, result.Held, r.Promise)
	})
	t.Run("message-first", func(t *testing.T) {
		t.Parallel()
		r := b.complete(t, silenced(profile.MessageFirst, profile.ProducerRole, profile.BothWays))
		v, d := r.Verdict, r.Database
		require.Positive(t, v.UnknownAbsent)
		require.Equal(t, v.Due, v.Acked+v.Unknown)
		require.Equal(t, ledger.Lost{}, v.Lost)
		require.Equal(t, [3]int64{v.Acked, 0, 0}, [3]int64{d.Effects, d.Lost, d.Duplicates}, "rows, lost, twice")
		// What arrived after it was given up tells of no row.
		require.Equal(t, &result.Outbox{Agreed: v.Acked, MessagesWithoutRow: v.Unknown - v.UnknownAbsent}, d.Outbox)
	})
}

// A publisher that is slower than its writers does not come to the end in time:
// what waits in its outbox is neither lost nor a row without a message, and proves
// nothing against the guarantee.
func TestAnOutboxThatIsNotEmptied(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.env.DrainWithin = 100 * time.Millisecond
	s := outboxed(profile.SQLite, profile.InOutbox)
	s.Outbox.PublishEvery, s.Producer.Linger = 1, profile.Duration(20*time.Millisecond)
	r := b.run(t, s).Result
	require.Equal(t, result.Inconclusive, r.Status, r.Reason)
	require.Contains(t, r.Reason, "waited 100ms for the publisher to empty the outbox: ")
	v, d := r.Verdict, r.Database
	require.NotNil(t, v)
	require.Equal(t, v.Due, v.Acked)
	require.Equal(t, ledger.Lost{}, v.Lost)
	require.Positive(t, v.Undrained)
	require.Equal(t, v.Due, v.Present()+v.Undrained)
	require.Equal(t, &result.Outbox{Agreed: v.Present(), Waiting: v.Undrained}, d.Outbox)
	require.Equal(t, [3]int64{v.Due, 0, 0}, [3]int64{d.Effects, d.Lost, d.Duplicates}, "rows, lost, twice")
	require.Equal(t, result.PromiseInconclusive, r.Promise)
	for _, metric := range []string{"lost", "database.rows_without_message"} {
		got, ok := claim.Read(&r, metric)
		require.True(t, ok)
		require.Zero(t, got, metric)
	}
}

// What somebody else wrote into the database is noticed beside an outbox too: books
// that do not add up, rows of no message, and rows that are there twice.
func TestAnOutboxWhoseDatabaseSomebodyElseWroteTo(t *testing.T) {
	t.Parallel()
	const twice = `INSERT INTO journal SELECT * FROM journal WHERE producer = 0 AND sequence = 7;`
	for what, c := range map[string]struct {
		change  string
		status  result.Status
		reason  string
		promise result.Promise
	}{
		"a balance":          {`UPDATE accounts SET balance_cents = balance_cents + 1 WHERE account = 0`, result.Failed, "the books do not add up: ", result.PromiseInconclusive},
		"a row, no balance":  {twice, result.Failed, "the books do not add up: ", result.PromiseInconclusive},
		"a row of nobody's":  {`INSERT INTO journal VALUES (0, 1000000000000, 0, 0, 0)`, result.Inconclusive, "the journal has 3601 rows, and the ledger counts 3600", result.PromiseInconclusive},
		"a row, never due":   {`INSERT INTO journal VALUES (0, 3600, 0, 0, 0)`, result.Inconclusive, "the journal has 3601 rows, and the ledger counts 3600", result.PromiseInconclusive},
		"a row, its balance": {twice + `UPDATE accounts SET balance_cents = balance_cents + j.amount_cents FROM (SELECT account, amount_cents FROM journal WHERE sequence = 7 LIMIT 1) AS j WHERE accounts.account = j.account`, result.Completed, "", result.Violated},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			tamper(t, b, c.change)
			s := outboxed(profile.SQLite, profile.InOutbox)
			s.Guarantee = profile.ExactlyOnce
			r := b.run(t, s).Result
			require.Equal(t, c.status, r.Status, r.Reason)
			require.Contains(t, r.Reason, c.reason)
			require.Equal(t, c.promise, r.Promise)
		})
	}
}

// PostgreSQL is killed by SIGKILL and started again: an outbox has no row without
// its message all the same, and publishes what it had.
func TestAnOutboxOutlivesItsDatabase(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *bench) {
		s := outboxed(profile.Postgres, profile.InOutbox)
		s.Load.Duration = profile.Duration(2 * time.Second)
		s.Faults = []profile.Fault{{Kill: profile.DatabaseRole, At: profile.Moment{Share: 0.4}, Restart: profile.Duration(300 * time.Millisecond)}}
		out := ownPostgres(t, b).run(t, s)
		r := &out.Result
		require.Equal(t, result.Completed, r.Status, r.Reason)
		v, o := r.Verdict, r.Database.Outbox
		require.LessOrEqual(t, v.Unknown, int64(rowsTogether), "the transaction that was under way")
		require.Equal(t, v.Due, v.Acked+v.Unknown)
		require.Equal(t, ledger.Lost{}, v.Lost)
		require.Equal(t, ledger.Dups{}, v.Duplicates)
		require.Equal(t, [2]int64{0, 0}, [2]int64{o.RowsWithoutMessage, o.MessagesWithoutRow})
		require.Equal(t, result.Held, r.Promise)
		requireStages(t, r.Faults[0])
	})
}

package trial_test

import (
	"testing"
	"time"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// spill is what one kill must cost, in messages: by the verdict, and in the
// database.
type spill struct {
	pipeline profile.Pipeline
	crash
	write profile.SinkWrite
	twice int64 // rows beyond a message's first
}

// spills: what comes after the database's commit and before Kafka's is written
// again, unless the database itself knows better. Kafka's transactions do not
// reach that far.
func spills() []spill {
	consume, relay := profile.Consume, profile.RelayTo
	before, after, with, within := profile.BeforeProcessing, profile.AfterProcessing, profile.WithEffect, profile.InTransaction
	return []spill{
		{consume, crash{after, profile.PointPolled, 0, 0}, profile.Insert, 0},
		{consume, crash{after, profile.PointProcessed, 0, batch}, profile.Insert, batch},
		{consume, crash{after, profile.PointCommitted, 0, 0}, profile.Insert, 0},
		{consume, crash{before, profile.PointCommitted, batch, 0}, profile.Insert, 0},
		{consume, crash{before, profile.PointProcessed, 0, 0}, profile.Insert, 0},
		{consume, crash{after, profile.PointProcessed, 0, 0}, profile.UniqueKey, 0},
		{consume, crash{after, profile.PointChecked, 0, 0}, profile.CheckThenAct, 0},
		{consume, crash{after, profile.PointProcessed, 0, 0}, profile.CheckThenAct, 0}, // its successor finds the rows
		{consume, crash{after, profile.PointMidBatch, 0, 0}, profile.CheckThenAct, 0},
		{consume, crash{before, profile.PointChecked, batch, 0}, profile.CheckThenAct, 0},
		{consume, crash{with, profile.PointMidBatch, 0, 0}, profile.Insert, 0},
		{consume, crash{with, profile.PointProcessed, 0, 0}, profile.Insert, 0},
		{relay, crash{within, profile.PointProduced, 0, 0}, profile.Insert, batch},
		{relay, crash{within, profile.PointOffsetsSent, 0, 0}, profile.Insert, batch},
		{relay, crash{within, profile.PointOffsetsSent, 0, 0}, profile.UniqueKey, 0},
		{relay, crash{within, profile.PointCommitted, 0, 0}, profile.Insert, 0},
		{relay, crash{within, profile.PointChecked, 0, 0}, profile.CheckThenAct, 0},
		{relay, crash{with, profile.PointProduced, 0, batch}, profile.Insert, 0},
	}
}

// onEachDatabase runs a test with SQLite and with PostgreSQL, each on the embedded
// broker and on Apache Kafka.
func onEachDatabase(t *testing.T, test func(*testing.T, *bench, profile.Database)) {
	t.Helper()
	onEach(t, func(t *testing.T, b *bench) {
		for _, kind := range []profile.Database{profile.SQLite, profile.Postgres} {
			t.Run(string(kind), func(t *testing.T) {
				t.Parallel()
				with := b
				if kind == profile.Postgres {
					with = database.with(t, b)
				}
				test(t, with, kind)
			})
		}
	})
}

func TestACrashCostsTheDatabaseExactlyOneBatch(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *bench, kind profile.Database) {
		for _, c := range spills() {
			b.sample(t, name(c.pipeline, c.when, c.write, c.point), func(t *testing.T) {
				s := killed(c.pipeline, c.crash, 2)
				s.Sink.Database, s.Sink.Write = kind, c.write
				r := b.complete(t, s)
				v := r.Verdict
				require.Equal(t, v.Due, v.Acked)
				require.Equal(t, ledger.Lost{Total: c.lost, Skipped: c.lost}, v.Lost)
				require.Equal(t, ledger.Dups{Total: c.duplicates, Redelivered: c.duplicates}, v.Duplicates)
				require.Equal(t, &result.Predicted{Lost: &c.lost, Duplicates: &c.duplicates, Exact: true}, r.Faults[0].Predicted)
				require.Equal(t, result.Held, r.Promise)
				requireBooks(t, s, r.Database, v, c.lost, c.twice)
			})
		}
	})
}

// A relay that asks the database has its outputs on their way and waits for none of
// them yet. Killed then, some of the batch's outputs are in the topic, or all, or
// none, whichever side is committed first; what is the same either way is told.
func TestARelayKilledBetweenCheckAndAct(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	none := int64(0)
	for linger, processing := range map[string]profile.Duration{
		"5":     profile.Duration(time.Millisecond), // they go while the batch is processed
		"20000": 0,                                  // they stay until they are waited for
	} {
		for when, want := range map[profile.CommitWhen]*result.Predicted{
			profile.AfterProcessing:  {Lost: &none, Exact: true},
			profile.BeforeProcessing: {Duplicates: &none, Exact: true},
		} {
			t.Run(name(when, linger), func(t *testing.T) {
				t.Parallel()
				s := killed(profile.RelayTo, crash{when: when, point: profile.PointChecked}, 1)
				s.Load.Rate = 1000
				// The first batch: the wait for one before it may still be ending the linger.
				s.Load.Warmup, s.Faults[0].At = 0, profile.Moment{}
				s.Sink.Database, s.Sink.Write = profile.SQLite, profile.CheckThenAct
				s.Consumer.ProcessingTime = processing
				s.Relay.Librdkafka = map[string]string{"linger.ms": linger}
				r := b.complete(t, s)
				v, missing := r.Verdict, int64(0)
				if when == profile.AfterProcessing {
					require.Equal(t, ledger.Lost{}, v.Lost)
					require.LessOrEqual(t, v.Duplicates.Total, int64(batch))
					require.Equal(t, ledger.Dups{Total: v.Duplicates.Redelivered, Redelivered: v.Duplicates.Redelivered}, v.Duplicates)
				} else {
					missing = batch // no row was written, whatever was sent
					require.Equal(t, ledger.Dups{}, v.Duplicates)
					require.LessOrEqual(t, v.Lost.Total, int64(batch))
					require.Equal(t, v.Lost.Total, v.Lost.Skipped)
				}
				if linger == "20000" {
					require.Equal(t, [2]int64{missing, 0}, [2]int64{v.Lost.Total, v.Duplicates.Total}, "none went")
				}
				require.Equal(t, want, r.Faults[0].Predicted)
				require.Equal(t, result.Held, r.Promise)
				requireBooks(t, s, r.Database, v, missing, 0)
				t.Logf("%d lost, %d twice", v.Lost.Total, v.Duplicates.Total)
			})
		}
	}
}

// requireBooks: the database has a row of every message but those lost, and as
// many again as were written twice; the balance is wrong by just these.
func requireBooks(t *testing.T, s profile.Settings, d *result.Database, v *ledger.Verdict, lost, twice int64) {
	t.Helper()
	require.NotNil(t, d)
	require.Equal(t, string(s.Sink.Database), d.Kind)
	require.NotEmpty(t, d.Version)
	require.Equal(t, [3]int64{v.Due - lost + twice, lost, twice}, [3]int64{d.Effects, d.Lost, d.Duplicates}, "rows, lost, twice")
	because := d.DifferenceByCause
	require.Equal(t, because.Redelivered-because.Lost, d.DifferenceCents)
	require.Equal(t, lost > 0, because.Lost > 0)
	require.Equal(t, twice > 0, because.Redelivered > 0)
	require.Zero(t, d.WrongStatus)
	require.Positive(t, d.Commits)
	require.Positive(t, d.RowsPerCommit)
}

// A balance is wrong by what was redelivered; a status that is set again is the
// same. Accounts go by the messages' keys where they have some.
func TestRedeliveryAndTheKindOfEffect(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *bench, kind profile.Database) {
		for _, effect := range []profile.SinkEffect{profile.AddToBalance, profile.SetStatus} {
			for _, key := range []profile.Key{profile.NoKey, profile.ZipfKey} {
				b.sample(t, name(effect, key), func(t *testing.T) {
					s := killed(profile.Consume, crash{when: profile.AfterProcessing, point: profile.PointProcessed}, 1)
					s.Load.Message.Key, s.Load.Message.Keys = key, 500
					s.Sink = profile.Sink{Database: kind, Write: profile.Insert, Effect: effect, Accounts: 5000}
					r := b.complete(t, s)
					d := r.Database
					require.Equal(t, [3]int64{0, batch, 0}, [3]int64{d.Lost, d.Duplicates, d.WrongStatus})
					require.Equal(t, effect == profile.AddToBalance, d.DifferenceCents > 0)
					require.Equal(t, d.DifferenceByCause.Redelivered, d.DifferenceCents)
					durable := r.Latency[result.Durable]
					require.Positive(t, durable.Count)
					require.GreaterOrEqual(t, durable.Max, r.Latency[result.EndToEnd].P50)
				})
			}
		}
	})
}

// An account whose only message was set aside is as it should be: nobody owes it a
// status. One whose only message was skipped is not.
func TestTheStatusOfAccountsWithoutTheirMessage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for how, lost := range map[profile.OnError]int64{profile.DeadLetter: 0, profile.SkipMessage: 40} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			s := failing(profile.Consume, profile.Commit{When: profile.AfterProcessing, Every: batch, Mode: profile.Sync}, how)
			// So many that hardly two messages meet in one.
			s.Sink = profile.Sink{Database: profile.SQLite, Write: profile.Insert, Effect: profile.SetStatus, Accounts: 100_000}
			r := b.complete(t, s)
			d := r.Database
			require.Equal(t, [3]int64{lost, 40 - lost, 0}, [3]int64{d.Lost, r.Verdict.DeadLettered, d.Duplicates})
			require.Equal(t, lost > 0, d.WrongStatus > 0, d.WrongStatus)
			require.LessOrEqual(t, d.WrongStatus, lost)
		})
	}
}

// intoPostgres is a load long enough for PostgreSQL to fall and rise within it,
// which promises that every effect is there once.
func intoPostgres(when profile.CommitWhen, write profile.SinkWrite) profile.Settings {
	s := short()
	s.Load.Duration = profile.Duration(2 * time.Second)
	s.Guarantee = profile.ExactlyOnce
	s.Consumer.Count, s.Consumer.Commit.When = 2, when
	s.Sink.Database, s.Sink.Write = profile.Postgres, write
	return s
}

// PostgreSQL is killed by SIGKILL in the middle of the load and started again:
// what was acknowledged has its effect, once.
func TestPostgresIsKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *bench) {
		for _, c := range []struct {
			when  profile.CommitWhen
			write profile.SinkWrite
		}{{profile.AfterProcessing, profile.UniqueKey}, {profile.WithEffect, profile.Insert}} {
			t.Run(name(c.when, c.write), func(t *testing.T) {
				t.Parallel()
				s := intoPostgres(c.when, c.write)
				s.Faults = []profile.Fault{{Kill: profile.DatabaseRole, At: profile.Moment{Share: 0.4}, Restart: profile.Duration(300 * time.Millisecond)}}
				out := ownPostgres(t, b).run(t, s)
				r := &out.Result
				require.Equal(t, result.Completed, r.Status, r.Reason)
				require.Equal(t, r.Verdict.Due, r.Verdict.Acked)
				requireFlawless(t, r)
				requireBooks(t, s, r.Database, r.Verdict, 0, 0)
				requireStages(t, r.Faults[0])
				none := int64(0)
				require.Equal(t, &result.Predicted{Lost: &none, Duplicates: &none, Exact: true}, r.Faults[0].Predicted)
				require.Equal(t, []string{"database killed", "database started again and recovered", result.DurableAgain}, steps(r.Faults[0]))
				t.Logf("recovered %.2f s after the kill", *r.Faults[0].Recovered-*r.Faults[0].Fired)
			})
		}
	})
}

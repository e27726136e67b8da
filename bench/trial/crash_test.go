package trial_test

import (
	"testing"
	"time"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// crash is what one kill at a point must cost, in messages.
type crash struct {
	when             profile.CommitWhen
	point            profile.Point
	lost, duplicates int64
}

// crashes: between the commit and the effects lies one batch. Killed there,
// what came first stands and the other is missing; killed anywhere else
// nothing is. A transaction has no such place.
func crashes(pipeline profile.Pipeline) []crash {
	table := []crash{
		{profile.BeforeProcessing, profile.PointPolled, 0, 0},
		{profile.BeforeProcessing, profile.PointCommitted, batch, 0},
		{profile.BeforeProcessing, profile.PointMidBatch, batch, 0},
		{profile.BeforeProcessing, profile.PointProcessed, 0, 0},
		{profile.AfterProcessing, profile.PointPolled, 0, 0},
		{profile.AfterProcessing, profile.PointProcessed, 0, batch},
		{profile.AfterProcessing, profile.PointMidBatch, 0, batch},
		{profile.AfterProcessing, profile.PointCommitted, 0, 0},
	}
	if pipeline != profile.RelayTo {
		return table
	}
	table = append(table,
		crash{profile.BeforeProcessing, profile.PointProduced, 0, 0},
		crash{profile.AfterProcessing, profile.PointProduced, 0, batch})
	for _, point := range []profile.Point{
		profile.PointPolled, profile.PointBegun, profile.PointProduced, profile.PointProcessed, profile.PointOffsetsSent,
		profile.PointMidBatch, profile.PointCommitRequested, profile.PointCommitted,
	} {
		table = append(table, crash{profile.InTransaction, point, 0, 0})
	}
	return table
}

// killed is a short trial in which a consuming worker is killed.
func killed(pipeline profile.Pipeline, c crash, consumers int) profile.Settings {
	s := short()
	s.Pipeline = pipeline
	s.Guarantee = guarantee(c.when)
	s.Consumer.Count = consumers
	s.Consumer.Commit.When = c.when
	s.Faults = []profile.Fault{{
		Kill: profile.ConsumerRole, When: c.point,
		At: profile.Moment{Share: 0.3}, Restart: profile.Duration(100 * time.Millisecond),
	}}
	return s
}

// A crash costs what theory says, to the message: with one consumer and with
// three, for both pipelines, at every crash point.
func TestCrashCostsExactlyOneBatch(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *bench) {
		for _, pipeline := range []profile.Pipeline{profile.Consume, profile.RelayTo} {
			for _, c := range crashes(pipeline) {
				for _, consumers := range []int{1, 3} {
					t.Run(name(pipeline, c.when, c.point, consumers), func(t *testing.T) {
						t.Parallel()
						s := killed(pipeline, c, consumers)
						r := b.complete(t, s)
						requireCost(t, s, r, c)
						require.Len(t, r.Workers, workers(s)+1)
					})
				}
			}
		}
	})
}

func requireCost(t *testing.T, s profile.Settings, r *result.Trial, c crash) {
	t.Helper()
	v := r.Verdict
	require.Equal(t, v.Due, v.Acked)
	require.Equal(t, ledger.Lost{Total: c.lost, Skipped: c.lost}, v.Lost)
	require.Equal(t, ledger.Dups{Total: c.duplicates, Redelivered: c.duplicates}, v.Duplicates)
	require.Equal(t, c.duplicates, v.MultipleEffects)
	require.Equal(t, v.Due-c.lost+c.duplicates, v.Effects)
	require.Zero(t, v.Reordered)
	require.Zero(t, v.AbortedDelivered)
	require.Equal(t, c.lost, r.Latency[result.EndToEnd].Over, "what was lost is longer than everything in the percentiles")
	require.Positive(t, r.Latency[result.CommitLatency].Count)
	require.Equal(t, c.when == profile.InTransaction, r.Latency[result.TransactionVisible].Count > 0)
	if s.Pipeline == profile.RelayTo {
		require.Zero(t, r.Unrecorded, "the observer, who was not killed, sees every output")
	}
	require.Equal(t, &result.Predicted{Lost: &c.lost, Duplicates: &c.duplicates, Exact: true}, r.Faults[0].Predicted)
	require.Equal(t, result.Held, r.Promise)
}

// workers is how many processes a trial without faults has.
func workers(s profile.Settings) int {
	n := s.Producer.Count + 1 // auditor
	if s.Pipeline != profile.Produce {
		n += s.Consumer.Count
	}
	if s.Pipeline == profile.RelayTo {
		n++ // observer
	}
	return n
}

// Killed while the commit of a transaction is under way, from right after the
// call to when it may have been answered, a relay loses and repeats nothing.
func TestAKillDuringTheCommit(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *bench) {
		for _, after := range []time.Duration{
			50 * time.Microsecond, 100 * time.Microsecond, 200 * time.Microsecond, 350 * time.Microsecond,
			500 * time.Microsecond, 700 * time.Microsecond, 999 * time.Microsecond,
		} {
			t.Run(after.String(), func(t *testing.T) {
				t.Parallel()
				c := crash{profile.InTransaction, profile.PointCommitRequested, 0, 0}
				s := killed(profile.RelayTo, c, 1)
				drawn := &bench{env: b.env, seed: uint64(after)} // which decides when
				requireCost(t, s, drawn.complete(t, s), c)
			})
		}
	})
}

// kill is one kill of a role at a point, at a share of the window.
func kill(role profile.Role, point profile.Point, at profile.Share) profile.Fault {
	return profile.Fault{Kill: role, When: point, At: profile.Moment{Share: at}, Restart: profile.Duration(100 * time.Millisecond)}
}

// Several kills of one role go to its workers in turn, and to a worker's next
// incarnation: each costs one batch.
func TestSeveralKillsCostOneBatchEach(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *bench) {
		for _, consumers := range []int{1, 2} {
			t.Run(name(consumers), func(t *testing.T) {
				t.Parallel()
				s := killed(profile.Consume, crash{when: profile.BeforeProcessing}, consumers)
				s.Faults = []profile.Fault{
					kill(profile.ConsumerRole, profile.PointMidBatch, 0.1),
					kill(profile.ConsumerRole, profile.PointCommitted, 0.3),
					kill(profile.ConsumerRole, profile.PointMidBatch, 0.5),
				}
				v := b.complete(t, s).Verdict
				require.Equal(t, ledger.Lost{Total: 3 * batch, Skipped: 3 * batch}, v.Lost)
				require.Zero(t, v.Duplicates.Total)
			})
		}
	})
}

// A producer that is killed leaves messages of which nobody knows whether they
// are in the log. They are neither lost nor duplicates, and its successor goes
// on with the next message.
func TestAKilledProducerLosesNothing(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *bench) {
		for _, pipeline := range []profile.Pipeline{profile.Produce, profile.Consume, profile.RelayTo} {
			for _, producers := range []int{1, 2} {
				t.Run(name(pipeline, producers), func(t *testing.T) {
					t.Parallel()
					s := short()
					s.Pipeline, s.Producer.Count, s.Guarantee = pipeline, producers, profile.ExactlyOnce
					s.Consumer.Commit.When = profile.AfterProcessing
					s.Faults = []profile.Fault{
						kill(profile.ProducerRole, profile.PointSent, 0.2),
						kill(profile.ProducerRole, profile.PointSent, 0.6),
					}
					r := b.complete(t, s)
					v := r.Verdict
					require.Equal(t, v.Due, v.Acked+v.Unknown)
					require.GreaterOrEqual(t, v.Unknown, int64(2), "the messages right before the kills had no report yet")
					require.LessOrEqual(t, v.UnknownAbsent, v.Unknown)
					require.Equal(t, ledger.Lost{}, v.Lost)
					require.Equal(t, ledger.Dups{}, v.Duplicates)
					require.Equal(t, result.Held, r.Promise)
					var none int64
					for _, f := range r.Faults {
						require.Equal(t, &result.Predicted{Lost: &none, Duplicates: &none, Exact: true}, f.Predicted)
					}
				})
			}
		}
	})
}

// A worker that lags behind is killed when the load has ended and the trial
// drains: what the kill costs stays the same.
func TestAKillWhileTheTrialDrains(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, c := range []crash{
		{profile.BeforeProcessing, profile.PointCommitted, batch, 0},
		{profile.AfterProcessing, profile.PointProcessed, 0, batch},
		{profile.InTransaction, profile.PointOffsetsSent, 0, 0},
	} {
		t.Run(name(c.when), func(t *testing.T) {
			t.Parallel()
			s := killed(profile.RelayTo, c, 1)
			s.Load.Rate = 1500
			s.Load.Duration = profile.Duration(500 * time.Millisecond)
			s.Consumer.ProcessingTime = profile.Duration(2 * time.Millisecond)
			s.Faults[0].At = profile.Moment{Share: 0.98}
			r := b.complete(t, s)
			require.Greater(t, *r.Faults[0].Fired, 0.49)
			requireCost(t, s, r, c)
		})
	}
}

// A dynamic member that is killed does not come back as itself: its partitions
// wait for the end of its session, and then the whole group rebalances. What it
// had in hand costs as much as ever; the others settle or drop theirs.
func TestAKilledDynamicMember(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, c := range []crash{
		{profile.BeforeProcessing, profile.PointMidBatch, batch, 0},
		{profile.AfterProcessing, profile.PointMidBatch, 0, batch},
		{profile.InTransaction, profile.PointMidBatch, 0, 0},
	} {
		t.Run(name(c.when), func(t *testing.T) {
			t.Parallel()
			s := killed(profile.RelayTo, c, 3)
			s.Consumer.Membership = profile.Dynamic
			s.Consumer.SessionTimeout = shortSession
			r := b.complete(t, s)
			require.Equal(t, c.when == profile.InTransaction, r.Faults[0].Predicted.Exact)
			require.GreaterOrEqual(t, r.Verdict.Lost.Skipped, c.lost)
			require.GreaterOrEqual(t, r.Verdict.Duplicates.Redelivered, c.duplicates)
			require.Zero(t, r.Verdict.Lost.Log)
			require.Equal(t, result.Held, r.Promise)
		})
	}
}

// A crash point that is never passed again makes the trial inconclusive: it
// proves nothing, and says so.
func TestAKillThatNeverFires(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := killed(profile.Consume, crash{when: profile.AfterProcessing, point: profile.PointProcessed}, 1)
	s.Consumer.Commit.Every = 1_000_000
	out := b.run(t, s)
	require.Equal(t, result.Inconclusive, out.Result.Status)
	require.Equal(t, result.PromiseInconclusive, out.Result.Promise)
	require.Contains(t, out.Result.Reason, "0 of 1 faults")
	require.Nil(t, out.Result.Faults[0].Fired)
	require.Zero(t, out.Result.Verdict.Lost.Total)
}

// Under automatic-stored the client commits by its timer what was stored, and a
// message is stored once it was processed: in a relay, once its output is in
// the log. Here the timer is much faster than the outputs, so that an offset
// stored too early would be committed, and its message lost.
func TestStoredOffsetsNeverRunAheadOfTheEffects(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, pipeline := range []profile.Pipeline{profile.Consume, profile.RelayTo} {
		for _, point := range []profile.Point{profile.PointPolled, profile.PointProcessed} {
			t.Run(name(pipeline, point), func(t *testing.T) {
				t.Parallel()
				s := killed(pipeline, crash{when: profile.AutomaticStored, point: point}, 2)
				s.Consumer.Commit.Interval = profile.Duration(5 * time.Millisecond)
				s.Relay.Librdkafka = map[string]string{"linger.ms": "150"}
				r := b.complete(t, s)
				require.Equal(t, r.Verdict.Due, r.Verdict.Acked)
				require.Equal(t, ledger.Lost{}, r.Verdict.Lost)
				require.Equal(t, result.Held, r.Promise)
			})
		}
	}
}

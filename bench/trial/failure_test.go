package trial_test

import (
	"testing"
	"time"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// failing is a short trial in which the processing of 40 messages fails.
func failing(pipeline profile.Pipeline, c profile.Commit, how profile.OnError) profile.Settings {
	s := calm(pipeline, c)
	s.Guarantee = profile.NoGuarantee
	s.Consumer.OnError = how
	s.Consumer.RetryBackoff = profile.Duration(time.Millisecond)
	s.Faults = []profile.Fault{{Fail: profile.ConsumerRole, Messages: 40, At: profile.Moment{Share: 0.2}}}
	return s
}

// A message whose processing fails is lost, done after all, or set aside, as the
// profile says: to the message, whatever the strategy is.
func TestMessagesThatFail(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *bench) {
		for _, c := range strategies() {
			for _, pipeline := range pipelines(c) {
				for how, want := range map[profile.OnError]struct{ lost, dead int64 }{
					profile.SkipMessage: {lost: 40}, profile.RetryMessage: {}, profile.DeadLetter: {dead: 40},
				} {
					b.sample(t, name(c.When, c.Mode, pipeline, how), func(t *testing.T) {
						r := b.complete(t, failing(pipeline, c, how))
						v := r.Verdict
						require.Equal(t, v.Due, v.Acked)
						require.Equal(t, ledger.Lost{Total: want.lost, Skipped: want.lost}, v.Lost)
						require.Equal(t, ledger.Dups{}, v.Duplicates)
						require.Equal(t, want.dead, v.DeadLettered)
						require.Equal(t, want.dead, v.Table["acked/present/dead_lettered"])
						require.Equal(t, v.Due-want.lost-want.dead, v.Effects)
						p := r.Faults[0].Predicted
						require.Equal(t, want.lost, *p.Lost)
						require.Zero(t, *p.Duplicates)
						require.True(t, p.Exact)
						if how == profile.DeadLetter {
							require.Equal(t, want.dead, *p.DeadLettered)
						}
						require.Equal(t, []string{"first message failed", "last message failed"}, steps(r.Faults[0]))
					})
				}
			}
		}
	})
}

// A batch of which nothing has an effect moves the offsets that are kept with the
// effects all the same: nobody is fenced, and nothing is polled again.
func TestABatchWithoutEffects(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for how, want := range map[profile.OnError]ledger.Lost{
		profile.SkipMessage: {Total: 3 * batch, Skipped: 3 * batch}, profile.DeadLetter: {},
	} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			s := failing(profile.Consume, profile.Commit{When: profile.WithEffect, Every: batch}, how)
			s.Sink.Database = profile.SQLite
			s.Topic.Partitions, s.Consumer.Count = 1, 1
			s.Faults[0].Messages = 3 * batch // two whole batches at least, wherever they begin
			r := b.complete(t, s)
			require.Equal(t, want, r.Verdict.Lost)
			require.Equal(t, ledger.Dups{}, r.Verdict.Duplicates)
			require.Zero(t, r.Database.Duplicates)
			for _, w := range r.Workers {
				require.Empty(t, w.Fenced, w.Name)
			}
		})
	}
}

// What was set aside is no loss: the promise of at-least-once holds.
func TestDeadLettersAreNotLost(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := failing(profile.Consume, profile.Commit{When: profile.AfterProcessing, Every: batch, Mode: profile.Sync}, profile.DeadLetter)
	s.Guarantee = profile.AtLeastOnce
	require.Equal(t, result.Held, b.complete(t, s).Promise)
	s.Consumer.OnError = profile.SkipMessage
	require.Equal(t, result.Violated, b.complete(t, s).Promise)
}

// Several faults of one worker strike it one after the other.
func TestAWorkerThatFailsAndIsKilled(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := failing(profile.Consume, profile.Commit{When: profile.AfterProcessing, Every: batch, Mode: profile.Sync}, profile.RetryMessage)
	s.Consumer.Count = 1
	s.Faults = append(s.Faults, kill(profile.ConsumerRole, profile.PointProcessed, 0.6))
	v := b.complete(t, s).Verdict
	require.Zero(t, v.Lost.Total)
	require.EqualValues(t, batch, v.Duplicates.Redelivered)
}

// Messages that are to fail and do not come make the trial inconclusive.
func TestFailuresThatNeverCome(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := failing(profile.Consume, profile.Commit{When: profile.AfterProcessing, Every: batch, Mode: profile.Sync}, profile.RetryMessage)
	s.Faults[0].Messages = 1_000_000
	out := b.run(t, s)
	require.Equal(t, result.Inconclusive, out.Result.Status)
	require.Contains(t, out.Result.Reason, "1 of 1 faults never fired")
}

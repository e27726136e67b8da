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
	b := newBench(t)
	for _, pipeline := range []profile.Pipeline{profile.Consume, profile.RelayTo} {
		for _, c := range crashes(pipeline) {
			for _, consumers := range []int{1, 3} {
				t.Run(name(pipeline, c.when, c.point, consumers), func(t *testing.T) {
					t.Parallel()
					s := killed(pipeline, c, consumers)
					r := b.complete(t, s)
					requireCost(t, r, c)
					require.Len(t, r.Workers, workers(s)+1)
				})
			}
		}
	}
}

func requireCost(t *testing.T, r *result.Trial, c crash) {
	t.Helper()
	v := r.Verdict
	require.Equal(t, v.Due, v.Acked)
	require.Equal(t, ledger.Lost{Total: c.lost, Skipped: c.lost}, v.Lost)
	require.Equal(t, ledger.Dups{Total: c.duplicates, Redelivered: c.duplicates}, v.Duplicates)
	require.Equal(t, c.duplicates, v.MultipleEffects)
	require.Equal(t, v.Due-c.lost+c.duplicates, v.Effects)
	require.Zero(t, v.Reordered)
	require.Zero(t, v.AbortedDelivered)
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

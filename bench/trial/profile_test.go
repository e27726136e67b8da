package trial_test

import (
	"fmt"
	"testing"
	"time"

	"deliverybench/bench/latency"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/profiles"

	"github.com/stretchr/testify/require"
)

// shipped returns the settings of a shipped profile's trials, one per arm.
func shipped(t *testing.T, name string) map[string]profile.Settings {
	t.Helper()
	p, _, err := profile.Open(name, profiles.FS)
	require.NoError(t, err)
	plan, err := p.Plan(profile.Options{})
	require.NoError(t, err)
	arms := map[string]profile.Settings{}
	for _, planned := range plan.Trials {
		arms[planned.Arm] = planned.Settings
	}
	return arms
}

// A group that rebalances while batches are in hand: without a callback every
// message read by then is processed twice, by its old owner and its new one.
func TestNaiveRebalanceBreaksAtMostOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for arm, s := range shipped(t, "naive-rebalance") {
		t.Run(arm, func(t *testing.T) {
			t.Parallel()
			r := b.complete(t, s)
			v := r.Verdict
			require.Equal(t, v.Due, v.Acked)
			require.Zero(t, v.Lost.Total)
			require.Equal(t, v.Duplicates.Total, v.Duplicates.Redelivered)
			if arm == "callback" {
				requireFlawless(t, r)
				return
			}
			// The join is due 1.7 s after the load began: by then 1000/s were
			// read, and none was committed.
			require.Greater(t, v.MultipleEffects, int64(1000))
			require.Equal(t, result.Violated, r.Promise)
		})
	}
}

// The broker stands still for 1 s of 10. An open loop's latencies count from
// the intended times, so that the messages due meanwhile wait evenly from the
// whole freeze down to nothing: a tenth of all. 1 % of them waited for more than
// the freeze less 1 % of the window. A closed loop sends one message meanwhile.
func TestAFreezeIsInTheOpenLoopsPercentiles(t *testing.T) {
	t.Parallel()
	for arm, s := range shipped(t, "coordinated-omission") {
		b := newBench(t) // of its own: a freeze strikes whatever runs on it
		t.Run(arm, func(t *testing.T) {
			t.Parallel()
			r := b.complete(t, s)
			freeze := micros(time.Duration(s.Faults[0].For))
			ack := r.Latency[result.Ack]
			requireFlawlessLog(t, r)
			// How long it was, longer than planned where the machine is busy, says
			// the clock of the one who froze the broker. The slack is what the next
			// message may come after that, and its answer after the thaw.
			f := r.Faults[0]
			frozen := 1e6 * (when(t, f, fmt.Sprintf("node %d thawed", f.Nodes[0])) - when(t, f, fmt.Sprintf("node %d frozen", f.Nodes[0])))
			require.GreaterOrEqual(t, frozen, freeze)
			require.InDelta(t, frozen, ack.Max, micros(250*time.Millisecond))
			if arm == "closed-loop" {
				require.True(t, r.Generator.Closed)
				require.Less(t, ack.P99, freeze/10, "the freeze is one message of %d", ack.Count)
				return
			}
			require.False(t, r.Generator.Closed)
			window := micros(time.Duration(s.Load.Duration))
			require.EqualValues(t, 10_000, ack.Count+ack.Over)
			require.InEpsilon(t, ack.Max-window/100, ack.P99, 0.10)
			requireLater(t, r.Latency[result.AckService], ack)
		})
	}
}

// requireLater: from the intended time a message waits at least as long as
// from the time it was sent.
func requireLater(t *testing.T, service, intended latency.Summary) {
	t.Helper()
	require.LessOrEqual(t, service.P50, intended.P50)
	require.LessOrEqual(t, service.P99, intended.P99)
	require.LessOrEqual(t, service.Max, intended.Max)
}

func requireFlawlessLog(t *testing.T, r *result.Trial) {
	t.Helper()
	require.Equal(t, r.Verdict.Due, r.Verdict.Acked)
	require.Zero(t, r.Verdict.Lost.Total)
	require.Zero(t, r.Verdict.Duplicates.Total)
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

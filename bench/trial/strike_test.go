package trial_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// frozenRelay is a relay in transactions whose broker stands still.
func frozenRelay(faults ...profile.Fault) profile.Settings {
	s := short()
	s.Pipeline, s.Consumer.Commit.When, s.Guarantee = profile.RelayTo, profile.InTransaction, profile.ExactlyOnce
	s.Faults = faults
	return s
}

// steps are what was done to a fault's brokers, without the times.
func steps(f result.Fault) (said []string) {
	for _, step := range f.Steps {
		said = append(said, step.What)
	}
	return said
}

// when is the time of a step, in seconds.
func when(t *testing.T, f result.Fault, what string) float64 {
	t.Helper()
	at := slices.Index(steps(f), what)
	require.GreaterOrEqual(t, at, 0, what)
	return f.Steps[at].At
}

// A single broker has every role, and a freeze of it costs nothing.
func TestAFreezeOfAnyRole(t *testing.T) {
	t.Parallel()
	for _, fault := range []profile.Fault{
		{Freeze: profile.BrokerRole},
		{Freeze: profile.LeaderRole, Partition: 2},
		{Freeze: profile.ControllerRole},
		{Freeze: profile.GroupCoordinatorRole},
		{Freeze: profile.TransactionCoordinatorRole},
	} {
		b := newBench(t) // of its own: a freeze strikes whatever runs on it
		t.Run(fault.Name(), func(t *testing.T) {
			t.Parallel()
			fault.At, fault.For = profile.Moment{Share: 0.3}, profile.Duration(300*time.Millisecond)
			r := b.complete(t, frozenRelay(fault))
			requireFlawless(t, r)
			f := r.Faults[0]
			require.Len(t, f.Nodes, 1)
			require.ElementsMatch(t, []string{"node 0 frozen", "node 0 thawed", result.AckedAgain, result.ProcessedAgain, result.InSyncAgain}, steps(f))
			require.GreaterOrEqual(t, when(t, f, "node 0 thawed")-when(t, f, "node 0 frozen"), 0.3)
			require.Equal(t, &result.Predicted{Lost: new(int64), Duplicates: new(int64), Exact: true}, f.Predicted)
		})
	}
}

// A broker that two faults freeze stays frozen until the longer one ends.
func TestFreezesThatOverlap(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.complete(t, frozenRelay(
		profile.Fault{Freeze: profile.BrokerRole, At: profile.Moment{Share: 0.1}, For: profile.Duration(2 * time.Second)},
		profile.Fault{Freeze: profile.ControllerRole, At: profile.Moment{Share: 0.2}, For: profile.Duration(200 * time.Millisecond)},
	))
	requireFlawless(t, r)
	said := strings.Join(append(steps(r.Faults[0]), steps(r.Faults[1])...), ", ")
	require.Equal(t, 2, strings.Count(said, "node 0 frozen"), said)
	require.Equal(t, 1, strings.Count(said, "node 0 thawed"), said)
	longer := r.Faults[0]
	if slices.Contains(steps(longer), "node 0 thawed") {
		require.GreaterOrEqual(t, when(t, longer, "node 0 thawed")-when(t, longer, "node 0 frozen"), 2.0)
	}
}

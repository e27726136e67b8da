package trial_test

import (
	"testing"
	"time"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// Consumers that start late process nothing before their time, also when the
// group rebalances meanwhile or one of them is new; then they work off what has
// piled up, and the wait is in the latencies.
func TestConsumersThatStartLate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, change := range map[string]func(*profile.Settings){
		"before processing": func(s *profile.Settings) { s.Consumer.Commit.When = profile.BeforeProcessing },
		"after processing":  func(*profile.Settings) {},
		"automatic": func(s *profile.Settings) {
			s.Consumer.Commit.When, s.Consumer.Commit.Interval = profile.AutomaticStored, profile.Duration(50*time.Millisecond)
		},
		"relay in transactions": func(s *profile.Settings) {
			s.Pipeline, s.Consumer.Commit.When = profile.RelayTo, profile.InTransaction
		},
		"the group protocol of the broker": func(s *profile.Settings) { s.Consumer.Protocol = profile.ConsumerProtocol },
		"one more joins": func(s *profile.Settings) {
			s.Consumer.Count = 1
			s.Faults = []profile.Fault{{Join: profile.ConsumerRole}}
		},
		"cooperatively": func(s *profile.Settings) {
			s.Consumer.Count, s.Consumer.Assignor = 1, profile.CooperativeSticky
			s.Faults = []profile.Fault{{Join: profile.ConsumerRole}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := short()
			s.Load.Duration = profile.Duration(2 * time.Second)
			s.Consumer.Count = 2
			change(&s)
			s.Guarantee = guarantee(s.Consumer.Commit.When)
			late := 1500 * time.Millisecond // into the window
			s.Consumer.StartAfter = s.Load.Warmup + profile.Duration(late)
			r := b.complete(t, s)
			requireFlawlessRebalance(t, s, r)
			for _, interval := range r.Timeline {
				if interval.StartSecond+interval.LengthSecond <= late.Seconds() {
					require.Zero(t, interval.Effects, "in the interval from %g s", interval.StartSecond)
				}
			}
			require.GreaterOrEqual(t, r.Latency[result.EndToEnd].Max, micros(late), "the window's first message waits for all of it")
			// No message is acknowledged before it is due.
			require.Positive(t, r.Backlog.Messages)
			require.LessOrEqual(t, r.Backlog.Messages, int64(float64(s.Load.Rate)*time.Duration(s.Consumer.StartAfter).Seconds()))
			require.Positive(t, r.Backlog.DrainedPerSecond)
		})
	}
}

// Without a delay there is none to report.
func TestNoBacklogWithoutADelay(t *testing.T) {
	t.Parallel()
	require.Nil(t, newBench(t).complete(t, short()).Backlog)
}

package trial

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/pace"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/worker"
)

// The ledger has room for every schedule: ramps that go down and bursts longer
// than the load too.
func TestTheLedgerHasRoomForEveryArrival(t *testing.T) {
	for name, change := range map[string]func(*profile.Load){
		"constant":  func(*profile.Load) {},
		"poisson":   func(l *profile.Load) { l.Arrivals = profile.Poisson },
		"ramp up":   func(l *profile.Load) { l.Arrivals, l.RampFrom = profile.Ramp, 10 },
		"ramp down": func(l *profile.Load) { l.Arrivals, l.RampFrom = profile.Ramp, 20_000 },
		"bursts":    func(l *profile.Load) { l.Arrivals, l.BurstMessages = profile.Burst, 50_000 },
	} {
		t.Run(name, func(t *testing.T) {
			for _, producers := range []int{1, 3} {
				s := profile.Defaults()
				s.Producer.Count = producers
				change(&s.Load)
				for p := range producers {
					pacer, err := pace.New(s.Load, p, producers, 1)
					require.NoError(t, err)
					due := pacer.Count(time.Duration(s.Load.Length()))
					require.LessOrEqual(t, due, capacity(s))
				}
			}
		})
	}
}

// Rates are of whole intervals: those of a window that is no multiple of the
// grid are not divided by the time that was not counted.
func TestRatesOfAWindowThatIsNoMultipleOfTheGrid(t *testing.T) {
	const perSecond = 1000
	window := 750 * time.Millisecond
	var file bytes.Buffer
	w, err := latency.NewLogWriter(&file, latency.Grid{Interval: worker.LatencyInterval}, time.Now())
	require.NoError(t, err)
	role, err := w.Role(result.Ack)
	require.NoError(t, err)
	for at := time.Duration(0); at < window; at += time.Second / perSecond {
		role.Record(int64(at), 1000)
	}
	require.NoError(t, w.Close())
	log, err := latency.ReadLog(&file)
	require.NoError(t, err)

	c := &conductor{}
	c.trial.Settings = profile.Defaults()
	c.trial.Settings.Pipeline = profile.Produce
	c.trial.Settings.Load.Duration = profile.Duration(window)
	require.InDelta(t, perSecond, c.throughput(log, nil).ProducedPerSecond, 0.5)
	require.Equal(t, 100*time.Millisecond, wholeIntervals(time.Millisecond))
}

// Numbers that may still change carry no claim, whatever the arm promises.
func TestWhatCannotCarryAClaim(t *testing.T) {
	require.NoError(t, doubt(ledger.Verdict{}, 1, 1))
	require.EqualError(t, doubt(ledger.Verdict{Undrained: 3}, 0, 0), "3 messages were not drained: they may be lost or not")
	require.ErrorContains(t, doubt(ledger.Verdict{}, 2, 1), "1 of 2 faults never fired")
}

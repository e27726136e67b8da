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
	log := logOf(t, func(role func(string) *latency.IntervalRecorder) {
		steadily(role(result.Ack), 0, window, perSecond)
	})

	c := &conductor{}
	c.trial.Settings = profile.Defaults()
	c.trial.Settings.Pipeline = profile.Produce
	c.trial.Settings.Load.Duration = profile.Duration(window)
	require.InDelta(t, perSecond, c.throughput(log, nil).ProducedPerSecond, 0.5)
	require.Equal(t, 100*time.Millisecond, wholeIntervals(time.Millisecond))
}

// logOf is a log of what record puts into it; its grid begins at 0.
func logOf(t *testing.T, record func(role func(string) *latency.IntervalRecorder)) *latency.Log {
	t.Helper()
	var file bytes.Buffer
	w, err := latency.NewLogWriter(&file, latency.Grid{Interval: worker.LatencyInterval}, time.Now())
	require.NoError(t, err)
	record(func(name string) *latency.IntervalRecorder {
		role, err := w.Role(name)
		require.NoError(t, err)
		return role
	})
	require.NoError(t, w.Close())
	log, err := latency.ReadLog(&file)
	require.NoError(t, err)
	return log
}

// steadily records so many a second.
func steadily(role *latency.IntervalRecorder, from, to time.Duration, perSecond int) {
	for at := from; at < to; at += time.Second / time.Duration(perSecond) {
		role.Record(int64(at), 1000)
	}
}

// A paced load is its generator's when it was later than 1 ms and than a tenth of
// what was measured, or when more than 95 % of the processors were busy. On each
// boundary it is not yet.
func TestWhatTheGeneratorLimits(t *testing.T) {
	const late, busy = "the load was up to 2.0 ms late (p99 of the send lag)", "the processors were 96 % busy"
	paced := func(s *profile.Settings) {}
	for name, c := range map[string]struct {
		change             func(*profile.Settings)
		lag, ack, endToEnd float64 // p99 in microseconds
		cpu                float64 // of 1000
		want               result.Generator
	}{
		"in time":                     {paced, 100, 5000, 5000, 500, result.Generator{CPU: 0.5}},
		"1 ms late":                   {paced, 1000, 5000, 5000, 500, result.Generator{CPU: 0.5}},
		"over 1 ms late":              {paced, 1001, 5000, 5000, 500, result.Generator{CPU: 0.5, Limited: true, Why: "the load was up to 1.0 ms late (p99 of the send lag)"}},
		"a tenth late":                {paced, 2000, 5000, 20_000, 500, result.Generator{CPU: 0.5}},
		"over a tenth late":           {paced, 2001, 50_000, 20_000, 500, result.Generator{CPU: 0.5, Limited: true, Why: late}},
		"over a tenth of 1 ms":        {paced, 900, 5000, 5000, 500, result.Generator{CPU: 0.5}},
		"busy":                        {paced, 0, 0, 0, 950, result.Generator{CPU: 0.95}},
		"too busy":                    {paced, 0, 0, 0, 960, result.Generator{CPU: 0.96, Limited: true, Why: busy}},
		"late and too busy":           {paced, 2001, 5000, 5000, 960, result.Generator{CPU: 0.96, Limited: true, Why: late}},
		"producing, by its acks":      {func(s *profile.Settings) { s.Pipeline = profile.Produce }, 2001, 20_000, 50_000, 500, result.Generator{CPU: 0.5, Limited: true, Why: late}},
		"producing, a tenth":          {func(s *profile.Settings) { s.Pipeline = profile.Produce }, 2000, 20_000, 5000, 500, result.Generator{CPU: 0.5}},
		"a writer waits":              {func(s *profile.Settings) { s.Pipeline = profile.ByOutbox }, 2001, 5000, 5000, 500, result.Generator{CPU: 0.5}},
		"a writer, too busy":          {func(s *profile.Settings) { s.Pipeline = profile.ByOutbox }, 2001, 5000, 5000, 960, result.Generator{CPU: 0.96, Limited: true, Why: busy}},
		"as fast as it goes":          {func(s *profile.Settings) { s.Load.Rate = profile.RateMax }, 2001, 5000, 5000, 960, result.Generator{CPU: 0.96, Closed: true}},
		"closed by what is under way": {func(s *profile.Settings) { s.Producer.Outstanding = 1 }, 2001, 5000, 5000, 960, result.Generator{CPU: 0.96, Closed: true}},
	} {
		t.Run(name, func(t *testing.T) {
			trial := &conductor{window: resources{busy: c.cpu, total: 1000}}
			trial.trial.Settings = profile.Defaults()
			c.change(&trial.trial.Settings)
			require.Equal(t, c.want, trial.generator(&result.Trial{Latency: map[string]latency.Summary{
				result.SendLag: {P99: c.lag}, result.Ack: {P99: c.ack}, result.EndToEnd: {P99: c.endToEnd},
			}}))
		})
	}
}

// 1000/s for 3.5 s of which 0.5 s are the warm-up; the consumers begin after 2 s
// of load: 2000 messages are there by then, 500 of them of the warm-up, which is
// in no log. They do 4000/s, so that it takes 0.5 s until they have done as many,
// and all is done 2000 / (4000 - 1000) s after they began.
func TestTheBacklogIsRateTimesDelay(t *testing.T) {
	const began, end = 1500 * time.Millisecond, 3 * time.Second
	log := logOf(t, func(role func(string) *latency.IntervalRecorder) {
		acks, outside := role(result.Ack), role(worker.AckOutside)
		steadily(acks, 0, end, 1000)
		steadily(outside, end, end+100*time.Millisecond, 1000)
		caughtUp := began + 2*time.Second/3
		steadily(role(result.EndToEnd), began, caughtUp, 4000)
		steadily(role(worker.EndToEndOutside), caughtUp, end+100*time.Millisecond, 1000)
	})
	c := &conductor{}
	c.trial.Settings = profile.Defaults()
	c.trial.Settings.Consumer.StartAfter = profile.Duration(500*time.Millisecond + began)
	b := c.backlog(log)
	require.InDelta(t, 2000, b.Messages, 1)
	require.InDelta(t, 4000, b.DrainedPerSecond, 4)

	// Begun in the warm-up, or at once: what had piled up is in no log.
	for _, after := range []time.Duration{400 * time.Millisecond, 0} {
		c.trial.Settings.Consumer.StartAfter = profile.Duration(after)
		require.Nil(t, c.backlog(log))
	}
	c.trial.Settings.Consumer.StartAfter = profile.Duration(2 * time.Second)
	require.Equal(t, &result.Backlog{}, c.backlog(logOf(t, func(func(string) *latency.IntervalRecorder) {})), "nothing was produced")
	c.trial.Settings.Pipeline = profile.Produce
	require.Nil(t, c.backlog(log))
}

// Numbers that may still change carry no claim, whatever the arm promises.
func TestWhatCannotCarryAClaim(t *testing.T) {
	require.NoError(t, doubt(ledger.Verdict{}, 1, 1))
	require.EqualError(t, doubt(ledger.Verdict{Undrained: 3}, 0, 0), "3 messages were not drained: they may be lost or not")
	require.ErrorContains(t, doubt(ledger.Verdict{}, 2, 1), "1 of 2 faults never fired")
}

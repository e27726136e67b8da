package trial

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/worker"
)

// settlement is what the ledger must be told to judge it.
func (c *conductor) settlement(drained bool) ledger.Inputs {
	s := c.trial.Settings
	in := ledger.Inputs{
		Due:             c.due(func(m *member) int64 { return m.due }),
		Pipeline:        s.Pipeline,
		AcksNone:        s.Producer.Acks == profile.AcksNone,
		ReadUncommitted: s.Consumer.Isolation == profile.ReadUncommitted,
		Drained:         drained,
		Unpublished:     c.unpublished,
	}
	if s.Sink.Enabled() && s.Pipeline == profile.Consume {
		in.Effects = ledger.ByRows // of a relay, what readers see of its output
	}
	return in
}

// due gathers a number of each producer's last incarnation.
func (c *conductor) due(of func(*member) int64) []int64 {
	due := make([]int64, c.trial.Settings.Producer.Count)
	for n := range due {
		if m := c.latest(worker.ProducerRole, n); m != nil {
			due[n] = of(m)
		}
	}
	return due
}

// measure fills in everything but the verdict, from what the workers left.
func (c *conductor) measure(out *Outcome) error {
	log, err := c.readLogs()
	if err != nil {
		return err
	}
	out.Latency = log
	r := &out.Result
	r.Latency = c.summaries(log, r.Verdict)
	r.Throughput = c.throughput(log, r.Verdict)
	r.Timeline = c.timeline(log)
	r.Backlog = c.backlog(log)
	r.Generator = c.generator(r)
	if r.Verdict != nil {
		err = c.unrecorded(log, r)
	}
	return err
}

// readLogs merges the interval logs of all workers.
func (c *conductor) readLogs() (*latency.Log, error) {
	paths, err := filepath.Glob(filepath.Join(c.scratch, "*.hlog"))
	if err != nil {
		return nil, err
	}
	var logs []*latency.Log
	for _, path := range paths {
		log, err := readLog(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		logs = append(logs, log)
	}
	return latency.Merge(logs...)
}

func readLog(path string) (*latency.Log, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	log, err := latency.ReadLog(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return log, nil
}

// summaries counts the messages that never arrived as longer than everything
// recorded, so that losing messages cannot make a percentile look good.
func (c *conductor) summaries(log *latency.Log, v *ledger.Verdict) map[string]latency.Summary {
	var unacked, lost int64
	if v != nil {
		unacked, lost = v.Unknown+v.Rejected+v.NotSent, v.Lost.Total
	}
	out := map[string]latency.Summary{}
	for _, role := range log.Roles() {
		switch role {
		case worker.AckOutside, worker.EndToEndOutside:
			continue
		case result.Ack, result.AckService:
			out[role] = log.Summary(role, unacked)
		case result.EndToEnd, result.EndToEndService, result.Durable:
			out[role] = log.Summary(role, lost)
		default:
			out[role] = log.Summary(role, 0)
		}
	}
	return out
}

// throughput counts what was completed in the measured window. The pipeline's
// rate is that of its messages from end to end: those of the measured window
// over the time from its start until the last of them was done, the drain
// included, so that a producer that outruns its consumers does not look fast.
func (c *conductor) throughput(log *latency.Log, v *ledger.Verdict) result.Throughput {
	window := time.Duration(c.trial.Settings.Load.Duration).Seconds()
	whole := wholeIntervals(time.Duration(c.trial.Settings.Load.Duration)).Seconds()
	count := func(roles ...string) (inWindow, total int64, last float64) {
		for _, role := range roles {
			for _, interval := range log.Intervals(role) {
				start := log.Grid.Start(interval.Index)
				end := (start + log.Grid.Interval).Seconds()
				total += interval.Count()
				last = max(last, end)
				if start >= 0 && end <= whole+1e-9 {
					inWindow += interval.Count()
				}
			}
		}
		return inWindow, total, last
	}
	acked, _, _ := count(result.Ack, worker.AckOutside)
	effects, _, _ := count(result.EndToEnd, worker.EndToEndOutside)
	t := result.Throughput{
		WindowSeconds:     window,
		ProducedPerSecond: float64(acked) / whole,
		BytesPerSecond:    float64(acked) / whole * float64(c.trial.Settings.Load.Message.Size),
	}
	role, outside := result.EndToEnd, worker.EndToEndOutside
	switch c.trial.Settings.Pipeline {
	case profile.Produce:
		role, outside = result.Ack, worker.AckOutside
	case profile.RelayTo, profile.ByOutbox:
		t.OutputPerSecond = float64(effects) / whole
		t.ConsumedPerSecond = t.OutputPerSecond
	default:
		t.ConsumedPerSecond = float64(effects) / whole
	}
	_, measured, last := count(role)
	_, others, _ := count(outside)
	if exact := c.lastDone(); exact > 0 {
		last = exact
	}
	done := measured + others
	if v != nil {
		done -= min(done, v.Duplicates.Redelivered) // doing a message again carries nothing
	}
	if last > 0 {
		t.PipelinePerSecond = float64(done) / max(last, window)
	}
	return t
}

// wholeIntervals is the part of the measured window that the latency logs' grid
// covers with whole intervals: what completed in the rest is not told apart from
// what came after it.
func wholeIntervals(window time.Duration) time.Duration {
	return max(window.Truncate(worker.LatencyInterval), worker.LatencyInterval)
}

// lastDone is when the pipeline's last message was done, in seconds from the
// start of the measured window.
func (c *conductor) lastDone() float64 {
	role := worker.ConsumerRole
	switch c.trial.Settings.Pipeline {
	case profile.Produce:
		role = worker.ProducerRole
	case profile.RelayTo, profile.ByOutbox:
		role = worker.ObserverRole
	}
	var last int64
	for _, m := range c.crew {
		if m.role == role {
			last = max(last, m.counts.Last)
		}
	}
	if last == 0 {
		return 0
	}
	return float64(last-c.windowStart) / float64(time.Second)
}

// backlog is what had piled up when the consumers began, and how fast they did
// as much under the load: what was done from then on, and not acknowledged from
// then on, had been there before. It is counted to the nearest interval of the
// latency logs, which say nothing of the warm-up: nil is that they began in it.
func (c *conductor) backlog(log *latency.Log) *result.Backlog {
	s := c.trial.Settings
	began := time.Duration(s.Consumer.StartAfter - s.Load.Warmup)
	if s.Consumer.StartAfter == 0 || began < 0 || !s.Pipeline.Consumes() {
		return nil
	}
	from := int64(began.Round(worker.LatencyInterval) / worker.LatencyInterval)
	effects := countsFrom(log, from, result.EndToEnd, worker.EndToEndOutside)
	b := &result.Backlog{Messages: sumOf(effects) - sumOf(countsFrom(log, from, result.Ack, worker.AckOutside))}
	b.Messages = max(0, b.Messages)
	var intervals float64
	left := b.Messages
	for _, n := range effects {
		if left <= n {
			intervals += float64(left) / float64(max(1, n))
			b.DrainedPerSecond = float64(b.Messages) / max(intervals, 1e-3) / worker.LatencyInterval.Seconds()
			break
		}
		left, intervals = left-n, intervals+1
	}
	return b
}

// countsFrom is what roles completed in each interval from an index on.
func countsFrom(log *latency.Log, from int64, roles ...string) []int64 {
	var counts []int64
	for _, role := range roles {
		for _, interval := range log.Intervals(role) {
			at := int(interval.Index - from)
			if at < 0 {
				continue
			}
			counts = append(counts, make([]int64, max(0, at+1-len(counts)))...)
			counts[at] += interval.Count()
		}
	}
	return counts
}

func sumOf(counts []int64) (sum int64) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// timeline is the trial in slices of the latency logs' grid.
func (c *conductor) timeline(log *latency.Log) []result.Interval {
	slices := map[int64]*result.Interval{}
	var first, last int64 = 0, -1
	slice := func(index int64) *result.Interval {
		if slices[index] == nil {
			slices[index] = &result.Interval{StartSecond: log.Grid.Start(index).Seconds(), LengthSecond: log.Grid.Interval.Seconds()}
			last = max(last, index)
		}
		return slices[index]
	}
	for _, role := range []string{result.Ack, worker.AckOutside} {
		for _, interval := range log.Intervals(role) {
			slice(interval.Index).Produced += interval.Count()
		}
	}
	for _, role := range []string{result.EndToEnd, worker.EndToEndOutside} {
		for _, interval := range log.Intervals(role) {
			slice(interval.Index).Effects += interval.Count()
		}
	}
	role := result.EndToEnd
	if c.trial.Settings.Pipeline == profile.Produce {
		role = result.Ack
	}
	for _, interval := range log.Intervals(role) {
		s, summary := slice(interval.Index), interval.Summary()
		s.EndToEndP50, s.EndToEndP99, s.EndToEndMax = summary.P50, summary.P99, summary.Max
	}
	var out []result.Interval
	for index := first; index <= last; index++ {
		out = append(out, *slice(index)) // one in which nothing completed is a finding too
	}
	return out
}

// A paced trial is generator-limited when its load was late by more than
// limitedLag and by more than a tenth of what it measured, or when the
// processors had nothing left.
const (
	limitedLagMicros = 1000
	limitedShare     = 0.10
	limitedCPU       = 0.95
)

func (c *conductor) generator(r *result.Trial) result.Generator {
	s := c.trial.Settings
	g := result.Generator{
		Closed: s.Load.Rate == profile.RateMax || s.Producer.Outstanding > 0,
		CPU:    c.window.share(),
	}
	if g.Closed {
		return g // the client is the limit by design, and is labelled so
	}
	lag, measured := r.Latency[result.SendLag], r.Latency[result.EndToEnd]
	if s.Pipeline == profile.Produce {
		measured = r.Latency[result.Ack]
	}
	// A writer waits for its database before it begins with the next message: that
	// is measured, and no lack of the generator's.
	waits := s.Pipeline == profile.ByOutbox
	switch {
	case !waits && lag.P99 > limitedLagMicros && lag.P99 > limitedShare*measured.P99:
		g.Limited = true
		g.Why = fmt.Sprintf("the load was up to %.1f ms late (p99 of the send lag)", lag.P99/1000)
	case g.CPU > limitedCPU:
		g.Limited = true
		g.Why = fmt.Sprintf("the processors were %.0f %% busy", g.CPU*100)
	}
	return g
}

// unrecorded is how many effects of the measured window have no latency: a
// killed worker takes its last interval with it.
func (c *conductor) unrecorded(log *latency.Log, r *result.Trial) error {
	if !c.trial.Settings.Pipeline.Consumes() {
		return nil
	}
	effects, err := ledger.EffectsBetween(c.scratch,
		c.due(func(m *member) int64 { return m.measured.First }), c.due(func(m *member) int64 { return m.measured.End }))
	if err != nil {
		return err
	}
	r.Unrecorded = max(0, effects-log.Total(result.EndToEnd).TotalCount())
	return nil
}

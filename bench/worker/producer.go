package worker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/message"
	"deliverybench/bench/pace"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// producer sends its part of the load: message n at its intended time,
// whatever the broker does, marked in the ledger before it is handed to the
// client. One goroutine sends, another takes the reports.
type producer struct {
	env      *environment
	client   *client.Producer // nil where a writer has the messages
	line     line
	writer   *writer // of pipeline outbox, else nil
	outcomes *ledger.Outcomes
	strikes  *strikes
	pacer    pace.Pacer // nil for rate: max
	waiter   *pace.Waiter
	keys     *message.Keys
	payload  *message.Payload

	windowStart, windowEnd int64
	reading                reading // of the goroutine that sends
	// slots bounds the messages without a report; nil is unbounded.
	slots chan struct{}
	// failed are the messages that the application sends again; value is the room
	// for one of them.
	failed resends
	value  []byte

	sending   *latencies // of the goroutine that sends
	sendLag   *latency.IntervalRecorder
	reporting *latencies // of the one that takes reports

	// measured is the first sequence of the measured window at rate: max, -1
	// before it.
	measured    int64
	first, last atomic.Int64 // when the first report and the last good one came
	warnings    []string

	// arrived is the clock's reading for the report at hand.
	arrived int64
}

func runProducer(ctx context.Context, env *environment) error {
	p := &producer{env: env, waiter: pace.NewWaiter(env.clock), measured: -1}
	if err := p.prepare(ctx); err != nil {
		return err
	}
	env.events.send(Event{Kind: Ready})
	start, err := env.awaitStart(ctx)
	if err != nil {
		return err
	}
	if err := p.open(start); err != nil {
		return err
	}
	if p.client != nil {
		p.listen()
	}
	stop := env.reportProgress(p.event)
	next, err := p.send(ctx, start)
	if err == nil {
		err = p.flush(ctx)
	}
	stop()
	if p.client != nil {
		p.hangUp()
	}
	err = errors.Join(err, p.writer.close(), p.sending.close(), p.reporting.close())
	if err == nil {
		done := p.event()
		done.Kind, done.Due, done.Measured, done.Warnings = Done, p.due(next), p.measuredSequences(next), p.warnings
		env.events.send(done)
	}
	return err
}

// prepare makes everything that takes time before the load starts.
func (p *producer) prepare(ctx context.Context) (err error) {
	spec, s := p.env.spec, p.env.spec.Settings
	if p.outcomes, err = ledger.OpenOutcomes(spec.Ledger, spec.Number); err != nil {
		return err
	}
	if p.strikes, err = newStrikes(p.env); err != nil {
		return err
	}
	if p.keys, err = message.NewKeys(s.Load.Message.Key, s.Load.Message.Keys, KeySeed(spec.Seed, spec.Number)); err != nil {
		return err
	}
	compressed := s.Producer.Compression != "none"
	if p.payload, err = message.NewPayload(spec.Seed, int(s.Load.Message.Size), s.Load.Message.Entropy, compressed); err != nil {
		return err
	}
	if s.Load.Rate != profile.RateMax {
		if p.pacer, err = pace.New(s.Load, spec.Number, s.Producer.Count, spec.Seed); err != nil {
			return err
		}
	}
	p.reading = newReading(s, p.strikes != nil)
	if s.Pipeline == profile.ByOutbox {
		p.writer, err = openWriter(ctx, p)
		return err
	}
	p.value = make([]byte, s.Load.Message.Size)
	p.failed.most = uint32(s.Producer.Resends)
	if s.Producer.Outstanding > 0 {
		p.slots = make(chan struct{}, s.Producer.Outstanding)
	}
	return p.connect(ctx)
}

// open begins the latency logs on the load's grid.
func (p *producer) open(start int64) (err error) {
	p.windowStart = p.env.windowStart(start)
	p.windowEnd = p.windowStart + int64(p.env.spec.Settings.Load.Duration)
	p.strikes.arm(p.windowStart)
	if p.sending, err = p.env.openLatencies("send", p.windowStart); err != nil {
		return err
	}
	p.sendLag = p.sending.role(result.SendLag)
	p.reporting, err = p.env.openLatencies("ack", p.windowStart)
	return err
}

// send hands every due message over, and returns the first sequence that was not
// begun.
func (p *producer) send(ctx context.Context, start int64) (next int64, err error) {
	transactions, take := newTransactions(p), p.sendOne
	if p.writer != nil {
		take = p.writer.take
	}
	defer func() { p.recordLag(next) }()
	seq, end := p.outcomes.Next(), p.outcomes.Capacity()
	if p.pacer != nil {
		end = min(end, p.pacer.Count(time.Duration(p.env.spec.Settings.Load.Length())))
	}
	for ; seq < end; seq++ {
		if err := p.resend(ctx); err != nil {
			return seq, err
		}
		if err := p.take(ctx); err != nil {
			return seq, err
		}
		if err := p.awaitDue(ctx, start, seq, end); err != nil {
			return seq, err
		}
		if err := transactions.endComplete(ctx, seq, p.reading.now); err != nil {
			return seq, err
		}
		if err := p.awaitDue(ctx, start, seq, end); err != nil { // ending one took time
			return seq, err
		}
		if p.pacer == nil && p.reading.now >= p.windowEnd {
			return seq, transactions.end(ctx, seq)
		}
		if err := transactions.begin(seq); err != nil {
			return seq, err
		}
		a, value := p.reading.message(seq)
		if err := take(ctx, a, value); err != nil {
			return seq, err
		}
		p.strikes.reach(profile.PointSent)
	}
	if p.pacer == nil && seq == end {
		p.warnings = append(p.warnings, fmt.Sprintf("the ledger's room for %d messages a producer was full before the window ended: shorten load.duration", end))
	}
	return seq, transactions.end(ctx, seq)
}

// sendOne marks the attempt, then hands the message over. While the client's
// queue is full it waits and keeps the intended time.
func (p *producer) sendOne(ctx context.Context, a attempt, value []byte) error {
	p.outcomes.Begin(a.seq)
	key := p.keys.At(a.seq)
	for {
		err := p.client.Produce(key, value)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, client.ErrQueueFull):
			var e *client.Error
			if errors.As(err, &e) && e.Fatal {
				if err := p.renew(ctx, err); err != nil {
					return err
				}
				continue
			}
			p.outcomes.Rejected(a.seq) // never taken by the client
			p.release()
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		time.Sleep(500 * time.Microsecond)
		p.reading.drop()
	}
}

// onReport settles a message by its report. In a transaction the outcome is
// the commit's (transaction.go).
func (p *producer) onReport(r *client.Report) {
	p.release()
	if !r.Together {
		p.arrived = p.env.clock.Now()
	}
	h, err := message.Peek(r.Value)
	if err != nil {
		return // not possible: the value is the one that was sent
	}
	now, seq := p.arrived, int64(h.Sequence)
	if !p.env.spec.Settings.Producer.Transaction.Enabled() {
		p.outcomes.Settle(seq, p.outcome(r))
	}
	if p.first.Load() == 0 {
		p.first.Store(now)
	}
	if r.Outcome != client.Acked {
		if client.Refused(r.Err) {
			p.env.heard(r.Err)
		}
		p.failed.add(&h, r)
		return // never delivered: counted as over range when the trial is settled
	}
	if p.last.Load() != now {
		p.last.Store(now)
	}
	p.reporting.ack(now, &h)
}

func (p *producer) outcome(r *client.Report) ledger.Outcome {
	switch {
	case r.Outcome == client.Rejected:
		return ledger.Rejected
	case r.Outcome == client.Unknown:
		return ledger.Unknown
	case p.env.spec.Settings.Producer.Acks == profile.AcksNone:
		return ledger.Sent
	default:
		return ledger.Acked
	}
}

// take waits until fewer messages than producer.outstanding have no report.
func (p *producer) take(ctx context.Context) error {
	if p.slots == nil {
		return nil
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (p *producer) release() {
	if p.slots != nil {
		<-p.slots
	}
}

// flush waits for the last reports, and for those of what the application sends
// again. What has none by then stays unknown in the ledger.
func (p *producer) flush(ctx context.Context) error {
	if p.writer != nil {
		return p.writer.write(false)
	}
	bound := time.Duration(p.env.spec.Settings.Producer.MessageTimeout) + 5*time.Second
	for {
		if left := p.client.Flush(bound); left > 0 {
			p.warnings = append(p.warnings, fmt.Sprintf("%d messages had no delivery report %s after the load ended: their outcome is unknown", left, bound))
			return nil
		}
		if p.failed.waiting.Load() == 0 {
			return nil
		}
		if err := p.resend(ctx); err != nil {
			return err
		}
	}
}

// due is how many messages this producer had to send: by its schedule, or at
// rate: max what it began.
func (p *producer) due(next int64) int64 {
	if p.pacer == nil {
		return next
	}
	return p.pacer.Count(time.Duration(p.env.spec.Settings.Load.Length()))
}

// measuredSequences are those that were due in the measured window; at rate: max
// it ends the load.
func (p *producer) measuredSequences(next int64) Sequences {
	if p.pacer == nil {
		return Sequences{First: max(p.measured, 0), End: next}
	}
	s := p.env.spec.Settings.Load
	return Sequences{
		First: p.pacer.Count(time.Duration(s.Warmup)),
		End:   p.pacer.Count(time.Duration(s.Warmup + s.Duration)),
	}
}

func (p *producer) event() Event {
	taken, reported := p.line.counts()
	e := Event{
		Kind:   Progress,
		First:  p.first.Load(),
		Counts: Counts{Produced: taken, Reported: reported, Last: p.last.Load(), P99Micros: p.reporting.recent.p99Micros()},
	}
	p.writer.count(&e.Counts)
	return e
}

// KeySeed is that of a producer's keys.
func KeySeed(seed uint64, producer int) uint64 { return seed + uint64(producer) }

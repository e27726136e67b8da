package worker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// transactions groups a producer's messages into transactions, some of which
// it aborts on purpose. The outcome of a message is then its transaction's.
type transactions struct {
	producer *producer
	settings profile.Transaction
	draw     *rand.Rand
	open     bool
	first    int64 // sequence of the open transaction's first message
	begun    int64
}

// newTransactions returns nil, which does nothing, for a producer without them.
func newTransactions(p *producer) *transactions {
	settings := p.env.spec.Settings.Producer.Transaction
	if !settings.Enabled() {
		return nil
	}
	spec := p.env.spec
	return &transactions{
		producer: p, settings: settings,
		draw: rand.New(rand.NewPCG(spec.Seed, uint64(spec.Number)<<32|uint64(spec.Incarnation))),
	}
}

// endComplete is called before message seq: it ends a transaction that is full
// or old enough.
func (t *transactions) endComplete(ctx context.Context, seq, now int64) error {
	if t == nil || !t.open || !t.complete(seq, now) {
		return nil
	}
	return t.end(ctx, seq)
}

// begin begins the transaction that message seq belongs to, unless it is open.
func (t *transactions) begin(seq int64) error {
	if t == nil || t.open {
		return nil
	}
	if err := t.producer.client.BeginTransaction(); err != nil {
		return err
	}
	t.open, t.first, t.begun = true, seq, t.producer.env.clock.Now()
	return nil
}

func (t *transactions) complete(seq, now int64) bool {
	every, interval := int64(t.settings.Every), int64(t.settings.Interval)
	return every > 0 && seq-t.first >= every || interval > 0 && now-t.begun >= interval
}

// end commits or, by the abort share, aborts the messages first ≤ s < seq.
func (t *transactions) end(ctx context.Context, seq int64) error {
	if t == nil || !t.open {
		return nil
	}
	t.open = false
	p := t.producer
	p.reading.drop() // ending a transaction takes time
	ctx, cancel := context.WithTimeout(ctx, TransactionTimeout)
	defer cancel()
	if t.draw.Float64() < float64(t.settings.Abort) {
		return t.abort(ctx, seq)
	}
	begun := p.env.clock.Now()
	if err := p.client.CommitTransaction(ctx); err != nil {
		p.outcomes.SettleRange(t.first, seq, ledger.Unknown)
		return t.giveUp(ctx, err)
	}
	p.outcomes.SettleRange(t.first, seq, ledger.Acked)
	t.record(begun, seq)
	return nil
}

// giveUp ends a transaction that cannot be committed, for example because a
// message of it timed out, so that the load goes on with the next one.
func (t *transactions) giveUp(ctx context.Context, err error) error {
	var e *client.Error
	if !errors.As(err, &e) || !e.Abortable || e.Fatal || e.Fenced {
		return err
	}
	fmt.Fprintln(t.producer.env.log, "aborting:", err)
	return t.producer.client.AbortTransaction(ctx)
}

func (t *transactions) abort(ctx context.Context, seq int64) error {
	p := t.producer
	if t.settings.FlushBeforeAbort {
		// Otherwise the client drops what it has queued, and fewer aborted
		// records reach the log than were produced.
		p.client.Flush(TransactionTimeout)
	}
	if err := p.client.AbortTransaction(ctx); err != nil {
		p.outcomes.SettleRange(t.first, seq, ledger.Unknown)
		return err
	}
	p.outcomes.SettleRange(t.first, seq, ledger.Aborted)
	return nil
}

// record notes how long the commit took and when each message became visible.
func (t *transactions) record(begun, seq int64) {
	p := t.producer
	now := p.env.clock.Now()
	p.sending.record(result.CommitLatency, now, now-begun)
	if p.pacer == nil {
		return // the intended times were not kept, and a closed loop's mean little
	}
	start := p.windowStart - int64(p.env.spec.Settings.Load.Warmup)
	for s := t.first; s < seq; s++ {
		if intended := start + int64(p.pacer.At(s)); p.sending.measures(intended) {
			p.sending.record(result.TransactionVisible, now, time.Duration(now-intended).Nanoseconds())
		}
	}
}

package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"deliverybench/bench/client"
	"deliverybench/bench/ledger"
	"deliverybench/bench/message"
	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
)

// writer is what a producer hands its messages to in pipeline outbox: each is a
// row in the database, and a message that tells of the row. It has one
// transaction of rows under way.
type writer struct {
	producer *producer
	strikes  *strikes
	store    *store
	post     *post // of a dual write, else nil
	order    profile.OutboxWrite
	rows     int // of a full transaction

	headers  []message.Header
	effects  []sink.Effect
	messages []sink.Outgoing

	commits, committed, last atomic.Int64
}

func openWriter(ctx context.Context, p *producer) (*writer, error) {
	s := p.env.spec.Settings
	if p.env.spec.Sink == nil {
		return nil, errors.New("worker: a writer was given no database")
	}
	w := &writer{producer: p, strikes: p.strikes, order: s.Outbox.Write, rows: s.Outbox.RowsPerTransaction}
	var err error
	if w.store, err = openStore(ctx, p.env, p.strikes); err != nil {
		return nil, err
	}
	if w.order != profile.InOutbox {
		w.post, err = openPost(p.env, ProducerRole)
	}
	return w, err
}

// take puts a message into the batch, and writes a batch that is full.
func (w *writer) take(_ context.Context, a attempt, value []byte) error {
	p, spec := w.producer, &w.producer.env.spec
	p.outcomes.Begin(a.seq)
	value = bytes.Clone(value)
	h, err := message.Peek(value)
	if err != nil {
		return err
	}
	key := p.keys.At(a.seq)
	w.headers = append(w.headers, h)
	w.messages = append(w.messages, sink.Outgoing{Key: key, Value: value})
	w.effects = append(w.effects, sink.Effect{
		Producer: spec.Number, Sequence: a.seq, Incarnation: spec.Incarnation,
		Account: sink.Account(key, spec.Number, a.seq, spec.Sink.Accounts), Amount: sink.Amount(spec.Number, a.seq),
	})
	p.line.taken.Add(1)
	if len(w.effects) < w.rows {
		return nil
	}
	return w.write(true)
}

// write has the batch where it belongs, in the order of outbox.write. A batch that
// is not full passes no points: it would cost less than predicted.
func (w *writer) write(full bool) error {
	if len(w.effects) == 0 {
		return nil
	}
	defer w.drop()
	reach := func(points ...profile.Point) {
		if full {
			w.strikes.reach(points...)
		}
	}
	switch w.order {
	case profile.RowFirst:
		known, err := w.commit(nil, reach)
		if !known || err != nil {
			return err // whoever does not know that there is a row tells of none
		}
		reach(profile.PointBetweenWrites)
		_, err = w.post.send(w.messages) // what does not arrive nobody sends again
		return err
	case profile.MessageFirst:
		undelivered, err := w.post.send(w.messages)
		if err != nil {
			return err
		}
		w.leaveOut(undelivered)
		reach(profile.PointBetweenWrites)
		_, err = w.commit(nil, reach)
		reach(profile.PointCommitted)
		return err
	}
	_, err := w.commit(w.messages, reach)
	reach(profile.PointCommitted)
	return err
}

// leaveOut settles the messages of which the topic said no, or nothing: they get
// no rows.
func (w *writer) leaveOut(undelivered map[identity]client.Outcome) {
	if len(undelivered) == 0 {
		return
	}
	headers, effects := w.headers, w.effects
	w.headers, w.effects = headers[:0], effects[:0]
	for i, h := range headers {
		outcome, failed := undelivered[identity{h.Producer, h.Sequence}]
		if !failed {
			w.headers, w.effects = append(w.headers, h), append(w.effects, effects[i])
			continue
		}
		settled := ledger.Unknown
		if outcome == client.Rejected {
			settled = ledger.Rejected
		}
		w.producer.outcomes.Settle(int64(h.Sequence), settled)
	}
}

// commit has the rows, and with them what goes into the outbox, in the database,
// and settles the messages by that. It reports whether the outcome is known: what
// may be there is not written again.
func (w *writer) commit(outbox []sink.Outgoing, reach func(...profile.Point)) (known bool, err error) {
	p := w.producer
	unknown := false
	err = w.store.insist(func(ctx context.Context) error {
		err := w.store.writer.ApplyWith(ctx, w.effects, outbox, func() { reach(profile.PointInserted) })
		if unknown = errors.Is(err, sink.ErrUnknown); unknown {
			fmt.Fprintln(p.env.log, p.env.hide(err.Error()))
			return nil
		}
		return err
	})
	if err != nil {
		return false, err
	}
	now, outcome := p.env.clock.Now(), ledger.Acked
	if unknown {
		outcome = ledger.Unknown
	}
	for i := range w.headers {
		p.outcomes.Settle(int64(w.headers[i].Sequence), outcome)
		if !unknown {
			p.reporting.ack(now, &w.headers[i])
		}
	}
	p.line.reported.Add(int64(len(w.headers)))
	if unknown {
		return false, nil
	}
	w.commits.Add(1)
	w.committed.Add(int64(len(w.effects)))
	w.last.Store(now)
	p.last.Store(now)
	p.first.CompareAndSwap(0, now)
	return true, nil
}

func (w *writer) drop() {
	w.headers, w.effects, w.messages = w.headers[:0], w.effects[:0], w.messages[:0]
}

// count adds what the database did to what the producer tells.
func (w *writer) count(c *Counts) {
	if w != nil {
		c.RowCommits, c.Rows, c.RowsLast = w.commits.Load(), w.committed.Load(), w.last.Load()
	}
}

func (w *writer) close() error {
	if w == nil {
		return nil
	}
	w.post.close()
	return w.store.close()
}

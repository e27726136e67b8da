package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/message"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/sink"
)

// storeAgainEvery is how long an attempt waits for the one before it.
const storeAgainEvery = 50 * time.Millisecond

// database is what a worker asks of a *sink.Writer.
type database interface {
	Apply(context.Context, []sink.Effect) error
	Check(context.Context, []sink.Effect) ([]sink.Effect, error)
	Act(context.Context, []sink.Effect) error
	ApplyAt(ctx context.Context, batch []sink.Effect, from, next map[int32]int64) error
	ApplyWith(ctx context.Context, batch []sink.Effect, messages []sink.Outgoing, written func()) error
	Offsets(context.Context, []int32) (map[int32]int64, error)
	Outbox(ctx context.Context, most int) ([]sink.Outgoing, error)
	Clear(context.Context, []sink.Outgoing) error
	Close() error
}

// store is a worker's way into the database outside Kafka, and the batch that
// goes there next.
type store struct {
	env      *environment
	strikes  *strikes
	writer   database
	batch    []sink.Effect
	intended []int64 // when each of the batch's messages was due
}

// openStore returns nil where there is no database.
func openStore(ctx context.Context, env *environment, strikes *strikes) (*store, error) {
	if env.spec.Sink == nil {
		return nil, nil
	}
	writer, err := sink.Open(ctx, *env.spec.Sink)
	if err != nil {
		return nil, err
	}
	return &store{env: env, strikes: strikes, writer: writer}, nil
}

// add puts a message's effect into the batch.
func (s *store) add(h *message.Header, r *record) {
	if s == nil {
		return
	}
	producer, sequence := int(h.Producer), int64(h.Sequence)
	s.batch = append(s.batch, sink.Effect{
		Producer: producer, Sequence: sequence, Incarnation: s.env.spec.Incarnation,
		Account: sink.Account(r.key, producer, sequence, s.env.spec.Sink.Accounts),
		Amount:  sink.Amount(producer, sequence), Partition: r.partition, Offset: r.offset,
	})
	s.intended = append(s.intended, h.Intended)
}

// drop forgets the batch: its messages will be polled again.
func (s *store) drop() {
	if s != nil {
		s.batch, s.intended = s.batch[:0], s.intended[:0]
	}
}

// apply has the batch in the database. Between the check and the act of
// check-then-act lies a point, which only a full batch passes.
func (s *store) apply(full bool) error {
	if s.env.spec.Sink.Write != profile.CheckThenAct {
		return s.insist(func(ctx context.Context) error { return s.writer.Apply(ctx, s.batch) })
	}
	return s.insist(func(ctx context.Context) error {
		fresh, err := s.writer.Check(ctx, s.batch)
		if err != nil {
			return err
		}
		if full {
			s.strikes.reach(profile.PointChecked)
		}
		return s.writer.Act(ctx, fresh)
	})
}

// applyAt has the batch and the offsets after it in the database. Fenced after
// an attempt of which the answer did not come, it asks whether that one had
// succeeded.
func (s *store) applyAt(from, next client.Offsets) error {
	unknown := false
	return s.insist(func(ctx context.Context) error {
		err := s.writer.ApplyAt(ctx, s.batch, from, next)
		if unknown && errors.Is(err, sink.ErrFenced) {
			there, asked := s.offsets(ctx, next)
			if asked != nil {
				return asked
			}
			if there {
				return nil
			}
		}
		unknown = unknown || errors.Is(err, sink.ErrUnknown)
		return err
	})
}

// offsets reports whether the database stands at exactly these.
func (s *store) offsets(ctx context.Context, next client.Offsets) (bool, error) {
	partitions := make([]int32, 0, len(next))
	for p := range next {
		partitions = append(partitions, p)
	}
	stored, err := s.writer.Offsets(ctx, partitions)
	if err != nil {
		return false, err
	}
	for p, offset := range next {
		if stored[p] != offset {
			return false, nil
		}
	}
	return true, nil
}

// insist repeats a transaction whose connection broke: its effects are applied at
// least once. A server that was killed is restarted and recovers meanwhile; all
// attempts together, with the last, have profile.StoreWithin.
func (s *store) insist(transaction func(context.Context) error) error {
	within := time.Duration(profile.StoreWithin)
	ctx, cancel := context.WithTimeoutCause(context.Background(), within, fmt.Errorf("the %s for it are over", within))
	defer cancel()
	for {
		err := transaction(ctx)
		if !errors.Is(err, sink.ErrLost) && !errors.Is(err, sink.ErrUnknown) {
			return err
		}
		fmt.Fprintln(s.env.log, s.env.hide(err.Error()))
		select {
		case <-ctx.Done():
			return fmt.Errorf("no batch came into the database within %s: %w", within, err)
		case <-time.After(storeAgainEvery):
		}
	}
}

func (s *store) close() error {
	if s == nil {
		return nil
	}
	return s.writer.Close()
}

// storeAll puts the batch's effects into the database, where there is one.
func (e *effect) storeAll(full bool) error {
	if e.store == nil || len(e.store.batch) == 0 {
		return nil
	}
	return e.stored(func() error { return e.store.apply(full) })
}

// storeAt does so together with the offsets after the batch, which move on where
// nothing in it had an effect too.
func (e *effect) storeAt(from, next client.Offsets) error {
	return e.stored(func() error { return e.store.applyAt(from, next) })
}

// stored counts and measures what a transaction made durable.
func (e *effect) stored(transaction func() error) error {
	defer e.store.drop()
	if err := transaction(); err != nil {
		return err
	}
	now := e.env.clock.Now()
	for _, intended := range e.store.intended {
		if e.latencies.measures(intended) {
			e.latencies.record(result.Durable, now, now-intended)
		}
	}
	if rows := int64(len(e.store.batch)); rows > 0 {
		e.counts.rows.Add(rows)
		e.counts.rowsLast.Store(now)
	}
	e.counts.rowCommits.Add(1)
	return nil
}

package worker

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"deliverybench/bench/client"
	"deliverybench/bench/message"
)

// attempt is one of the application's attempts at sending a message.
type attempt struct {
	seq, intended int64
	number        uint32
}

// resends are the messages that the client reported as failed, on their way from
// the goroutine that takes reports to the one that sends. There are never more
// than the client's queue holds, since that one empties them before it sends
// anything new.
type resends struct {
	most    uint32 // attempts after the first
	waiting atomic.Int64

	mu     sync.Mutex
	queued []attempt
}

// add takes a failed message, unless it was tried often enough, or trying again
// is of no use: the client said that it is refused for what it is.
func (r *resends) add(h *message.Header, report *client.Report) {
	if h.Attempt >= r.most || report.Outcome == client.Rejected && !retriable(report.Err) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queued = append(r.queued, attempt{seq: int64(h.Sequence), intended: h.Intended, number: h.Attempt + 1})
	r.waiting.Store(int64(len(r.queued)))
}

func retriable(err error) bool {
	var e *client.Error
	return errors.As(err, &e) && e.Retriable
}

func (r *resends) take() []attempt {
	if r.waiting.Load() == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.queued
	r.queued = nil
	r.waiting.Store(0)
	return taken
}

// resend sends what failed again, as new attempts at the same messages.
func (p *producer) resend(ctx context.Context) error {
	for _, a := range p.failed.take() {
		p.reading.drop() // sending takes time
		if err := p.take(ctx); err != nil {
			return err
		}
		p.seal(p.value, a, p.env.clock.Now())
		if err := p.sendOne(ctx, a, p.value); err != nil {
			return err
		}
	}
	return nil
}

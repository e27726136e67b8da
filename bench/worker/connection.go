package worker

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"deliverybench/bench/client"
)

// TransactionTimeout is that of the load's producers.
const TransactionTimeout = 60 * time.Second

func (p *producer) connect(ctx context.Context) (err error) {
	spec, s := p.env.spec, p.env.spec.Settings
	id := ""
	if s.Producer.Transaction.Enabled() {
		id = TransactionalID(spec.Group, ProducerRole, spec.Number)
	}
	properties := client.ProducerProperties(spec.Endpoint, s.Producer, id, TransactionTimeout)
	if p.client, err = client.NewProducer(p.env.named(properties, ProducerRole), spec.Input); err != nil {
		return err
	}
	if id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, TransactionTimeout)
	defer cancel()
	return p.client.InitTransactions(ctx)
}

// line is a producer's client in use, and what its predecessors did.
type line struct {
	current         atomic.Pointer[client.Producer]
	taken, reported atomic.Int64  // by clients that are no more
	ended           chan struct{} // closed when the current one has no more reports
}

// counts are the messages taken and reported, by all clients together.
func (l *line) counts() (taken, reported int64) {
	taken, reported = l.taken.Load(), l.reported.Load()
	if c := l.current.Load(); c != nil {
		t, r := c.Counts()
		taken, reported = taken+t, reported+r
	}
	return taken, reported
}

// listen takes the client's reports from now on.
func (p *producer) listen() {
	ended, current := make(chan struct{}), p.client
	p.line.ended = ended
	p.line.current.Store(current)
	go func() {
		defer close(ended)
		current.Reports(p.onReport, p.env.heard)
	}()
}

// hangUp closes the client, if there is one, and returns when the last of its
// reports was taken.
func (p *producer) hangUp() {
	if p.client == nil {
		return
	}
	p.client.Close()
	<-p.line.ended
	taken, reported := p.client.Counts()
	p.client = nil
	p.line.current.Store(nil)
	p.line.taken.Add(taken)
	p.line.reported.Add(reported)
	for range taken - reported {
		p.release() // no report comes for these: their outcome stays unknown
	}
}

// renew makes another client in place of one that can do nothing more, as whoever
// runs an application would by starting it again. An idempotent producer gets
// there when it cannot keep its promise, for instance because a message timed out
// amid others that were under way.
func (p *producer) renew(ctx context.Context, why error) error {
	if p.env.spec.Settings.Producer.Transaction.Enabled() {
		return why // its transaction is lost with it
	}
	p.reading.drop()             // all this takes time
	p.client.Flush(brokenWithin) // it reports what it will never send
	p.hangUp()
	p.warnings = append(p.warnings, fmt.Sprintf("producer %d made a new client in place of its own: %v", p.env.spec.Number, why))
	if err := p.connect(ctx); err != nil {
		return err
	}
	p.listen()
	return nil
}

// brokenWithin bounds the wait for the last reports of a client that is broken.
const brokenWithin = 5 * time.Second

package worker

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/message"
	"deliverybench/bench/sink"
)

// post has batches of messages in the topic, each to its last report.
type post struct {
	env    *environment
	client *client.Producer
	within time.Duration

	mu sync.Mutex
	// undelivered are the messages of the batch under way that were not
	// acknowledged, and what is known of them.
	undelivered map[identity]client.Outcome
}

// identity is a message's, whoever sends it.
type identity struct {
	producer uint32
	sequence uint64
}

func openPost(env *environment, role Role) (*post, error) {
	s := env.spec.Settings.Producer
	properties := client.ProducerProperties(env.spec.Endpoint, s, "", TransactionTimeout)
	c, err := client.NewProducer(env.named(properties, role), env.spec.Input)
	if err != nil {
		return nil, err
	}
	p := &post{env: env, client: c, within: time.Duration(s.MessageTimeout) + 5*time.Second, undelivered: map[identity]client.Outcome{}}
	go c.Reports(p.onReport, env.heard)
	return p, nil
}

func (p *post) onReport(r *client.Report) {
	if r.Outcome == client.Acked {
		return
	}
	if client.Refused(r.Err) {
		p.env.heard(r.Err)
	}
	if h, err := message.Peek(r.Value); err == nil {
		p.note(&h, r.Outcome)
	}
}

func (p *post) note(h *message.Header, o client.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.undelivered[identity{h.Producer, h.Sequence}] = o
}

// send produces a batch, waits for every report, and returns the messages that
// were not acknowledged.
func (p *post) send(batch []sink.Outgoing) (map[identity]client.Outcome, error) {
	clear(p.undelivered) // no report is under way
	for i := range batch {
		if err := p.produce(&batch[i]); err != nil {
			return nil, err
		}
	}
	if left := p.client.Flush(p.within); left > 0 {
		return nil, fmt.Errorf("waited %s for the reports of %d messages", p.within, left)
	}
	return p.undelivered, nil
}

// produce waits while the client's queue is full. A message that the client does
// not take is not in the topic.
func (p *post) produce(m *sink.Outgoing) error {
	for {
		err := p.client.Produce(m.Key, m.Value)
		var e *client.Error
		switch {
		case err == nil:
			return nil
		case errors.As(err, &e) && e.Fatal:
			return err
		case !errors.Is(err, client.ErrQueueFull):
			if h, peeked := message.Peek(m.Value); peeked == nil {
				p.note(&h, client.Rejected)
			}
			return nil
		}
		time.Sleep(time.Millisecond)
	}
}

func (p *post) close() {
	if p != nil {
		p.client.Close()
	}
}

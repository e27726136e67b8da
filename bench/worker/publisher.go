package worker

import (
	"context"
	"errors"
	"time"

	"deliverybench/bench/message"
	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
)

// publisher produces what it finds in the outbox, in the order in which it was
// written, and clears what the topic acknowledged: each message at least once. A
// message's attempt is the publisher's incarnation, and one more for each time that
// this one produced it before.
type publisher struct {
	env       *environment
	strikes   *strikes
	store     *store
	post      *post
	latencies *latencies
	counts    counters
	most      int
	// failed is how often messages that are still in the outbox were produced in
	// vain, by their ids there.
	failed map[int64]uint32
}

func runPublisher(ctx context.Context, env *environment) error {
	if env.spec.Sink == nil {
		return errors.New("worker: a publisher was given no database")
	}
	p := &publisher{env: env, most: env.spec.Settings.Outbox.PublishEvery, failed: map[int64]uint32{}}
	var err error
	if p.strikes, err = newStrikes(env); err != nil {
		return err
	}
	if p.store, err = openStore(ctx, env, p.strikes); err != nil {
		return err
	}
	if p.post, err = openPost(env, PublisherRole); err != nil {
		return errors.Join(err, p.store.close())
	}
	env.events.send(Event{Kind: Ready})
	start, err := env.awaitStart(ctx)
	if err != nil {
		return err
	}
	windowStart := env.windowStart(start)
	p.strikes.arm(windowStart)
	if p.latencies, err = env.openLatencies("published", windowStart); err != nil {
		return err
	}
	stop := env.reportProgress(func() Event { return p.counts.event(p.latencies) })
	err = p.loop(ctx)
	stop()
	p.post.close()
	err = errors.Join(err, p.store.close(), p.latencies.close())
	if err == nil {
		done := p.counts.event(p.latencies)
		done.Kind = Done
		env.events.send(done)
	}
	return err
}

// loop publishes until it was asked to finish and finds nothing more.
func (p *publisher) loop(ctx context.Context) error {
	pause := time.NewTimer(0)
	defer pause.Stop()
	finish := false
	for {
		select {
		case command := <-p.env.commands:
			finish = finish || command.Finish
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-pause.C:
		}
		for found := p.most; found == p.most || finish; {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			var err error
			if found, err = p.publish(); err != nil {
				return err
			}
			if found == 0 && finish {
				return nil
			}
		}
		pause.Reset(time.Duration(p.env.spec.Settings.Outbox.PollEvery))
	}
}

// publish takes one batch, and returns how many messages it found. A batch that
// is not full passes no points: it would cost less than predicted.
func (p *publisher) publish() (found int, err error) {
	var batch []sink.Outgoing
	err = p.store.insist(func(ctx context.Context) (err error) {
		batch, err = p.store.writer.Outbox(ctx, p.most)
		return err
	})
	if err != nil || len(batch) == 0 {
		return 0, err
	}
	reach := func(point profile.Point) {
		if len(batch) == p.most {
			p.strikes.reach(point)
		}
	}
	reach(profile.PointRead)
	published, err := p.produce(batch)
	if err != nil {
		return 0, err
	}
	reach(profile.PointPublished)
	err = p.store.insist(func(ctx context.Context) error { return p.store.writer.Clear(ctx, published) })
	if err != nil {
		return 0, err
	}
	reach(profile.PointCleared)
	p.count(int64(len(published)))
	return len(batch), nil
}

// produce returns what the topic has acknowledged of a batch; the rest stays in
// the outbox.
func (p *publisher) produce(batch []sink.Outgoing) ([]sink.Outgoing, error) {
	ids := make([]identity, len(batch))
	for i := range batch {
		h, err := message.Decode(batch[i].Value)
		if err != nil {
			return nil, err
		}
		ids[i] = identity{h.Producer, h.Sequence}
		message.Readdress(batch[i].Value, uint32(p.env.spec.Incarnation)+p.failed[batch[i].ID], h.Sent)
	}
	undelivered, err := p.post.send(batch)
	if err != nil || len(undelivered) == 0 && len(p.failed) == 0 {
		return batch, err
	}
	var published []sink.Outgoing
	for i := range batch {
		if _, failed := undelivered[ids[i]]; failed {
			p.failed[batch[i].ID]++
			continue
		}
		delete(p.failed, batch[i].ID)
		published = append(published, batch[i])
	}
	return published, nil
}

func (p *publisher) count(n int64) {
	if n == 0 {
		return
	}
	now := p.env.clock.Now()
	first := p.counts.effects.Add(n) == n
	p.counts.last.Store(now)
	if first {
		p.counts.first.Store(now)
		p.env.events.send(p.counts.event(p.latencies)) // it may be killed before the next report
	}
}

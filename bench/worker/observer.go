package worker

import (
	"context"

	"deliverybench/bench/client"
	"deliverybench/bench/message"
	"deliverybench/bench/profile"
)

// observer reads the relay's output, or what an outbox publishes, under read_committed while the load runs:
// end-to-end latency ends where a reader sees the message. It judges nothing;
// the auditor does.
type observer struct {
	env       *environment
	client    *client.Consumer
	latencies *latencies
	counts    counters
	start     int64
	ends      client.Offsets
	target    client.Offsets
}

func runObserver(ctx context.Context, env *environment) error {
	o := &observer{env: env, ends: client.Offsets{}}
	var err error
	topic, begin := env.spec.Output, env.spec.OutputBegin
	if topic == "" { // of an outbox
		topic, begin = env.spec.Input, env.spec.InputBegin
	}
	properties := client.AuditProperties(env.spec.Endpoint, env.spec.Group+"-observer", profile.ReadCommitted)
	if o.client, err = client.NewConsumer(properties, topic); err != nil {
		return err
	}
	if begin == nil {
		begin = fromBeginning(env.spec.Settings.Topic.Partitions)
	}
	if err := o.client.Assign(begin); err != nil {
		return err
	}
	env.events.send(Event{Kind: Ready})
	if o.start, err = env.awaitStart(ctx); err != nil {
		return err
	}
	if o.latencies, err = env.openLatencies("observed", env.windowStart(o.start)); err != nil {
		return err
	}
	stop := env.reportProgress(func() Event { return o.counts.event(o.latencies) })
	o.loop(ctx)
	stop()
	if err := ending(ctx); err != nil {
		return err
	}
	err = o.latencies.close()
	if err == nil {
		done := o.counts.event(o.latencies)
		done.Kind = Done
		env.events.send(done)
	}
	_ = o.client.Close()
	return err
}

func fromBeginning(partitions int) client.Offsets {
	from := client.Offsets{}
	for p := range partitions {
		from[int32(p)] = 0
	}
	return from
}

func (o *observer) loop(ctx context.Context) {
	for {
		select {
		case command := <-o.env.commands:
			o.target = command.Drain
		case <-ctx.Done():
			return
		default:
		}
		for range 1000 {
			event := o.client.Poll(pollTimeout)
			switch event.Kind {
			case client.Record:
				o.see(event)
				if o.target != nil {
					o.ends[event.Partition] = event.Offset + 1
				}
			case client.EOF:
				o.ends[event.Partition] = event.Offset
			case client.Failure:
				o.env.heard(event.Err)
			}
			o.drained()
			if event.Kind != client.Record {
				break // look at the channels
			}
		}
	}
}

func (o *observer) see(event client.Event) {
	h, err := message.Peek(event.Value)
	if err != nil || h.Tag != o.env.spec.RunTag {
		return
	}
	now := o.env.clock.Now()
	if o.counts.effects.Add(1) == 1 {
		o.counts.first.Store(now)
	}
	o.counts.last.Store(now)
	o.latencies.endToEnd(now, &h)
}

func (o *observer) drained() {
	if o.target == nil {
		return
	}
	for p, end := range o.target {
		if seen, ok := o.ends[p]; !ok || seen < end {
			return
		}
	}
	o.env.events.send(Event{Kind: Drained, Counts: o.counts.event(o.latencies).Counts})
	o.target = nil
}

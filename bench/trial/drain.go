package trial

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/profile"
	"deliverybench/bench/worker"
)

// drain lets the consuming side work off everything that is in the log.
func (c *conductor) drain(ctx context.Context) error {
	c.enter("draining")
	s := c.trial.Settings
	if s.Pipeline != profile.Produce {
		if err := c.drainConsumers(ctx); err != nil {
			return err
		}
	}
	if c.output != "" {
		return c.drainObserver(ctx)
	}
	return nil
}

// disband ends the consuming side, drained or not, and waits until no
// transaction is open: the log is then what the audit will find.
func (c *conductor) disband(ctx context.Context) error {
	c.sendHome(worker.ConsumerRole, worker.ObserverRole)
	err := c.until(ctx, "the workers to end", bounded(stallWithin), func() bool {
		for _, m := range c.crew {
			if !m.gone {
				return false
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	return c.awaitStable(ctx)
}

// drainConsumers is done when the owner of every partition saw its end and has
// its last, partial batch processed and committed. (Committed offsets never
// pass control records: comparing them with the end would hang.) The end may
// move once more: after a kill or a timeout the broker appends what it had not
// read from its connections yet.
func (c *conductor) drainConsumers(ctx context.Context) error {
	for {
		end, err := c.restingEnds(ctx, c.input)
		if err != nil || maps.Equal(end, c.drainTarget) {
			return err
		}
		if err := c.drainTo(ctx, end); err != nil {
			return err
		}
	}
}

func (c *conductor) drainTo(ctx context.Context, end client.Offsets) error {
	c.drainTarget = end
	clear(c.drained)
	for _, m := range c.crew {
		if m.ready {
			c.brief(m)
		}
	}
	s := c.trial.Settings
	// Nothing moves while a member that is gone keeps its partitions, nor while
	// a relay waits for a broker that is.
	b := bound{total: cmp.Or(c.env.DrainWithin, drainWithin), stall: stallWithin + time.Duration(s.Consumer.SessionTimeout+s.Consumer.ProcessingTime)}
	if s.Pipeline == profile.RelayTo {
		b.stall += worker.OutputWithin(s)
	}
	return c.until(ctx, "every partition to be drained", b, func() bool {
		return len(c.drained) == c.trial.Settings.Topic.Partitions && !c.restarting()
	})
}

// drainObserver lets the observer see the last outputs.
func (c *conductor) drainObserver(ctx context.Context) error {
	if err := c.awaitStable(ctx); err != nil {
		return err
	}
	end, err := c.ends(ctx, c.output, profile.ReadUncommitted)
	if err != nil {
		return err
	}
	c.observed = false
	observer := c.latest(worker.ObserverRole, 0)
	if err := observer.process.Send(worker.Command{Drain: end}); err != nil {
		return c.explain(observer, err)
	}
	return c.until(ctx, "the observer to see the last output", bound{total: drainWithin, stall: stallWithin}, func() bool { return c.observed })
}

// sendHome ends the input of the workers of these roles, which makes them exit.
func (c *conductor) sendHome(roles ...worker.Role) {
	for _, m := range c.crew {
		for _, role := range roles {
			if m.role == role && !m.gone {
				m.done = true
				go m.process.End(stallWithin)
			}
		}
	}
}

func (c *conductor) ends(ctx context.Context, topic string, isolation profile.Isolation) (client.Offsets, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, topicWithin, fmt.Errorf("%s passed", topicWithin))
	defer cancel()
	return c.admin.EndOffsets(ctx, topic, c.trial.Settings.Topic.Partitions, isolation)
}

// awaitStable waits until no transaction is open: the last stable offset of
// every partition is its end.
func (c *conductor) awaitStable(ctx context.Context) error {
	s := c.trial.Settings
	within := time.Duration(s.Relay.TransactionTimeout) + 15*time.Second
	if s.Producer.Transaction.Enabled() {
		within = max(within, worker.TransactionTimeout+15*time.Second)
	}
	deadline := time.Now().Add(within)
	for _, topic := range c.topics() {
		for {
			end, err := c.ends(ctx, topic, profile.ReadUncommitted)
			if err != nil {
				return err
			}
			stable, err := c.ends(ctx, topic, profile.ReadCommitted)
			if err != nil {
				return err
			}
			if maps.Equal(end, stable) {
				break
			}
			if time.Now().After(deadline) {
				return inconclusive{fmt.Errorf("open transaction: waited %s for the last stable offsets %v of topic %s to reach its end %v", within, stable, topic, end)}
			}
			if err := c.pause(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

// restingEnds are the ends of a topic to which nobody writes any more. With
// acks=0 no answer says when the broker has appended what it was sent, and what
// it appends after the audit would look lost: the ends must stand still first.
func (c *conductor) restingEnds(ctx context.Context, topic string) (client.Offsets, error) {
	end, err := c.ends(ctx, topic, profile.ReadUncommitted)
	if c.trial.Settings.Producer.Acks != profile.AcksNone {
		return end, err
	}
	deadline := time.Now().Add(stallWithin)
	for err == nil {
		if err = c.pause(ctx, restsFor); err != nil {
			break
		}
		var again client.Offsets
		if again, err = c.ends(ctx, topic, profile.ReadUncommitted); err == nil && maps.Equal(end, again) {
			return end, nil
		}
		if err == nil && time.Now().After(deadline) {
			err = inconclusive{fmt.Errorf("waited %s for the end of topic %s to stand still: it went from %v to %v", stallWithin, topic, end, again)}
		}
		end = again
	}
	return nil, err
}

// pause goes on handling what happens for this long.
func (c *conductor) pause(ctx context.Context, length time.Duration) error {
	end := time.Now().Add(length)
	return c.until(ctx, "the next look at the broker", bounded(length+time.Minute), func() bool { return time.Now().After(end) })
}

// audit has a fresh worker read everything that the log holds.
func (c *conductor) audit(ctx context.Context) error {
	c.enter("auditing")
	task := &worker.Audit{}
	var err error
	if task.InputEnd, err = c.restingEnds(ctx, c.input); err != nil {
		return err
	}
	if c.output != "" {
		if task.OutputEnd, err = c.restingEnds(ctx, c.output); err != nil {
			return err
		}
	}
	m := &member{name: "auditor", role: worker.AuditorRole}
	err = c.launch(m, worker.Spec{
		Role: worker.AuditorRole, Settings: c.trial.Settings, Endpoint: c.env.Broker.Endpoint(), RunTag: c.tag,
		Input: c.input, Output: c.output, Group: c.group,
		Ledger: c.scratch, Latency: filepath.Join(c.scratch, m.name), Audit: task,
	})
	if err != nil {
		return err
	}
	return c.until(ctx, "the audit of the log", bounded(auditWithin), func() bool { return m.gone })
}

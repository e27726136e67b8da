package trial

import (
	"cmp"
	"context"
	"maps"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/profile"
	"deliverybench/bench/worker"
)

// drain lets the consuming side work off everything that is in the log.
func (c *conductor) drain(ctx context.Context) error {
	c.enter("draining")
	s := c.trial.Settings
	if s.Pipeline.Consumes() {
		if err := c.drainConsumers(ctx); err != nil {
			return err
		}
	}
	if s.Publishes() {
		if err := c.emptyOutbox(ctx); err != nil {
			return err
		}
	}
	if c.observedTopic() != "" {
		return c.drainObserver(ctx)
	}
	return nil
}

// disband ends the consuming side, drained or not.
func (c *conductor) disband(ctx context.Context) error {
	c.sendHome(worker.ConsumerRole, worker.PublisherRole, worker.ObserverRole)
	return c.until(ctx, "the workers to end", bounded(stallWithin), func() bool {
		for _, m := range c.crew {
			if !m.gone {
				return false
			}
		}
		return true
	})
}

// drainConsumers is done when the owner of every partition saw its end and has
// its last, partial batch processed and committed. (Committed offsets never
// pass control records: comparing them with the end would hang.) The end may
// move once more: after a kill or a timeout the broker appends what it had not
// read from its connections yet. Where others write it goes on moving.
func (c *conductor) drainConsumers(ctx context.Context) error {
	for begun := time.Now(); ; {
		end, err := c.restingEnds(ctx, c.input)
		if err != nil || maps.Equal(end, c.drainTarget) {
			return err
		}
		if err := c.drainTo(ctx, end); err != nil {
			return err
		}
		if c.shared() && time.Since(begun) > settlesFor {
			return nil
		}
	}
}

func (c *conductor) drainTo(ctx context.Context, end client.Offsets) error {
	c.drainTarget = end
	for _, m := range c.crew {
		m.undrain()
		if m.ready {
			c.brief(m)
		}
	}
	s := c.trial.Settings
	// Nothing moves while a member that is gone keeps its partitions, nor while
	// a relay waits for a broker that is.
	b := bound{total: cmp.Or(c.env.DrainWithin, drainWithin), stall: stallWithin + c.longestPause() + time.Duration(s.Consumer.SessionTimeout+s.Consumer.ProcessingTime)}
	if s.Pipeline == profile.RelayTo {
		// Sending a transaction's offsets may take all its time when the
		// coordinator is gone, and aborting it after that as well (librdkafka 2.15).
		b.stall += 2 * worker.OutputWithin(s)
	}
	return c.until(ctx, "every partition to be drained", b, func() bool {
		return c.drained() == c.trial.Settings.Topic.Partitions && !c.missing()
	})
}

// drainObserver lets the observer see the last outputs.
func (c *conductor) drainObserver(ctx context.Context) error {
	end, err := c.stableEnds(ctx, c.observedTopic())
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

// audit has a fresh worker read everything that the log holds of the trial.
func (c *conductor) audit(ctx context.Context) error {
	c.enter("auditing")
	task := &worker.Audit{}
	var err error
	if task.InputEnd, err = c.stableEnds(ctx, c.input); err != nil {
		return err
	}
	if c.output != "" {
		if task.OutputEnd, err = c.stableEnds(ctx, c.output); err != nil {
			return err
		}
	}
	if c.deadLetters != "" {
		if task.DeadEnd, err = c.stableEnds(ctx, c.deadLetters); err != nil {
			return err
		}
	}
	if task.Committed, err = c.storedOffsets(ctx); err != nil {
		return err
	}
	m := &member{name: "auditor", role: worker.AuditorRole}
	spec := c.spec(m)
	spec.Audit = task
	if err := c.launch(m, spec); err != nil {
		return err
	}
	if err := c.until(ctx, "the audit of the log", bounded(auditWithin), func() bool { return m.gone }); err != nil {
		return err
	}
	return c.untouched(ctx)
}

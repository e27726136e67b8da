package trial

import (
	"context"
	"fmt"
	"maps"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/profile"
	"deliverybench/bench/worker"
)

func (c *conductor) ends(ctx context.Context, topic string, isolation profile.Isolation) (client.Offsets, error) {
	ctx, cancel := c.answering(ctx)
	defer cancel()
	return c.admin.EndOffsets(ctx, topic, c.trial.Settings.Topic.Partitions, isolation)
}

// stableEnds are the ends of a topic, once no transaction is open before them:
// the last stable offset of every partition is its end. Where others may write
// too, later transactions may be open, and do not matter.
func (c *conductor) stableEnds(ctx context.Context, topic string) (client.Offsets, error) {
	s := c.trial.Settings
	within := time.Duration(s.Relay.TransactionTimeout) + 15*time.Second
	if s.Producer.Transaction.Enabled() {
		within = max(within, worker.TransactionTimeout+15*time.Second)
	}
	deadline := time.Now().Add(within)
	end, err := c.restingEnds(ctx, topic)
	if err != nil {
		return nil, err
	}
	for {
		stable, err := c.ends(ctx, topic, profile.ReadCommitted)
		if err != nil {
			return nil, err
		}
		if maps.Equal(stable, end) || c.shared() && reached(stable, end) {
			return end, nil
		}
		if time.Now().After(deadline) {
			return nil, inconclusive{fmt.Errorf("open transaction: waited %s for the last stable offsets %v of topic %s to reach its end %v", within, stable, topic, end)}
		}
		if err := c.pause(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
		if c.shared() {
			continue
		}
		if end, err = c.ends(ctx, topic, profile.ReadUncommitted); err != nil {
			return nil, err
		}
	}
}

// reached reports whether no offset is before its goal.
func reached(offsets, goals client.Offsets) bool {
	for p, goal := range goals {
		if offsets[p] < goal {
			return false
		}
	}
	return true
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
			err = inconclusive{fmt.Errorf("waited %s for the end of topic %s to stand still: it went from %v to %v (with acks: 0 nobody else may write to it)", stallWithin, topic, end, again)}
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

package worker

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"deliverybench/bench/client"
)

// rebalance is the discipline on which every strategy but the naive one
// stands: what is revoked is settled or dropped before somebody else has it,
// and a partition that is not owned is never committed, because the broker
// accepts such a commit under the current generation and rewinds the group.
//
// The naive strategy only looks on, so that the trial knows of its assignment:
// what it has in hand it goes on to commit and process, whoever owns it now.
func (c *consumer) rebalance(disciplined bool) *client.Rebalance {
	r := &client.Rebalance{
		Assigned: c.assigned,
		Revoked:  c.disown,
		Lost:     c.disown,
	}
	if s, is := c.strategy.(*withEffect); is {
		r.Begin = func(partitions []int32) client.Offsets {
			begin, err := s.begin(partitions)
			c.unsettled = cmp.Or(c.unsettled, err)
			return begin
		}
	}
	if disciplined {
		r.Revoked = c.revoked
		r.Lost = c.lost
	}
	return r
}

func (c *consumer) assigned(partitions []int32) {
	for _, p := range partitions {
		c.owned[p] = true
		delete(c.ends, p)
	}
	c.told, c.fresh = false, true // what came with it may have to be drained, or paused
	c.tellOwned()
}

// revoked still owns the partitions: what may be committed is.
func (c *consumer) revoked(partitions []int32) {
	if len(c.hand) > 0 && c.begun && c.strategy.settleOnRevoke() {
		if err := c.settle(); err != nil {
			c.unsettled = cmp.Or(c.unsettled, fmt.Errorf("settle what was in hand when partitions were revoked: %w", err))
		}
	}
	c.strategy.flush()
	c.lost(partitions)
}

// lost no longer owns them: what is in hand of them is somebody else's.
func (c *consumer) lost(partitions []int32) {
	c.disown(partitions)
	c.strategy.forget(partitions)
	c.hand = c.hand.without(c.owned)
}

func (c *consumer) disown(partitions []int32) {
	for _, p := range partitions {
		delete(c.owned, p)
		delete(c.ends, p)
	}
	c.tellOwned()
}

// tellOwned tells the whole of what is owned: the trial hears several workers,
// not in the order in which they spoke, and could not add up changes.
func (c *consumer) tellOwned() {
	c.env.events.send(Event{Kind: Assigned, At: c.env.clock.Now(), Partitions: slices.Sorted(maps.Keys(c.owned))})
}

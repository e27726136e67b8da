package trial

import (
	"slices"

	"deliverybench/bench/profile"
	"deliverybench/bench/worker"
)

// brief tells a consumer how far to drain, once that is known: those that come
// late too, and none that was asked to go.
func (c *conductor) brief(m *member) {
	if m.role != worker.ConsumerRole || c.drainTarget == nil || m.done || m.gone {
		return
	}
	// It fails when the worker was killed a moment ago, of which its end tells.
	_ = m.process.Send(worker.Command{Drain: c.drainTarget})
}

// drainedBy counts what a worker drained and still owns.
func (c *conductor) drainedBy(m *member, partitions []int32) {
	for _, p := range partitions {
		if slices.Contains(m.partitions, p) {
			c.drained[p] = true
		}
	}
}

// reassign notes what a worker owns now. The new owner of a partition begins at
// the committed offset and has to drain it again; whoever had it before and is
// frozen, or was thrown out, does not know yet that it is gone.
func (c *conductor) reassign(m *member, partitions []int32) {
	m.joined = true
	for _, p := range partitions {
		if slices.Contains(m.partitions, p) {
			continue
		}
		delete(c.drained, p)
		for _, other := range c.crew {
			other.partitions = slices.DeleteFunc(other.partitions, func(q int32) bool { return other != m && p == q })
		}
	}
	m.partitions = partitions
}

// assigned is the set of partitions that live workers own.
func (c *conductor) assigned() map[int32]bool {
	set := map[int32]bool{}
	for _, m := range c.crew {
		if m.gone {
			continue
		}
		for _, p := range m.partitions {
			set[p] = true
		}
	}
	return set
}

// settled reports whether the group has all its members: every partition has
// one owner, and every consumer for which there is one owns some. The load starts
// then, so that no rebalance falls into it that nobody ordered.
func (c *conductor) settled() bool {
	s := c.trial.Settings
	if s.Pipeline == profile.Produce {
		return true
	}
	owners, owned := 0, 0
	for _, m := range c.crew {
		if !m.gone && len(m.partitions) > 0 {
			owners++
			owned += len(m.partitions)
		}
	}
	all := s.Topic.Partitions
	return len(c.assigned()) == all && owned == all && owners == min(s.Consumer.Count, all)
}

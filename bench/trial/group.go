package trial

import (
	"deliverybench/bench/worker"
)

// brief tells a consumer how far to drain, and a publisher to finish, once that is
// known: those that come late too, and none that was asked to go.
func (c *conductor) brief(m *member) {
	if m.role == worker.PublisherRole && c.finishing && !m.done && !m.gone {
		_ = m.process.Send(worker.Command{Finish: true}) // as below
	}
	if m.role != worker.ConsumerRole || c.drainTarget == nil || m.done || m.gone {
		return
	}
	// It fails when the worker was killed a moment ago, of which its end tells.
	_ = m.process.Send(worker.Command{Drain: c.drainTarget})
}

// drain counts what a worker drained and still owns.
func (m *member) drain(partitions []int32) {
	for _, p := range partitions {
		if o, owns := m.owns[p]; owns {
			m.owns[p] = ownership{since: o.since, drained: true}
		}
	}
}

// ownership is a partition that a worker says is its.
type ownership struct {
	since   int64 // on CLOCK_MONOTONIC
	drained bool  // worked off up to the drain target
}

// reassign notes what a worker owned at a time. A partition that it did not have
// before begins at the committed offset and has to be drained again.
func (m *member) reassign(partitions []int32, at int64) {
	m.joined = true
	owns := map[int32]ownership{}
	for _, p := range partitions {
		had, same := m.owns[p]
		if !same {
			had = ownership{since: at}
		}
		owns[p] = had
	}
	m.owns = owns
}

// undrain begins anew, when there is more to drain.
func (m *member) undrain() {
	for p, o := range m.owns {
		m.owns[p] = ownership{since: o.since}
	}
}

// owner is who owns a partition: whoever got it last. A worker that is frozen or
// was thrown out does not know yet that it lost it, and the workers are heard in
// any order, so that several may say that it is theirs.
func (c *conductor) owner(partition int32) (owner *member) {
	for _, m := range c.crew {
		o, owns := m.owns[partition]
		if owns && (owner == nil || o.since >= owner.owns[partition].since) {
			owner = m
		}
	}
	return owner
}

// assigned is how many partitions live workers own.
func (c *conductor) assigned() (n int) {
	for p := range int32(c.trial.Settings.Topic.Partitions) {
		if m := c.owner(p); m != nil && !m.gone {
			n++
		}
	}
	return n
}

// drained is how many partitions their owners, dead or alive, have worked off.
func (c *conductor) drained() (n int) {
	for p := range int32(c.trial.Settings.Topic.Partitions) {
		if m := c.owner(p); m != nil && m.owns[p].drained {
			n++
		}
	}
	return n
}

// settled reports whether the group has all its members: every partition has
// one owner, and every consumer for which there is one owns some. The load starts
// then, so that no rebalance falls into it that nobody ordered.
func (c *conductor) settled() bool {
	s := c.trial.Settings
	if !s.Pipeline.Consumes() {
		return true
	}
	owners, owned := 0, 0
	for _, m := range c.crew {
		if !m.gone && len(m.owns) > 0 {
			owners++
			owned += len(m.owns)
		}
	}
	all := s.Topic.Partitions
	return c.assigned() == all && owned == all && owners == min(s.Consumer.Count, all)
}

package worker

import (
	"fmt"

	"deliverybench/bench/client"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// strategy is the order in which a batch is committed and processed.
type strategy interface {
	// settle works off the batch in hand. An error ends the worker.
	settle() error
	// settleOnRevoke reports whether a batch in hand is settled when its
	// partitions are revoked (or dropped and left to the next owner).
	settleOnRevoke() bool
	// flush waits for commits that are still on their way.
	flush()
	// forget gives up what is on its way for partitions that are lost.
	forget(partitions []int32)
	// automatic reports whether the client commits by a timer.
	automatic() bool
}

func newStrategy(c *consumer) strategy {
	switch commit := c.env.spec.Settings.Consumer.Commit; commit.When {
	case profile.BeforeProcessing:
		return &beforeProcessing{c}
	case profile.InTransaction:
		return &inTransaction{consumer: c}
	case profile.WithEffect:
		return &withEffect{consumer: c, at: client.Offsets{}}
	case profile.Automatic:
		return &timer{consumer: c}
	case profile.AutomaticStored:
		return &storedTimer{timer: timer{c}}
	default:
		return &afterProcessing{c, newCommits(c.commit, commit.Mode == profile.Async)}
	}
}

// beforeProcessing commits, and processes only what was committed: at most once.
type beforeProcessing struct {
	*consumer
}

func (s *beforeProcessing) settle() error {
	full := s.full()
	// A relay's earlier outputs are in the log before the next batch is touched,
	// so that a crash never costs more than the batch in hand.
	if _, err := s.effect.await(); err != nil {
		return err
	}
	s.reachIf(full, profile.PointPolled)
	if err := s.commit(s.hand.nexts()); err != nil {
		// Not committed, so not processed. Polling again is safe: nothing of
		// the batch has had its effect.
		return s.rewind()
	}
	s.reachIf(full, profile.PointCommitted, profile.PointMidBatch)
	if err := s.process(full); err != nil {
		return err
	}
	return s.reachAfterOutputs(full)
}

func (s *beforeProcessing) settleOnRevoke() bool { return false }
func (s *beforeProcessing) automatic() bool      { return false }
func (s *beforeProcessing) forget([]int32)       {}
func (s *beforeProcessing) flush() {
	if _, err := s.effect.await(); err != nil {
		fmt.Fprintln(s.env.log, err)
	}
}

// afterProcessing commits what was processed: at least once.
type afterProcessing struct {
	*consumer
	commits *commits
}

func (s *afterProcessing) settle() error {
	full := s.full()
	s.reachIf(full, profile.PointPolled)
	if err := s.process(full); err != nil {
		return err
	}
	undelivered, err := s.effect.await()
	if err != nil {
		return err
	}
	if undelivered > 0 {
		return s.rewind() // not all outputs are in the log: again
	}
	s.reachIf(full, profile.PointProduced, profile.PointProcessed, profile.PointMidBatch)
	err = s.commits.add(s.hand.nexts())
	if s.commits.async {
		if !full || !s.strikes.at(profile.PointCommitted) {
			return nil
		}
		err = s.commits.finish()
	}
	if err == nil {
		s.reachIf(full, profile.PointCommitted)
	}
	return nil // a failed commit is made good by the next one, or redelivered
}

func (s *afterProcessing) settleOnRevoke() bool { return true }
func (s *afterProcessing) automatic() bool      { return false }
func (s *afterProcessing) flush()               { _ = s.commits.finish() } // logged and counted by commit
func (s *afterProcessing) forget(lost []int32)  { s.commits.forget(lost) }

// process does the batch in hand: in the ledger, and in the database where there
// is one.
func (c *consumer) process(full bool) error {
	if err := c.effect.doAll(c.hand); err != nil {
		return err
	}
	return c.effect.storeAll(full)
}

// reachIf passes the crash points, which only full batches have: a partial one
// would cost less than predicted.
func (c *consumer) reachIf(full bool, points ...profile.Point) {
	if full {
		c.strikes.reach(points...)
	}
}

// reachAfterOutputs passes the points that lie after every report, for which
// not every strategy otherwise waits: it does when one of them is armed, and
// only then passes it.
func (c *consumer) reachAfterOutputs(full bool) error {
	if !full || !c.strikes.at(profile.PointProduced) && !c.strikes.at(profile.PointProcessed) {
		return nil
	}
	if _, err := c.effect.await(); err != nil {
		return err
	}
	c.reachIf(full, profile.PointProduced, profile.PointProcessed)
	return nil
}

// commit commits synchronously and counts.
func (c *consumer) commit(next client.Offsets) error {
	begun := c.env.clock.Now()
	err := c.client.Commit(next)
	if err != nil {
		c.counts.failedCommits.Add(1)
		c.env.heard(err)
		return err
	}
	c.counts.commits.Add(1)
	now := c.env.clock.Now()
	c.effect.commits.record(result.CommitLatency, now, now-begun)
	return nil
}

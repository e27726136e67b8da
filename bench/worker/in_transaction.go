package worker

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/profile"
)

// inTransaction puts outputs and offsets into one transaction: exactly once.
type inTransaction struct {
	*consumer
	// doubt says that an end of a transaction may still be on its way to the
	// broker, though the call for it returned.
	doubt bool
}

func (s *inTransaction) settle() error {
	err := s.transact()
	var e *client.Error
	switch {
	case err == nil && !s.doubt:
		return nil
	case err == nil:
		return s.renew("the commit took long enough to be sent twice")
	case !errors.As(err, &e) || e.Fenced:
		return err
	case e.Broken():
		return s.renew(err.Error())
	}
	fmt.Fprintln(s.env.log, "aborting:", err)
	s.env.tellFenced(err)
	err = s.end(s.effect.abort)
	switch {
	case s.doubt:
		return s.renew("it is not known how the transaction ended")
	case errors.As(err, &e) && e.Broken() && !e.Fenced:
		return s.renew(err.Error())
	case err != nil:
		return err
	}
	// Aborting does not rewind the consumer.
	return s.rewind()
}

// end ends the transaction, and notes when an end of it may still be on its way:
// the call failed, or it took so long that the library may have given up on a
// request and sent another. By the transaction protocol that librdkafka speaks
// such a late request would end whatever transaction is open when it arrives
// (KAFKA-17754).
func (s *inTransaction) end(call func() error) error {
	begun := s.env.clock.Now()
	err := call()
	if s.env.spec.Settings.Relay.RenewProducer == profile.AfterUnknownEnd {
		s.doubt = s.doubt || err != nil || s.env.clock.Now()-begun >= int64(s.effect.socketTimeout)
	}
	return err
}

// renew gives the producer up and makes a new one with the same transactional
// id. The broker ends what the old one left open, and whatever still arrives
// from it is fenced. How far the group came is what the broker says.
func (s *inTransaction) renew(why string) error {
	fmt.Fprintln(s.env.log, "renewing the producer:", why)
	s.warnings = append(s.warnings, fmt.Sprintf("relay %d made a new producer in place of its own: %s", s.env.spec.Number, why))
	if err := s.effect.renew(); err != nil {
		return err
	}
	s.doubt = false
	to := s.hand.starts()
	committed, err := s.client.Committed(slices.Collect(maps.Keys(to)), s.effect.outputWithin())
	if err != nil {
		return err
	}
	for partition, next := range committed {
		to[partition] = max(to[partition], next)
	}
	return s.seek(to)
}

func (s *inTransaction) transact() error {
	full := s.full()
	s.reachIf(full, profile.PointPolled)
	if err := s.effect.output.BeginTransaction(); err != nil {
		return err
	}
	s.reachIf(full, profile.PointBegun)
	if err := s.process(full); err != nil {
		return err
	}
	if err := s.reachAfterOutputs(full); err != nil {
		return err
	}
	if err := s.sendOffsets(); err != nil {
		return err
	}
	s.reachIf(full, profile.PointOffsetsSent, profile.PointMidBatch)
	return s.commitTransaction(full)
}

func (s *inTransaction) sendOffsets() error {
	group, err := s.client.GroupMetadata()
	if err != nil {
		return err
	}
	ctx, cancel := s.effect.bounded()
	defer cancel()
	return s.effect.output.SendOffsets(ctx, s.hand.nexts(), group)
}

func (s *inTransaction) commitTransaction(full bool) error {
	begun := s.env.clock.Now()
	ctx, cancel := s.effect.bounded()
	defer cancel()
	commit := func() error {
		return s.end(func() error { return s.effect.output.CommitTransaction(ctx) })
	}
	if full && s.strikes.at(profile.PointCommitRequested) {
		commit = s.struckDuring(commit)
	}
	if err := commit(); err != nil {
		s.counts.failedCommits.Add(1)
		return err
	}
	s.counts.commits.Add(1)
	s.effect.committed(begun)
	s.reachIf(full, profile.PointCommitted)
	return nil
}

// struckDuring is the commit with what strikes this process while it is under
// way, up to 1 ms after the call was made: the time in which it is sent, carried
// out and answered. Which of these it came to is a draw on purpose; the guarantee
// must hold either way. The outputs are in the log before, so that nothing else
// is waited for.
func (s *inTransaction) struckDuring(commit func() error) func() error {
	return func() error {
		if _, err := s.effect.await(); err != nil {
			return err
		}
		done := make(chan error, 1)
		go func() { done <- commit() }()
		time.Sleep(time.Duration(s.env.spec.Seed % uint64(time.Millisecond)))
		s.strikes.reach(profile.PointCommitRequested)
		return <-done
	}
}

func (s *inTransaction) settleOnRevoke() bool { return false }
func (s *inTransaction) automatic() bool      { return false }
func (s *inTransaction) flush()               {}
func (s *inTransaction) forget([]int32)       {}

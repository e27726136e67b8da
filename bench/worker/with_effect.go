package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"deliverybench/bench/client"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/sink"
)

// withEffect keeps the offsets where the effects are: a database transaction has
// both or nothing, and a partition begins where the database says. The group's
// committed offsets play no part.
type withEffect struct {
	*consumer
	// at is where the database goes on in a partition that it knows.
	at client.Offsets
}

func (s *withEffect) settle() error {
	// What lies before the database's place in a partition it has already, whoever
	// returned it again.
	if s.hand = s.hand.from(s.at); len(s.hand) == 0 {
		return nil
	}
	full := s.full()
	s.reachIf(full, profile.PointPolled)
	if err := s.effect.doAll(s.hand); err != nil {
		return err
	}
	undelivered, err := s.effect.await()
	if err != nil {
		return err
	}
	if undelivered > 0 {
		s.effect.store.drop()
		return s.rewind() // not all outputs are in the log: again
	}
	s.reachIf(full, profile.PointMidBatch, profile.PointProduced)
	if err := s.store(); err != nil {
		return err
	}
	s.reachIf(full, profile.PointProcessed, profile.PointCommitted)
	return nil
}

// store has the batch and its offsets in the database, or goes back to where
// somebody else's left off.
func (s *withEffect) store() error {
	from, next := s.hand.starts(), s.hand.nexts()
	for p := range from {
		if known, is := s.at[p]; is {
			from[p] = known
		}
	}
	begun := s.env.clock.Now()
	err := s.effect.storeAt(from, next)
	if errors.Is(err, sink.ErrFenced) {
		s.counts.failedCommits.Add(1)
		s.env.events.send(Event{Kind: Fenced, Error: s.env.hide(err.Error())})
		return s.goBack()
	}
	if err != nil {
		return err
	}
	maps.Copy(s.at, next)
	s.counts.commits.Add(1)
	now := s.env.clock.Now()
	s.effect.commits.record(result.CommitLatency, now, now-begun)
	return nil
}

// goBack goes on polling where the database says, in what is still owned.
func (s *withEffect) goBack() error {
	to := s.hand.starts()
	partitions := make([]int32, 0, len(to))
	for p := range to {
		partitions = append(partitions, p)
	}
	stored, err := s.begin(partitions)
	if err != nil {
		return err
	}
	maps.Copy(to, stored)
	return s.seek(to)
}

// begin is where the database says that partitions go on. Of those that it does
// not know the group decides.
func (s *withEffect) begin(partitions []int32) (client.Offsets, error) {
	var stored map[int32]int64
	err := s.effect.store.insist(func(ctx context.Context) (err error) {
		stored, err = s.effect.store.writer.Offsets(ctx, partitions)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("where to begin: %w", err)
	}
	for _, p := range partitions {
		delete(s.at, p)
	}
	maps.Copy(s.at, stored)
	return stored, nil
}

func (s *withEffect) settleOnRevoke() bool { return true }
func (s *withEffect) automatic() bool      { return false }
func (s *withEffect) flush()               {}
func (s *withEffect) forget(lost []int32) {
	for _, p := range lost {
		delete(s.at, p)
	}
}

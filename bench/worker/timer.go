package worker

import (
	"fmt"
	"time"

	"deliverybench/bench/profile"
)

// timer leaves the commit to the client, which commits by its timer what poll
// returned: automatic.
type timer struct {
	*consumer
}

func (s *timer) settle() error {
	s.reachIf(true, profile.PointPolled, profile.PointMidBatch)
	if err := s.process(true); err != nil {
		return err
	}
	return s.reachAfterOutputs(true)
}

func (s *timer) settleOnRevoke() bool { return false }
func (s *timer) automatic() bool      { return true }
func (s *timer) forget([]int32)       {}

// flush waits for the outputs; the client commits when it is closed.
func (s *timer) flush() {
	if _, err := s.effect.await(); err != nil {
		fmt.Fprintln(s.env.log, err)
	}
}

// storedTimer has the client commit by its timer what was processed, and so
// stored: automatic-stored. A relay's message is processed when its output is
// in the log. Waiting for each would be slow, so that the offsets of up to
// commit.every messages, or those of commit.interval, are stored together.
type storedTimer struct {
	timer
	// processed are the messages, without their contents, that are processed
	// and not stored, and since when there are any.
	processed batch
	since     int64
}

func (s *storedTimer) settle() error {
	s.reachIf(true, profile.PointPolled, profile.PointMidBatch)
	if err := s.process(true); err != nil {
		return err
	}
	if s.effect.output == nil {
		for i := range s.hand {
			s.storeOne(s.hand[i].partition, s.hand[i].offset+1)
		}
	} else {
		s.keep()
		if !s.storeDue() {
			return nil
		}
		if err := s.store(); err != nil {
			return err
		}
	}
	s.reachIf(true, profile.PointProduced, profile.PointProcessed)
	return nil
}

// keep notes the messages in hand as processed and not stored.
func (s *storedTimer) keep() {
	if len(s.processed) == 0 {
		s.since = s.env.clock.Now()
	}
	for _, r := range s.hand {
		s.processed = append(s.processed, record{partition: r.partition, offset: r.offset})
	}
}

func (s *storedTimer) storeDue() bool {
	commit := s.env.spec.Settings.Consumer.Commit
	return s.strikes.at(profile.PointProduced) || s.strikes.at(profile.PointProcessed) ||
		commit.Every > 0 && len(s.processed) >= commit.Every ||
		s.env.clock.Now()-s.since >= int64(time.Duration(commit.Interval))
}

func (s *storedTimer) storeOne(partition int32, next int64) {
	if err := s.client.Store(partition, next); err != nil {
		fmt.Fprintln(s.env.log, err) // revoked meanwhile: the next owner has it
	}
}

// store waits for the outputs and stores the offsets; where an output is not in
// the log it polls the messages again.
func (s *storedTimer) store() error {
	undelivered, err := s.effect.await()
	if err != nil {
		return err
	}
	processed := s.processed
	s.processed = s.processed[:0]
	if undelivered > 0 {
		return s.rewindTo(processed)
	}
	for partition, offset := range processed.nexts() {
		s.storeOne(partition, offset)
	}
	return nil
}

func (s *storedTimer) flush() {
	if err := s.store(); err != nil {
		fmt.Fprintln(s.env.log, err)
	}
}

func (s *storedTimer) forget([]int32) { s.processed = s.processed.without(s.owned) }

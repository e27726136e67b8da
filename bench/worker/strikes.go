package worker

import (
	"os"
	"slices"
	"syscall"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
)

// strikes are the faults that a worker carries out on itself, once each is
// armed: it ends or stops at a point, or fails at its next messages. They
// belong to the goroutine that works.
type strikes struct {
	env     *environment
	pending []*strike // at a point
	failing []*strike // at messages
	// failed are the messages that failed, and whether they fail again when they
	// come again, because their transaction was aborted or their partition moved:
	// what was retried does not.
	failed map[int64]bool
}

type strike struct {
	Strike
	armedFrom int64        // on CLOCK_MONOTONIC; 0 while the load has not begun
	mark      *ledger.Mark // of one at a point
	left      int          // messages that are to fail yet
	begun     int64        // when the first one did
}

// newStrikes returns nil, which never strikes, where there are none.
func newStrikes(env *environment) (*strikes, error) {
	if len(env.spec.Strikes) == 0 {
		return nil, nil
	}
	s := &strikes{env: env, failed: map[int64]bool{}}
	for _, planned := range env.spec.Strikes {
		one := &strike{Strike: planned, left: planned.Fault.Messages}
		if planned.Fault.Fail != "" {
			s.failing = append(s.failing, one)
			continue
		}
		var err error
		if one.mark, err = ledger.OpenMark(env.spec.Ledger, planned.Mark); err != nil {
			return nil, err
		}
		s.pending = append(s.pending, one)
	}
	return s, nil
}

// arm tells when the measured window begins.
func (s *strikes) arm(windowStart int64) {
	if s == nil {
		return
	}
	for _, one := range slices.Concat(s.pending, s.failing) {
		one.armedFrom = windowStart + one.ArmAt
	}
}

func (s *strikes) armed(one *strike) bool {
	return one.armedFrom != 0 && s.env.clock.Now() >= one.armedFrom
}

// next is what strikes when this point is passed now; nil is nothing.
func (s *strikes) next(point profile.Point) *strike {
	if s == nil {
		return nil
	}
	for _, one := range s.pending {
		if one.Fault.When == point && s.armed(one) {
			return one
		}
	}
	return nil
}

// at reports whether passing the point now would strike.
func (s *strikes) at(point profile.Point) bool { return s.next(point) != nil }

// reach passes points: what is armed for one of them strikes.
func (s *strikes) reach(points ...profile.Point) {
	if s != nil { // mostly there are none: this much is inlined
		s.pass(points)
	}
}

func (s *strikes) pass(points []profile.Point) {
	for _, point := range points {
		if one := s.next(point); one != nil {
			s.carryOut(one)
		}
	}
}

// carryOut ends or stops this process. The mark is in the mapped file before the
// signal is sent.
func (s *strikes) carryOut(one *strike) {
	s.pending = slices.DeleteFunc(s.pending, func(other *strike) bool { return other == one })
	one.mark.Fired(s.env.clock.Now())
	if one.Fault.Freeze != "" {
		stopSelf()
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // not one instruction more of this goroutine
}

// fail reports whether messages are to fail at all.
func (s *strikes) fail() bool { return s != nil && len(s.failing) > 0 }

// fails reports whether the processing of a message fails now. The trial is told
// when the last of a fault's messages did.
func (s *strikes) fails(index int64) bool {
	if s == nil {
		return false
	}
	if again, known := s.failed[index]; known {
		return again
	}
	at := slices.IndexFunc(s.failing, s.armed)
	if at < 0 {
		return false
	}
	one, now := s.failing[at], s.env.clock.Now()
	if one.begun == 0 {
		one.begun = now
	}
	s.failed[index] = s.env.spec.Settings.Consumer.OnError != profile.RetryMessage
	if one.left--; one.left == 0 {
		s.failing = slices.Delete(s.failing, at, at+1)
		s.env.events.send(Event{Kind: Struck, Mark: one.Mark, First: one.begun, Last: now})
	}
	return true
}

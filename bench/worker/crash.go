package worker

import (
	"os"
	"syscall"

	"deliverybench/bench/ledger"
	"deliverybench/bench/pace"
	"deliverybench/bench/profile"
)

// crash ends this process with SIGKILL at its point, once it is armed.
type crash struct {
	point profile.Point
	// armedFrom is on CLOCK_MONOTONIC; 0 while the load has not begun.
	armedFrom int64
	mark      *ledger.Mark
	clock     pace.Clock
}

// newCrash returns nil, which never fires, without a kill.
func newCrash(env *environment) (*crash, error) {
	kill := env.spec.Kill
	if kill == nil {
		return nil, nil
	}
	mark, err := ledger.OpenMark(env.spec.Ledger, kill.Mark)
	if err != nil {
		return nil, err
	}
	return &crash{point: kill.Point, mark: mark, clock: env.clock}, nil
}

// arm tells when the measured window begins.
func (c *crash) arm(env *environment, windowStart int64) {
	if c != nil {
		c.armedFrom = windowStart + env.spec.Kill.ArmAt
	}
}

// at reports whether the next passing of the point is the last.
func (c *crash) at(point profile.Point) bool {
	return c != nil && c.point == point && c.armedFrom != 0 && c.clock.Now() >= c.armedFrom
}

// reach ends the process when this is the point and it is armed. The mark is
// in the mapped file before the signal is sent.
func (c *crash) reach(points ...profile.Point) {
	for _, point := range points {
		if c.at(point) {
			c.fire()
		}
	}
}

func (c *crash) fire() {
	c.mark.Fired(c.clock.Now())
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // not one instruction more of this goroutine
}

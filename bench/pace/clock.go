package pace

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Clock reads CLOCK_MONOTONIC, which is comparable between the processes of
// one host. Go's own monotonic reading counts from each process's start and
// is not. A Clock comes from NewClock; it may be copied and used by many
// goroutines at once.
//
// unix.ClockGettime enters the kernel at every call, so it is called only to
// calibrate. Afterwards the Go runtime's reading, which is the same clock read
// through the vDSO, is shifted by the difference found. Both advance
// together, so the error found at calibration does not grow.
type Clock struct {
	base        time.Time
	offset      int64 // CLOCK_MONOTONIC at base, nanoseconds
	uncertainty time.Duration
}

// calibrations is how often NewClock tries; the tightest bracket wins.
const calibrations = 64

// NewClock calibrates a clock, which takes some 20 µs. It panics where the
// system has no CLOCK_MONOTONIC, which Linux always has.
func NewClock() Clock {
	var best Clock
	for i := range calibrations {
		before := time.Now()
		now := readMonotonic()
		bracket := time.Since(before)
		// The kernel read its clock somewhere in the bracket: take the middle.
		half := bracket / 2
		if i == 0 || half < best.uncertainty {
			best = Clock{base: before, offset: now - int64(half), uncertainty: bracket - half}
		}
	}
	return best
}

// Now returns the time in nanoseconds since the host's arbitrary zero.
func (c Clock) Now() int64 { return c.offset + int64(time.Since(c.base)) }

// Sleep sleeps for the duration, to some 0.1 ms on an idle machine. On Linux the Go runtime's
// timers wake in whole milliseconds where nothing else wakes the process (runtime/netpoll_epoll.go,
// Go 1.26): time.Sleep makes 0.5 ms a whole one, and 1.2 ms two.
func (c Clock) Sleep(d time.Duration) {
	if d > 0 {
		sleepUntil(c, c.Now()+int64(d))
	}
}

// Uncertainty returns how far Now can lie from CLOCK_MONOTONIC: half of the
// calibration's bracket, typically 0.1 µs.
func (c Clock) Uncertainty() time.Duration { return c.uncertainty }

func readMonotonic() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic(fmt.Sprintf("pace: this system has no CLOCK_MONOTONIC: %v", err))
	}
	return now.Nano()
}

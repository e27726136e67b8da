package pace

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// sleepUntil sleeps in the kernel up to a time on CLOCK_MONOTONIC. The time is
// absolute, so a sleep interrupted by a signal (the Go runtime sends itself
// many) is simply repeated, and nothing adds up.
func sleepUntil(_ Clock, until int64) {
	request := unix.NsecToTimespec(until)
	for {
		err := unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &request, nil)
		if err == nil {
			return
		}
		if !errors.Is(err, unix.EINTR) {
			panic(fmt.Sprintf("pace: clock_nanosleep on CLOCK_MONOTONIC: %v", err))
		}
	}
}

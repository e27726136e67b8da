//go:build !linux

package pace

import "time"

// sleepUntil uses the runtime's timer where the kernel has no absolute sleep
// on the monotonic clock; send lag is larger there.
func sleepUntil(clock Clock, until int64) {
	time.Sleep(time.Duration(until - clock.Now()))
}

package pace

import (
	"context"
	"time"
)

const (
	// shortestSleep lets several messages become due where they are closer
	// together than this: the load is sent up to this much later, and sleeping
	// and waking take half the processor time.
	shortestSleep = 150 * time.Microsecond
	// longestSleep bounds how late a Waiter notices that its context has ended.
	longestSleep = 20 * time.Millisecond
)

// Waiter sleeps until a message is due. It is used by one goroutine.
//
// It never spins. A sleep lasts at least 150 µs, and overshoots by the thread's
// timer slack (50 µs by default) and by the time to get a processor; at high
// rates several messages are due when it returns, and Wait then returns at
// once for each of them. That batching keeps 50,000 messages per second cheap.
type Waiter struct {
	clock Clock
}

// NewWaiter returns a waiter on the clock.
func NewWaiter(clock Clock) *Waiter { return &Waiter{clock: clock} }

// Wait returns when the clock has reached due, nanoseconds on the Waiter's
// clock, and what the clock reads then. A due time that has passed costs one
// clock reading. The error is the context's, which is asked only when there is
// a sleep to do: a loop that has fallen behind asks its context itself.
func (w *Waiter) Wait(ctx context.Context, due int64) (now int64, err error) {
	for {
		now = w.clock.Now()
		if now >= due {
			return now, nil
		}
		if err := ctx.Err(); err != nil {
			return now, err
		}
		sleep := min(max(due-now, int64(shortestSleep)), int64(longestSleep))
		sleepUntil(w.clock, now+sleep)
	}
}

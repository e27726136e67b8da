package pace

import (
	"math"
	"time"

	"deliverybench/bench/profile"
)

// ramp changes the rate linearly from first to last over a time T, and stays
// at last afterwards. With a = (last − first) / T, the messages due by t are
//
//	N(t) = first × t + a × t² / 2                 for t ≤ T
//	N(t) = N(T) + last × (t − T)                  for t > T
//
// and message n is due when N reaches it:
//
//	At(n) = 2n / (first + √(first² + 2an))        for n ≤ N(T)
//	At(n) = T + (n − N(T)) / last                 for n > N(T)
//
// The first form is the root of the quadratic that does not cancel for small n.
// Its rounding error is below t × first × 2⁻⁵⁰ messages, far less than one
// for a day at 1e9/s, so At is monotone.
type ramp struct {
	first, last  float64 // messages per second
	acceleration float64 // messages per second, per second
	over         float64 // seconds
	messages     float64 // N(T)
}

func newRamp(first, last profile.Rate, over time.Duration) *ramp {
	seconds := over.Seconds()
	return &ramp{
		first: float64(first), last: float64(last),
		acceleration: float64(last-first) / seconds,
		over:         seconds,
		messages:     float64(first+last) / 2 * seconds,
	}
}

func (r *ramp) At(n int64) time.Duration {
	if n == 0 {
		return 0 // the formula would be 0/0 for a ramp from 0
	}
	due := float64(n)
	if due > r.messages {
		return nanoseconds(r.over + (due-r.messages)/r.last)
	}
	// Rounding can leave the square a hair below zero at the end of a ramp down.
	square := max(0, r.first*r.first+2*r.acceleration*due)
	return nanoseconds(2 * due / (r.first + math.Sqrt(square)))
}

// Count starts at N(window) and corrects for rounding, so it agrees with At exactly.
func (r *ramp) Count(window time.Duration) int64 {
	if window <= 0 {
		return 0
	}
	t := window.Seconds()
	due := r.messages + r.last*(t-r.over)
	if t <= r.over {
		due = (r.first + r.acceleration*t/2) * t
	}
	if due >= math.MaxInt64/2 {
		return math.MaxInt64
	}
	count := int64(due)
	for r.At(count) < window {
		count++
	}
	for count > 0 && r.At(count-1) >= window {
		count--
	}
	return count
}

func nanoseconds(seconds float64) time.Duration {
	if seconds >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds * float64(time.Second))
}

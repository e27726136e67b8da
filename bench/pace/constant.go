package pace

import (
	"math"
	"math/bits"
	"time"

	"deliverybench/bench/profile"
)

// constant spaces messages evenly:
//
//	At(n) = ⌊n / rate⌋
//
// in integer arithmetic of 128 bits, so there is no error to add up. The rate
// is held to a millionth of a message per second: one message takes
// nanoseconds/messages ns, in lowest terms.
type constant struct {
	nanoseconds uint64
	messages    uint64
}

func newConstant(rate profile.Rate) constant {
	const perMillionth = 1_000_000
	nanoseconds := uint64(time.Second) * perMillionth
	messages := uint64(math.Round(float64(rate) * perMillionth))
	divisor := greatestCommonDivisor(nanoseconds, messages)
	return constant{nanoseconds: nanoseconds / divisor, messages: messages / divisor}
}

func (c constant) At(n int64) time.Duration {
	high, low := bits.Mul64(uint64(n), c.nanoseconds)
	return time.Duration(divide(high, low, c.messages))
}

// Count uses that ⌊x⌋ < w holds for a whole w exactly when x < w, so the
// messages due are those with n < w × rate.
func (c constant) Count(window time.Duration) int64 {
	if window <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(window), c.messages)
	low, borrow := bits.Sub64(low, 1, 0)
	high -= borrow
	below := divide(high, low, c.nanoseconds)
	if below == math.MaxInt64 {
		return below
	}
	return below + 1
}

// divide returns ⌊high:low / by⌋, at most the largest int64.
func divide(high, low, by uint64) int64 {
	if high >= by {
		return math.MaxInt64
	}
	quotient, _ := bits.Div64(high, low, by)
	return int64(min(quotient, math.MaxInt64))
}

func greatestCommonDivisor(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// burst makes each messages due at once, as often as gives the rate on average:
//
//	At(n) = ⌊ each × ⌊n / each⌋ / rate ⌋
type burst struct {
	each int64
	even constant
}

func (b *burst) At(n int64) time.Duration { return b.even.At(n - n%b.each) }

func (b *burst) Count(window time.Duration) int64 {
	evenly := b.even.Count(window)
	if evenly == 0 {
		return 0
	}
	bursts := (evenly-1)/b.each + 1
	if bursts > math.MaxInt64/b.each {
		return math.MaxInt64
	}
	return bursts * b.each
}

package capacity

import (
	"fmt"
	"math"
	"time"

	"deliverybench/bench/claim"
	"deliverybench/bench/profile"
)

const (
	// beyondPercentile is how many messages have to lie beyond a percentile of
	// the SLO for it to be one: with 100 its rank is known to about ±20 %.
	beyondPercentile = 100
	// mostWindow bounds the measured window of a rung.
	mostWindow = 5 * time.Minute
	// windowStep is what windows are rounded up to: the latency logs' interval.
	windowStep = 100 * time.Millisecond
)

// Window is how long a rung of this rate (messages per second) is measured: at
// least load.duration, and
//
//   - for each percentile q of the SLO, 100 / (1 − q) messages;
//   - for each latency that is to stay below L, until a backlog would reach L at a
//     rate one step s over what is carried. There messages come due 1 + s times as
//     fast as they are done, so that after t the last one waits t × s/(1 + s), and t,
//     the warm-up included, has to be L × (1 + s)/s. With a shorter window a rate
//     that nobody carries would pass.
//
// The error says which expression needs more than is measured at most.
func Window(slo []claim.Expr, load profile.Load, rate float64, step profile.Share) (profile.Duration, error) {
	window := time.Duration(load.Duration)
	for _, e := range slo {
		if beyond := claim.Beyond(e.Metric()); beyond > 0 {
			needed := seconds(beyondPercentile / beyond / rate)
			if needed > mostWindow {
				return 0, fmt.Errorf("%s at %s needs a window of %s, so that %d messages lie beyond the percentile, and at most %s are measured: raise capacity.rates.from, or take a lower percentile",
					e, profile.Rate(rate), needed, beyondPercentile, profile.Duration(mostWindow))
			}
			window = max(window, needed)
		}
		if bound, known := e.Bound(); known && claim.IsLatency(e.Metric()) {
			needed := seconds(bound/1e6*(1+float64(step))/float64(step)) - time.Duration(load.Warmup)
			if needed > mostWindow {
				return 0, fmt.Errorf("%s needs a window of %s, so that a backlog reaches it one step of %s over the capacity, and at most %s are measured: raise capacity.rates.step",
					e, needed, step, profile.Duration(mostWindow))
			}
			window = max(window, needed)
		}
	}
	return profile.Duration((window + windowStep - 1) / windowStep * windowStep), nil
}

// seconds rounds up to a millisecond, after the last bits of a division.
func seconds(s float64) time.Duration {
	return time.Duration(math.Ceil(s*1e3-1e-6)) * time.Millisecond
}

package capacity

import (
	"fmt"
	"math"
	"strings"
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
//   - for each latency that is to stay below L, until its backlog shows in that
//     percentile at a rate one step s over what is carried.
//
// Messages come due 1 + s times as fast as they are done. The one that is done x
// after the load began came due x/(1 + s) after it, and has waited x × s/(1 + s).
// Waits grow with time, so that of a window t after the warm-up w, the one at rank q
// is that of w + q × t, and has to reach L:
//
//	(w + q × t) × s/(1 + s) ≥ L, or t ≥ (L × (1 + s)/s − w) / q
//
// A mean has the wait of the window's middle, q = ½, a maximum that of its end,
// q = 1. Windows count messages by when they came due, of which each waits 1 + s
// times as long as the one that is done then: so much is to spare. With a shorter
// window a rate that nobody carries would pass.
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
			reached := bound / 1e6 * (1 + float64(step)) / float64(step)
			needed := seconds((reached - time.Duration(load.Warmup).Seconds()) / rank(e.Metric()))
			if needed > mostWindow {
				return 0, fmt.Errorf("%s needs a window of %s, so that a backlog reaches it one step of %s over the capacity, and at most %s are measured: raise capacity.rates.step",
					e, needed, step, profile.Duration(mostWindow))
			}
			window = max(window, needed)
		}
	}
	return profile.Duration((window + windowStep - 1) / windowStep * windowStep), nil
}

// rank is where in a growing backlog a latency looks: the share of the messages
// that waited no longer.
func rank(metric string) float64 {
	if beyond := claim.Beyond(metric); beyond > 0 {
		return 1 - beyond
	}
	if strings.HasSuffix(metric, ".mean") {
		return 0.5
	}
	return 1
}

// seconds rounds up to a millisecond, after the last bits of a division.
func seconds(s float64) time.Duration {
	return time.Duration(math.Ceil(s*1e3-1e-6)) * time.Millisecond
}

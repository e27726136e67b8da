package latency

import (
	"fmt"
	"math"
	"time"
)

// Grid cuts time into intervals. Processes that share a grid log the same
// intervals, so their logs can be merged.
type Grid struct {
	// Origin is the start of the measured window, nanoseconds on CLOCK_MONOTONIC.
	Origin int64
	// Interval is the length of one interval, at least a microsecond.
	Interval time.Duration
}

// Index returns the number of the interval that holds now (nanoseconds on
// CLOCK_MONOTONIC): 0 from the origin on, negative before it.
func (g Grid) Index(now int64) int64 {
	since, length := now-g.Origin, int64(g.Interval)
	index := since / length
	if since%length < 0 {
		index--
	}
	return index
}

// Start returns when an interval starts, counted from the origin.
func (g Grid) Start(index int64) time.Duration { return time.Duration(index) * g.Interval }

// lastIndex is the last interval whose start a Duration holds: 292 years.
func (g Grid) lastIndex() int64 { return math.MaxInt64 / int64(g.Interval) }

func (g Grid) check() error {
	if g.Interval < time.Microsecond {
		return fmt.Errorf("latency: the log's interval is %v: use at least 1 µs", g.Interval)
	}
	return nil
}

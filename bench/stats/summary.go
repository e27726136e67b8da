package stats

import (
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
)

// Confidence is the level of every interval in this package.
const Confidence = 0.95

// IntervalSamples is the smallest number of samples whose median has a
// distribution-free interval at Confidence: below 6 even the whole range covers
// it with a probability of 1 − 2·0.5ⁿ < 0.95.
const IntervalSamples = 6

// SignificanceSamples is the smallest number of repeats, on both sides, at
// which the Mann-Whitney U test can find a difference at the 5 % level: two
// samples of 3 that do not overlap at all still give p = 0.1.
const SignificanceSamples = 4

// Spread says what the two ends of a Summary are.
type Spread int

const (
	NoSpread Spread = iota // fewer than 2 samples: the ends are the value itself
	Range                  // the smallest and the largest sample
	Interval               // the 95 % interval of the median
)

// Summary is the median of repeated measurements, in their unit.
type Summary struct {
	N      int
	Median float64
	Lo, Hi float64 // the ends of Spread
	Spread Spread
	// Missing is how many more samples the 95 % interval needs; 0 with Interval.
	Missing int
}

// Summarise returns the median of values and how far they spread. NaN and
// infinite values are left out. The slice is not changed.
func Summarise(values []float64) Summary {
	sample := clean(values)
	s := Summary{N: len(sample), Missing: max(0, IntervalSamples-len(sample))}
	if len(sample) == 0 {
		return s
	}
	sum := benchmath.AssumeNothing.Summary(newSample(sample), Confidence)
	s.Median = sum.Center
	switch {
	case s.Missing == 0:
		s.Lo, s.Hi, s.Spread = sum.Lo, sum.Hi, Interval
	case len(sample) == 1:
		s.Lo, s.Hi = s.Median, s.Median
	default:
		s.Lo, s.Hi, s.Spread = slices.Min(sample), slices.Max(sample), Range
	}
	return s
}

// Deviation is how far the ends lie from the median, as a share of it: −0.4 and
// 0.3 for 60–130 around 100. Both are 0 without a spread.
func (s Summary) Deviation() (below, above float64) {
	if s.Spread == NoSpread || s.Median == 0 {
		return 0, 0
	}
	return s.Lo/s.Median - 1, s.Hi/s.Median - 1
}

// MedianLatency returns the median of latencies in microseconds, 0 of none. Halfway
// to OverRange is not a latency: of an even number of values whose upper middle
// is over range, the median is.
func MedianLatency(micros []float64) float64 {
	sample := clean(micros)
	if len(sample) == 0 {
		return 0
	}
	return middle(sample, OverRange)
}

// middle is the median of a sorted sample; limit where it lies there or above.
func middle(sorted []float64, limit float64) float64 {
	if sorted[len(sorted)/2] >= limit {
		return limit
	}
	return Summarise(sorted).Median
}

// UpperBound returns the largest probability of a violation that is still
// believable at Confidence after k independent trials without one:
// 1 − 0.05^(1/k), the p at which (1 − p)^k = 0.05 (the exact form of the "rule
// of three", Hanley and Lippman-Hand 1983). It is 1 for k < 1.
func UpperBound(k int) float64 {
	if k < 1 {
		return 1
	}
	return 1 - math.Pow(1-Confidence, 1/float64(k))
}

// clean returns a sorted copy of the finite values.
func clean(values []float64) (sample []float64) {
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			sample = append(sample, v)
		}
	}
	slices.Sort(sample)
	return sample
}

func newSample(sorted []float64) *benchmath.Sample {
	thresholds := benchmath.DefaultThresholds
	return benchmath.NewSample(sorted, &thresholds)
}

package latency_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/latency"
)

func TestRecordRoundsUpToMicroseconds(t *testing.T) {
	for nanos, micros := range map[int64]int64{0: 1, 1: 1, 1000: 1, 1001: 2, 1_999_001: 2000, 2_000_000: 2000} {
		r := latency.NewRecorder()
		r.Record(nanos)
		require.Equal(t, micros, r.Histogram().Max(), "%d ns", nanos)
	}
}

func TestRecordCountsWhatIsOutOfRange(t *testing.T) {
	r := latency.NewRecorder()
	for _, nanos := range []int64{-1, math.MinInt64, int64(latency.Highest) + 1, math.MaxInt64, math.MaxInt64 - 998} {
		r.Record(nanos)
	}
	under, over := r.OutOfRange()
	require.Equal(t, int64(2), under)
	require.Equal(t, int64(3), over)
	require.Zero(t, r.Histogram().TotalCount())

	r.Record(int64(latency.Highest))
	s := r.Summary()
	require.Equal(t, int64(1), s.Count)
	require.Equal(t, int64(3), s.Over)
	require.Equal(t, float64(latency.OverRange), s.P50)

	alone := latency.NewRecorder()
	alone.Record(int64(latency.Highest))
	require.Equal(t, float64(600_000_000), alone.Summary().Max, "the longest latency is in range")
}

func TestSummaryOfNothingIsZero(t *testing.T) {
	require.Zero(t, latency.NewRecorder().Summary())
}

func TestSummaryExactly(t *testing.T) {
	// 1 to 1000 µs once each: every rank is known, and below 2048 µs HDR is exact.
	r := latency.NewRecorder()
	for micros := range int64(1000) {
		r.Record((micros + 1) * 1000)
	}
	require.Equal(t, latency.Summary{
		Count: 1000, P50: 500, P90: 900, P99: 990, P999: 999, Max: 1000, Mean: 500.5,
	}, latency.Summarize(r.Histogram(), 0))
	// With 10 of 1010 undelivered, p99 is rank 1000 and p99.9 is one of them.
	require.Equal(t, latency.Summary{
		Count: 1000, P50: 505, P90: 909, P99: 1000, P999: latency.OverRange, Max: latency.OverRange, Mean: 500.5, Over: 10,
	}, latency.Summarize(r.Histogram(), 10))
	require.Equal(t, latency.Summary{
		P50: latency.OverRange, P90: latency.OverRange, P99: latency.OverRange, P999: latency.OverRange,
		Max: latency.OverRange, Over: 1,
	}, latency.Summarize(latency.NewHistogram(), 1))
}

// nanos draws latencies over all magnitudes, in range and out of it.
func nanos(t *rapid.T) []int64 {
	magnitude := rapid.Custom(func(t *rapid.T) int64 {
		highest := int64(1) << rapid.IntRange(0, 41).Draw(t, "bits")
		return rapid.Int64Range(-3, highest).Draw(t, "nanos")
	})
	return rapid.SliceOfN(magnitude, 0, 300).Draw(t, "latencies")
}

// The percentiles are those of a sorted slice, at most 0.1 % above.
func TestSummaryAgreesWithASortedSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := latency.NewRecorder()
		undelivered := rapid.Int64Range(0, 50).Draw(t, "undelivered")
		var sorted []float64
		for _, n := range nanos(t) {
			r.Record(n)
			if n > int64(latency.Highest) {
				sorted = append(sorted, latency.OverRange)
			} else if n >= 0 {
				sorted = append(sorted, max(1, math.Ceil(float64(n)/1000)))
			}
		}
		for range undelivered {
			sorted = append(sorted, latency.OverRange)
		}
		slices.Sort(sorted)
		_, over := r.OutOfRange()
		s := latency.Summarize(r.Histogram(), over+undelivered)
		require.Equal(t, int64(len(sorted)), s.Count+s.Over)
		if len(sorted) == 0 {
			return
		}
		for permille, got := range map[int]float64{500: s.P50, 900: s.P90, 990: s.P99, 999: s.P999, 1000: s.Max} {
			rank := max(1, (permille*len(sorted)+500)/1000)
			want := sorted[rank-1]
			if want == latency.OverRange {
				require.Equal(t, want, got, "permille %d", permille)
				continue
			}
			require.GreaterOrEqual(t, got, want, "permille %d", permille)
			require.LessOrEqual(t, got, want*1.001, "permille %d", permille)
		}
	})
}

func TestWritePercentiles(t *testing.T) {
	r := latency.NewRecorder()
	for range 99 {
		r.Record(int64(time.Millisecond))
	}
	r.Record(int64(2 * time.Millisecond))
	var out bytes.Buffer
	require.NoError(t, latency.WritePercentiles(&out, r.Histogram(), 0))
	require.Contains(t, out.String(), "\n       1.000     0.500000           99         2.00\n")
	require.Contains(t, out.String(), "\n       2.000     1.000000          100          inf\n")
	require.NotContains(t, out.String(), "Over range")
	out.Reset()
	require.NoError(t, latency.WritePercentiles(&out, r.Histogram(), 7))
	require.True(t, strings.HasSuffix(out.String(), "leave them out]\n"))
	require.Contains(t, out.String(), "#[Over range = 7 messages")
}

func TestGridIndex(t *testing.T) {
	grid := latency.Grid{Origin: 1000, Interval: 100}
	for now, index := range map[int64]int64{899: -2, 900: -1, 999: -1, 1000: 0, 1099: 0, 1100: 1, 2000: 10} {
		require.Equal(t, index, grid.Index(now), "now %d", now)
	}
	require.Equal(t, time.Duration(300), grid.Start(3))
}

func TestRecordDoesNotAllocate(t *testing.T) {
	r := latency.NewRecorder()
	var n int64
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		n += 12_345
		r.Record(n)
	}))
}

func BenchmarkRecord(b *testing.B) {
	r := latency.NewRecorder()
	b.ReportAllocs()
	var n int64
	for b.Loop() {
		n = (n*5 + 17_000) & 0x3ffffff // up to 67 ms
		r.Record(n)
	}
}

func BenchmarkSummarize(b *testing.B) {
	r := latency.NewRecorder()
	for n := range int64(100_000) {
		r.Record(n * 1000)
	}
	for b.Loop() {
		latency.Summarize(r.Histogram(), 3)
	}
}

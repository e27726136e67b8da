package stats

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSummarise(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Summary
	}{
		{nil, Summary{Missing: 6}},
		{[]float64{5}, Summary{N: 1, Median: 5, Lo: 5, Hi: 5, Missing: 5}},
		{[]float64{9, 1, 5}, Summary{N: 3, Median: 5, Lo: 1, Hi: 9, Spread: Range, Missing: 3}},
		{[]float64{1, 2, 3, 4}, Summary{N: 4, Median: 2.5, Lo: 1, Hi: 4, Spread: Range, Missing: 2}},
		// With 6 samples the interval is the whole range: 1 − 2/2⁶ = 96.9 %.
		{[]float64{6, 5, 4, 3, 2, 1}, Summary{N: 6, Median: 3.5, Lo: 1, Hi: 6, Spread: Interval}},
		// With 9, the second and the eighth: 1 − 2·(1 + 9)/2⁹ = 96.1 %.
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, Summary{N: 9, Median: 5, Lo: 2, Hi: 8, Spread: Interval}},
		{[]float64{math.NaN(), 2, math.Inf(1)}, Summary{N: 1, Median: 2, Lo: 2, Hi: 2, Missing: 5}},
	} {
		require.Equal(t, c.want, Summarise(c.values), "%v", c.values)
	}
}

func TestDeviation(t *testing.T) {
	below, above := Summarise([]float64{60, 100, 130}).Deviation()
	require.InDelta(t, -0.4, below, 1e-12)
	require.InDelta(t, 0.3, above, 1e-12)
	for _, values := range [][]float64{nil, {5}, {0, 0}} {
		below, above = Summarise(values).Deviation()
		require.Zero(t, below)
		require.Zero(t, above)
	}
}

func TestMedianLatencyIsNeverHalfwayToNever(t *testing.T) {
	require.Equal(t, 5.0, MedianLatency([]float64{4, 5, OverRange}))
	require.Equal(t, 4.5, MedianLatency([]float64{5, 4}))
	require.Equal(t, float64(OverRange), MedianLatency([]float64{4, OverRange}))
	require.Equal(t, float64(OverRange), MedianLatency([]float64{4, 5, OverRange, OverRange}))
	require.Zero(t, MedianLatency(nil))
}

func TestUpperBound(t *testing.T) {
	for k, want := range map[int]float64{-1: 1, 0: 1, 1: 0.95, 2: 0.776393, 3: 0.631597, 10: 0.258866, 100: 0.029513, 300: 0.009936} {
		require.InDelta(t, want, UpperBound(k), 1e-6, "k = %d", k)
	}
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(1, 1_000_000).Draw(t, "k")
		p := UpperBound(k)
		// The bound is where k trials without a violation have a chance of 5 %.
		require.InDelta(t, 0.05, math.Pow(1-p, float64(k)), 1e-9)
		require.Less(t, UpperBound(k+1), p)
	})
}

// The model sorts and counts; order and scale of the samples do not matter.
func TestSummariseAgainstModel(t *testing.T) {
	value := rapid.Float64Range(1, 1e9)
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(value, 1, 40).Draw(t, "values")
		before := slices.Clone(values)
		s := Summarise(values)
		require.Equal(t, before, values, "the caller's slice is left alone")
		sorted := slices.Sorted(slices.Values(values))
		n := len(sorted)
		require.InEpsilon(t, (sorted[(n-1)/2]+sorted[n/2])/2, s.Median, 1e-12)
		require.Equal(t, s.Spread == Interval, n >= IntervalSamples)
		require.True(t, sorted[0] <= s.Lo && s.Lo <= s.Median && s.Median <= s.Hi && s.Hi <= sorted[n-1])
		if s.Spread == Interval {
			require.GreaterOrEqual(t, coverage(sorted, s), Confidence)
		}
	})
}

// coverage is the probability that the order statistics lo and hi enclose the
// true median: the number of samples below it is binomial with p = 1/2.
func coverage(sorted []float64, s Summary) float64 {
	n := len(sorted)
	first, last := slices.Index(sorted, s.Lo)+1, n-slices.Index(reversed(sorted), s.Hi)
	covered := 0.0
	for k := first; k < last; k++ {
		covered += choose(n, k) * math.Pow(0.5, float64(n))
	}
	return covered
}

func reversed(v []float64) []float64 {
	v = slices.Clone(v)
	slices.Reverse(v)
	return v
}

func TestCompare(t *testing.T) {
	high, low := []float64{21, 22, 23, 24, 25, 26}, []float64{11, 12, 13, 14, 15, 16}
	c := Compare(high, low)
	require.InDelta(t, 23.5/13.5, c.Ratio, 1e-12)
	require.True(t, c.Significant)
	require.InDelta(t, 2/choose(12, 6), c.P, 1e-12, "apart altogether: 2 of C(12,6) orders")
	require.True(t, c.HasInterval && 1 < c.Lo && c.Lo < c.Ratio && c.Ratio < c.Hi)
	require.Equal(t, "1.74", c.String())

	require.Equal(t, "~", Compare(low, low).String())
	require.Equal(t, "~", Compare([]float64{5, 5, 5, 5}, []float64{5, 5, 5, 5}).String())
	require.Equal(t, "2.00?", Compare([]float64{20, 20.1, 19.9}, []float64{10, 10.1, 9.9}).String())
	require.Equal(t, 1, Compare([]float64{1, 2, 3}, []float64{4, 5, 6}).Missing)
	require.Equal(t, None, Compare(nil, low).String())
	require.Equal(t, None, Compare(high, []float64{0, 0}).String())
}

// The interval and the test are one statement: 1 lies outside the interval
// exactly if the difference is significant (no ties, so that both are exact).
func TestIntervalAgreesWithTest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfNDistinct(rapid.IntRange(1, 10_000), 8, 40, rapid.ID[int]).Draw(t, "values")
		cutAt := rapid.IntRange(4, len(all)-4).Draw(t, "cut")
		var a, b []float64
		for i, v := range all {
			if i < cutAt {
				a = append(a, float64(v))
			} else {
				b = append(b, float64(v))
			}
		}
		c := Compare(a, b)
		require.True(t, c.HasInterval)
		require.Zero(t, c.Missing)
		require.Equal(t, c.Significant, 1 < c.Lo || c.Hi < 1, "p = %v, %v to %v", c.P, c.Lo, c.Hi)
	})
}

func TestMissingForTest(t *testing.T) {
	for _, c := range [][3]int{{1, 1, 3}, {3, 3, 1}, {4, 4, 0}, {6, 6, 0}, {3, 5, 0}, {3, 4, 1}, {2, 6, 1}, {1, 40, 0}} {
		require.Equal(t, c[2], missingForTest(c[0], c[1]), "%d beside %d", c[0], c[1])
	}
}

func TestFormats(t *testing.T) {
	for want, got := range map[string]string{
		"212k": Rate(212345), "1.23k": Rate(1230), "950": Rate(950), "1.00k": Rate(999.6), "1.00M": Rate(999_600), "0": Rate(0),
		"5": Rate(5), "9.22E": SI(math.MaxInt64), "1e+30": SI(1e30), "−2": SI(-2), "0.5": Rate(0.5),
		"9999": Count(9999), "10,000": Count(10000), "1,234,567": Count(1234567), "−12,345": Count(-12345), "−9,223,372,036,854,775,808": Count(math.MinInt64),
		"850 µs": Micros(850), "1.2 ms": Micros(1234), "10 ms": Micros(9960), "39 ms": Micros(39_400), "118 ms": Micros(118_000), "1.0 ms": Micros(999.7),
		"2.5 s": Micros(2.5e6), "1.0 s": Micros(999_600), "119 s": Micros(119e6), "2.0 min": Micros(120e6), "> 10 min": Micros(OverRange), "10 min": Micros(600e6), "0 µs": Micros(0),
		"0.60": Ratio(0.6), "1.12": Ratio(1.1158), "10": Ratio(9.996), "38": Ratio(38.2), "1.50k": Ratio(1500),
		"39 %": Percent(0.394), "1.2 %": Percent(0.0123), "100 %": Percent(1), "0 %": Percent(0), "0.05 %": Percent(0.0005),
		"256 B": Bytes(256), "1 MiB": Bytes(1 << 20), "1.5 KiB": Bytes(1536), "206k–218k": Between("206k", "218k"), "1": Between("1", "1"),
		"12 min": Seconds(720), "0 s": Seconds(0), "3.2 s": Seconds(3.2), "+12 %": Signed(0.12), "−12 %": Signed(-0.12),
	} {
		require.Equal(t, want, got)
	}
	for _, got := range []string{Rate(math.NaN()), Ratio(math.Inf(1)), Micros(-1), Micros(math.NaN()), Percent(math.Inf(-1))} {
		require.Equal(t, None, got)
	}
}

// Every number has room in a table's column.
func TestFormatsAreShort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64Range(0, math.MaxFloat64).Draw(t, "v")
		for _, s := range []string{Rate(v), Ratio(v), Micros(v)} {
			require.LessOrEqual(t, len([]rune(s)), 11, "%v", v)
		}
		require.LessOrEqual(t, len([]rune(Percent(math.Mod(v, 1)))), 11)
	})
}

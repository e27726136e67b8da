package stats

import (
	"math"
	"math/bits"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The model deals the values out in every possible way, and counts those that set the
// samples apart as far.
func TestUTestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool := rapid.SliceOfN(rapid.IntRange(0, 4), 2, 10).Draw(t, "values")
		n := rapid.IntRange(1, len(pool)-1).Draw(t, "n")
		apart := func(first uint) (doubled int) {
			for i, x := range pool {
				for j, y := range pool {
					if first>>i&1 == 1 && first>>j&1 == 0 {
						doubled += sign(x, y)
					}
				}
			}
			return doubled
		}
		observed := apart(1<<n - 1)
		far, all := 0, 0
		for first := range uint(1) << len(pool) {
			if bits.OnesCount(first) != n {
				continue
			}
			all++
			if d := apart(first); max(d, -d) >= max(observed, -observed) {
				far++
			}
		}
		p, direction := uTest(sorted(pool[:n]), sorted(pool[n:]))
		require.InDelta(t, float64(far)/float64(all), p, 1e-12)
		require.Equal(t, sign(observed, 0), direction)
	})
}

func sign(x, y int) int {
	switch {
	case x > y:
		return 1
	case x < y:
		return -1
	}
	return 0
}

func sorted(values []int) (out []float64) {
	for _, v := range values {
		out = append(out, float64(v))
	}
	slices.Sort(out)
	return out
}

// Ties and sizes that differ, of which a doubled tail makes 1.75 and 0.
func TestUTestOfTies(t *testing.T) {
	p, direction := uTest([]float64{1}, []float64{0, 0, 0, 0, 0, 0, 0})
	require.InDelta(t, 1.0/8, p, 1e-12)
	require.Equal(t, 1, direction)
	p, direction = uTest([]float64{1, 1, 1, 1, 1, 1, 1, 1}, []float64{2, 2})
	require.InDelta(t, 1.0/45, p, 1e-12)
	require.Equal(t, -1, direction)
	p, direction = uTest([]float64{3, 3}, []float64{3})
	require.InDelta(t, 1, p, 1e-12)
	require.Zero(t, direction)

	many := make([]float64, exactTest+1)
	p, direction = uTest(many, many)
	require.Equal(t, 1.0, p)
	require.Zero(t, direction)
	more := slices.Repeat([]float64{5}, exactTest+1)
	p, direction = uTest(more, many)
	require.Less(t, p, 1e-9)
	require.Equal(t, 1, direction)
}

// A latency over range ranks above all others, and nothing is divided by it.
func TestCompareLatencies(t *testing.T) {
	const over = float64(OverRange)
	fine := []float64{98, 99, 100, 101, 102, 103}
	never := slices.Repeat([]float64{over}, 6)

	c := CompareLatencies(never, fine)
	require.False(t, c.HasRatio)
	require.Zero(t, c.Ratio)
	require.False(t, c.HasInterval)
	require.True(t, c.Significant)
	require.Equal(t, 1, c.Direction)
	require.Equal(t, over/100.5, c.Least)
	require.True(t, math.IsInf(c.Most, 1))
	require.Equal(t, over/103, c.Lo)
	require.True(t, math.IsInf(c.Hi, 1))
	require.Equal(t, None, c.String())
	require.Equal(t, None, c.Interval())

	c = CompareLatencies(fine, never)
	require.False(t, c.HasRatio)
	require.True(t, c.Significant)
	require.Equal(t, -1, c.Direction)
	require.Equal(t, [4]float64{0, 100.5 / over, 0, 103 / over}, [4]float64{c.Least, c.Most, c.Lo, c.Hi})

	c = CompareLatencies(never, never)
	require.False(t, c.HasRatio)
	require.Equal(t, 1.0, c.P)
	require.False(t, c.Tested)
	require.Zero(t, c.Least)
	require.True(t, math.IsInf(c.Most, 1))

	// The medians are latencies, and so is their ratio; one end of the interval is open.
	c = CompareLatencies([]float64{196, 197, 198, 202, 203, over}, fine)
	require.True(t, c.HasRatio)
	require.Equal(t, 200/100.5, c.Ratio)
	require.False(t, c.HasInterval)
	require.Equal(t, "1.99×", c.Interval())
	require.InDelta(t, 1.9, c.Lo, 0.1)
	require.True(t, math.IsInf(c.Hi, 1))

	// Of an even number, halfway to over range is none.
	c = CompareLatencies([]float64{98, 99, 100, over, over, over}, fine)
	require.False(t, c.HasRatio)
	require.Equal(t, Compare(fine, []float64{50, 50, 50, 51, 51, 51}), CompareLatencies(fine, []float64{50, 50, 50, 51, 51, 51}))
}

// The test tells speeds apart also where the baseline's is 0, of which nothing is a share.
func TestNoRatioOfNothing(t *testing.T) {
	c := Compare([]float64{1, 2, 3, 4}, []float64{0, 0, 0, 0})
	require.False(t, c.HasRatio)
	require.True(t, c.Significant)
	require.Equal(t, 1, c.Direction)
	c = Compare([]float64{0, 0, 0, 0}, []float64{1, 2, 3, 4})
	require.True(t, c.HasRatio)
	require.Zero(t, c.Ratio)
}

func TestCompareCounts(t *testing.T) {
	many := func(n int, v float64) []float64 { return slices.Repeat([]float64{v}, n) }
	for name, c := range map[string]struct {
		counts, baseline    []float64
		significant, tested bool
		p                   float64
	}{
		"once":                  {many(1, 5), many(1, 0), false, false, 1},
		"twice":                 {many(2, 5), many(2, 0), false, false, 4.0 / 27},
		"thrice":                {many(3, 5), many(3, 0), true, true, math.Pow(2, 2) * math.Pow(3, 3) / math.Pow(5, 5)},
		"thrice, not the same":  {[]float64{5, 5, 6}, many(3, 0), false, true, 0.1},
		"four times":            {[]float64{5, 6, 7, 8}, many(4, 0), true, true, 2.0 / 70},
		"the same":              {many(6, 5), many(6, 5), false, false, 1},
		"nothing":               {nil, many(6, 5), false, false, 1},
		"one of six":            {[]float64{0, 0, 0, 0, 0, 9}, many(6, 0), false, true, 1},
		"six times, and always": {many(6, 5), many(6, 0), true, true, math.Pow(5, 5) * math.Pow(6, 6) / math.Pow(11, 11)},
	} {
		got := CompareCounts(c.counts, c.baseline)
		require.InDelta(t, c.p, got.P, 1e-12, name)
		require.Equal(t, c.significant, got.Significant, name)
		require.Equal(t, c.tested, got.Tested, name)
		require.False(t, got.HasRatio, name)
	}
}

// Draws of one and the same thing are told apart in 5 % of cases at most, however many
// there are: exactly, of everything that comes out in one of two ways.
func TestDrawsAreSeldomToldApart(t *testing.T) {
	sample := func(n, ones int) []float64 {
		return append(make([]float64, n-ones), slices.Repeat([]float64{1}, ones)...)
	}
	for n := 1; n <= 9; n++ {
		for m := 1; m <= 9; m++ {
			apart := make([]bool, (n+1)*(m+1))
			for k := range n + 1 {
				for l := range m + 1 {
					apart[k*(m+1)+l] = CompareCounts(sample(n, k), sample(m, l)).Significant
				}
			}
			for p := 0.02; p < 1; p += 0.02 {
				told := 0.0
				for at, differ := range apart {
					if k, l := at/(m+1), at%(m+1); differ {
						told += choose(n, k) * choose(m, l) * math.Pow(p, float64(k+l)) * math.Pow(1-p, float64(n+m-k-l))
					}
				}
				require.LessOrEqual(t, told, 1-Confidence, "%d and %d draws of probability %v", n, m, p)
			}
		}
	}
}

package capacity

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/stats"
)

func passes(bound Bound, rates ...float64) []Pass {
	var all []Pass
	for _, r := range rates {
		all = append(all, Pass{PerSecond: r, Bound: bound})
	}
	return all
}

func TestKnee(t *testing.T) {
	six := passes(Exact, 44000, 44000, 48000, 48000, 52800, 52800)
	for _, c := range []struct {
		name           string
		passes         []Pass
		knee, interval string
		bound          Bound
	}{
		{"none", nil, "–", "", None},
		{"one", passes(Exact, 48000), "48,000/s", "", Exact},
		{"three", passes(Exact, 900, 1000, 1100), "1000/s", "range of 3: 900–1100", Exact},
		{"six", six, "48,000/s", "95 % CI 44,000–52,800", Exact},
		{"between two rungs", passes(Exact, 10, 10, 10, 20, 20, 20), "10/s", "95 % CI 10–20", Exact},
		{"the top held in all", passes(AtLeast, 9, 9, 9, 9, 9, 9), "at least 9/s", "95 % CI from 9", AtLeast},
		{"one open end does not move the middle", append(passes(Exact, 10, 20, 20, 20, 20), passes(AtLeast, 40)...), "20/s", "95 % CI from 10", Exact},
		{"open in the middle", append(passes(Exact, 10, 20), passes(AtLeast, 10, 20, 40, 40)...), "at least 20/s", "95 % CI from 10", AtLeast},
		{"below in most", append(passes(Below, 10, 10, 10, 10), passes(Exact, 10, 10)...), "below 10/s", "95 % CI up to 10", Below},
		{"below in one", append(passes(Below, 10), passes(Exact, 10, 10, 10, 20, 20)...), "10/s", "95 % CI up to 20", Exact},
		{"no evidence in two", append(passes(None, 0, 0), passes(Exact, 10, 20, 30)...), "20/s (median of 3 of 5)", "range of 3: 10–30", Exact},
		{"no evidence in five of six", append(passes(None, 0, 0, 0, 0, 0), passes(Exact, 10)...), "10/s (median of 1 of 6)", "", Exact},
		{"half below", append(passes(Below, 10, 10, 10), passes(Exact, 10, 20, 20)...), "below 10/s", "95 % CI up to 20", Below},
		{"contradictions", append(passes(Below, 10), passes(AtLeast, 40)...), "below 10/s", "range of 2: open on both sides", Below},
	} {
		k := newKnee(c.passes)
		require.Equal(t, c.knee, k.String(), c.name)
		require.Equal(t, c.interval, k.Interval(), c.name)
		require.Equal(t, c.bound, k.Bound, c.name)
	}
	for _, c := range []struct {
		passes  []Pass
		reached bool
	}{{six, true}, {append(passes(None, 0), six...), false}, {passes(None, 0), false}} {
		require.Equal(t, c.reached, Cell{Knee: newKnee(c.passes)}.Reached())
	}
	require.Equal(t, 2, newKnee(append(passes(None, 0, 0), six...)).Missing)
}

// Whatever the true knees are that the passes bound, their median is what the
// knee says of it.
func TestKneeHoldsTheTrueMedian(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		var all []Pass
		var truth []float64
		const low, high = 100.0, 900.0
		for range n {
			at := rapid.SampledFrom([]float64{50, 100, 300, 500, 900, 2000}).Draw(t, "true")
			truth = append(truth, at)
			cut := rapid.Float64Range(low, high).Draw(t, "limit of the generator")
			switch {
			case at < low:
				all = append(all, Pass{PerSecond: low, Bound: Below})
			case at > high || at > cut:
				all = append(all, Pass{PerSecond: min(cut, high), Bound: AtLeast})
			default:
				all = append(all, Pass{PerSecond: at, Bound: Exact})
			}
		}
		k := newKnee(all)
		slices.Sort(truth)
		median := truth[(n-1)/2]
		switch k.Bound {
		case Exact:
			require.Equal(t, median, k.PerSecond)
		case AtLeast:
			require.GreaterOrEqual(t, median, k.PerSecond)
		case Below:
			require.LessOrEqual(t, median, k.PerSecond)
		}
		if n >= stats.IntervalSamples && k.Bound != None {
			s := stats.Summarise(truth)
			require.LessOrEqual(t, k.Lo, s.Lo)
			require.GreaterOrEqual(t, k.Hi, min(s.Hi, math.Inf(1)))
		}
	})
}

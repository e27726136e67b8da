package capacity

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/claim"
	"deliverybench/bench/profile"
)

func TestGrid(t *testing.T) {
	require.Equal(t, []float64{1000, 1500, 2250, 3380, 4000}, Grid(1000, 4000, 0.5))
	require.Equal(t, []float64{1000, 2000, 4000}, Grid(1000, 4000, 1))
	require.Equal(t, []float64{0.5, 0.75, 1.13, 1.5}, Grid(0.5, 1.5, 0.5))
	require.Equal(t, []float64{12345, 24700, 30000}, Grid(12345, 30000, 1), "the ends are as they were asked for")
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.Float64Range(1, 1e6).Draw(t, "from")
		to := from * rapid.Float64Range(1.001, 1000).Draw(t, "times")
		step := profile.Share(rapid.Float64Range(0.01, 1).Draw(t, "step"))
		grid := Grid(profile.Rate(from), profile.Rate(to), step)
		require.Equal(t, []float64{from, to}, []float64{grid[0], grid[len(grid)-1]})
		for i := 1; i < len(grid); i++ {
			require.Greater(t, grid[i], grid[i-1])
			// Rounding moves either end by up to half of a hundredth.
			require.LessOrEqual(t, grid[i]/grid[i-1], (1+float64(step))*1.011)
		}
	})
}

func TestDoublings(t *testing.T) {
	require.Equal(t, []int{0, 2, 4, 6, 8, 9}, Doublings(10, 0.5), "1.5² is nearest to 2")
	require.Equal(t, []int{0, 7, 14}, Doublings(15, 0.1), "1.1⁷ is 1.95")
	require.Equal(t, []int{0, 1, 2}, Doublings(3, 1))
	require.Equal(t, []int{0, 1}, Doublings(2, 0.01), "the top is searched, however near")
}

func TestLadderHasARungBelowAndAbove(t *testing.T) {
	for _, c := range []struct {
		bracket Bracket
		want    [2]int
	}{
		{Bracket{4, 6}, [2]int{3, 7}},
		{Bracket{0, 2}, [2]int{0, 3}},
		{Bracket{-1, 0}, [2]int{0, 1}},  // it broke at once
		{Bracket{9, 10}, [2]int{8, 9}},  // it never broke
		{Bracket{8, 9}, [2]int{7, 9}},   // it broke at the top
		{Bracket{-1, 10}, [2]int{0, 9}}, // nothing is known
	} {
		first, last := c.bracket.Ladder(10)
		require.Equal(t, c.want, [2]int{first, last}, "%v", c.bracket)
	}
}

func parsed(t require.TestingT, texts ...string) []claim.Expr {
	var all []claim.Expr
	for _, text := range texts {
		e, err := claim.Parse(text)
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

func TestWindow(t *testing.T) {
	load := profile.Load{Duration: profile.Duration(2 * time.Second), Warmup: profile.Duration(500 * time.Millisecond)}
	for _, c := range []struct {
		slo  string
		rate float64
		step profile.Share
		want time.Duration
	}{
		{"lost == 0", 1, 0.1, 2 * time.Second},
		// 100 beyond p99 are 10,000 messages, beyond p999 100,000, beyond p50 200.
		{"end_to_end.p99 < 50ms", 1000, 0.5, 10 * time.Second},
		{"ack.p999 < 50ms", 1000, 0.5, 100 * time.Second},
		{"ack.p90 < 50ms", 1000, 0.5, 2 * time.Second},
		{"end_to_end.p50 < 50ms", 10, 0.5, 20 * time.Second},
		{"end_to_end.p99 < 50ms", 3333, 0.5, 3100 * time.Millisecond}, // 3.0003 s
		// One step of 10 % over the capacity a backlog of 500 ms takes 0.5 × 1.1/0.1 =
		// 5.5 s, of which 0.5 s are the warm-up.
		{"end_to_end.max < 500ms", 10, 0.1, 5 * time.Second},
		{"end_to_end.max < 500ms", 10, 1, 2 * time.Second},
		{"end_to_end.max < 1s", 10, 0.25, 4500 * time.Millisecond},
		// So that the middle one waits that long: (5.5 s − 0.5 s) / 0.5; of 100, p90: 5 s / 0.9.
		{"end_to_end.p50 < 500ms", 1000, 0.1, 10 * time.Second},
		{"end_to_end.mean < 500ms", 1000, 0.1, 10 * time.Second},
		{"end_to_end.p90 < 500ms", 1000, 0.1, 5600 * time.Millisecond},
		{"end_to_end.p99 < 500ms", 10_000, 0.1, 5100 * time.Millisecond},
	} {
		got, err := Window(parsed(t, c.slo), load, c.rate, c.step)
		require.NoError(t, err)
		require.Equal(t, profile.Duration(c.want), got, "%s at %v", c.slo, c.rate)
	}
	rapid.Check(t, func(t *rapid.T) { requireWindowBreaks(t) })
	_, err := Window(parsed(t, "lost == 0", "end_to_end.p999 < 50ms"), load, 100, 0.5)
	require.EqualError(t, err, "end_to_end.p999 < 50ms at 100/s needs a window of 16m40s, so that 100 messages lie beyond the percentile, and at most 5m are measured: raise capacity.rates.from, or take a lower percentile")
	_, err = Window(parsed(t, "end_to_end.max < 10s"), load, 100, 0.01)
	require.EqualError(t, err, "end_to_end.max < 10s needs a window of 16m49.5s, so that a backlog reaches it one step of 1% over the capacity, and at most 5m are measured: raise capacity.rates.step")
}

// requireWindowBreaks simulates one step over the capacity, message by message:
// the window's latencies break the bound.
func requireWindowBreaks(t *rapid.T) {
	name := rapid.SampledFrom([]string{"p50", "p90", "p99", "max", "mean"}).Draw(t, "of")
	limit := rapid.IntRange(20, 900).Draw(t, "ms")
	step := rapid.Float64Range(0.1, 1).Draw(t, "step")
	load := profile.Load{Duration: profile.Duration(500 * time.Millisecond), Warmup: profile.Duration(rapid.IntRange(0, 2000).Draw(t, "warm-up")) * profile.Duration(time.Millisecond)}
	const capacity = 2000.0
	window, err := Window(parsed(t, fmt.Sprintf("end_to_end.%s < %dms", name, limit)), load, capacity*(1+step), profile.Share(step))
	require.NoError(t, err)
	var waits []float64 // ms
	sum, warm, done := 0.0, time.Duration(load.Warmup).Seconds(), 0.0
	for n := 0.0; ; n++ {
		due := n / (capacity * (1 + step))
		if due >= warm+time.Duration(window).Seconds() {
			break
		}
		done = max(done, due) + 1/capacity
		if due >= warm {
			waits = append(waits, (done-due)*1e3)
			sum += (done - due) * 1e3
		}
	}
	at := map[string]float64{"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1}[name]
	seen := sum / float64(len(waits))
	if name != "mean" {
		seen = waits[int(at*float64(len(waits)))-1]
	}
	require.GreaterOrEqual(t, seen, float64(limit))
}

// The model walks up without a word about bounds.
func TestClimb(t *testing.T) {
	rates := []float64{10, 20, 30}
	for _, c := range []struct {
		states []State
		want   Pass
	}{
		{[]State{Held, Held, Held}, Pass{30, AtLeast, Held}},
		{[]State{Held, Held, Broke}, Pass{20, Exact, Broke}},
		{[]State{Held, Broke, Held}, Pass{10, Exact, Broke}}, // the last is luck
		{[]State{Broke, Held, Held}, Pass{10, Below, Broke}},
		{[]State{Held, Limited, Broke}, Pass{10, AtLeast, Limited}},
		{[]State{Held, Unknown, Broke}, Pass{10, AtLeast, Unknown}},
		{[]State{Limited, Broke, Broke}, Pass{0, None, Limited}},
		{[]State{Unknown, Held, Held}, Pass{0, None, Unknown}},
	} {
		require.Equal(t, c.want, climb(rates, c.states), "%v", c.states)
	}
	rapid.Check(t, func(t *rapid.T) {
		states := rapid.SliceOfN(rapid.SampledFrom([]State{Held, Broke, Limited, Unknown}), 1, 12).Draw(t, "states")
		rates := make([]float64, len(states))
		for i := range rates {
			rates[i] = float64(i + 1)
		}
		p := climb(rates, states)
		stop := slices.IndexFunc(states, func(s State) bool { return s != Held })
		switch {
		case stop < 0:
			require.Equal(t, Pass{float64(len(states)), AtLeast, Held}, p)
		case states[stop] == Broke && stop == 0:
			require.Equal(t, Pass{1, Below, Broke}, p)
		case states[stop] == Broke:
			require.Equal(t, Pass{float64(stop), Exact, Broke}, p)
		case stop == 0:
			require.Equal(t, Pass{0, None, states[0]}, p)
		default:
			require.Equal(t, Pass{float64(stop), AtLeast, states[stop]}, p)
		}
	})
}

package claim

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/latency"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// beside is a run of an arm and its baseline with these speeds, one a trial.
func beside(mine, base []float64) *result.Run {
	cell := func(arm string, speeds []float64) result.Cell {
		c := result.Cell{Name: arm, Arm: arm}
		for i, s := range speeds {
			tr := fast(s, s)
			tr.ID, tr.Scenario, tr.Status = fmt.Sprintf("%s-%d", arm, i+1), "saturated", result.Completed
			c.Trials = append(c.Trials, tr)
		}
		return c
	}
	return &result.Run{
		Run:   result.Header{Baseline: "base", Scenarios: []string{"saturated"}},
		Cells: []result.Cell{cell("mine", mine), cell("base", base)},
	}
}

func besides(run *result.Run, expression string) result.Claim {
	return Evaluate(run, []profile.Claim{{Glob: "mine/*", Expression: expression}})[0]
}

// Six of each: the interval goes from the 6th smallest of the 36 ratios to the 6th
// largest, since the U of 6 and 6 is 5 or less with a probability of 2.1 %.
func TestTheBaselineIsComparedByTheInterval(t *testing.T) {
	const leftOpen = "the interval leaves it open; more repeats make it narrower"
	hundreds := []float64{100, 100, 100, 100, 100, 100}
	spread := []float64{50, 60, 70, 80, 110, 120} // the ratio is 0.50 to 1.20, its median 0.75
	half := []float64{50, 50, 50, 51, 52, 52}     // 0.50 to 0.52
	for _, c := range []struct {
		mine       []float64
		expression string
		want       result.ClaimStatus
	}{
		{half, "<= 0.9x", result.Met},
		{half, "<= 0.51x", result.ClaimInconclusive},
		{half, "< 0.5x", result.NotMet},
		{half, "<= 0.5x", result.ClaimInconclusive},
		{half, "> 0.52x", result.NotMet},
		{half, ">= 0.5x", result.Met},
		{half, ">= 0.6x", result.NotMet},
		{half, "== 0.51x", result.ClaimInconclusive},
		{half, "!= 0.51x", result.ClaimInconclusive},
		{half, "== 0.5x", result.ClaimInconclusive},
		{half, "== 1x", result.NotMet},
		{half, "!= 1x", result.Met},
		{half, "== 0.5x", result.ClaimInconclusive},
		{spread, "<= 0.9x", result.ClaimInconclusive}, // met by the median
		{spread, ">= 0.6x", result.ClaimInconclusive},
		{spread, "<= 1.2x", result.Met},
		{spread, "> 1.2x", result.NotMet},
		{spread, "< 0.5x", result.NotMet},
	} {
		got := besides(beside(c.mine, hundreds), "pipeline_per_second "+c.expression+" baseline")
		require.Equal(t, c.want, got.Status, "%v %s: %s", c.mine, c.expression, got.Observed)
		reason := ""
		if c.want == result.ClaimInconclusive {
			reason = leftOpen
		}
		require.Equal(t, reason, got.Reason, c.expression)
	}
	got := besides(beside(spread, hundreds), "pipeline_per_second <= 0.9x baseline")
	require.Equal(t, "75/s, 0.75× (95 % CI 0.50–1.20)", got.Observed)
	require.Equal(t, "<= 90/s (0.9× baseline)", got.Expected)
}

// A tolerance widens what is claimed, in parts of it or in the metric's unit.
func TestToleranceBesideTheBaseline(t *testing.T) {
	hundreds := []float64{100, 100, 100, 100, 100, 100}
	near := []float64{96, 97, 98, 99, 103, 104}
	for tolerance, want := range map[string]result.ClaimStatus{
		"4%": result.Met, "3%": result.ClaimInconclusive, "4/s": result.Met, "1/s": result.ClaimInconclusive,
	} {
		require.Equal(t, want, besides(beside(near, hundreds), "pipeline_per_second == 1x baseline ± "+tolerance).Status, tolerance)
	}
	require.Equal(t, result.NotMet, besides(beside(near, hundreds), "pipeline_per_second != 1x baseline ± 4%").Status)
	require.Equal(t, result.NotMet, besides(beside(near, hundreds), "pipeline_per_second == 2x baseline ± 4%").Status)
}

// Where there is no interval the medians decide, and it is said.
func TestWithoutAnIntervalTheMediansDecide(t *testing.T) {
	six := []float64{100, 100, 100, 100, 100, 100}
	got := besides(beside(six[:5], six), "pipeline_per_second >= 1x baseline")
	require.Equal(t, result.Met, got.Status)
	require.Equal(t, "by the medians of 5 and 6 trials; from 6 of each on an interval decides", got.Reason)
	require.Equal(t, "100/s", got.Observed)
	got = besides(beside(six, six[:2]), "pipeline_per_second < 1x baseline")
	require.Equal(t, result.NotMet, got.Status)
	require.Equal(t, "by the medians of 6 and 2 trials; from 6 of each on an interval decides", got.Reason)

	got = besides(beside(six, six), "pipeline_per_second >= 1x baseline")
	require.Equal(t, result.Met, got.Status)
	require.Equal(t, "by the medians: there is no interval", got.Reason, "six times the same")

	late := []float64{100, 100, 100, 100, 100, latency.OverRange}
	got = besides(beside(late, six), "end_to_end.p99 <= 1x baseline")
	require.Equal(t, result.Met, got.Status)
	require.Equal(t, "by the medians: there is no interval", got.Reason)
}

// A trial that is missing could move the interval.
func TestAnIntervalOfSomeTrialsDecidesNothing(t *testing.T) {
	six := []float64{100, 101, 102, 103, 104, 105}
	for _, expression := range []string{"pipeline_per_second > 0.5x baseline", "pipeline_per_second > 2x baseline"} {
		run := beside(append([]float64{99}, six...), six)
		run.Cells[0].Trials[0].Status = result.Failed
		got := besides(run, expression)
		require.Equal(t, result.ClaimInconclusive, got.Status)
		require.Equal(t, "mine-1 is failed", got.Reason)
	}
}

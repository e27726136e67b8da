package claim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/claim"
	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// losing is a run of one cell whose trials lost as many as given; of −1 nothing
// is known.
func losing(lost ...int64) *result.Run {
	cell := result.Cell{Name: "a", Arm: "a", Planned: map[string]int{"crash": len(lost)}}
	for i, n := range lost {
		t := result.Trial{ID: string(rune('1' + i)), Scenario: "crash", Repeat: i + 1, Status: result.Completed, Verdict: &ledger.Verdict{Lost: ledger.Lost{Total: n}}}
		if n < 0 {
			t.Status, t.Reason, t.Verdict = result.Inconclusive, "no fault fired", nil
		}
		cell.Trials = append(cell.Trials, t)
	}
	return &result.Run{Run: result.Header{Scenarios: []string{"crash"}}, Cells: []result.Cell{cell}}
}

// One trial that meets a claim of a draw is enough; none of those that could is not.
func TestSometimes(t *testing.T) {
	for _, c := range []struct {
		lost      []int64
		status    result.ClaimStatus
		frequency result.Frequency
		trials    []string
		reason    string
	}{
		{[]int64{0, 3, 0, 1}, result.Met, result.Frequency{Times: 2, Of: 4}, []string{"2", "4"}, ""},
		{[]int64{0, 0}, result.NotMet, result.Frequency{Times: 0, Of: 2}, nil, ""},
		{[]int64{-1, 2}, result.Met, result.Frequency{Times: 1, Of: 1}, []string{"2"}, ""},
		{[]int64{0, -1}, result.ClaimInconclusive, result.Frequency{Times: 0, Of: 1}, nil, "2 is inconclusive: no fault fired"},
	} {
		got := claim.Evaluate(losing(c.lost...), []profile.Claim{{Glob: "a/crash", Expression: "lost > 0", Sometimes: true}})
		require.Len(t, got, 1)
		require.Equal(t, c.status, got[0].Status, "%v", c.lost)
		require.Equal(t, &c.frequency, got[0].Sometimes)
		require.Equal(t, c.trials, got[0].Trials)
		require.Equal(t, c.reason, got[0].Reason)
	}
}

// A count is compared with another of the same trial.
func TestAnotherCount(t *testing.T) {
	run := losing(3)
	run.Cells[0].Trials[0].Verdict.Aborted, run.Cells[0].Trials[0].Verdict.AbortedDelivered = 7, 7
	for expression, want := range map[string]result.Claim{
		"aborted_delivered == aborted":   {Status: result.Met, Expected: "7 (aborted)", Observed: "7"},
		"lost == aborted":                {Status: result.NotMet, Expected: "7 (aborted)", Observed: "3"},
		"lost >= 0.5x aborted_delivered": {Status: result.NotMet, Expected: ">= 3.50 (0.5× aborted_delivered)", Observed: "3"},
	} {
		got := claim.Evaluate(run, []profile.Claim{{Glob: "a/crash", Expression: expression}})
		require.Len(t, got, 1)
		require.Equal(t, want, result.Claim{Status: got[0].Status, Expected: got[0].Expected, Observed: got[0].Observed}, expression)
	}
	_, err := claim.Parse("ack.p99 > aborted")
	require.ErrorContains(t, err, `no setting "aborted"`)
}

// A claim demands something when a trial without any damage fails it.
func TestDemands(t *testing.T) {
	for expression, want := range map[string]bool{
		"lost > 0": true, "lost == 0": false, "lost != 0": true, "lost >= 1": true, "lost <= 5": false, "lost == 500": true,
		"lost == consumer.commit.every": true, "duplicates == predicted": true, "duplicates == predicted ± 15%": true,
		"duplicates < consumer.commit.every": false, "reordered > 0": true, "unknown > 0": true, "aborted_delivered == 0": false,
		"promise == violated": true, "promise == held": false, "promise != held": true, "promise != violated": false, "acked > 0": false, "effects == 10": false, "lost == 5%": true,
		"lost == 0%": false, "lost >= 0%": false, "lost > 0%": true, "lost <= 5%": false, "duplicates == 0x predicted": false,
		"lost == 0.5x consumer.commit.every": true, "lost < 2x predicted": false,
		"pipeline_per_second <= 0.9x baseline": true, "pipeline_per_second >= 0.9x baseline": false,
		"end_to_end.p99 > 1.5x baseline": true, "end_to_end.p99 <= 50ms": false,
	} {
		e, err := claim.Parse(expression)
		require.NoError(t, err)
		require.Equal(t, want, e.Demands(), expression)
	}
}

// What a trial is compared with can be none in that trial: then nothing has to
// go wrong in it.
func TestDemandsOfATrial(t *testing.T) {
	none, some := int64(0), int64(7)
	for expression, want := range map[string]map[int64]bool{
		"lost == predicted": {0: false, 7: true}, "lost == predicted ± 15%": {0: false, 7: true}, "lost < predicted": {0: false, 7: false},
		"lost == aborted": {0: false, 7: true}, "lost > 0": {0: true, 7: true}, "lost == 0": {0: false, 7: false},
		"lost.skipped == consumer.commit.every": {0: true, 7: true},
	} {
		e, err := claim.Parse(expression)
		require.NoError(t, err)
		for _, n := range []*int64{&none, &some} {
			trial := &result.Trial{Verdict: &ledger.Verdict{Aborted: *n}, Faults: []result.Fault{{Predicted: &result.Predicted{Lost: n, Exact: true}}}}
			require.Equal(t, want[*n], e.DemandsOf(trial), "%s, of %d", expression, *n)
		}
		require.Equal(t, e.Demands(), e.DemandsOf(&result.Trial{Faults: []result.Fault{{}}}), "%s, of a trial that cannot tell", expression)
	}
}

// An inconclusive trial that has more of one count than of another proves
// nothing: the other can still become as many.
func TestTwoCountsOfAnInconclusiveTrial(t *testing.T) {
	run := losing(3)
	trial := &run.Cells[0].Trials[0]
	trial.Status, trial.Reason = result.Inconclusive, "the topic was not drained"
	for expression, want := range map[string]result.ClaimStatus{
		"lost == duplicates": result.ClaimInconclusive, "lost <= duplicates": result.ClaimInconclusive, "lost <= 2": result.NotMet,
	} {
		got := claim.Evaluate(run, []profile.Claim{{Glob: "a/crash", Expression: expression}})
		require.Equal(t, want, got[0].Status, expression)
	}
}

// A completed trial that cannot be judged may be the one: nothing is refuted
// before it can.
func TestADrawThatCannotBeJudged(t *testing.T) {
	about := int64(10)
	vague := []result.Fault{{Name: "isolate leader", Predicted: &result.Predicted{Lost: &about}}}
	for name, c := range map[string]struct {
		lost       []int64
		expression string
		status     result.ClaimStatus
		frequency  result.Frequency
		reason     string
	}{
		"none":         {[]int64{3, 4}, "lost == predicted", result.ClaimInconclusive, result.Frequency{}, `1: "isolate leader" predicts about 10, not to the message: write lost == predicted ± 15%`},
		"some":         {[]int64{3, 4}, "promise == violated", result.ClaimInconclusive, result.Frequency{Of: 1}, "1: its promise is inconclusive"},
		"one is there": {[]int64{3, 4}, "promise == held", result.Met, result.Frequency{Times: 1, Of: 1}, ""},
	} {
		run := losing(c.lost...)
		trials := run.Cells[0].Trials
		trials[0].Promise, trials[1].Promise = result.PromiseInconclusive, result.Held
		trials[0].Faults, trials[1].Faults = vague, vague
		got := claim.Evaluate(run, []profile.Claim{{Glob: "a/crash", Expression: c.expression, Sometimes: true}})
		require.Equal(t, c.status, got[0].Status, name)
		require.Equal(t, &c.frequency, got[0].Sometimes, name)
		require.Equal(t, c.reason, got[0].Reason, name)
	}
}

// Of a latency over range only the bound is known.
func TestLatenciesOverRange(t *testing.T) {
	of := func(arm string, p50 float64) result.Cell {
		return result.Cell{Name: arm, Arm: arm, Trials: []result.Trial{{ID: arm, Scenario: "paced", Status: result.Completed,
			Latency: map[string]latency.Summary{result.EndToEnd: {Count: 9, P50: p50}}}}}
	}
	for _, c := range []struct {
		mine, base float64
		expression string
		want       result.ClaimStatus
	}{
		{latency.OverRange, latency.OverRange, "end_to_end.p50 <= 1.5x baseline", result.ClaimInconclusive},
		{latency.OverRange, 4e8, "end_to_end.p50 <= 2x baseline", result.ClaimInconclusive},
		{latency.OverRange, 1e6, "end_to_end.p50 <= 2x baseline", result.NotMet},
		{latency.OverRange, 1e6, "end_to_end.p50 <= 20m", result.ClaimInconclusive},
		{latency.OverRange, 1e6, "end_to_end.p50 > 9m", result.Met},
		{1e6, latency.OverRange, "end_to_end.p50 <= 1.5x baseline", result.Met},
		{1e6, latency.OverRange, "end_to_end.p50 <= 0.001x baseline", result.ClaimInconclusive},
	} {
		run := &result.Run{Run: result.Header{Scenarios: []string{"paced"}, Baseline: "base"}, Cells: []result.Cell{of("mine", c.mine), of("base", c.base)}}
		got := claim.Evaluate(run, []profile.Claim{{Glob: "mine/*", Expression: c.expression}})
		require.Equal(t, c.want, got[0].Status, "%+v: %s", c, got[0].Reason)
		if c.want == result.ClaimInconclusive {
			require.Equal(t, "a latency over 600 s has no number to compare", got[0].Reason)
		}
	}
}

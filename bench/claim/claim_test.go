package claim

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// oneCell is a run of one cell, whose trials the test supplies.
func oneCell(trials ...result.Trial) *result.Run {
	for i := range trials {
		if trials[i].ID == "" {
			trials[i].ID = fmt.Sprintf("t%d", i+1)
		}
		if trials[i].Scenario == "" {
			trials[i].Scenario = "crash"
		}
		if trials[i].Status == "" {
			trials[i].Status = result.Completed
		}
	}
	return &result.Run{
		Run:   result.Header{Scenarios: []string{"crash"}},
		Cells: []result.Cell{{Name: "arm", Arm: "arm", Settings: profile.Defaults().Dotted(), Trials: trials}},
	}
}

func lost(n int64) result.Trial {
	return result.Trial{Promise: result.Held, Verdict: &ledger.Verdict{Due: 1000, Acked: 1000, Lost: ledger.Lost{Total: n, Skipped: n}}}
}

// fast is a trial with this throughput and p99 in microseconds.
func fast(perSecond, p99 float64) result.Trial {
	t := lost(0)
	t.Throughput = result.Throughput{WindowSeconds: 2, PipelinePerSecond: perSecond, BytesPerSecond: perSecond * 256}
	t.Latency = map[string]latency.Summary{result.EndToEnd: {Count: 9, P99: p99}}
	t.Generator.CPU = 0.5
	return t
}

// struck is a trial with faults of these exact predictions.
func struck(observed int64, predicted ...int64) result.Trial {
	t := lost(observed)
	for _, p := range predicted {
		t.Faults = append(t.Faults, result.Fault{Name: "kill consumer", Predicted: &result.Predicted{Lost: &p, Duplicates: &p, Exact: true}})
	}
	return t
}

// isolated is one whose last fault has a prediction that is not exact.
func isolated(observed, about int64, exact ...int64) result.Trial {
	t := struck(observed, append(exact, about)...)
	f := &t.Faults[len(t.Faults)-1]
	f.Name, f.Predicted.Exact = "isolate leader for 2s", false
	return t
}

// unsure is the trial, had it been inconclusive.
func unsure(t result.Trial) result.Trial {
	t.Status, t.Reason = result.Inconclusive, "1 of 2 faults never fired"
	return t
}

func failed() result.Trial {
	return result.Trial{Status: result.Failed, Reason: "no broker"}
}

func evaluate(t require.TestingT, run *result.Run, expression string) result.Claim {
	claims := Evaluate(run, []profile.Claim{{Glob: "arm/*", Expression: expression}})
	require.Len(t, claims, 1)
	return claims[0]
}

// evaluation is one expression on the trials of one cell, and its answer.
type evaluation struct {
	expression string
	trials     []result.Trial
	status     result.ClaimStatus
	expected   string
	observed   string
	reason     string
}

func checkAll(t *testing.T, evaluations []evaluation) {
	t.Helper()
	for _, c := range evaluations {
		t.Run(c.expression, func(t *testing.T) {
			got := evaluate(t, oneCell(c.trials...), c.expression)
			require.Equal(t, []string{string(c.status), c.expected, c.observed, c.reason},
				[]string{string(got.Status), got.Expected, got.Observed, got.Reason})
			require.Equal(t, []string{"arm", "crash", c.expression}, []string{got.Cell, got.Scenario, got.Expression})
		})
	}
}

func TestEvaluateCounts(t *testing.T) {
	blind := lost(0)
	blind.Faults = []result.Fault{{Name: "join consumer"}}
	checkAll(t, []evaluation{
		// Counts must hold in every trial.
		{"lost == 0", []result.Trial{lost(0), lost(0)}, result.Met, "0", "0", ""},
		{"lost == 0", []result.Trial{lost(0), lost(0), lost(0), lost(0), lost(1), lost(0)}, result.NotMet, "0", "1", "in 1 of 6 trials"},
		{"lost <= 10", []result.Trial{lost(3), lost(10)}, result.Met, "<= 10", "3–10", ""},
		{"lost < 10", []result.Trial{lost(3), lost(10)}, result.NotMet, "< 10", "10", "in 1 of 2 trials"},
		{"lost != 0", []result.Trial{lost(3)}, result.Met, "!= 0", "3", ""},
		{"lost > 12000", []result.Trial{lost(20000)}, result.Met, "> 12,000", "20,000", ""},
		{"lost <= 1%", []result.Trial{lost(10)}, result.Met, "<= 10 (1 % of the messages due)", "10", ""},
		{"lost <= 1%", []result.Trial{lost(11)}, result.NotMet, "<= 10 (1 % of the messages due)", "11", "in 1 of 1 trials"},
		{"lost.skipped == 4", []result.Trial{lost(4)}, result.Met, "4", "4", ""},
		{"lost.log == 4", []result.Trial{lost(4)}, result.NotMet, "4", "0", "in 1 of 1 trials"},
		{"acked == 1000 ± 1", []result.Trial{lost(4)}, result.Met, "999–1001", "1000", ""},
		// Settings, of the trial before those of the cell.
		{"lost == consumer.commit.every", []result.Trial{lost(500)}, result.Met, "500 (consumer.commit.every)", "500", ""},
		{"lost == 2 * consumer.commit.every", []result.Trial{lost(1000)}, result.Met, "1000 (2× consumer.commit.every)", "1000", ""},
		{"lost <= 1.1× consumer.commit.every", []result.Trial{lost(550)}, result.Met, "<= 550 (1.1× consumer.commit.every)", "550", ""},
		{"lost == consumer.commit.every", []result.Trial{with(lost(7), "consumer.commit.every", "7")}, result.Met, "7 (consumer.commit.every)", "7", ""},
		{"lost == load.rate", []result.Trial{lost(0)}, result.ClaimInconclusive, "", "", `t1: load.rate: "1000/s" is not a count: write a whole number of messages, such as 500`},
		{"lost == producer.librdkafka.linger.ms", []result.Trial{lost(0)}, result.ClaimInconclusive, "", "", "t1: there is no setting producer.librdkafka.linger.ms"},
		// Predictions.
		{"lost == predicted", []result.Trial{struck(500, 500)}, result.Met, "500 (predicted)", "500", ""},
		{"lost == predicted", []result.Trial{struck(1000, 400, 600)}, result.Met, "1000 (predicted)", "1000", ""},
		{"lost == predicted", []result.Trial{lost(0)}, result.Met, "0 (predicted)", "0", ""},
		{"lost == predicted ± 15%", []result.Trial{struck(115, 100), struck(85, 100)}, result.Met, "85–115 (predicted)", "85–115", ""},
		{"lost == predicted +- 15%", []result.Trial{struck(116, 100)}, result.NotMet, "85–115 (predicted)", "116", "in 1 of 1 trials"},
		{"lost <= 2 * predicted", []result.Trial{struck(200, 100)}, result.Met, "<= 200 (2× predicted)", "200", ""},
		{"lost == predicted", []result.Trial{blind}, result.ClaimInconclusive, "", "", `t1: "join consumer" predicts no number of lost`},
		// Equality to the message needs a prediction to the message.
		{"lost == predicted", []result.Trial{isolated(10000, 10000)}, result.ClaimInconclusive, "", "", `t1: "isolate leader for 2s" predicts about 10,000, not to the message: write lost == predicted ± 15%`},
		{"lost != predicted", []result.Trial{isolated(1, 10000)}, result.ClaimInconclusive, "", "", `t1: "isolate leader for 2s" predicts about 10,000, not to the message: write lost != predicted ± 15%`},
		{"lost == 2 * predicted", []result.Trial{isolated(40, 10, 10)}, result.ClaimInconclusive, "", "", `t1: "isolate leader for 2s" predicts about 10, not to the message: write lost == predicted ± 15%`},
		{"duplicates == predicted", []result.Trial{isolated(0, 10)}, result.ClaimInconclusive, "", "", `t1: "isolate leader for 2s" predicts about 10, not to the message: write duplicates == predicted ± 15%`},
		{"lost == predicted ± 15%", []result.Trial{isolated(9981, 10000)}, result.Met, "8500–11,500 (predicted)", "9981", ""},
		{"lost == predicted ± 3", []result.Trial{isolated(23, 10, 10)}, result.Met, "17–23 (predicted)", "23", ""},
		{"lost <= predicted", []result.Trial{isolated(9981, 10000)}, result.Met, "<= 10,000 (predicted)", "9981", ""},
		{"lost >= predicted", []result.Trial{isolated(9981, 10000)}, result.NotMet, ">= 10,000 (predicted)", "9981", "in 1 of 1 trials"},
	})
}

// A trial that cannot be judged can still refute: what is proven of it stays,
// and whatever is unsure can only add to it.
func TestEvaluateWhatAnInconclusiveTrialProves(t *testing.T) {
	const (
		worse  = "; what is unsure of t1, which is inconclusive, can only make it worse"
		reason = "t1 is inconclusive: 1 of 2 faults never fired"
	)
	broken := lost(0)
	broken.Promise = result.Violated
	doubled := lost(0)
	doubled.Verdict.Duplicates.Total = 7
	behind := lost(0)
	behind.Verdict.Undrained = 3
	checkAll(t, []evaluation{
		{"lost == 0", []result.Trial{unsure(lost(5))}, result.NotMet, "0", "5", "in 1 of 1 trials" + worse},
		{"lost == 0", []result.Trial{unsure(lost(5)), lost(0), failed()}, result.NotMet, "0", "5", "in 1 of 2 trials" + worse},
		{"lost == 0", []result.Trial{unsure(lost(0)), lost(2)}, result.NotMet, "0", "2", "in 1 of 1 trials"},
		{"lost <= 5", []result.Trial{unsure(lost(6))}, result.NotMet, "<= 5", "6", "in 1 of 1 trials" + worse},
		{"lost < 5", []result.Trial{unsure(lost(5))}, result.NotMet, "< 5", "5", "in 1 of 1 trials" + worse},
		{"lost == 5 ± 1", []result.Trial{unsure(lost(7))}, result.NotMet, "4–6", "7", "in 1 of 1 trials" + worse},
		{"lost <= 1%", []result.Trial{unsure(lost(11))}, result.NotMet, "<= 10 (1 % of the messages due)", "11", "in 1 of 1 trials" + worse},
		{"lost == predicted ± 15%", []result.Trial{unsure(struck(116, 100))}, result.NotMet, "85–115 (predicted)", "116", "in 1 of 1 trials" + worse},
		{"duplicates == 0", []result.Trial{unsure(doubled)}, result.NotMet, "0", "7", "in 1 of 1 trials" + worse},
		// More may still come to it.
		{"lost == 0", []result.Trial{unsure(lost(0))}, result.ClaimInconclusive, "", "", reason},
		{"lost == 5", []result.Trial{unsure(lost(3))}, result.ClaimInconclusive, "", "", reason},
		{"lost == 5 ± 1", []result.Trial{unsure(lost(6))}, result.ClaimInconclusive, "", "", reason},
		{"lost <= 5", []result.Trial{unsure(lost(5))}, result.ClaimInconclusive, "", "", reason},
		{"lost > 5", []result.Trial{unsure(lost(0))}, result.ClaimInconclusive, "", "", reason},
		{"lost > 5", []result.Trial{unsure(lost(9))}, result.ClaimInconclusive, "", "", reason},
		{"lost != 5", []result.Trial{unsure(lost(5))}, result.ClaimInconclusive, "", "", reason},
		// What an unfired fault or a message that was not drained could make less.
		{"acked == 999", []result.Trial{unsure(lost(0))}, result.ClaimInconclusive, "", "", reason},
		{"undrained == 0", []result.Trial{unsure(behind)}, result.ClaimInconclusive, "", "", reason},
		{"end_to_end.p99 < 1s", []result.Trial{unsure(fast(1, 2e6))}, result.ClaimInconclusive, "", "", reason},
		// No numbers, no proof; nor without something to compare with.
		{"lost == 0", []result.Trial{unsure(result.Trial{})}, result.ClaimInconclusive, "", "", reason},
		{"lost == predicted", []result.Trial{unsure(isolated(50, 10))}, result.ClaimInconclusive, "", "", reason},
		// The promise.
		{"promise == held", []result.Trial{unsure(broken), lost(0)}, result.NotMet, "held", "violated", "in 1 of 2 trials" + worse},
		{"promise != violated", []result.Trial{unsure(broken)}, result.NotMet, "not violated", "violated", "in 1 of 1 trials" + worse},
		{"promise == violated", []result.Trial{unsure(broken)}, result.ClaimInconclusive, "violated", "", reason},
		{"promise == violated", []result.Trial{unsure(lost(0))}, result.ClaimInconclusive, "violated", "", reason},
	})
}

// What was planned and never ran is missing, and the claim says why.
func TestEvaluateWhatNeverRan(t *testing.T) {
	const died = "the run cannot go on: the embedded broker ended (signal: killed)"
	for _, c := range []struct {
		name, expression string
		trials           []result.Trial
		planned          int
		interrupted      bool
		status           result.ClaimStatus
		reason           string
	}{
		{"none", "lost == 0", nil, 2, false, result.ClaimInconclusive, "no trial ran: " + died},
		{"none, interrupted", "lost == 0", nil, 2, true, result.ClaimInconclusive, "no trial ran: the run was interrupted"},
		{"none, of a promise", "promise == held", nil, 2, false, result.ClaimInconclusive, "no trial ran: " + died},
		{"none, of a latency", "end_to_end.p99 < 1s", nil, 2, false, result.ClaimInconclusive, "no trial ran: " + died},
		{"some", "lost == 0", []result.Trial{lost(0)}, 3, false, result.ClaimInconclusive, "2 of 3 trials did not run: " + died},
		{"some, of a promise", "promise == held", []result.Trial{lost(0)}, 3, false, result.ClaimInconclusive, "2 of 3 trials did not run: " + died},
		{"some, of a latency", "end_to_end.p99 < 1s", []result.Trial{fast(1, 1)}, 2, false, result.ClaimInconclusive, "1 of 2 trials did not run: " + died},
		{"some would not do", "end_to_end.p99 < 1s", []result.Trial{fast(1, 2e6)}, 2, false, result.ClaimInconclusive, "1 of 2 trials did not run: " + died},
		{"one failed", "lost == 0", []result.Trial{lost(0), failed()}, 4, false, result.ClaimInconclusive, "3 of 4 trials did not complete; t2 is failed: no broker"},
		{"refuted already", "lost == 0", []result.Trial{lost(1)}, 3, false, result.NotMet, "in 1 of 1 trials"},
		{"all", "lost == 0", []result.Trial{lost(0)}, 1, false, result.Met, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := oneCell(c.trials...)
			run.Run.Interrupted, run.Run.Unfinished = c.interrupted, died
			run.Cells[0].Planned = map[string]int{"crash": c.planned}
			got := evaluate(t, run, c.expression)
			require.Equal(t, []string{string(c.status), c.reason}, []string{string(got.Status), got.Reason})
		})
	}
}

// While the run goes on nothing is missing yet; a claim that aborts is about
// the trial that is done.
func TestEvaluateTrialMissesNothing(t *testing.T) {
	run := oneCell()
	run.Cells[0].Planned = map[string]int{"crash": 6}
	done := lost(0)
	done.ID, done.Scenario, done.Status = "new", "crash", result.Completed
	got := EvaluateTrial(run, &run.Cells[0], &done, []profile.Claim{{Glob: "arm/crash", Expression: "lost == 0", Abort: true}})
	require.Equal(t, result.Met, got[0].Status)
}

func TestEvaluateMedians(t *testing.T) {
	checkAll(t, []evaluation{
		{"end_to_end.p99 <= 50ms", []result.Trial{fast(1, 20e3), fast(1, 50e3), fast(1, 900e3)}, result.Met, "<= 50 ms", "50 ms", ""},
		{"end_to_end.p99 <= 50ms", []result.Trial{fast(1, 50.2e3)}, result.NotMet, "<= 50 ms", "50.2 ms", ""},
		{"end_to_end.p99 <= consumer.session_timeout", []result.Trial{fast(1, 50e3)}, result.Met, "<= 10 s (consumer.session_timeout)", "50 ms", ""},
		{"pipeline_per_second >= 20000/s", []result.Trial{fast(20000, 1)}, result.Met, ">= 20,000/s", "20,000/s", ""},
		{"pipeline_per_second >= 0.5 x load.rate", []result.Trial{fast(500, 1)}, result.Met, ">= 500/s (0.5× load.rate)", "500/s", ""},
		{"pipeline_per_second >= load.rate", []result.Trial{with(fast(500, 1), "load.rate", "max")}, result.ClaimInconclusive, "", "500/s", "load.rate: the rate max is no number to compare with"},
		{"produced_bytes_per_second > 1KiB/s", []result.Trial{fast(500, 1)}, result.Met, "> 1 KiB/s", "125 KiB/s", ""},
		{"cpu_share < 80%", []result.Trial{fast(1, 1)}, result.Met, "< 80 %", "50 %", ""},
		{"commit.p99 <= 50ms", []result.Trial{fast(1, 1)}, result.ClaimInconclusive, "", "", "commit.p99 was not measured in 1 of 1 trials"},
		{"pipeline_per_second > 1/s", []result.Trial{lost(0)}, result.ClaimInconclusive, "", "", "pipeline_per_second was not measured in 1 of 1 trials"},
	})
}

func TestEvaluatePromisesAndWhatDidNotComplete(t *testing.T) {
	vague := lost(0)
	vague.Promise = result.PromiseInconclusive
	broken := lost(0)
	broken.Promise = result.Violated
	checkAll(t, []evaluation{
		// The promise.
		{"promise == held", []result.Trial{lost(0), lost(0)}, result.Met, "held", "held", ""},
		{"promise == held", []result.Trial{lost(0), broken}, result.NotMet, "held", "violated", "in 1 of 2 trials"},
		{"promise == held", []result.Trial{vague, lost(0)}, result.ClaimInconclusive, "held", "inconclusive", "in 1 of 2 trials"},
		{"promise == held", []result.Trial{vague, broken}, result.NotMet, "held", "violated", "in 1 of 2 trials"},
		{"promise != violated", []result.Trial{lost(0)}, result.Met, "not violated", "held", ""},
		{"promise == violated", []result.Trial{broken}, result.Met, "violated", "violated", ""},
		// What did not complete.
		{"lost == 0", []result.Trial{lost(0), failed()}, result.ClaimInconclusive, "0", "0", "t2 is failed: no broker"},
		{"lost == 0", []result.Trial{failed(), lost(1)}, result.NotMet, "0", "1", "in 1 of 1 trials"},
		{"lost == 0", []result.Trial{failed(), failed()}, result.ClaimInconclusive, "", "", "2 of 2 trials did not complete; t1 is failed: no broker"},
		{"promise == held", []result.Trial{failed()}, result.ClaimInconclusive, "held", "", "t1 is failed: no broker"},
		{"end_to_end.p99 < 1s", []result.Trial{fast(1, 1), failed()}, result.ClaimInconclusive, "< 1 s", "1 µs", "t2 is failed: no broker"},
		{"end_to_end.p99 < 1s", []result.Trial{fast(1, 2e6), failed()}, result.ClaimInconclusive, "< 1 s", "2 s", "t2 is failed: no broker"},
		{"end_to_end.p99 < 200s", []result.Trial{fast(1, 1), fast(1, latency.OverRange)}, result.NotMet, "< 200 s", "> 10 min", "the median of 2 trials"},
		{"end_to_end.p99 < 1s", []result.Trial{fast(1, 7e8)}, result.NotMet, "< 1 s", "> 10 min", ""},
	})
}

func with(t result.Trial, setting, value string) result.Trial {
	t.Settings = map[string]string{setting: value}
	return t
}

func TestTheDecidingTrialsAreNamed(t *testing.T) {
	require.Equal(t, []string{"t1", "t2"}, evaluate(t, oneCell(lost(0), lost(0)), "lost == 0").Trials)
	require.Equal(t, []string{"t2", "t3"}, evaluate(t, oneCell(lost(0), lost(1), lost(3)), "lost == 0").Trials)
	require.Equal(t, "1–3", evaluate(t, oneCell(lost(0), lost(1), lost(3)), "lost == 0").Observed)
}

func TestOmittedGivesNoClaim(t *testing.T) {
	claims := []profile.Claim{{Glob: "*/*", Expression: "lost == 0"}}
	left := result.Trial{Status: result.Omitted, Reason: "needs three nodes"}
	require.Empty(t, Evaluate(oneCell(left, left), claims))
	run := oneCell(lost(0))
	run.Cells[0].Omitted = "the same as another"
	require.Empty(t, Evaluate(run, claims))
	require.Empty(t, Evaluate(oneCell(), claims), "a scenario that was not asked for")

	// Interrupted before the scenario began: it was due, and it did not come.
	run = oneCell()
	run.Run.Interrupted = true
	got := Evaluate(run, claims)
	require.Len(t, got, 1)
	require.Equal(t, "no trial ran: the run was interrupted", got[0].Reason)
	// Nor is it due when it was left out of the plan.
	run.Cells[0].Planned = map[string]int{"other": 1}
	require.Empty(t, Evaluate(run, claims))
	// A repeat that was left out after others ran (its cell was stopped) is missing.
	require.Equal(t, result.ClaimInconclusive, evaluate(t, oneCell(lost(0), left), "lost == 0").Status)
}

func TestBaseline(t *testing.T) {
	cell := func(arm, acks string, speeds ...float64) result.Cell {
		c := result.Cell{Name: arm + "/acks=" + acks, Arm: arm, Matrix: map[string]string{"producer.acks": acks}}
		for i, s := range speeds {
			tr := fast(s, 1)
			tr.ID, tr.Scenario, tr.Status = fmt.Sprintf("%s-%s-%d", arm, acks, i+1), "saturated", result.Completed
			c.Trials = append(c.Trials, tr)
		}
		return c
	}
	run := &result.Run{
		Run: result.Header{Baseline: "slow", Scenarios: []string{"saturated"}},
		Cells: []result.Cell{
			cell("slow", "1", 90, 100, 800), cell("slow", "all", 10), cell("quick", "1", 120, 120), cell("quick", "all", 11), cell("quick", "0", 1),
		},
	}
	claims := Evaluate(run, []profile.Claim{{Glob: "quick/saturated", Expression: "pipeline_per_second >= 1.2x baseline"}})
	require.Len(t, claims, 3)
	require.Equal(t, result.Met, claims[0].Status, "120 is 1.2 × the median 100")
	require.Equal(t, ">= 120/s (1.2× baseline)", claims[0].Expected)
	require.Equal(t, result.NotMet, claims[1].Status, "11 is less than 1.2 × 10, of the same matrix values")
	require.Equal(t, "the baseline slow has no such cell", claims[2].Reason)

	run.Cells[0].Trials[1].Status = result.Failed
	require.Contains(t, Evaluate(run, []profile.Claim{{Glob: "quick/*", Expression: "pipeline_per_second > 1 × baseline"}})[0].Reason, "baseline slow: slow-1-2 is failed")
	run.Cells[0].Trials[1].Status = result.Completed
	run.Cells[0].Planned = map[string]int{"saturated": 6}
	require.Equal(t, "baseline slow: 3 of 6 trials did not run", Evaluate(run, []profile.Claim{{Glob: "quick/*", Expression: "pipeline_per_second > 1 × baseline"}})[0].Reason)
	run.Run.Baseline = ""
	require.Equal(t, "the profile names no baseline", Evaluate(run, []profile.Claim{{Glob: "quick/*", Expression: "pipeline_per_second > baseline"}})[0].Reason)
}

func TestEvaluateTrial(t *testing.T) {
	run := oneCell(lost(0))
	bad := lost(3)
	bad.ID, bad.Scenario, bad.Status = "new", "crash", result.Completed
	claims := []profile.Claim{
		{Glob: "arm/crash", Expression: "lost == 0", Abort: true},
		{Glob: "arm/crash", Expression: "lost == 0"},
		{Glob: "arm/other", Expression: "lost == 0", Abort: true},
	}
	got := EvaluateTrial(run, &run.Cells[0], &bad, claims)
	require.Len(t, got, 1, "abort claims that match only")
	require.Equal(t, result.NotMet, got[0].Status)
	require.Equal(t, []string{"new"}, got[0].Trials)
	bad.Status = result.Omitted
	require.Empty(t, EvaluateTrial(run, &run.Cells[0], &bad, claims))
}

func TestParseErrorsSayWhereAndWhat(t *testing.T) {
	for expression, want := range map[string]string{
		"":                                `claim "", column 1: start with a metric, as in lost == 0`,
		"lsot == 0":                       `claim "lsot == 0", column 1: no metric "lsot": the nearest is lost`,
		" duplicate == 0":                 `claim " duplicate == 0", column 2: no metric "duplicate": the nearest is duplicates`,
		"end_to_end.p95 < 1s":             `claim "end_to_end.p95 < 1s", column 1: no metric "end_to_end.p95": the nearest is end_to_end.p90`,
		"lost = 0":                        `claim "lost = 0", column 6: write one of == != < <= > >= after lost`,
		"lost ==":                         `claim "lost ==", column 8: compare with a number such as 500, a setting, predicted or 1.2x baseline`,
		"lost == 5ms":                     `claim "lost == 5ms", column 9: "5ms" is not a count: write a whole number of messages, such as 500`,
		"end_to_end.p99 < 50":             `claim "end_to_end.p99 < 50", column 18: 50 has no unit; write 50ms or 50s`,
		"pipeline_per_second > 500":       `claim "pipeline_per_second > 500", column 23: 500 has no unit; write 500/s`,
		"produced_bytes_per_second > 5MB": `claim "produced_bytes_per_second > 5MB", column 29: "5MB" is not bytes per second: write 10MiB/s`,
		"end_to_end.p99 < 5%":             `claim "end_to_end.p99 < 5%", column 18: 5% is a share: end_to_end.p99 is written such as 50ms`,
		"cpu_share < 5":                   `claim "cpu_share < 5", column 13: "5" is not a share: write it in percent, such as 80%`,
		"lost == consumer.comit.every":    `claim "lost == consumer.comit.every", column 9: no setting "consumer.comit.every": the nearest is consumer.commit.every`,
		"acked == predicted":              `claim "acked == predicted", column 10: faults predict database.messages_without_row, database.rows_without_message, dead_lettered, duplicates, lost, not acked`,
		"lost <= predicted ± 15%":         `claim "lost <= predicted ± 15%", column 19: ± goes with == or !=, not with <=`,
		"lost == predicted ±":             `claim "lost == predicted ±", column 20: write a tolerance after ±, such as 15%`,
		"lost == 1 ± 1 2":                 `claim "lost == 1 ± 1 2", column 15: unexpected "2": a claim is metric, comparison, value`,
		"lost == 1.2.3x baseline":         `claim "lost == 1.2.3x baseline", column 9: "1.2.3" is not a factor: write one such as 1.2`,
		"lost == 0 and duplicates == 0":   `claim "lost == 0 and duplicates == 0", column 11: unexpected "and duplicates == 0": a claim is metric, comparison, value`,
		"promise < held":                  `claim "promise < held", column 11: a promise is compared with == or !=`,
		"promise == kept":                 `claim "promise == kept", column 12: a promise is held, violated, inconclusive or none`,
		"lost == -1":                      `claim "lost == -1", column 9: compare with a number such as 500, a setting, predicted or 1.2x baseline`,
	} {
		_, err := Parse(expression)
		require.EqualError(t, err, want)
		var syntax *SyntaxError
		require.True(t, errors.As(err, &syntax))
	}
}

func TestParseAccepts(t *testing.T) {
	for _, expression := range []string{
		"lost==0", "\tlost  ==  0 ", "lost == predicted±15%", "lost == predicted+-15%", "lost == predicted +/- 3", "lost == 500±15%",
		"end_to_end.p999 != 1m30s ± 1ms", "end_to_end.p99 < 500µs", "pipeline_per_second > 1.2xbaseline", "pipeline_per_second > 1.2 × baseline",
		"pipeline_per_second >= 20k/s", "lost <= 2*consumer.commit.every", "lost == consumer.librdkafka.queued.min.messages", "end_to_end.p50 == 0s",
	} {
		e, err := Parse(expression)
		require.NoError(t, err, expression)
		require.Equal(t, strings.TrimSpace(expression), e.String())
	}
	e, err := Parse("pipeline_per_second > 1.2x baseline")
	require.NoError(t, err)
	require.True(t, e.NeedsBaseline())
	require.Equal(t, "pipeline_per_second", e.Metric())
	e, err = Parse("lost == 2 * consumer.commit.every")
	require.NoError(t, err)
	require.Equal(t, "consumer.commit.every", e.Setting())
	require.Equal(t, 2.0, e.factor)
}

func TestCheckListsEveryMistake(t *testing.T) {
	errs := Check(&profile.Profile{Claims: []profile.Claim{
		{Glob: "*/*", Expression: "lost == 0", Line: 3},
		{Glob: "*/*", Expression: "lots == 0", Line: 4},
		{Glob: "*/*", Expression: "pipeline_per_second > baseline", Line: 5},
	}})
	require.Len(t, errs, 2)
	require.EqualError(t, errs[0], `line 4: claim "lots == 0", column 1: no metric "lots": the nearest is lost`)
	require.EqualError(t, errs[1], `line 5: claim "pipeline_per_second > baseline" needs a baseline: set baseline to an arm's name`)
}

func TestMetricsAreDistinctAndReadable(t *testing.T) {
	names := Metrics()
	require.Len(t, slices.Compact(slices.Clone(names)), len(names))
	for _, m := range metrics() {
		if m.unit == outcome {
			continue
		}
		_, err := Parse(m.name + " >= " + m.unit.example())
		require.NoError(t, err)
		m.read(&result.Trial{}) // a trial without anything must not panic
	}
}

// Every comparison, against the plain one on integers.
func TestComparisonsAgainstModel(t *testing.T) {
	model := map[string]func(a, b int64) bool{
		"==": func(a, b int64) bool { return a == b }, "!=": func(a, b int64) bool { return a != b },
		"<": func(a, b int64) bool { return a < b }, "<=": func(a, b int64) bool { return a <= b },
		">": func(a, b int64) bool { return a > b }, ">=": func(a, b int64) bool { return a >= b },
	}
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.OneOf(rapid.Int64Range(0, 5), rapid.Int64Range(0, 100_000_000_000))
		want := count.Draw(t, "want")
		seen := rapid.SliceOfN(rapid.OneOf(count, rapid.SampledFrom([]int64{want, want + 1, max(0, want-1)})), 1, 6).Draw(t, "seen")
		op := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="}).Draw(t, "op")
		holds := true
		var trials []result.Trial
		for _, n := range seen {
			trials = append(trials, lost(n))
			holds = holds && model[op](n, want)
		}
		got := evaluate(t, oneCell(trials...), fmt.Sprintf("lost %s %d", op, want))
		require.Equal(t, holds, got.Status == result.Met)
		require.Equal(t, !holds, got.Status == result.NotMet)
	})
}

// Whatever a claim is said to be before every trial is complete, it is still
// when each has come to its end and its count has grown or not.
func TestAnAnswerIsNeverTakenBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var now, later []result.Trial
		for range rapid.IntRange(1, 5).Draw(t, "trials") {
			n, more := rapid.Int64Range(0, 4).Draw(t, "lost"), rapid.Int64Range(0, 3).Draw(t, "more")
			if rapid.Bool().Draw(t, "completed") {
				now, later = append(now, lost(n)), append(later, lost(n))
				continue
			}
			now, later = append(now, unsure(lost(n))), append(later, lost(n+more))
		}
		form := rapid.SampledFrom([]string{"== %d", "!= %d", "== %d ± 1", "!= %d ± 1", "< %d", "<= %d", "> %d", ">= %d"}).Draw(t, "form")
		expression := fmt.Sprintf("lost "+form, rapid.IntRange(0, 4).Draw(t, "want"))
		if first := evaluate(t, oneCell(now...), expression).Status; first != result.ClaimInconclusive {
			require.Equal(t, evaluate(t, oneCell(later...), expression).Status, first)
		}
	})
}

// Trials that did not complete never turn a claim around: they leave a
// refuted one refuted and make the others inconclusive.
func TestIncompleteTrialsNeverDecide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var done, all []result.Trial
		for _, n := range rapid.SliceOfN(rapid.Int64Range(-1, 2), 1, 8).Draw(t, "lost") {
			if n < 0 {
				all = append(all, failed())
				continue
			}
			done, all = append(done, lost(n)), append(all, lost(n))
		}
		got := evaluate(t, oneCell(all...), "lost <= 1").Status
		switch {
		case len(done) == 0:
			require.Equal(t, result.ClaimInconclusive, got)
		case evaluate(t, oneCell(done...), "lost <= 1").Status == result.NotMet:
			require.Equal(t, result.NotMet, got)
		case len(done) < len(all):
			require.Equal(t, result.ClaimInconclusive, got)
		default:
			require.Equal(t, result.Met, got)
		}
	})
}

func TestEditsAgainstModel(t *testing.T) {
	word := rapid.StringMatching(`[ab]{0,5}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		require.Equal(t, naiveEdits(a, b), edits(a, b))
	})
}

// naiveEdits tries everything.
func naiveEdits(a, b string) int {
	if a == "" || b == "" {
		return len(a) + len(b)
	}
	cost := 1
	if a[len(a)-1] == b[len(b)-1] {
		cost = 0
	}
	best := min(naiveEdits(a[:len(a)-1], b)+1, naiveEdits(a, b[:len(b)-1])+1, naiveEdits(a[:len(a)-1], b[:len(b)-1])+cost)
	if len(a) > 1 && len(b) > 1 && a[len(a)-1] == b[len(b)-2] && a[len(a)-2] == b[len(b)-1] {
		best = min(best, naiveEdits(a[:len(a)-2], b[:len(b)-2])+1)
	}
	return best
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"lost == consumer.commit.every", "duplicates == predicted ± 15%", "end_to_end.p99 <= 50ms", "pipeline_per_second >= 1.2× baseline",
		"promise == held", "lost <= 0.1%", "lsot = 3", "lost == 1e999x baseline", "±±", "lost == 2 x predicted +/- 3", "\xff == 0",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		e, err := Parse(expression)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Column < 1 || syntax.Column > len(expression)+1 {
				t.Fatalf("error without its place: %v", err)
			}
			return
		}
		if math.IsNaN(e.factor) || math.IsInf(e.factor, 0) {
			t.Fatalf("factor %v", e.factor)
		}
		again, err := Parse(e.String())
		if err != nil || again.describe(1) != e.describe(1) {
			t.Fatalf("%q does not read back as itself: %v", e, err)
		}
		for _, trial := range []result.Trial{{}, lost(3), fast(2, 3), struck(1, 2)} {
			evaluate(t, oneCell(trial), expression)
		}
	})
}

// IsLatency and Beyond know every metric that is a latency of messages, and no other.
func TestLatencyMetrics(t *testing.T) {
	for _, m := range metrics() {
		role, _, _ := strings.Cut(m.name, ".")
		require.Equal(t, m.unit == micros && slices.Contains(result.Roles(), role), IsLatency(m.name), m.name)
		require.Equal(t, IsLatency(m.name) && strings.Contains(m.name, ".p"), Beyond(m.name) > 0, m.name)
	}
	require.Equal(t, []float64{0.5, 0.1, 0.01, 0.001, 0}, []float64{Beyond("ack.p50"), Beyond("ack.p90"), Beyond("durable.p99"), Beyond("ack.p999"), Beyond("ack.max")})
}

func TestBound(t *testing.T) {
	for text, want := range map[string]float64{"end_to_end.p99 < 50ms": 50e3, "lost == 0": 0, "produced_per_second > 20k/s": 20e3} {
		e, err := Parse(text)
		require.NoError(t, err)
		got, ok := e.Bound()
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"lost == 5%", "lost == predicted", "lost == consumer.commit.every", "ack.p99 < 2x baseline"} {
		e, err := Parse(text)
		require.NoError(t, err)
		_, ok := e.Bound()
		require.False(t, ok, text)
	}
}

// One trial is judged by itself, whatever else its cell ran.
func TestJudgeOneTrial(t *testing.T) {
	slow, quick := fast(100, 100), fast(900, 900)
	slow.ID, quick.ID = "slow", "quick"
	slow.Status, quick.Status = result.Completed, result.Completed
	cell := result.Cell{Name: "a", Arm: "a", Trials: []result.Trial{slow, quick}}
	run := &result.Run{Cells: []result.Cell{cell}}
	require.Equal(t, result.NotMet, Judge(run, &run.Cells[0], &run.Cells[0].Trials[0], "pipeline_per_second >= 500/s").Status)
	require.Equal(t, result.Met, Judge(run, &run.Cells[0], &run.Cells[0].Trials[1], "pipeline_per_second >= 500/s").Status)
}

package catalogue

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/claim"
	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// ran is a run of two arms whose trials lost as many as given; of −1 nothing
// is known.
func ran(early, late []int64) *result.Run {
	run := &result.Run{Run: result.Header{About: "Two orders.", Scenarios: []string{"crash"}, Baseline: "late"},
		Environment: result.Environment{Broker: result.Broker{Kind: "embedded", Version: "kfake"}}}
	for _, arm := range []struct {
		name, when string
		lost       []int64
		speed      float64
	}{{"early", "before-processing", early, 50}, {"late", "after-processing", late, 100}} {
		c := result.Cell{Name: arm.name, Arm: arm.name, Planned: map[string]int{"crash": len(arm.lost)},
			Settings: map[string]string{"consumer.commit.when": arm.when, "guarantee": arm.name, "faults": "", "load.rate": "max"}}
		for i, n := range arm.lost {
			t := result.Trial{ID: arm.name + string(rune('1'+i)), Scenario: "crash", Repeat: i + 1, Status: result.Completed,
				Settings: map[string]string{"faults": "kill consumer"}, Verdict: &ledger.Verdict{Lost: ledger.Lost{Total: n}},
				Throughput: result.Throughput{WindowSeconds: 1, PipelinePerSecond: arm.speed + float64(i)}}
			if n < 0 {
				t.Status, t.Reason, t.Verdict = result.Inconclusive, "no fault fired\nand more", nil
			}
			c.Trials = append(c.Trials, t)
		}
		run.Cells = append(run.Cells, c)
	}
	return run
}

var crashRow = Row{Number: 3, Claim: "It loses.", Profile: "crashing", Breaks: []string{"early/crash"}, Holds: []string{"late/crash"},
	Counts: []Count{{"*/crash", "lost > 4"}}, Shows: MoreSubtle, Conclude: "Commit late."}

func judged(run *result.Run, claims ...profile.Claim) Judgement {
	run.Claims = claim.Evaluate(run, claims)
	return crashRow.Judge(run)
}

func TestJudge(t *testing.T) {
	holds := profile.Claim{Glob: "late/crash", Expression: "lost == 0"}
	breaks := profile.Claim{Glob: "early/crash", Expression: "lost > 0"}
	sometimes := profile.Claim{Glob: "early/crash", Expression: "lost > 0", Sometimes: true}
	for name, c := range map[string]struct {
		early, late []int64
		claim       profile.Claim
		outcome     Outcome
		reason      string
		first       string // of the breaking side
	}{
		"as stated":       {[]int64{5, 5}, []int64{0, 0}, breaks, MoreSubtle, "", "lost 5"},
		"stays clean":     {[]int64{5, 0}, []int64{0, 0}, breaks, NotMet, "early/crash: lost > 0: expected > 0, observed 0–5", "lost 0–5"},
		"breaks too":      {[]int64{5, 5}, []int64{0, 2}, breaks, NotMet, "late/crash: lost == 0: expected 0, observed 0–2", "lost 5"},
		"a draw":          {[]int64{5, 0}, []int64{0, 0}, sometimes, MoreSubtle, "", "lost 0–5, lost > 0 in 1 of 2 (95 % CI 1–99 %)"},
		"never drawn":     {[]int64{0, 0}, []int64{0, 0}, sometimes, NotMet, "early/crash: lost > 0: expected in some trials, observed 0", "lost 0, lost > 0 in 0 of 2 (95 % CI 0–84 %)"},
		"one unsure":      {[]int64{5, -1}, []int64{0, 0}, breaks, Inconclusive, "early/crash: lost > 0: early2 is inconclusive: no fault fired\nand more", "lost 5"},
		"nothing claimed": {[]int64{5}, []int64{0}, holds, Inconclusive, "early/crash: nothing was measured", ""},
	} {
		j := judged(ran(c.early, c.late), holds, c.claim)
		require.Equal(t, c.outcome, j.Outcome, name)
		require.Equal(t, c.reason, j.Reason, name)
		if c.first != "" {
			require.Equal(t, c.first, j.Sides[0].Facts[0].String(), name)
		}
	}
}

// Each side tells where it was measured, what set it apart and how often.
func TestSides(t *testing.T) {
	j := judged(ran([]int64{5, 6}, []int64{0, -1}),
		profile.Claim{Glob: "early/crash", Expression: "lost > 0"}, profile.Claim{Glob: "early/crash", Expression: "lost < 7"},
		profile.Claim{Glob: "early/crash", Expression: "pipeline_per_second < 0.9x baseline"}, profile.Claim{Glob: "late/crash", Expression: "lost == 0"})
	require.Equal(t, Setup{About: "Two orders.", Broker: result.Broker{Kind: "embedded", Version: "kfake"}}, j.Setup)
	require.Len(t, j.Sides, 3)
	early := j.Sides[0]
	require.Equal(t, []string{"early/crash"}, early.Where)
	require.Equal(t, []string{"consumer.commit.when: before-processing"}, early.Settings)
	require.Equal(t, []string{"kill consumer"}, early.Faults)
	require.Equal(t, 2, early.Trials)
	require.Equal(t, []string{"lost > 0", "lost < 7"}, early.Facts[0].Claims)
	require.Equal(t, "lost 5–6", early.Facts[0].String())
	require.Equal(t, "pipeline_per_second 0.51× the baseline's", early.Facts[1].String())
	require.Equal(t, 1, j.Sides[1].Trials)
	require.Equal(t, "no fault fired", j.Sides[1].Reason)
	counted := j.Sides[2]
	require.Equal(t, Counted, counted.Side)
	require.Equal(t, "lost 0–6, lost > 4 in 2 of 3 (95 % CI 9–99 %)", counted.Facts[0].String())
}

func TestRecordIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	require.False(t, HasRecord(dir))
	_, err := Load(dir)
	require.EqualError(t, err, dir+" holds no claims.json: give the folder of a suite's run, such as results/claims-20261121T101500Z")
	saved := &Record{Schema: Schema, Suite: Header{ID: "small", Scale: 1}, Profiles: []Entry{{Profile: "crashing", State: Finished}},
		Rows: []Judgement{judged(ran([]int64{5}, []int64{0}), profile.Claim{Glob: "*/crash", Expression: "lost >= 0", Sometimes: true})}}
	require.NoError(t, saved.Save(dir))
	require.True(t, HasRecord(dir))
	read, err := Load(dir)
	require.NoError(t, err)
	want, err := json.Marshal(saved)
	require.NoError(t, err)
	got, err := json.Marshal(read)
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(got))
	require.Equal(t, Finished, read.Entry("crashing").State)
	require.Nil(t, read.Entry("other"))

	require.NoError(t, os.WriteFile(filepath.Join(dir, RecordFile), []byte(`{"schema": "deliverybench/claims/v9"}`), 0o600))
	_, err = Load(dir)
	require.ErrorContains(t, err, `its schema is "deliverybench/claims/v9" and this program reads "deliverybench/claims/v1"`)
	require.NoError(t, os.WriteFile(filepath.Join(dir, RecordFile), []byte(`{`), 0o600))
	_, err = Load(dir)
	require.ErrorContains(t, err, "not a saved suite")
}

// A side of several cells tells of each metric what those observed that claim it,
// and no settings that every side varies alike.
func TestASideOfSeveralCells(t *testing.T) {
	run := ran([]int64{5, 5}, []int64{0, 0})
	run.Claims = claim.Evaluate(run, []profile.Claim{{Glob: "early/crash", Expression: "lost > 0"}, {Glob: "late/crash", Expression: "duplicates == 0"}})
	row := crashRow
	row.Breaks, row.Holds = []string{"*/crash"}, []string{"{early,late}/crash"}
	j := row.Judge(run)
	require.Equal(t, []string{"early/crash", "late/crash"}, j.Sides[0].Where)
	require.Equal(t, "lost 5 (early)", j.Sides[0].Facts[0].String())
	require.Equal(t, "duplicates 0 (late)", j.Sides[0].Facts[1].String())
	require.Empty(t, j.Sides[0].Settings)
}

// Where a side's cells claim different things, each number says whose it is.
func TestANumberSaysWhoseItIs(t *testing.T) {
	run := ran([]int64{5, 5}, []int64{0, 0})
	run.Run.Scenarios = append(run.Run.Scenarios, "calm")
	for i := range run.Cells {
		calm := run.Cells[i].Trials[0]
		calm.ID, calm.Scenario = calm.ID+"calm", "calm"
		run.Cells[i].Trials = append(run.Cells[i].Trials, calm)
	}
	run.Claims = claim.Evaluate(run, []profile.Claim{
		{Glob: "*/*", Expression: "duplicates == 0"}, {Glob: "late/*", Expression: "lost == 0"}, {Glob: "early/calm", Expression: "reordered == 0"}})
	row := crashRow
	row.Holds = []string{"*/*"}
	holds := row.Judge(run).Sides[1]
	var facts []string
	for _, f := range holds.Facts {
		facts = append(facts, f.String())
	}
	require.Equal(t, []string{"duplicates 0", "lost 0 (late)", "reordered 0 (early/calm)"}, facts)
}

// A draw's frequency is that of its own claim, beside others of the metric.
func TestADrawBesideOtherClaims(t *testing.T) {
	run := ran([]int64{5, 0, 0, 1}, []int64{0})
	run.Claims = claim.Evaluate(run, []profile.Claim{
		{Glob: "early/crash", Expression: "lost > 0", Sometimes: true},
		{Glob: "early/crash", Expression: "lost > 4", Sometimes: true},
		{Glob: "early/crash", Expression: "lost < 9"}})
	var facts []string
	for _, f := range crashRow.Judge(run).Sides[0].Facts {
		facts = append(facts, f.String())
	}
	require.Equal(t, []string{
		"lost 0–5, lost > 0 in 2 of 4 (95 % CI 7–93 %)",
		"lost 0–5, lost > 4 in 1 of 4 (95 % CI 1–81 %)",
		"lost 0–5"}, facts)
}

// What is told of a promise is what became of it, in every cell.
func TestAPromiseIsToldOfEveryCell(t *testing.T) {
	run := ran([]int64{5, 0}, []int64{0})
	run.Cells[0].Trials[0].Promise, run.Cells[0].Trials[1].Promise = result.Violated, result.Held
	run.Cells[1].Trials[0].Promise = result.Held
	run.Claims = claim.Evaluate(run, []profile.Claim{
		{Glob: "early/crash", Expression: "promise == violated", Sometimes: true}, {Glob: "*/crash", Expression: "promise == held"}})
	row := crashRow
	row.Holds = []string{"*/crash"}
	j := row.Judge(run)
	require.Equal(t, "promise held or violated, promise == violated in 1 of 2 (95 % CI 1–99 %)", j.Sides[0].Facts[0].String())
	require.Equal(t, "promise held or violated", j.Sides[1].Facts[1].String())
	require.Equal(t, NotMet, j.Outcome)
	require.Equal(t, "early/crash: promise == held: expected held, observed held or violated", j.Reason)
}

// What an inconclusive trial proves is told with the rest.
func TestAnInconclusiveTrialThatRefutesIsTold(t *testing.T) {
	run := ran([]int64{5}, []int64{0, 7})
	run.Cells[1].Trials[1].Status = result.Inconclusive
	j := judged(run, profile.Claim{Glob: "early/crash", Expression: "lost > 0"}, profile.Claim{Glob: "late/crash", Expression: "lost == 0"})
	require.Equal(t, NotMet, j.Outcome)
	require.Equal(t, "late/crash: lost == 0: expected 0, observed 0–7", j.Reason)
}

// A row stands for everything that it names: what was omitted of it cannot be
// confirmed by the rest.
func TestAnOmittedPartOmitsTheRow(t *testing.T) {
	const why = "the broker has one node"
	claims := []profile.Claim{{Glob: "early*/crash", Expression: "lost > 0"}, {Glob: "late/crash", Expression: "lost == 0"}}
	for name, c := range map[string]struct {
		omit   func(*result.Run)
		late   int64
		reason string
		want   Outcome
	}{
		"a cell of several": {func(run *result.Run) {
			run.Cells = append(run.Cells, result.Cell{Name: "early/replication=3", Arm: "early", Omitted: why})
		}, 0, "early/replication=3/crash: " + why, Omitted},
		"a scenario": {func(run *result.Run) {
			run.Cells[1].Trials, run.Cells[1].Planned = []result.Trial{{ID: "late-crash", Scenario: "crash", Status: result.Omitted, Reason: why}}, nil
		}, 0, "late/crash: " + why, Omitted},
		"all": {func(run *result.Run) {
			run.Cells[0].Omitted, run.Cells[1].Omitted = why, why
			run.Cells[0].Trials, run.Cells[1].Trials = nil, nil
		}, 0, "early/crash: " + why, Omitted},
		"and the rest is refuted": {func(run *result.Run) {
			run.Cells = append(run.Cells, result.Cell{Name: "early/replication=3", Arm: "early", Omitted: why})
		}, 2, "late/crash: lost == 0: expected 0, observed 2", NotMet},
		"and the rest is unsure": {func(run *result.Run) {
			run.Cells = append(run.Cells, result.Cell{Name: "early/replication=3", Arm: "early", Omitted: why})
		}, -1, "late/crash: lost == 0: late1 is inconclusive: no fault fired\nand more", Inconclusive},
	} {
		run := ran([]int64{5}, []int64{c.late})
		c.omit(run)
		j := judged(run, claims...)
		require.Equal(t, c.want, j.Outcome, name)
		require.Equal(t, c.reason, j.Reason, name)
	}
}

// A breaking side whose prediction is that nothing breaks stays clean, however
// exactly that comes out.
func TestABreakingSideThatIsPredictedToHold(t *testing.T) {
	for predicted, want := range map[int64]Outcome{0: NotMet, 5: MoreSubtle} {
		run := ran([]int64{5, predicted}, []int64{0})
		for i := range run.Cells[0].Trials {
			trial := &run.Cells[0].Trials[i]
			trial.Faults = []result.Fault{{Name: "kill consumer", Predicted: &result.Predicted{Lost: &trial.Verdict.Lost.Total, Exact: true}}}
		}
		late := profile.Claim{Glob: "late/crash", Expression: "lost == 0"}
		j := judged(run, profile.Claim{Glob: "early/crash", Expression: "lost == predicted"}, late)
		require.Equal(t, want, j.Outcome)
		if want == NotMet {
			require.Equal(t, "early/crash: early2 stayed clean: all that is claimed of it holds when nothing breaks", j.Reason)
		}
		// Another claim can tell.
		run.Cells[0].Trials[1].Promise, run.Cells[0].Trials[0].Promise = result.Violated, result.Violated
		j = judged(run, profile.Claim{Glob: "early/crash", Expression: "lost == predicted"}, profile.Claim{Glob: "early/crash", Expression: "promise == violated"}, late)
		require.Equal(t, MoreSubtle, j.Outcome)
	}
}

// Nothing is told where nothing was measured.
func TestNothingMeasured(t *testing.T) {
	run := ran([]int64{-1}, []int64{-1})
	j := judged(run, profile.Claim{Glob: "early/crash", Expression: "pipeline_per_second <= 0.9x baseline"}, profile.Claim{Glob: "late/crash", Expression: "lost == 0"})
	require.Equal(t, "pipeline_per_second –", j.Sides[0].Facts[0].String())
	require.Equal(t, "lost –", j.Sides[1].Facts[0].String())
	run.Cells[0].Omitted, run.Cells[1].Omitted = "no", "no"
	require.Empty(t, judged(run).Sides[2].Facts)
}

// A setting that only some of the sides have is one in which they differ,
// whichever comes first.
func TestASettingThatOneSideLacks(t *testing.T) {
	for _, has := range []int{0, 1} {
		run := ran([]int64{5}, []int64{0})
		run.Cells[has].Settings["producer.librdkafka.linger.ms"] = "7"
		j := judged(run, profile.Claim{Glob: "*/crash", Expression: "lost >= 0"})
		require.Contains(t, j.Sides[has].Settings, "producer.librdkafka.linger.ms: 7")
		require.Contains(t, j.Sides[1-has].Settings, "producer.librdkafka.linger.ms: –")
	}
}

// A latency over range has no ratio.
func TestARatioOverRange(t *testing.T) {
	run := ran([]int64{0}, []int64{0})
	for i, p50 := range []float64{latency.OverRange, 1e6} {
		run.Cells[i].Trials[0].Latency = map[string]latency.Summary{result.EndToEnd: {Count: 9, P50: p50}}
	}
	j := judged(run, profile.Claim{Glob: "*/crash", Expression: "end_to_end.p50 >= 2x baseline"})
	require.Equal(t, "end_to_end.p50 –", j.Sides[0].Facts[0].String())
	require.Equal(t, "end_to_end.p50 1.00× the baseline's", j.Sides[1].Facts[0].String())
}

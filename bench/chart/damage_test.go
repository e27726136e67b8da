package chart

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
)

// crashes are the crash trials of a fixture's cell.
func crashes(run *result.Run, cell int) []*result.Trial { return run.Cells[cell].InScenario("crash") }

// Whatever record tells of harm: no cell that has any is counted among the safe ones.
func TestNothingBadIsSafe(t *testing.T) {
	_, clean := fixture(t, arms(), nil, 2)
	require.True(t, harmOf(&clean.Cells[2], "crash").safe())
	for name, spoil := range map[string]func(*result.Trial){
		"promise":    func(t *result.Trial) { t.Promise = result.Violated },
		"rows twice": func(t *result.Trial) { t.Database = &result.Database{Duplicates: 3} },
		"rows lost":  func(t *result.Trial) { t.Database = &result.Database{Lost: 3} },
		"rows alone": func(t *result.Trial) { t.Database = &result.Database{Outbox: &result.Outbox{RowsWithoutMessage: 3}} },
		"messages alone": func(t *result.Trial) {
			t.Database = &result.Database{Outbox: &result.Outbox{MessagesWithoutRow: 3}}
		},
		"aborted":      func(t *result.Trial) { t.Verdict.AbortedDelivered = 3 },
		"inconclusive": func(t *result.Trial) { t.Status, t.Reason = result.Inconclusive, "because" },
		"failed":       func(t *result.Trial) { t.Status, t.Verdict, t.Reason = result.Failed, nil, "because" },
	} {
		t.Run(name, func(t *testing.T) {
			_, run := fixture(t, arms(), nil, 2)
			spoil(crashes(run, 2)[1])
			require.False(t, harmOf(&run.Cells[2], "crash").safe())
			f := tradeoffFigures(run)[0]
			require.NotContains(t, f.title, "nothing")
			texts := painted(t, run, f, height(fonts(t), run, f))
			for _, text := range texts {
				require.False(t, strings.HasPrefix(text.text, "loses and duplicates nothing") && !strings.Contains(text.text, "violated"), text.text)
			}
		})
	}
}

// What an inconclusive trial counted counts, as a lower bound, and its reason is told.
func TestInconclusiveTrialsProveDamage(t *testing.T) {
	_, run := fixture(t, arms(), nil, 2)
	last := crashes(run, 2)[1]
	last.Status, last.Reason, last.Promise = result.Inconclusive, "the consumers did not come to the end", result.Violated
	last.Verdict.Duplicates = ledger.Dups{Total: 80, Resent: 80}
	h := harmOf(&run.Cells[2], "crash")
	require.Equal(t, damage{40, 0, 80}, h.duplicates)
	require.Equal(t, "duplicates ≥ 40", h.deeds())
	f := tradeoffFigures(run)[0]
	require.Equal(t, "1 of 2 trials of exactly-once, inconclusive: the consumers did not come to the end", f.unfinished)

	first := crashes(run, 2)[0]
	first.Status, first.Reason = result.Inconclusive, "another"
	require.Len(t, tradeoff(t, run), 3, "without a completed trial, what is proven is shown")
	last.Verdict.Duplicates, last.Promise = ledger.Dups{}, result.PromiseInconclusive
	require.Len(t, tradeoff(t, run), 2, "where nothing is proven there is nothing to show")
	require.Equal(t, "exactly-once: inconclusive: another in crash", tradeoffFigures(run)[0].omitted)
}

// A cell that no fault struck was not tested: it has no mark and no tile's value.
func TestNoFaultFired(t *testing.T) {
	_, run := fixture(t, arms(), nil, 1)
	crashes(run, 2)[0].Faults[0].Fired = nil
	require.Len(t, tradeoff(t, run), 2)
	f := tradeoffFigures(run)[0]
	require.Equal(t, "exactly-once: no fault fired in crash", f.omitted)
	require.NotContains(t, f.title, "nothing")

	_, run = wide(t)
	at := len(run.Cells) - 20
	require.Equal(t, "exactly-once", run.Cells[at].Arm)
	for _, trial := range crashes(run, at) {
		trial.Faults[0].Fired = nil
	}
	f, _, ok := damageFigure(run, "crash")
	require.True(t, ok)
	require.Len(t, f.points, 37)
	require.Equal(t, "9 of 37 combinations lost and duplicated nothing in 5 faults of scenario crash", f.title)
}

// A trial that lost what it had promised to keep proves it, whether or not it came to
// its end. What it counted is a lower bound, and no match of any prediction.
func TestLossesOfInconclusiveTrials(t *testing.T) {
	_, run := fixture(t, arms(), nil, 2)
	last := crashes(run, 2)[1]
	last.Status, last.Reason, last.Promise = result.Inconclusive, "the consumers did not come to the end", result.Violated
	last.Verdict.Lost = ledger.Lost{Total: 80, Log: 80}
	row := lossRows(run, "crash")[2]
	require.Equal(t, "violated", row.promise)
	require.Equal(t, "≥ 40, predicted 0", row.lost.text())
	require.Equal(t, "≥ 0, predicted 0", row.duplicates.text())
	f := lossFigures(run)[0]
	require.Equal(t, "exactly-once broke its promise in scenario crash: ≥ 40 lost, ≥ 0 duplicated per trial", f.title)
	require.Equal(t, "1 of 2 trials of exactly-once, inconclusive: the consumers did not come to the end", f.unfinished)
	require.Contains(t, f.conditions, "≥: an inconclusive trial is in it")
	require.Contains(t, f.points, []string{"exactly-once", "crash", "2", "1", "lost", "log", "40", "", ""})

	// Nothing but that trial: what it proves is shown all the same.
	crashes(run, 2)[0].Status, crashes(run, 2)[0].Verdict, crashes(run, 2)[0].Promise = result.Failed, nil, ""
	row = lossRows(run, "crash")[2]
	require.Equal(t, []any{"", "violated", "≥ 80, predicted 0"}, []any{row.absent, row.promise, row.lost.text()})
	for i := range 2 {
		for _, trial := range crashes(run, i) {
			trial.Status, trial.Verdict, trial.Promise = result.Failed, nil, ""
		}
	}
	require.Len(t, lossFigures(run), 1, "also where it is the only one of all cells")
}

// An inconclusive trial that proves nothing takes the promise's being held away, as
// in the table, and no number with it.
func TestAnInconclusiveTrialIsNotHeld(t *testing.T) {
	_, run := fixture(t, arms(), nil, 2)
	last := crashes(run, 1)[1]
	last.Status, last.Reason, last.Promise = result.Inconclusive, "no fault fired", result.PromiseInconclusive
	last.Faults[0].Fired, last.Verdict.Duplicates = nil, ledger.Dups{}
	row := lossRows(run, "crash")[1]
	require.Equal(t, []any{"inconclusive", 1, "500 = predicted"}, []any{row.promise, row.trials, row.duplicates.text()})

	// One that a fault struck, and that counted less than predicted so far, is no
	// wrong prediction.
	last.Faults[0].Fired = pointer(1.06)
	row = lossRows(run, "crash")[1]
	require.Equal(t, []any{2, "≥ 250, predicted 500"}, []any{row.trials, row.duplicates.text()})
	require.Equal(t, "Lost and duplicated messages: as many as predicted in the trials that completed", lossFigures(run)[0].title)
	last.Verdict.Duplicates = ledger.Dups{Total: 502, Redelivered: 502}
	require.Equal(t, "Lost and duplicated messages: not as many as predicted", lossFigures(run)[0].title)
}

// Where faults struck and nothing is known of any cell there is no map to draw.
func TestADamageMapOfNothing(t *testing.T) {
	_, run := wide(t)
	for i := range run.Cells {
		for _, trial := range crashes(run, i) {
			trial.Status, trial.Reason, trial.Promise = result.Inconclusive, "because", result.PromiseInconclusive
			trial.Verdict.Lost, trial.Verdict.Duplicates = ledger.Lost{}, ledger.Dups{}
		}
	}
	_, _, ok := damageFigure(run, "crash")
	require.False(t, ok)
	require.Empty(t, lossFigures(run))
}

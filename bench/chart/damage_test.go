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

package claim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
)

// Faults that set nothing aside predict that nothing is; one that cannot tell
// makes the claim inconclusive.
func TestDeadLettersArePredicted(t *testing.T) {
	none, forty := int64(0), int64(40)
	dead := result.Fault{Predicted: &result.Predicted{Lost: &none, Duplicates: &none, DeadLettered: &forty, Exact: true}}
	kill := result.Fault{Predicted: &result.Predicted{Lost: &forty, Duplicates: &none, Exact: true}}
	for name, c := range map[string]struct {
		faults   []result.Fault
		observed int64
		want     result.ClaimStatus
	}{
		"as predicted":      {[]result.Fault{dead}, 40, result.Met},
		"one is missing":    {[]result.Fault{dead}, 39, result.NotMet},
		"twice, and a kill": {[]result.Fault{dead, kill, dead}, 80, result.Met},
		"a kill alone":      {[]result.Fault{kill}, 0, result.Met},
		"not predicted":     {[]result.Fault{dead, {}}, 40, result.ClaimInconclusive},
	} {
		trial := result.Trial{Status: result.Completed, Faults: c.faults, Verdict: &ledger.Verdict{DeadLettered: c.observed}}
		run := &result.Run{Cells: []result.Cell{{Name: "a", Arm: "a", Trials: []result.Trial{trial}}}}
		g := group{run: run, cell: &run.Cells[0], trials: []*result.Trial{&run.Cells[0].Trials[0]}, over: true}
		require.Equal(t, c.want, g.judge("dead_lettered == predicted").Status, name)
	}
}

package report

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/claim"
	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// What nothing is claimed of is not said to be as predicted, though it be.
func TestOnlyWhatIsClaimedIsSaidToBeAsPredicted(t *testing.T) {
	struck := func(lost, duplicates, predictedDuplicates int64, claims ...string) *result.Run {
		b := newBuild("crash", "calm", "crash")
		arm := b.cell("arm", "none")
		b.trial(arm, "calm").Verdict.Duplicates.Total = 7 // no fault, no forecast
		trial := b.trial(arm, "crash")
		trial.Verdict.Lost, trial.Verdict.Duplicates = ledger.Lost{Total: lost}, ledger.Dups{Total: duplicates}
		var five int64 = 5
		trial.Faults = []result.Fault{{Name: "kill", Predicted: &result.Predicted{Lost: &five, Duplicates: &predictedDuplicates}}}
		for _, c := range claims {
			b.run.Claims = append(b.run.Claims, claim.Evaluate(&b.run, []profile.Claim{{Glob: c[:5], Expression: c[6:]}})...)
		}
		return &b.run
	}
	for _, c := range []struct {
		run  *result.Run
		want string
	}{
		{struck(5, 3, 3), ""},
		{struck(5, 3, 3, "*/cr* lost == 5", "*/cr* duplicates == 3"), "lost and duplicates equal the prediction"},
		{struck(5, 3, 3, "*/cr* lost == 5"), "lost equals the prediction"},
		{struck(5, 4, 3, "*/cr* lost == 5"), "lost equals the prediction"},
		{struck(5, 3, 3, "*/cr* duplicates > 0"), "duplicates equal the prediction"},
		{struck(5, 4, 3, "*/cr* duplicates > 0", "*/cr* lost == 5"), "lost equals the prediction"},
		{struck(6, 4, 3, "*/cr* duplicates > 0", "*/cr* lost == 5"), ""},
		{struck(5, 3, 3, "*/ca* lost == 0", "*/ca* duplicates == 7"), ""},
		{struck(5, 3, 3, "*/cr* acked > 0"), ""},
	} {
		require.Equal(t, c.want, asPredicted(c.run), "%+v", c.run.Claims)
	}
}

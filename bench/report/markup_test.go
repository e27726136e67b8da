package report

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
)

// What a profile or a broker says is no markup, and calls nobody.
func TestMarkdownEscapes(t *testing.T) {
	for from, to := range map[string]string{
		"1. first": `1\. first`, "2) second": `2\) second`, "- a": `\- a`, "---": `\---`, "-1": "-1", "a - b": "a - b", "v1.2": "v1.2",
		"ask @somebody": "ask @<!-- -->somebody", "CPU @ 3 GHz": "CPU @ 3 GHz", "$x$": `\$x\$`, "a|b": `a\|b`,
	} {
		require.Equal(t, to, md(from))
	}
	require.Equal(t, "charts/a%25b%23c%3Fd%20e.svg", mdLink("charts/a%b#c?d e.svg"))
}

// A claim's numbers are texts of any unit, which no order by letters puts right.
func TestClaimsAreNotSortedByRoundedText(t *testing.T) {
	run := semantics()
	table := claimTableOf(newView(run))
	require.NotEmpty(t, table.Rows)
	for _, h := range table.Headers {
		require.Equal(t, h.Text != "expected" && h.Text != "observed", h.Sort != "", h.Text)
	}
}

// A rung is no scenario of the profile: -only could not choose it.
func TestACapacityRunHasNoScenarioToRunAgain(t *testing.T) {
	command := func(run *result.Run) string {
		c := &run.Cells[0]
		return scenarioDetail(run, c, 0, c.Trials[0].Scenario, []*result.Trial{&c.Trials[0]}).Command
	}
	run := semantics()
	require.NotEmpty(t, command(run))
	run.Capacity = &result.Capacity{}
	require.Empty(t, command(run))
}

// Messages that were to be set aside have their forecast beside them.
func TestDeadLettersHaveAForecast(t *testing.T) {
	counts := verdictCounts()
	at := slices.IndexFunc(counts, func(c count) bool { return c.header == "dead letters" })
	three, five := int64(3), int64(5)
	trial := &result.Trial{Status: result.Completed, Verdict: &ledger.Verdict{DeadLettered: 3},
		Faults: []result.Fault{{Fired: new(float64), Predicted: &result.Predicted{DeadLettered: &five, Exact: true}}}}
	columns := countColumns(group{trials: [][]*result.Trial{{trial}}}, counts[at])
	require.Len(t, columns, 2)
	require.Equal(t, []string{"3", "5"}, []string{columns[0].cells[0], columns[1].cells[0]})
	trial.Faults[0].Predicted.DeadLettered = &three
	require.Len(t, countColumns(group{trials: [][]*result.Trial{{trial}}}, counts[at]), 1)
}

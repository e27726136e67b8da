package chart

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
)

// A relay's verdict is about its topic: rows that are there twice all the same
// stand beside it, in title, text and points. Where the verdict counts rows
// nothing is said twice.
func TestRowsBesideTheVerdict(t *testing.T) {
	run := func(duplicates int64) *result.Run {
		r := &result.Run{Cells: []result.Cell{{Name: "insert", Arm: "insert", Trials: []result.Trial{{
			Scenario: "crash", Status: result.Completed, Promise: result.Held, Database: &result.Database{Duplicates: 200},
			Verdict: &ledger.Verdict{Duplicates: ledger.Dups{Total: duplicates, Redelivered: duplicates}},
			Faults:  []result.Fault{{Name: "kill consumer", Predicted: &result.Predicted{Lost: pointer(int64(0)), Duplicates: &duplicates, Exact: true}}},
		}}}}}
		r.Run.Scenarios = []string{"crash"}
		return r
	}
	topic := lossFigures(run(0))[0]
	require.Equal(t, "Lost and duplicated messages: exactly as many as predicted; insert has 200 rows twice", topic.title)
	require.Contains(t, topic.points, []string{"insert", "crash", "1", "0", "duplicates", "rows in the database", "200", "", ""})
	row := lossRows(run(0), "crash")[0]
	require.Equal(t, [2]string{"0 = predicted", "0 = predicted, in rows 200"}, [2]string{row.lost.text(), row.duplicates.text()})

	rows := lossRows(run(200), "crash")[0]
	require.Equal(t, "200 = predicted", rows.duplicates.text())
	require.Equal(t, "Lost and duplicated messages: exactly as many as predicted", lossFigures(run(200))[0].title)
}

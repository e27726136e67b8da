package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
)

// What a database came to stands beside the verdict: costs where nothing went
// wrong on purpose, rows where a relay's verdict is about its output.
func TestDatabaseColumns(t *testing.T) {
	trial := func(scenario string, d *result.Database, faults ...result.Fault) result.Trial {
		return result.Trial{
			ID: "001-relay-" + scenario + "-1", Scenario: scenario, Repeat: 1, Status: result.Completed, Promise: result.Held,
			Verdict: &ledger.Verdict{Due: 4400, Acked: 4400}, Database: d, Faults: faults,
			Latency: map[string]latency.Summary{
				result.EndToEnd: {Count: 4000, P50: 1000, P99: 2000, P999: 3000}, result.Durable: {Count: 4000, P99: 123000},
			},
		}
	}
	at := 1.0
	run := &result.Run{Schema: result.Schema, Cells: []result.Cell{{
		Name: "relay", Arm: "relay", Guarantee: "exactly-once", Settings: map[string]string{"pipeline": "relay", "load.rate": "2000/s"},
		Trials: []result.Trial{
			trial("paced", &result.Database{Kind: "sqlite", CommitsPerSecond: 25, RowsPerCommit: 200}),
			trial("crash", &result.Database{Kind: "sqlite", Duplicates: 200, DifferenceCents: 1004979}, result.Fault{Name: "kill consumer at produced", Armed: &at, Fired: &at}),
		},
	}}}
	run.Run.Scenarios = []string{"paced", "crash"}
	var out strings.Builder
	require.NoError(t, Table(&out, run, Options{}))
	text := out.String()
	for _, want := range []string{"rows lost", "rows twice", "commits/s", "rows/commit", "durable p99", "123 ms", "cents off", "1,004,979"} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "status wrong")
	words := strings.Join(strings.Fields(text), " ")
	require.Contains(t, words, "rows lost: messages without a row (a relay's lost and duplicates are its output topic's); rows twice: rows beyond a message's first; cents off: ")
	require.Equal(t, 1, strings.Count(words, "rows lost: "), "explained once")
	require.Equal(t, 1, strings.Count(text, "rows lost  rows twice"), "where nothing went wrong on purpose they are shown only when there are some")
	run.Cells[0].Settings["pipeline"] = "consume"
	out.Reset()
	require.NoError(t, Table(&out, run, Options{}))
	require.NotContains(t, out.String(), "rows twice", "the verdict says it")
	require.Contains(t, out.String(), "cents off")

	// Each pipeline's latency ends elsewhere, and in none of them at the row.
	for _, c := range []struct{ pipelines, want string }{
		{"consume", "Latency: intended send → message processed, before its row is committed, one trial."},
		{"relay", "Latency: intended send → output visible, one trial."},
		{"relay consume", "Latency: intended send → message processed, before its row is committed (consume), output visible (relay), one trial."},
	} {
		relay := run.Cells[0]
		run.Cells = nil
		for _, pipeline := range strings.Fields(c.pipelines) {
			one := relay
			one.Name, one.Arm, one.Settings = pipeline, pipeline, map[string]string{"pipeline": pipeline, "load.rate": "2000/s"}
			run.Cells = append(run.Cells, one)
		}
		out.Reset()
		require.NoError(t, Table(&out, run, Options{}))
		require.Contains(t, strings.Join(strings.Fields(out.String()), " "), c.want)
	}
}

// A trial's detail says what the database has, and the conditions which it was.
func TestDatabaseDetail(t *testing.T) {
	trial := result.Trial{Verdict: &ledger.Verdict{Due: 10, Acked: 10}, Database: &result.Database{
		Kind: "sqlite", Version: "SQLite 3.50.4", Effects: 12, Lost: 1, Duplicates: 3, ExpectedCents: 1000, ActualCents: 1250,
		DifferenceCents: 250, DifferenceByCause: result.CentsCause{Lost: 50, Redelivered: 300},
	}}
	require.Equal(t, [][2]string{
		{"database: rows", "12"}, {"database: messages without a row", "1"}, {"database: rows beyond a message's first", "3"},
		{"balances should be, cents", "1000"}, {"balances are, cents", "1250"},
		{"balances: missing with lost effects, cents", "50"}, {"balances: added by repeated effects, cents", "300"},
	}, databaseRows(&trial))
	require.Subset(t, verdictRows(&trial), databaseRows(&trial))
	run := &result.Run{Cells: []result.Cell{{Trials: []result.Trial{trial, trial}}, {Trials: []result.Trial{{}}}}}
	require.Contains(t, conditions(run), condition{"Database", "SQLite 3.50.4"})
}

// What stands alone of rows and messages is in the table, with what was predicted
// where something else came, and in the trial's detail.
func TestOutboxColumns(t *testing.T) {
	at, none, ten := 1.0, int64(0), int64(10)
	crashed := func(alone, predicted int64) result.Trial {
		return result.Trial{
			ID: "001-row-first-crash-1", Scenario: "crash", Repeat: 1, Status: result.Completed, Promise: result.Violated,
			Verdict:  &ledger.Verdict{Due: 4400, Acked: 4400, Lost: ledger.Lost{Total: alone, Log: alone}},
			Database: &result.Database{Kind: "sqlite", Outbox: &result.Outbox{Agreed: 4390, RowsWithoutMessage: alone}},
			Faults: []result.Fault{{Name: "kill producer at between-writes", Armed: &at, Fired: &at,
				Predicted: &result.Predicted{Lost: &ten, Duplicates: &none, RowsWithoutMessage: &predicted, MessagesWithoutRow: &none, Exact: true}}},
		}
	}
	table := func(trial result.Trial) string {
		run := &result.Run{Schema: result.Schema, Cells: []result.Cell{{
			Name: "row-first", Arm: "row-first", Guarantee: "at-least-once", Settings: map[string]string{"pipeline": "outbox", "load.rate": "2000/s"},
			Trials: []result.Trial{trial},
		}}, Claims: []result.Claim{{Cell: "row-first", Scenario: "crash", Expression: "database.rows_without_message == predicted", Status: result.Met}}}
		run.Run.Scenarios = []string{"crash"}
		var out strings.Builder
		require.NoError(t, Table(&out, run, Options{}))
		return out.String()
	}
	asPredicted := table(crashed(10, 10))
	for _, want := range []string{"rows alone", "messages alone", "rows alone: committed, but no message tells of them", "rows alone equal the prediction"} {
		require.Contains(t, asPredicted, want)
	}
	require.NotContains(t, asPredicted, "predicted  ")
	require.NotContains(t, asPredicted, "cents off", "the rows are right")
	otherwise := table(crashed(10, 7))
	require.Contains(t, otherwise, "predicted")
	require.NotContains(t, otherwise, "equal the prediction")
	for _, header := range []string{"rows lost", "rows twice"} {
		require.NotContains(t, asPredicted, header, "there are none")
	}
	doubled := crashed(10, 10)
	doubled.Database.Lost, doubled.Database.Duplicates = 3, 5
	words := strings.Join(strings.Fields(table(doubled)), " ")
	for _, want := range []string{"lost duplicates rows lost rows twice rows alone messages alone", "10 0 3 5 10 0", "rows twice: rows beyond a message's first"} {
		require.Contains(t, words, want)
	}
	crash := crashed(10, 7)
	require.Contains(t, verdictRows(&crash), [2]string{"rows without a message", "10 (predicted 7)"})
	require.Contains(t, verdictRows(&crash), [2]string{"messages without a row", "0 (predicted 0)"})
}

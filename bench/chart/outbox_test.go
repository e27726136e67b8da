package chart

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
)

// A promise that messages without rows broke is not told by losses alone.
func TestATitleTellsOfMessagesWithoutARow(t *testing.T) {
	at := 1.0
	run := &result.Run{Cells: []result.Cell{{Name: "message-first", Arm: "message-first", Trials: []result.Trial{{
		Scenario: "crash", Repeat: 1, Status: result.Completed, Promise: result.Violated,
		Verdict: &ledger.Verdict{Due: 100}, Faults: []result.Fault{{Name: "kill producer at between-writes", Fired: &at}},
		Database: &result.Database{Outbox: &result.Outbox{Agreed: 90, MessagesWithoutRow: 10}},
	}}}}}
	run.Run.Scenarios = []string{"crash"}
	require.Equal(t, "message-first broke its promise in scenario crash: 0 lost, 0 duplicated, 10 messages without a row per trial", lossTitle(lossRows(run, "crash")))
}

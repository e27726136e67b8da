package claim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
)

// What the client library returned again is counted over all workers.
func TestMessagesPolledAgainAreCounted(t *testing.T) {
	crew := []result.Worker{{Name: "consumer-0.0", PolledAgain: 2}, {Name: "consumer-1.0"}, {Name: "consumer-2.0", PolledAgain: 1}}
	polled := result.Trial{Workers: crew, Verdict: &ledger.Verdict{Due: 10, Duplicates: ledger.Dups{Total: 3, Redelivered: 3}}}
	require.Equal(t, result.Met, evaluate(t, oneCell(polled), "polled_again == 3").Status)
	require.Equal(t, result.Met, evaluate(t, oneCell(polled), "duplicates.redelivered == polled_again").Status)
	polled.Workers = crew[1:]
	require.Equal(t, result.NotMet, evaluate(t, oneCell(polled), "duplicates.redelivered == polled_again").Status)
	polled.Workers = nil
	require.Equal(t, result.ClaimInconclusive, evaluate(t, oneCell(polled), "polled_again == 0").Status)
}

// A worker is fenced once, in whatever words; of a trial without workers nothing is known.
func TestFencedWorkersAreCounted(t *testing.T) {
	crew := []result.Worker{{Name: "producer-0.0", Exit: "ok"}, {Name: "consumer-0.0", Fenced: "unknown member"}, {Name: "consumer-0.1"}}
	require.Equal(t, result.Met, evaluate(t, oneCell(result.Trial{Workers: crew}), "fenced == 1").Status)
	require.Equal(t, result.NotMet, evaluate(t, oneCell(result.Trial{Workers: crew[:1]}), "fenced == 1").Status)
	require.Equal(t, result.ClaimInconclusive, evaluate(t, oneCell(result.Trial{}), "fenced == 0").Status)
}

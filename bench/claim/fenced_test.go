package claim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/result"
)

// A worker is fenced once, in whatever words; of a trial without workers nothing is known.
func TestFencedWorkersAreCounted(t *testing.T) {
	crew := []result.Worker{{Name: "producer-0.0", Exit: "ok"}, {Name: "consumer-0.0", Fenced: "unknown member"}, {Name: "consumer-0.1"}}
	require.Equal(t, result.Met, evaluate(t, oneCell(result.Trial{Workers: crew}), "fenced == 1").Status)
	require.Equal(t, result.NotMet, evaluate(t, oneCell(result.Trial{Workers: crew[:1]}), "fenced == 1").Status)
	require.Equal(t, result.ClaimInconclusive, evaluate(t, oneCell(result.Trial{}), "fenced == 0").Status)
}

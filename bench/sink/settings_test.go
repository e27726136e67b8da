package sink_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
)

// What a worker's connection does so that a commit is durable, and so that one
// that is frozen holds nobody up for ever.
func TestAWorkersConnection(t *testing.T) {
	for _, p := range places(t) {
		w := opened(t, p.made(t, profile.Insert, profile.AddToBalance))
		want := map[string]string{"journal_mode": "wal", "synchronous": "2" /* FULL */, "busy_timeout": "85000"}
		if p.database == profile.Postgres {
			want = map[string]string{"fsync": "on", "synchronous_commit": "on", "idle_in_transaction_session_timeout": "30s"}
		}
		for name, value := range want {
			require.Equal(t, value, w.Setting(t, name), name)
		}
	}
}

package trial_test

import (
	"testing"
	"time"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// PostgreSQL stands still for a second of the load. Everybody waits, nothing is
// lost or doubled, and what was due when it froze is durable no sooner than it goes on.
func TestPostgresIsFrozen(t *testing.T) {
	t.Parallel()
	const frozen = time.Second
	for _, c := range []struct {
		when  profile.CommitWhen
		write profile.SinkWrite
	}{{profile.AfterProcessing, profile.Insert}, {profile.WithEffect, profile.Insert}} {
		t.Run(name(c.when, c.write), func(t *testing.T) {
			t.Parallel()
			s := intoPostgres(c.when, c.write)
			s.Faults = []profile.Fault{{Freeze: profile.DatabaseRole, At: profile.Moment{Share: 0.3}, For: profile.Duration(frozen)}}
			r := ownPostgres(t, newBench(t)).complete(t, s)
			requireFlawless(t, r)
			requireBooks(t, s, r.Database, r.Verdict, 0, 0)
			none := int64(0)
			require.Equal(t, &result.Predicted{Lost: &none, Duplicates: &none, Exact: true}, r.Faults[0].Predicted)
			require.Equal(t, []string{"database frozen", "database thawed", result.DurableAgain}, steps(r.Faults[0]))
			spacing := time.Duration(float64(time.Second) / float64(s.Load.Rate))
			require.GreaterOrEqual(t, r.Latency[result.Durable].Max, 0.99*float64((frozen-spacing).Microseconds()), "microseconds; an HDR histogram has three digits")
		})
	}
}

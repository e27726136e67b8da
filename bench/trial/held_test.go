package trial_test

import (
	"testing"

	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
	"deliverybench/bench/trial"

	"github.com/stretchr/testify/require"
)

// The tables of a trial in somebody's PostgreSQL are in use as long as they are
// there: whoever cleans up meanwhile leaves them alone, also while no worker is
// connected.
func TestTablesAreInUseAsLongAsTheyAreThere(t *testing.T) {
	t.Parallel()
	b := ownPostgres(t, newBench(t))
	theirs := *b.env.Database
	theirs.Server = nil
	b.env.Database = &theirs
	server := sink.Target{Database: profile.Postgres, Address: theirs.Address, Password: theirs.Password}
	inUse := map[string]bool{}
	b.env.Observe = func(at trial.Snapshot) {
		if _, seen := inUse[at.Phase]; seen || at.Phase == "creating topics" || at.Phase == "creating tables" {
			return
		}
		found, err := sink.Leftovers(t.Context(), server)
		require.NoError(t, err, at.Phase)
		require.Len(t, found, 1, at.Phase)
		inUse[at.Phase] = found[0].InUse
	}
	s := short()
	s.Guarantee, s.Sink.Database = profile.AtLeastOnce, profile.Postgres
	requireFlawless(t, b.complete(t, s))
	require.Equal(t, map[string]bool{
		"starting workers": true, "load": true, "draining": true, "auditing": true, "auditing the database": true, "settling": true,
	}, inUse)
	left, err := sink.Leftovers(t.Context(), server)
	require.NoError(t, err)
	require.Empty(t, left)
}

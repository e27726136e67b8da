package sink_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
)

// Tables that are held are in use from before they are there until they are let
// go, though nobody writes, and also after the server was restarted.
func TestHeldTables(t *testing.T) {
	s := started(t)
	target := inServer(s).target(t)
	release, err := sink.Hold(t.Context(), target)
	require.NoError(t, err)
	target.Write, target.Effect, target.Accounts = profile.Insert, profile.AddToBalance, accounts
	require.NoError(t, sink.Create(t.Context(), target))
	found := func() []sink.Leftover {
		found, err := sink.Leftovers(t.Context(), target)
		require.NoError(t, err)
		return found
	}
	require.Equal(t, []sink.Leftover{{Schema: target.Schema, InUse: true}}, found())

	require.NoError(t, s.Kill(t.Context()))
	require.NoError(t, s.Start(t.Context()))
	require.Eventually(t, func() bool { return found()[0].InUse }, time.Minute, 10*time.Millisecond, "waited for the session to be there again")
	release()
	// A server counts a session that has just ended for a moment yet.
	require.Eventually(t, func() bool { return !found()[0].InUse }, time.Minute, 10*time.Millisecond, "waited for the session to be gone")
	require.NoError(t, sink.Drop(t.Context(), target))
}

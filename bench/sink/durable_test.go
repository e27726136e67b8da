package sink_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"deliverybench/bench/sink"
)

// A server that answers commits before they are on its disk is told of, whoever
// set it so: the server's owner, or the user's.
func TestUndurable(t *testing.T) {
	asked := func(target sink.Target) []string {
		why, err := sink.Undurable(t.Context(), target)
		require.NoError(t, err)
		return why
	}
	require.Empty(t, asked(inFile().target(t)))
	s := started(t)
	target := inServer(s).target(t)
	require.Empty(t, asked(target))
	user := sessionOf(t, s)
	for _, statement := range []string{"ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", "ALTER ROLE CURRENT_USER SET synchronous_commit = off"} {
		_, err := user.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		why := asked(target)
		if assert.Len(c, why, 2) {
			assert.Contains(c, why[0], "PostgreSQL has fsync = off: ")
			assert.Contains(c, why[1], "PostgreSQL has synchronous_commit = off: ")
		}
	}, time.Minute, 10*time.Millisecond, "waited for the server to read its configuration again")
}

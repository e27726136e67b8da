package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The log keeps each line once, and not without a bound.
func TestTheLogIsBounded(t *testing.T) {
	var j journal
	require.Empty(t, j.told())
	for n := range 1000 {
		j.say("line %d", n)
		j.say("the same")
	}
	lines := j.told()
	require.Len(t, lines, mostLines+1)
	require.Equal(t, []string{"line 0", "the same (1000 times)", "line 1"}, lines[:3])
	require.Equal(t, "981 more lines", lines[mostLines])
}

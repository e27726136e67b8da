package claim

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A metric is looked for among those that its name can be of: every name is found
// there, and is its own.
func TestEveryMetricIsFoundByItsName(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range metrics() {
		require.False(t, seen[m.name], m.name)
		seen[m.name] = true
		found, known := findMetric(m.name)
		require.True(t, known, m.name)
		require.Equal(t, m.name, found.name)
		require.Equal(t, m.unit, found.unit, m.name)
	}
	_, known := findMetric("end_to_end.p95")
	require.False(t, known)
}

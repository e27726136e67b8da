package stats

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The example of Benjamini and Hochberg (1995), section 3.2: fifteen hypotheses, of
// which their procedure rejects four at 5 %, and Bonferroni's three.
func TestDiscoveriesOfThePaper(t *testing.T) {
	ps := []float64{.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528, .7590, 1}
	want := make([]bool, len(ps))
	for i := range 4 {
		want[i] = true
	}
	require.Equal(t, want, Discoveries(ps, 0.05))
	require.Empty(t, Discoveries(nil, 0.05))
}

// Whatever the order: as the definition says it, word by word.
func TestDiscoveriesAreTheDefinition(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ps := rapid.SliceOf(rapid.Float64Range(0, 0.2)).Draw(r, "ps")
		atMost := func(limit float64) (count int) {
			for _, p := range ps {
				if p <= limit {
					count++
				}
			}
			return count
		}
		// The threshold is the largest p-value with as many at or below it as it needs.
		threshold := -1.0
		for _, p := range ps {
			if p <= float64(atMost(p))/float64(len(ps))*0.05 {
				threshold = max(threshold, p)
			}
		}
		for i, found := range Discoveries(ps, 0.05) {
			require.Equal(r, ps[i] <= threshold, found, "p = %v of %v", ps[i], ps)
		}
	})
}

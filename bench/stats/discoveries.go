package stats

import (
	"cmp"
	"slices"
)

// Discoveries says which of several tests found something, when all of them are
// looked at together: of those that it says so of, at most the share rate is
// expected to be noise, and where everything is noise it says so of any with that
// probability at most. ps are p-values of 0 to 1, in any order; rate is over 0 and
// under 1.
//
// Benjamini and Hochberg, "Controlling the False Discovery Rate: a Practical and
// Powerful Approach to Multiple Testing" (1995): sorted by p-value, the first k for
// the largest k with p(k) <= k / n × rate.
func Discoveries(ps []float64, rate float64) []bool {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ps[a], ps[b]) })
	found := make([]bool, len(ps))
	for k := len(order); k > 0; k-- {
		if ps[order[k-1]] > float64(k)/float64(len(ps))*rate {
			continue
		}
		for _, i := range order[:k] {
			found[i] = true
		}
		break
	}
	return found
}

package stats

import (
	"cmp"
	"math"

	moremath "github.com/aclements/go-moremath/stats"
)

// exactTest is the largest sample for which the U distribution is worked out
// exactly; its cost grows with the product of the sizes, and repeats are few.
const exactTest = 50

// uTest is Mann and Whitney's U test of two sorted samples: the probability that
// shuffling their values sets the samples apart as far, in either direction, and which
// way they are apart. P is 1 where all values are the same.
//
// It is worked out here because the usual shortcut (go-moremath's, and so
// benchmath's) doubles one tail. With ties and sizes that differ the distribution is not
// symmetric: that p-value comes out as 0 or as 1.75. Counts tie all the time.
func uTest(a, b []float64) (p float64, direction int) {
	if len(a) > exactTest || len(b) > exactTest {
		test, err := moremath.MannWhitneyUTest(a, b, moremath.LocationDiffers)
		if err != nil {
			return 1, 0 // all alike
		}
		return min(test.P, 1), cmp.Compare(2*test.U, float64(len(a)*len(b)))
	}
	ways := newShuffles(len(a), len(b))
	doubled := 0 // twice U: the pairs in which a's is the larger, ties counting half
	seenB := 0
	for i, j := 0, 0; i < len(a) || j < len(b); {
		fromA, fromB := tied(a[i:], b[j:])
		ways.add(fromA + fromB)
		doubled += fromA * (2*seenB + fromB)
		i, j, seenB = i+fromA, j+fromB, seenB+fromB
	}
	centre := len(a) * len(b)
	return ways.atLeast(centre, max(doubled-centre, centre-doubled)), cmp.Compare(doubled, centre)
}

// tied is how many values at the beginning of either sorted list are the least of both.
func tied(a, b []float64) (fromA, fromB int) {
	least := math.Inf(1)
	if len(a) > 0 {
		least = a[0]
	}
	if len(b) > 0 {
		least = min(least, b[0])
	}
	for fromA < len(a) && a[fromA] == least {
		fromA++
	}
	for fromB < len(b) && b[fromB] == least {
		fromB++
	}
	return fromA, fromB
}

// shuffles counts the ways of dealing values out to two samples of n and m, by twice
// the U that they lead to. Values that tie come together, the least first.
type shuffles struct {
	n, m, dealt int
	ways        [][]float64 // by how many of the values dealt out went to the first sample, and twice U
}

func newShuffles(n, m int) *shuffles {
	s := &shuffles{n: n, m: m, ways: make([][]float64, n+1)}
	for i := range s.ways {
		s.ways[i] = make([]float64, 2*n*m+1)
	}
	s.ways[0][0] = 1
	return s
}

// add deals out values that tie: k of them to the first sample.
func (s *shuffles) add(ties int) {
	next := newShuffles(s.n, s.m).ways
	next[0][0] = 0
	for had, byU := range s.ways {
		others := s.dealt - had // in the second sample
		if others < 0 || others > s.m {
			continue
		}
		for k := max(0, others+ties-s.m); k <= min(ties, s.n-had); k++ {
			times, more := choose(ties, k), k*(2*others+ties-k)
			for u, w := range byU {
				if w > 0 {
					next[had+k][u+more] += w * times
				}
			}
		}
	}
	s.ways, s.dealt = next, s.dealt+ties
}

// atLeast is the share of the ways that lead at least so far from the centre.
func (s *shuffles) atLeast(centre, distance int) float64 {
	far, all := 0.0, 0.0
	for u, w := range s.ways[s.n] {
		all += w
		if u <= centre-distance || u >= centre+distance {
			far += w
		}
	}
	return far / all
}

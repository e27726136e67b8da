package chart

import (
	"cmp"
	"slices"

	"gonum.org/v1/plot/vg"
)

// spread moves wanted places apart until neighbours are at least gap from each
// other and all lie within lo to hi, moving them no further than needed. The
// order is kept; where they cannot all fit, the gap is what does fit.
func spread(wanted []vg.Length, gap, lo, hi vg.Length) []vg.Length {
	n := len(wanted)
	if n == 0 {
		return nil
	}
	if n > 1 {
		gap = min(gap, (hi-lo)/vg.Length(n-1))
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(wanted[a], wanted[b]) })
	// Less the gaps below it, each place has only to be no lower than the one
	// before. Pooling neighbours that are out of order to their mean is the
	// least-squares solution (pool adjacent violators).
	type block struct {
		sum   vg.Length
		count int
	}
	var blocks []block
	for i, at := range order {
		blocks = append(blocks, block{wanted[at] - gap*vg.Length(i), 1})
		for len(blocks) > 1 {
			last, before := blocks[len(blocks)-1], blocks[len(blocks)-2]
			if before.sum/vg.Length(before.count) <= last.sum/vg.Length(last.count) {
				break
			}
			blocks = append(blocks[:len(blocks)-2], block{before.sum + last.sum, before.count + last.count})
		}
	}
	placed := make([]vg.Length, n)
	i := 0
	for _, b := range blocks {
		mean := b.sum / vg.Length(b.count)
		for range b.count {
			base := min(max(mean, lo), hi-gap*vg.Length(n-1))
			placed[order[i]] = base + gap*vg.Length(i)
			i++
		}
	}
	return placed
}

package chart

import (
	"sort"

	"deliverybench/bench/result"
)

// pool is the recorded latencies of several repeats together, by rank.
type pool struct {
	over    int64     // values over range or never arrived
	p99     float64   // microseconds, as the table has it
	through []int64   // how many values there are up to and with the bucket
	micros  []float64 // the largest value of the bucket
}

// newPool is nil when nothing was recorded.
func newPool(pooled result.Pooled) *pool {
	if pooled.Histogram == nil || pooled.Histogram.TotalCount() == 0 {
		return nil
	}
	made := &pool{over: pooled.Over, p99: pooled.Summary().P99}
	var through int64
	for _, bar := range pooled.Histogram.Distribution() {
		if bar.Count == 0 {
			continue
		}
		through += bar.Count
		made.through = append(made.through, through)
		made.micros = append(made.micros, float64(bar.To))
	}
	return made
}

// recorded is how many values the pool has, those over range not among them.
func (p *pool) recorded() int64 { return p.through[len(p.through)-1] }

// atRank is the value at a rank from 1 to recorded, in microseconds.
func (p *pool) atRank(rank int64) float64 {
	return p.micros[sort.Search(len(p.through)-1, func(i int) bool { return p.through[i] >= rank })]
}

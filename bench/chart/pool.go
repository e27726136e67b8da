package chart

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	"deliverybench/bench/latency"
	"deliverybench/bench/result"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// pool is the recorded latencies of several repeats together, by rank.
type pool struct {
	over    int64     // values over range or never arrived
	through []int64   // how many values there are up to and with the bucket
	micros  []float64 // the largest value of the bucket
}

// poolRepeats adds up the histograms of one role over the trials, nil when
// there is nothing recorded. Histograms are pooled, not percentiles: a mean of
// percentiles is a percentile of nothing.
func poolRepeats(dir string, trials []*result.Trial, role string) (*pool, error) {
	var sum *hdrhistogram.Histogram
	made := &pool{}
	for _, t := range trials {
		total, err := readTotal(filepath.Join(dir, filepath.FromSlash(result.HistogramLogFile(t.ID))), role)
		if errors.Is(err, fs.ErrNotExist) || total == nil && err == nil {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("latencies of trial %s: %w", t.ID, err)
		}
		if sum == nil {
			sum = total
		} else {
			sum.Merge(total) // nothing is dropped: package latency has one range
		}
		made.over += t.Latency[role].Over
	}
	if sum == nil {
		return nil, nil
	}
	var through int64
	for _, bar := range sum.Distribution() {
		if bar.Count == 0 {
			continue
		}
		through += bar.Count
		made.through = append(made.through, through)
		made.micros = append(made.micros, float64(bar.To))
	}
	return made, nil
}

// readTotal adds up one role of an interval log; nil when it recorded nothing.
func readTotal(path, role string) (*hdrhistogram.Histogram, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	log, err := latency.ReadLog(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if total := log.Total(role); total.TotalCount() > 0 {
		return total, nil
	}
	return nil, nil
}

// recorded is how many values the pool has, those over range not among them.
func (p *pool) recorded() int64 { return p.through[len(p.through)-1] }

// atRank is the value at a rank from 1 to recorded, in microseconds.
func (p *pool) atRank(rank int64) float64 {
	return p.micros[sort.Search(len(p.through)-1, func(i int) bool { return p.through[i] >= rank })]
}

package latency

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Log is what interval recorders logged: per role, the intervals in which
// anything was recorded.
type Log struct {
	Grid Grid
	// Started is the wall-clock time of the grid's origin.
	Started time.Time
	// Torn is how many files ended in the middle of a line, as a process
	// killed while writing leaves them. The unfinished line is not in the log.
	Torn int

	roles map[string][]Interval // by ascending index, one of each
}

// Interval is one role's record of one interval of the grid.
type Interval struct {
	Index int64
	// Under and Over are how many latencies were negative and longer than Highest.
	Under, Over int64

	total  int64
	counts []count
}

// count is one bucket that is not empty. Few of a histogram's 21,504 are, and a
// log holds many intervals.
type count struct {
	bucket int32
	n      int64
}

// Count returns how many latencies within range the interval holds.
func (i Interval) Count() int64 { return i.total }

// Histogram returns the interval's histogram, newly made.
func (i Interval) Histogram() *hdrhistogram.Histogram {
	return histogramOf(func(add func(count)) {
		for _, c := range i.counts {
			add(c)
		}
	})
}

// Summary summarises the interval, its over-range latencies included.
func (i Interval) Summary() Summary { return Summarize(i.Histogram(), i.Over) }

// Roles returns the names of the roles in the log, sorted.
func (l *Log) Roles() []string { return slices.Sorted(maps.Keys(l.roles)) }

// Intervals returns the role's intervals by ascending index. Those in which
// nothing was recorded are left out. The caller does not change the slice.
func (l *Log) Intervals(role string) []Interval { return l.roles[role] }

// Total returns everything that the role recorded within range, newly made.
func (l *Log) Total(role string) *hdrhistogram.Histogram {
	return histogramOf(func(add func(count)) {
		for _, interval := range l.roles[role] {
			for _, c := range interval.counts {
				add(c)
			}
		}
	})
}

// OutOfRange returns how many of the role's latencies were negative and how
// many longer than Highest.
func (l *Log) OutOfRange(role string) (under, over int64) {
	for _, interval := range l.roles[role] {
		under += interval.Under
		over += interval.Over
	}
	return under, over
}

// Summary summarises the role. Its over-range latencies and undelivered, the
// messages that never arrived, count as longer than everything recorded.
func (l *Log) Summary(role string, undelivered int64) Summary {
	_, over := l.OutOfRange(role)
	return Summarize(l.Total(role), over+undelivered)
}

// Merge returns a log with everything that the logs hold, role by role and
// interval by interval. The logs must share one grid; one without a header, from
// a process killed before it wrote any, holds nothing and only adds to Torn.
func Merge(logs ...*Log) (*Log, error) {
	merged := &Log{roles: map[string][]Interval{}}
	for _, l := range logs {
		merged.Torn += l.Torn
		if l.Grid.Interval == 0 {
			continue
		}
		if merged.Grid.Interval == 0 {
			merged.Grid, merged.Started = l.Grid, l.Started
		}
		if l.Grid != merged.Grid {
			return nil, fmt.Errorf("latency: logs on different grids (%+v and %+v): merge logs of one trial only", merged.Grid, l.Grid)
		}
		for role, intervals := range l.roles {
			merged.roles[role] = append(merged.roles[role], intervals...)
		}
	}
	for role, intervals := range merged.roles {
		merged.roles[role] = mergeEqual(intervals)
	}
	return merged, nil
}

// WriteLog writes the log as a .hlog file: roles by name, each by time.
func WriteLog(w io.Writer, l *Log) error {
	if _, err := w.Write(appendHeader(nil, l.Grid, l.Started)); err != nil {
		return fmt.Errorf("latency: write the log's header: %w", err)
	}
	encode := newEncoder()
	var line []byte
	for _, role := range l.Roles() {
		for _, interval := range l.roles[role] {
			h := interval.Histogram()
			r := &Recorder{histogram: h, under: interval.Under, over: interval.Over}
			line = encode.appendInterval(line[:0], l.Grid, role, interval.Index, r)
			if _, err := w.Write(line); err != nil {
				return fmt.Errorf("latency: write the log: %w", err)
			}
		}
	}
	return nil
}

// mergeEqual sorts the intervals by index and adds up those of equal index.
func mergeEqual(intervals []Interval) []Interval {
	sort.SliceStable(intervals, func(i, j int) bool { return intervals[i].Index < intervals[j].Index })
	var merged []Interval
	for _, next := range intervals {
		last := len(merged) - 1
		if last < 0 || merged[last].Index != next.Index {
			merged = append(merged, next)
			continue
		}
		merged[last] = add(merged[last], next)
	}
	return merged
}

// add returns the sum of two records of one interval. Neither is changed.
func add(a, b Interval) Interval {
	sum := Interval{
		Index: a.Index, Under: a.Under + b.Under, Over: a.Over + b.Over, total: a.total + b.total,
		counts: make([]count, 0, len(a.counts)+len(b.counts)),
	}
	for len(a.counts) > 0 && len(b.counts) > 0 {
		first, second := a.counts[0], b.counts[0]
		switch {
		case first.bucket < second.bucket:
			sum.counts = append(sum.counts, first)
			a.counts = a.counts[1:]
		case first.bucket > second.bucket:
			sum.counts = append(sum.counts, second)
			b.counts = b.counts[1:]
		default:
			sum.counts = append(sum.counts, count{bucket: first.bucket, n: first.n + second.n})
			a.counts, b.counts = a.counts[1:], b.counts[1:]
		}
	}
	sum.counts = append(append(sum.counts, a.counts...), b.counts...)
	return sum
}

// histogramOf makes a histogram of the counts that each adds.
func histogramOf(each func(add func(count))) *hdrhistogram.Histogram {
	snapshot := NewHistogram().Export()
	each(func(c count) { snapshot.Counts[c.bucket] += c.n })
	return hdrhistogram.Import(snapshot)
}

// intervalOf keeps the counts of a histogram that are not empty.
func intervalOf(index int64, h *hdrhistogram.Histogram) Interval {
	interval := Interval{Index: index, total: h.TotalCount()}
	for bucket, n := range h.Export().Counts {
		if n != 0 {
			interval.counts = append(interval.counts, count{bucket: int32(bucket), n: n})
		}
	}
	return interval
}

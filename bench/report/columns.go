package report

import (
	"maps"
	"math"
	"slices"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// values reads one number of every completed trial that has it.
func values(trials []*result.Trial, read func(*result.Trial) (float64, bool)) []float64 {
	var out []float64
	for _, t := range completed(trials) {
		if v, ok := read(t); ok {
			out = append(out, v)
		}
	}
	return out
}

func speedOf(t *result.Trial) (float64, bool) {
	return t.Throughput.PipelinePerSecond, t.Throughput.WindowSeconds > 0
}

func p50(s latency.Summary) float64  { return s.P50 }
func p99(s latency.Summary) float64  { return s.P99 }
func p999(s latency.Summary) float64 { return s.P999 }

// speedColumns are the median speed, how far the repeats spread, and the ratio
// to the baseline.
func (v *view) speedColumns(g group) []column {
	speed, spread, ratio := column{header: "msg/s", timed: true}, column{header: "95 % CI"}, column{header: "×"}
	var sums []stats.Summary
	every := stats.Interval
	for _, trials := range g.trials {
		s := stats.Summarise(values(trials, speedOf))
		sums = append(sums, s)
		if s.N > 0 {
			every = min(every, s.Spread)
		}
	}
	// One header serves all rows: where one row has no interval, all show the range.
	if every < stats.Interval {
		spread.header = "range"
	}
	anySpread := false
	for i, s := range sums {
		if s.N == 0 {
			speed.none()
			spread.cells = append(spread.cells, stats.None)
			ratio.none()
			continue
		}
		speed.add(stats.Rate(s.Median), s.Median)
		spread.cells = append(spread.cells, v.spreadOf(g.trials[i], s, every))
		anySpread = anySpread || s.Spread != stats.NoSpread
		ratio.add(v.ratioOf(i, g))
	}
	columns := []column{speed}
	if anySpread {
		columns = append(columns, spread)
	}
	if slices.ContainsFunc(ratio.cells, func(s string) bool { return s != stats.None && s != base }) {
		columns = append(columns, ratio)
	}
	return columns
}

const base = "base"

func (v *view) spreadOf(trials []*result.Trial, s stats.Summary, every stats.Spread) string {
	switch {
	case s.Spread == stats.NoSpread:
		return stats.None
	case every < stats.Interval && s.Spread == stats.Interval:
		all := values(trials, speedOf)
		return stats.Between(stats.Rate(slices.Min(all)), stats.Rate(slices.Max(all)))
	}
	return stats.Between(stats.Rate(s.Lo), stats.Rate(s.Hi))
}

// ratioOf compares a row with the baseline's row of the same matrix values: in
// words, and as the ratio of the medians.
func (v *view) ratioOf(row int, g group) (text string, ratio float64) {
	name := v.run.Run.Baseline
	if name == "" {
		return stats.None, math.NaN()
	}
	if v.cells[row].Arm == name {
		return base, 1
	}
	for i, c := range v.cells {
		if c.Arm == name && maps.Equal(c.Matrix, v.cells[row].Matrix) {
			compared := stats.Compare(values(g.trials[row], speedOf), values(g.trials[i], speedOf))
			if compared.Ratio == 0 {
				compared.Ratio = math.NaN()
			}
			return compared.String(), compared.Ratio
		}
	}
	return stats.None, math.NaN()
}

func (v *view) latencyColumns(g group) []column {
	return []column{
		v.microsColumn("p50", g, g.role, p50),
		v.microsColumn("p99", g, g.role, p99),
		v.microsColumn("p99.9", g, g.role, p999),
	}
}

// serviceColumns set the open-loop p99 beside the service time's: a freeze
// delays every message that is due meanwhile, and service time hides all but a few.
func (v *view) serviceColumns(g group) []column {
	return []column{
		v.microsColumn("p99", g, g.role, p99),
		v.microsColumn("p99 service", g, g.service, p99),
	}
}

func (v *view) microsColumn(header string, g group, role string, read func(latency.Summary) float64) column {
	c := column{header: header, timed: true}
	for i, trials := range g.trials {
		micros := math.NaN()
		if v.pooled {
			if s := v.cells[i].Latency[g.scenario][role]; s.Count+s.Over > 0 {
				micros = read(s)
			}
		} else if all := values(trials, percentile(role, read)); len(all) > 0 {
			micros = stats.MedianLatency(all)
		}
		if math.IsNaN(micros) {
			c.none()
			continue
		}
		c.add(stats.Micros(micros), micros)
	}
	return c
}

// percentile reads one number of a role's summary in one trial.
func percentile(role string, read func(latency.Summary) float64) func(*result.Trial) (float64, bool) {
	return func(t *result.Trial) (float64, bool) {
		s, ok := t.Latency[role]
		return read(s), ok && s.Count+s.Over > 0
	}
}

// count is a kind of thing that goes wrong, by number.
type count struct {
	header string
	// observed is how many there were; a trial that cannot know has none.
	observed func(*result.Trial) (n int64, known bool)
	// forecast is how many a fault was to cause; nil where nothing predicts it.
	forecast func(*result.Predicted) *int64
	// awaited counts have their column wherever faults struck, others only where
	// there is something to show.
	awaited bool
}

// verdictCounts are those of every pipeline.
func verdictCounts() []count {
	of := func(read func(*ledger.Verdict) int64) func(*result.Trial) (int64, bool) {
		return func(t *result.Trial) (int64, bool) { return read(t.Verdict), true }
	}
	return []count{
		{"lost", of(func(v *ledger.Verdict) int64 { return v.Lost.Total }), func(p *result.Predicted) *int64 { return p.Lost }, true},
		{"duplicates", of(func(v *ledger.Verdict) int64 { return v.Duplicates.Total }), func(p *result.Predicted) *int64 { return p.Duplicates }, true},
		{"dead letters", of(func(v *ledger.Verdict) int64 { return v.DeadLettered }), func(p *result.Predicted) *int64 { return p.DeadLettered }, false},
		{"aborted seen", of(func(v *ledger.Verdict) int64 { return v.AbortedDelivered }), nil, false},
	}
}

// countColumns show what went wrong, and beside it what was predicted where
// something else came.
func countColumns(g group, counts ...count) []column {
	var columns []column
	for _, what := range counts {
		observed, predicted := column{header: what.header, traced: true}, column{header: "predicted"}
		differs, anything := false, false
		for _, trials := range g.trials {
			var seen, due []int64
			about := false
			for _, t := range completed(trials) {
				n, known := what.observed(t)
				if !known {
					continue
				}
				seen, anything = append(seen, n), anything || n != 0
				if what.forecast == nil {
					continue
				}
				if p := t.Predicted(what.forecast); p != nil {
					due = append(due, *p)
					about = about || !exactly(t)
					// What is only about so many is told beside what came, even where they agree.
					differs = differs || *p != n || about && n != 0
				}
			}
			observed.add(countRange(seen, tableCount), most(seen))
			text := countRange(due, tableCount)
			if about {
				text = "≈ " + countRange(due, aboutCount)
			}
			predicted.add(text, most(due))
		}
		if anything || g.kind == faulted && what.awaited {
			columns = append(columns, observed)
		}
		if differs {
			columns = append(columns, predicted)
		}
	}
	return columns
}

// exactly reports whether theory gives what the trial's faults cost to the message.
func exactly(t *result.Trial) bool {
	return !slices.ContainsFunc(t.Faults, func(f result.Fault) bool { return f.Predicted != nil && !f.Predicted.Exact })
}

// countRange writes the counts of a row's repeats: one number when all agree.
func countRange(counts []int64, text func(int64) string) string {
	if len(counts) == 0 {
		return stats.None
	}
	return stats.Between(text(slices.Min(counts)), text(slices.Max(counts)))
}

// most is the number by which a row's counts are put in order.
func most(counts []int64) float64 {
	if len(counts) == 0 {
		return math.NaN()
	}
	return float64(slices.Max(counts))
}

// aboutCount rounds what is no exact number anyway.
func aboutCount(n int64) string {
	if n >= 1_000_000 {
		return stats.SI(float64(n))
	}
	return stats.Count(n)
}

// tableCount writes a count exactly up to seven digits; the detail has the rest.
func tableCount(n int64) string {
	if n >= 10_000_000 {
		return stats.SI(float64(n))
	}
	return stats.Count(n)
}

// markLimited puts a * behind the first speed or latency of every row in which
// the generator was the limit, and a space behind the others so that digits line
// up. Counts have none: a late load loses and duplicates nothing.
func markLimited(g group) {
	first := slices.IndexFunc(g.columns, func(c column) bool { return c.timed })
	if first < 0 || !anyLimited(g) {
		return
	}
	for i, trials := range g.trials {
		mark := " "
		if slices.ContainsFunc(completed(trials), func(t *result.Trial) bool { return t.Generator.Limited }) {
			mark = limitedMark
		}
		g.columns[first].cells[i] += mark
	}
}

const limitedMark = "*"

func anyLimited(g group) bool {
	for _, trials := range g.trials {
		if slices.ContainsFunc(completed(trials), func(t *result.Trial) bool { return t.Generator.Limited }) {
			return true
		}
	}
	return false
}

package chart

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"

	"gonum.org/v1/plot/vg"
)

// price is what a cell's guarantee costs, as far as a scenario without faults tells.
type price struct {
	scenario string
	rate     bool // messages per second in a closed loop; else the p99 in microseconds of an open one
}

// bargain is one cell: what it costs, and what a fault does to it.
type bargain struct {
	cell       *result.Cell
	cost       stats.Summary // of the repeats, in the price's unit
	comparison *stats.Comparison
	fired      int // faults
	lost       damage
	duplicates damage
	violated   bool
	limited    bool
}

// damage is messages per fault fired: over all trials, and in the best and the worst of them.
type damage struct{ mean, least, most float64 }

func (b bargain) safe() bool { return b.lost.mean == 0 && b.duplicates.mean == 0 }

// tradeoffFigures draw cost against safety, one figure for every scenario with
// faults. Without two cells there is nothing to choose between.
func tradeoffFigures(run *result.Run) []figure {
	of, ok := priced(run)
	if !ok {
		return nil
	}
	var figures []figure
	for _, scenario := range scenarios(run) {
		all, missing := bargains(run, of, scenario)
		if scenario == of.scenario || len(all) < 2 {
			continue
		}
		labelled := worthLabels(all, of)
		figures = append(figures, figure{
			name: "tradeoff-" + scenario, title: tradeoffTitle(run, of, scenario, all), speed: true,
			omitted:    strings.Join(slices.DeleteFunc([]string{omitted(run, of.scenario, scenario), missing}, func(s string) bool { return s == "" }), "; "),
			room:       tradeoffRoom(all),
			conditions: tradeoffConditions(run, of, scenario, all, len(labelled)),
			header: []string{"cell", "cost_scenario", "cost", "median", "lo", "hi", "interval", "ratio_to_baseline", "p_value",
				"fault_scenario", "faults_fired", "lost_per_fault", "lost_least", "lost_most", "duplicates_per_fault", "duplicates_least", "duplicates_most"},
			points: tradeoffPoints(of, scenario, all),
			paint: func(p *pen, body vg.Rectangle) {
				paintTradeoff(p, body, of, all, labelled)
			},
		})
	}
	return figures
}

// priced finds the scenario that costs are read from: the first closed loop,
// whose throughput is the system's own, else the first open one without faults.
func priced(run *result.Run) (price, bool) {
	open := ""
	for _, scenario := range scenarios(run) {
		struck := anyTrial(run, scenario, func(t *result.Trial) bool { return len(t.Faults) > 0 })
		switch {
		case struck || !anyTrial(run, scenario, func(*result.Trial) bool { return true }):
		case anyTrial(run, scenario, closedLoop):
			return price{scenario, true}, true
		case open == "":
			open = scenario
		}
	}
	return price{scenario: open}, open != ""
}

// of are a cell's costs, a number per repeat; none where one repeat has none.
func (p price) of(c *result.Cell) []float64 {
	trials := completed(c, p.scenario)
	if p.rate {
		return rates(trials)
	}
	role := result.EndToEnd
	if producesOnly(c) {
		role = result.Ack
	}
	var all []float64
	for _, t := range trials {
		if t.Latency[role].P99 == 0 {
			return nil
		}
		all = append(all, t.Latency[role].P99)
	}
	return all
}

// better reports whether the cost a is less to pay than b.
func (p price) better(a, b float64) bool {
	if p.rate {
		return a > b
	}
	return a < b
}

// metric is the cost's name in a CSV.
func (p price) metric() string {
	if p.rate {
		return "pipeline_msg_per_s"
	}
	return "p99_us"
}

// compare sets a cell's costs beside its baseline's; nil where one of them has none.
func (p price) compare(run *result.Run, c *result.Cell) *stats.Comparison {
	b := baselineOf(run, c)
	if b == nil {
		return nil
	}
	costs, before := p.of(c), p.of(b)
	if len(costs) == 0 || len(before) == 0 {
		return nil
	}
	comparison := stats.Compare(costs, before)
	return &comparison
}

func (p price) noun() string {
	if p.rate {
		return "throughput"
	}
	return "p99 latency"
}

// amount is a cost as it is written: "212k", "84 ms".
func (p price) amount(v float64) string {
	if p.rate {
		return stats.Rate(v)
	}
	return stats.Micros(v)
}

// text is a cost with what it is: "212k msg/s", "p99 84 ms".
func (p price) text(v float64) string {
	if p.rate {
		return p.amount(v) + " msg/s"
	}
	return "p99 " + p.amount(v)
}

// bargains are the cells that have a price and met a fault, and a sentence about
// those of them that should have.
func bargains(run *result.Run, of price, scenario string) (all []bargain, missing string) {
	if !anyTrial(run, scenario, func(t *result.Trial) bool { return firedFaults(t) > 0 }) {
		return nil, ""
	}
	var without []string
	for _, c := range pictured(run, scenario) {
		if leftOut(c, of.scenario) {
			continue
		}
		costs, struck := of.of(c), completed(c, scenario)
		if len(costs) == 0 || len(struck) == 0 {
			where := of.scenario
			if len(costs) > 0 {
				where = scenario
			}
			without = append(without, fmt.Sprintf("%s: %s in %s", label(c), absence(c, where), where))
			continue
		}
		b := bargain{cell: c, cost: stats.Summarise(costs), limited: slices.ContainsFunc(completed(c, of.scenario), limited)}
		for _, t := range struck {
			b.fired += firedFaults(t)
			b.violated = b.violated || t.Promise == result.Violated
		}
		b.lost = perFault(struck, func(t *result.Trial) int64 { return t.Verdict.Lost.Total })
		b.duplicates = perFault(struck, func(t *result.Trial) int64 { return t.Verdict.Duplicates.Total })
		b.comparison = of.compare(run, c)
		all = append(all, b)
	}
	return all, strings.Join(without, "; ")
}

func firedFaults(t *result.Trial) (fired int) {
	for _, f := range t.Faults {
		if f.Fired != nil {
			fired++
		}
	}
	return fired
}

// perFault divides what the trials counted by the faults that fired in them. One
// without any tells nothing.
func perFault(trials []*result.Trial, count func(*result.Trial) int64) damage {
	var d damage
	var sum int64
	fired := 0
	for _, t := range trials {
		n := firedFaults(t)
		if n == 0 {
			continue
		}
		each := float64(count(t)) / float64(n)
		if fired == 0 {
			d.least, d.most = each, each
		}
		d.least, d.most = min(d.least, each), max(d.most, each)
		fired, sum = fired+n, sum+count(t)
	}
	if fired > 0 {
		d.mean = float64(sum) / float64(fired)
	}
	return d
}

// mostLabels is how many cells are named in the picture.
const mostLabels = 10

// worthLabels are the cells to name, the best first: all where they are few, else
// those that no other beats in cost, losses and duplicates at once.
func worthLabels(all []bargain, of price) []int {
	var named []int
	for i, a := range all {
		beaten := slices.ContainsFunc(all, func(b bargain) bool {
			return of.better(b.cost.Median, a.cost.Median) && b.lost.mean <= a.lost.mean && b.duplicates.mean <= a.duplicates.mean
		})
		if len(all) <= mostLabels || !beaten {
			named = append(named, i)
		}
	}
	slices.SortStableFunc(named, func(i, j int) int {
		return cmp.Compare(all[i].lost.mean+all[i].duplicates.mean, all[j].lost.mean+all[j].duplicates.mean)
	})
	return named[:min(len(named), mostLabels)]
}

// tradeoffTitle is what safety costs: of the cells that came through the faults
// without damage the cheapest, beside the baseline.
func tradeoffTitle(run *result.Run, of price, scenario string, all []bargain) string {
	var safe []bargain
	compared := 0
	for _, b := range all {
		if b.comparison != nil {
			compared++
		}
		if b.safe() {
			safe = append(safe, b)
		}
	}
	switch {
	case len(safe) == len(all):
		return fmt.Sprintf("Nothing lost and nothing duplicated in scenario %s, by any of %s", scenario, plural(strconv.Itoa(len(all)), "cell"))
	case len(safe) == 0:
		least := slices.MinFunc(all, func(a, b bargain) int {
			return cmp.Compare(a.lost.mean+a.duplicates.mean, b.lost.mean+b.duplicates.mean)
		})
		return fmt.Sprintf("Every cell loses or duplicates messages in scenario %s; the least: %s, %s per fault", scenario, label(least.cell), least.deeds())
	}
	best := slices.MinFunc(safe, func(a, b bargain) int {
		if of.better(a.cost.Median, b.cost.Median) {
			return -1
		}
		return 1
	})
	title, which := label(best.cell)+" loses and duplicates nothing", ""
	if len(safe) > 1 {
		title = fmt.Sprintf("%d of %d cells lose and duplicate nothing", len(safe), len(all))
		which = "; the best, " + label(best.cell)
	}
	switch c := best.comparison; {
	case c == nil || c.Missing > 0:
		return title
	// Picked from all that were compared, so it has to hold for all of them together.
	case c.Significant && c.P*float64(compared) < 1-stats.Confidence:
		return fmt.Sprintf("%s%s, at %s× the %s of %s", title, which, stats.Ratio(c.Ratio), of.noun(), label(baselineOf(run, best.cell)))
	case c.Significant, len(safe) > 1:
		return title
	}
	return fmt.Sprintf("%s; no difference in %s to %s detected", title, of.noun(), label(baselineOf(run, best.cell)))
}

// deeds is what faults did to the cell: "loses 500, duplicates 3".
func (b bargain) deeds() string {
	var parts []string
	if b.lost.mean > 0 {
		parts = append(parts, "loses "+amount(b.lost.mean))
	}
	if b.duplicates.mean > 0 {
		parts = append(parts, "duplicates "+amount(b.duplicates.mean))
	}
	if len(parts) == 0 {
		return "loses and duplicates nothing"
	}
	return strings.Join(parts, ", ")
}

func tradeoffConditions(run *result.Run, of price, scenario string, all []bargain, labelled int) string {
	least, most := all[0].fired, all[0].fired
	for _, b := range all {
		least, most = min(least, b.fired), max(most, b.fired)
	}
	fired := fmt.Sprint(most)
	if least != most {
		fired = fmt.Sprintf("%d to %d", least, most)
	}
	ends := "range"
	if slices.ContainsFunc(all, func(b bargain) bool { return b.cost.Spread == stats.Interval }) {
		ends = "95 % interval"
	}
	named, bounded := "", ""
	if slices.ContainsFunc(all, func(b bargain) bool { return b.limited }) {
		bounded = strings.TrimSpace(limitedMark) + " generator-limited"
	}
	if labelled < len(all) {
		named = "named: cells that none beats in cost, losses and duplicates"
	}
	how := repeats(run, of.scenario)
	if how != "1 repeat" {
		how = "median and " + ends + " of " + how
	}
	return sentence(fmt.Sprintf("Across: %s, scenario %s: %s; %s", of.noun(), of.scenario, load(run, of.scenario), how),
		fmt.Sprintf("up: scenario %s, %s per cell", scenario, plural(fired, "fault")), named, bounded)
}

func tradeoffPoints(of price, scenario string, all []bargain) [][]string {
	var points [][]string
	for _, b := range all {
		ratio, p := "", ""
		if b.comparison != nil {
			ratio, p = exact(b.comparison.Ratio), exact(b.comparison.P)
		}
		points = append(points, []string{b.cell.Name, of.scenario, of.metric(), exact(b.cost.Median), exact(b.cost.Lo), exact(b.cost.Hi), spreadName(b.cost.Spread), ratio, p,
			scenario, strconv.Itoa(b.fired), exact(b.lost.mean), exact(b.lost.least), exact(b.lost.most), exact(b.duplicates.mean), exact(b.duplicates.least), exact(b.duplicates.most)})
	}
	return points
}

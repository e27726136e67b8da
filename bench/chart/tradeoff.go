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
	limited    bool
	harm
}

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
			omitted:    sentence(omitted(run, of.scenario, scenario), missing),
			unfinished: unfinished(all),
			room:       tradeoffRoom(all, labelled),
			conditions: tradeoffConditions(run, of, scenario, all, len(labelled)),
			header: []string{"cell", "cost_scenario", "cost", "median", "lo", "hi", "interval", "ratio_to_baseline", "p_value",
				"fault_scenario", "faults_fired", "lost_per_fault", "lost_least", "lost_most", "duplicates_per_fault", "duplicates_least", "duplicates_most",
				"strays_per_fault", "strays_least", "strays_most", "unfinished_trials", "promise_violated"},
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

// summarise is what a cell costs over its repeats. Halfway to a latency over range
// is none.
func (p price) summarise(costs []float64) stats.Summary {
	s := stats.Summarise(costs)
	if !p.rate {
		s.Median = stats.MedianLatency(costs)
	}
	return s
}

// overRange reports whether a cost is no number to reckon with.
func (p price) overRange(cost float64) bool { return !p.rate && cost >= stats.OverRange }

// better reports whether the cost a is less to pay than b.
func (p price) better(a, b float64) bool {
	return p.order(a, b) < 0
}

// order puts what is less to pay first.
func (p price) order(a, b float64) int {
	if p.rate {
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}

// metric is the cost's name in a CSV.
func (p price) metric() string {
	if p.rate {
		return "pipeline_msg_per_s"
	}
	return "p99_us"
}

// compare sets a cell's costs beside its baseline's; nil where there is no ratio of them.
func (p price) compare(run *result.Run, c *result.Cell) *stats.Comparison {
	b := baselineOf(run, c)
	if b == nil {
		return nil
	}
	compared := stats.CompareLatencies
	if p.rate {
		compared = stats.Compare
	}
	comparison := compared(p.of(c), p.of(b))
	if comparison.Ratio <= 0 {
		return nil
	}
	return &comparison
}

// uncompared says in a few words why a cell that completed has no ratio.
func (p price) uncompared(run *result.Run, c *result.Cell) string {
	costs, b := p.of(c), baselineOf(run, c)
	switch {
	case len(costs) == 0:
		return "no latency"
	case p.overRange(p.summarise(costs).Median):
		return p.amount(stats.OverRange)
	case b == nil, len(p.of(b)) == 0:
		return "no baseline"
	case p.overRange(p.summarise(p.of(b)).Median):
		return "baseline " + p.amount(stats.OverRange)
	}
	return "no ratio"
}

// absence says why a cell has no cost.
func (p price) absence(c *result.Cell) string {
	if len(completed(c, p.scenario)) > 0 {
		return "no latency was recorded"
	}
	return absence(c, p.scenario)
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
	if !strikes(run, scenario) {
		return nil, ""
	}
	var without []string
	for _, c := range pictured(run, scenario) {
		if leftOut(c, of.scenario) {
			continue
		}
		costs, met := of.of(c), harmOf(c, scenario)
		where, why := scenario, met.unseen(c, scenario)
		if len(costs) == 0 {
			where, why = of.scenario, of.absence(c)
		}
		if why != "" {
			without = append(without, fmt.Sprintf("%s: %s in %s", label(c), why, where))
			continue
		}
		all = append(all, bargain{cell: c, cost: of.summarise(costs), comparison: of.compare(run, c), harm: met,
			limited: slices.ContainsFunc(completed(c, of.scenario), limited)})
	}
	return all, sentence(without...)
}

// unfinished names what is shown although not all of it is known.
func unfinished(all []bargain) string {
	var parts []string
	for _, b := range all {
		parts = append(parts, b.left(b.cell))
	}
	return sentence(parts...)
}

// harms are what the faults did to the cells.
func harms(of []bargain) (all []harm) {
	for _, b := range of {
		all = append(all, b.harm)
	}
	return all
}

// mostLabels is how many cells are named in the picture.
const mostLabels = 10

// worthLabels are the cells to name, the title's first: all where they are few, else
// those that no other beats in cost, losses and duplicates at once.
func worthLabels(all []bargain, of price) []int {
	var named []int
	for i, a := range all {
		beaten := slices.ContainsFunc(all, func(b bargain) bool {
			return of.better(b.cost.Median, a.cost.Median) && b.noWorse(a.harm) && (b.safe() || !a.safe())
		})
		if len(all) <= mostLabels || !beaten {
			named = append(named, i)
		}
	}
	slices.SortStableFunc(named, func(i, j int) int {
		a, b := all[i], all[j]
		switch {
		case a.safe() && b.safe():
			return of.order(a.cost.Median, b.cost.Median)
		case a.safe():
			return -1
		case b.safe():
			return 1
		}
		return cmp.Compare(a.sum(), b.sum())
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
		return fmt.Sprintf("Nothing lost and nothing duplicated in %s, by any of %s", faultsIn(scenario, harms(all)), stats.Plural(len(all), "cell"))
	case len(safe) == 0:
		return hurtTitle(scenario, all)
	}
	best := cheapest(safe, of)
	title, which := fmt.Sprintf("%s lost and duplicated nothing in %s", label(best.cell), faultsIn(scenario, harms(safe))), ""
	if len(safe) > 1 {
		title = fmt.Sprintf("%d of %d cells lost and duplicated nothing in %s", len(safe), len(all), faultsIn(scenario, harms(safe)))
		which = "; the best, " + label(best.cell)
	}
	switch c := best.comparison; {
	case c == nil, c.Missing > 0:
		return title
	// Picked from all that were compared, so it has to hold for all of them together.
	case c.Significant && c.P*float64(compared) < 1-stats.Confidence:
		return fmt.Sprintf("%s%s, at %s× the %s of %s", title, which, stats.Ratio(c.Ratio), of.noun(), label(baselineOf(run, best.cell)))
	case c.Significant, len(safe) > 1:
		return title
	}
	return fmt.Sprintf("%s; no difference in %s to %s detected", title, of.noun(), label(baselineOf(run, best.cell)))
}

// cheapest is the bargain with the least to pay.
func cheapest(of []bargain, by price) bargain {
	return slices.MinFunc(of, func(a, b bargain) int { return by.order(a.cost.Median, b.cost.Median) })
}

// hurtTitle is the headline where no cell is safe. One is hurt the least only when
// every other is hurt more in some way and less in none: a message lost is not
// weighed against one that came twice.
func hurtTitle(scenario string, all []bargain) string {
	title := "Every cell lost or duplicated messages in "
	if slices.ContainsFunc(all, func(b bargain) bool { return b.lost.mean == 0 && b.duplicates.mean == 0 }) {
		title = "Every cell was hurt or left unfinished in "
	}
	title += faultsIn(scenario, harms(all))
	for i, b := range all {
		beats := len(b.unfinished) == 0 && b.counted()
		for j, other := range all {
			beats = beats && (i == j || b.noWorse(other.harm) && !other.noWorse(b.harm))
		}
		if beats {
			return fmt.Sprintf("%s; the least: %s, %s per fault", title, label(b.cell), b.deeds())
		}
	}
	return title
}

func tradeoffConditions(run *result.Run, of price, scenario string, all []bargain, labelled int) string {
	bounds := ""
	if slices.ContainsFunc(all, func(b bargain) bool { return b.bound && b.counted() }) {
		bounds = boundMark
	}
	var costs []stats.Spread
	for _, b := range all {
		costs = append(costs, b.cost.Spread)
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
		how = "median and " + endsOf(costs, "95 % interval") + " of " + how
	}
	return sentence(fmt.Sprintf("Across: %s, scenario %s: %s; %s", of.noun(), of.scenario, load(run, of.scenario), how),
		fmt.Sprintf("up: scenario %s, %s per cell", scenario, faultCount(harms(all))), bounds, named, bounded)
}

func tradeoffPoints(of price, scenario string, all []bargain) [][]string {
	var points [][]string
	for _, b := range all {
		ratio, p := "", ""
		if b.comparison != nil {
			ratio, p = exact(b.comparison.Ratio), exact(b.comparison.P)
		}
		points = append(points, []string{b.cell.Name, of.scenario, of.metric(), exact(b.cost.Median), exact(b.cost.Lo), exact(b.cost.Hi), spreadName(b.cost.Spread), ratio, p,
			scenario, strconv.Itoa(b.fired), exact(b.lost.mean), exact(b.lost.least), exact(b.lost.most), exact(b.duplicates.mean), exact(b.duplicates.least), exact(b.duplicates.most),
			exact(b.strays.mean), exact(b.strays.least), exact(b.strays.most), strconv.Itoa(len(b.unfinished)), strconv.FormatBool(b.violated)})
	}
	return points
}

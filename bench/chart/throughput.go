package chart

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"

	"gonum.org/v1/plot/vg"
)

// rateRow is one cell in the throughput chart.
type rateRow struct {
	cell       *result.Cell
	colour     int
	rates      []float64
	summary    stats.Summary
	comparison *stats.Comparison // with the baseline; nil is none
	limited    bool
	absent     string // why there are no numbers
}

// throughputFigures draws one chart for every scenario that ran closed-loop:
// in an open loop the rate is what was asked for, and says nothing.
func throughputFigures(run *result.Run) []figure {
	var figures []figure
	for _, scenario := range scenarios(run) {
		if !anyTrial(run, scenario, closedLoop) {
			continue
		}
		rows := rateRows(run, scenario)
		var fastest float64
		for _, r := range rows {
			for _, rate := range r.rates {
				fastest = max(fastest, rate)
			}
			fastest = max(fastest, r.summary.Hi)
		}
		if fastest == 0 {
			continue
		}
		title := throughputTitle(run, scenario, rows)
		cut, suffixes := pages(rows, mostRows)
		for i, page := range cut {
			figures = append(figures, figure{
				name: "throughput-" + scenario + suffixes[i], title: title, speed: true, omitted: omitted(run, scenario),
				room: rateHead + rateAxis + mostHeight*vg.Length(len(page)),
				conditions: sentence(fmt.Sprintf("Scenario %s: %s", scenario, load(run, scenario)),
					repeats(run, scenario), "bar: median, dots: repeats, line: 95 % interval (from 6 repeats)"),
				header: []string{"cell", "scenario", "repeat", "pipeline_msg_per_s", "median_msg_per_s", "lo_msg_per_s", "hi_msg_per_s", "interval", "ratio_to_baseline", "p_value"},
				points: ratePoints(scenario, page),
				paint:  func(p *pen, body vg.Rectangle) { paintRates(p, body, run, page, fastest) },
			})
		}
	}
	return figures
}

func rateRows(run *result.Run, scenario string) []rateRow {
	colour := colours(run)
	var rows []rateRow
	for _, c := range pictured(run, scenario) {
		trials := completed(c, scenario)
		row := rateRow{cell: c, colour: colour[c.Arm], rates: rates(trials)}
		row.summary = stats.Summarise(row.rates)
		if len(trials) == 0 {
			row.absent = absence(c, scenario)
		}
		row.limited = slices.ContainsFunc(trials, limited)
		row.comparison = price{scenario, true}.compare(run, c)
		rows = append(rows, row)
	}
	return rows
}

// throughputTitle is the finding: a ratio when one is significant, that none was
// found when one could have been, and else only what the chart shows.
func throughputTitle(run *result.Run, scenario string, rows []rateRow) string {
	compared := map[*result.Cell]stats.Comparison{}
	var order []*result.Cell
	powerless, some := false, false
	for _, r := range rows {
		order = append(order, r.cell)
		if r.comparison != nil {
			compared[r.cell] = *r.comparison
			powerless = powerless || r.comparison.Missing > 0
			some = some || r.comparison.Significant
		}
	}
	if c := significant(compared, order); c != nil {
		return fmt.Sprintf("%s carries %s× the messages of %s", label(c), stats.Ratio(compared[c].Ratio), label(baselineOf(run, c)))
	}
	switch {
	case len(rows) == 1 && rows[0].absent == "":
		return fmt.Sprintf("%s carries %s messages per second", label(rows[0].cell), stats.Rate(rows[0].summary.Median))
	case len(compared) == 0, some: // a difference that is significant only by itself stands in its row, not in the headline
		return fmt.Sprintf("Throughput of %s, scenario %s", stats.Plural(len(rows), "cell"), scenario)
	case powerless:
		return "Throughput: too few repeats to tell the cells apart"
	}
	return "Throughput: no difference to " + run.Run.Baseline + " detected"
}

func ratePoints(scenario string, rows []rateRow) [][]string {
	var points [][]string
	for _, r := range rows {
		ratio, p := "", ""
		if r.comparison != nil {
			ratio, p = exact(r.comparison.Ratio), exact(r.comparison.P)
		}
		for i, rate := range r.rates {
			points = append(points, []string{r.cell.Name, scenario, strconv.Itoa(i + 1), exact(rate),
				exact(r.summary.Median), exact(r.summary.Lo), exact(r.summary.Hi), spreadName(r.summary.Spread), ratio, p})
		}
	}
	return points
}

func spreadName(s stats.Spread) string {
	switch s {
	case stats.Interval:
		return "95 % interval"
	case stats.Range:
		return "range"
	}
	return "none"
}

// exact writes a number for the CSV, without rounding.
func exact(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// What stands over and under the bars, in points.
const (
	rateHead = 30
	rateAxis = 94
)

// rateColumn is one of the columns of text right of the bars.
type rateColumn struct {
	head  string
	width vg.Length
	ink   shade
	text  func(rateRow) string
}

// rateColumns are those that have something to say.
func rateColumns(run *result.Run, rows []rateRow) []rateColumn {
	columns := []rateColumn{{"msg/s", 90, ink, func(r rateRow) string { return stats.Rate(r.summary.Median) }}}
	if head := spreadHead(rows); head != "" {
		columns = append(columns, rateColumn{head, 180, faded, func(r rateRow) string {
			if r.summary.Spread == stats.NoSpread {
				return ""
			}
			return stats.Between(stats.Rate(r.summary.Lo), stats.Rate(r.summary.Hi))
		}})
	}
	if slices.ContainsFunc(rows, func(r rateRow) bool { return r.comparison != nil }) {
		columns = append(columns, rateColumn{"× baseline", 120, ink, func(r rateRow) string { return ratioText(run, r) }})
	}
	return columns
}

func paintRates(p *pen, body vg.Rectangle, run *result.Run, rows []rateRow, fastest float64) {
	height := min((body.Size().Y-rateAxis-rateHead)/vg.Length(len(rows)), mostHeight)
	size := textIn(height)
	top := body.Max.Y - rateHead
	low := top - height*vg.Length(len(rows))
	names, labels := nameColumn(p, rows, size, namesShare*body.Size().X)
	columns := rateColumns(run, rows)
	x0 := body.Min.X + names + 16
	x1 := body.Max.X - 20
	for _, c := range columns {
		x1 -= c.width
	}
	ticks := linearTicks(fastest, 5)
	s := scale{hi: ticks[len(ticks)-1], a: x0, b: x1}
	for _, v := range ticks {
		p.line(s.at(v), low, s.at(v), top, 1, rule)
		p.text(s.at(v), low-18, tickName(v), tickSize, faded, centre)
	}
	p.text((x0+x1)/2, low-44, "messages per second through the whole pipeline", tickSize, faded, centre)
	for i, r := range rows {
		y := top - height*(vg.Length(i)+0.5)
		p.text(x0-16, y, labels[i], size, ink, right)
		if r.absent != "" {
			p.note(x0+8, y, p.shorten(r.absent, min(size, textSize), body.Max.X-x0-8), min(size, textSize), faded)
			continue
		}
		paintRate(p, r, s, y, height)
	}
	x := x1 + 20
	for _, c := range columns {
		x += c.width
		p.text(x, top+rateHead/2, c.head, tickSize, faded, right)
		for i, r := range rows {
			if r.absent == "" {
				p.text(x, top-height*(vg.Length(i)+0.5), c.text(r), size, c.ink, right)
			}
		}
	}
	p.line(x0, low, x0, top, 1.5, axis)
	paintNotes(p, run, rows, body.Max.X, body.Min.Y+2)
}

// paintRate paints one row's bar, repeats and interval.
func paintRate(p *pen, r rateRow, s scale, y, height vg.Length) {
	colour := armColours()[r.colour%len(armColours())]
	half := min(0.36*height, 44)
	p.box(s.a, y-half, s.at(r.summary.Median), y+half, tint(colour, 0.55))
	p.line(s.at(r.summary.Median), y-half, s.at(r.summary.Median), y+half, 3, colour)
	for _, rate := range r.rates {
		p.dot(s.at(rate), y-half/2, min(height/9, 6), tint(colour, 0.1))
	}
	if r.summary.Spread == stats.Interval {
		lo, hi, up := s.at(r.summary.Lo), s.at(r.summary.Hi), y+half/3
		p.line(lo, up, hi, up, 2.5, ink)
		p.line(lo, up-half/3, lo, up+half/3, 2.5, ink)
		p.line(hi, up-half/3, hi, up+half/3, 2.5, ink)
	}
}

func ratioText(run *result.Run, r rateRow) string {
	switch {
	case r.comparison != nil:
		return r.comparison.String()
	case isBaseline(run, r.cell):
		return "base"
	}
	return ""
}

func spreadHead(rows []rateRow) string {
	var all []stats.Spread
	for _, r := range rows {
		all = append(all, r.summary.Spread)
	}
	return endsOf(all, "95 % CI")
}

// endsOf says what the ends of spreads are, the interval by the name given.
func endsOf(all []stats.Spread, interval string) string {
	var parts []string
	if slices.Contains(all, stats.Interval) {
		parts = append(parts, interval)
	}
	if slices.Contains(all, stats.Range) {
		parts = append(parts, "range")
	}
	return strings.Join(parts, " or ")
}

// limitedMark follows the name of a cell whose generator was the limit.
const limitedMark = " †"

// nameColumn returns how wide the column of names is, and the names as they fit into it.
func nameColumn(p *pen, rows []rateRow, size, most vg.Length) (width vg.Length, fitted []string) {
	for _, r := range rows {
		name := p.shortenMiddle(label(r.cell), size, most)
		if r.limited {
			name += limitedMark
		}
		fitted = append(fitted, name)
	}
	return p.widest(fitted, size), fitted
}

// paintNotes explains the marks that occur in the rows.
func paintNotes(p *pen, run *result.Run, rows []rateRow, x, y vg.Length) {
	bounded, same, few := false, false, false
	for _, r := range rows {
		bounded = bounded || r.limited
		same = same || ratioText(run, r) == "~"
		few = few || strings.HasSuffix(ratioText(run, r), "?")
	}
	var notes []string
	if bounded {
		notes = append(notes, "† generator-limited: the load machine set the speed")
	}
	if same {
		notes = append(notes, "~ no significant difference")
	}
	if few {
		notes = append(notes, "? too few repeats to tell")
	}
	p.text(x, y, strings.Join(notes, "    "), footerSize, faded, right)
}

// mostHeight is how high a row is where there are few.
const mostHeight = 160

// textIn is the size of text in a row of the given height.
func textIn(height vg.Length) vg.Length {
	if height > 2.5*rowSize {
		return rowSize
	}
	return min(textSize, 0.64*height)
}

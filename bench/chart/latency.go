package chart

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"

	"gonum.org/v1/plot/vg"
)

// curve is the latency of one cell by percentile. Its places on the axis are
// "nines": log10(1 / (1 − p)), so that 90 %, 99 %, 99.9 % are 1, 2, 3.
type curve struct {
	cell    *result.Cell
	colour  shade
	role    string // of the recorded latencies
	service bool   // from the actual send, not the intended one
	nines   []float64
	micros  []float64
	p99     float64 // microseconds, as the table has it
	over    int64   // messages beyond the curve's end: never arrived, or over range
	total   int64   // messages, those included
}

// never is the share of the messages that did not arrive in the time measured.
func (c curve) never() float64 { return float64(c.over) / float64(c.total) }

// begins reports whether the curve has any points: not when half of the messages
// never arrived, for it starts at the median.
func (c curve) begins() bool { return len(c.nines) > 0 }

// curveStep is how far apart the points of a curve are, in nines.
const curveStep = 0.02

// latencyFigures draws one chart for every scenario with an open-loop load.
func latencyFigures(dir string, run *result.Run) ([]figure, error) {
	var figures []figure
	for _, scenario := range scenarios(run) {
		if !anyTrial(run, scenario, func(t *result.Trial) bool { return !t.Generator.Closed }) {
			continue
		}
		curves, err := latencyCurves(dir, run, scenario)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(curves, curve.begins) {
			continue
		}
		drawn, how := visible(curves)
		if anyTrial(run, scenario, limited) {
			how = sentence(how, strings.TrimSpace(limitedMark)+" generator-limited")
		}
		figures = append(figures, figure{
			name: "latency-" + scenario, title: latencyTitle(scenario, curves), speed: true, omitted: omitted(run, scenario),
			conditions: sentence(fmt.Sprintf("Scenario %s: %s", scenario, load(run, scenario)), pooledRepeats(run, scenario), how),
			header:     []string{"cell", "scenario", "latency", "percentile", "nines", "latency_us"},
			points:     curvePoints(scenario, curves),
			paint:      func(p *pen, body vg.Rectangle) { paintCurves(p, body, run, scenario, drawn) },
		})
	}
	return figures, nil
}

// pooledRepeats says what the curves are of: "3 repeats pooled".
func pooledRepeats(run *result.Run, scenario string) string {
	if n := repeats(run, scenario); n != "1 repeat" {
		return n + " pooled"
	}
	return "1 repeat"
}

// mostDashed is up to how many curves in all the dashed ones are told apart.
const mostDashed = 16

// visible are the curves to paint, and what they are. With many cells the
// service times are left to the CSV.
func visible(curves []curve) (drawn []curve, how string) {
	end := latencyEnds(curves)
	how = "solid: intended send to " + end
	service := func(c curve) bool { return c.service }
	switch {
	case !slices.ContainsFunc(curves, service):
		return curves, how
	case len(curves) > mostDashed:
		return slices.DeleteFunc(slices.Clone(curves), service), how + " (from the actual send: in the CSV)"
	}
	return curves, how + ", dashed: actual send to " + end
}

// latencyEnds is where the curves' latencies end: each pipeline's, where they differ.
func latencyEnds(curves []curve) string {
	var ends, named []string
	for _, c := range curves {
		if end := c.cell.LatencyEnd(); !slices.Contains(ends, end) {
			ends, named = append(ends, end), append(named, fmt.Sprintf("%s (%s)", end, c.cell.Settings["pipeline"]))
		}
	}
	if len(ends) == 1 {
		return ends[0]
	}
	return strings.Join(named, " or ")
}

func latencyCurves(dir string, run *result.Run, scenario string) ([]curve, error) {
	var curves []curve
	for i := range run.Cells {
		c := &run.Cells[i]
		pooled, err := result.Pool(dir, completed(c, scenario))
		if errors.Is(err, fs.ErrNotExist) {
			continue // curveEnds says so
		}
		if err != nil {
			return nil, err
		}
		roles := []string{result.EndToEnd, result.EndToEndService}
		if producesOnly(c) {
			roles = []string{result.Ack, result.AckService}
		}
		for i, role := range roles {
			pool := newPool(pooled[role])
			if pool == nil {
				continue
			}
			drawn := newCurve(pool)
			drawn.cell, drawn.colour, drawn.role, drawn.service = c, cellColour(run, c), role, i == 1
			curves = append(curves, drawn)
		}
	}
	return curves, nil
}

// acknowledged says that the latency ends at the acknowledgement, not at the effect.
func (c curve) acknowledged() bool { return c.role == result.Ack || c.role == result.AckService }

// newCurve reads the percentiles from the median to the last that the number of
// values supports: with n values that is the maximum, at 1 − 1/n. What lies left
// of the median would only stretch the axes. Values over range are the slowest
// of all, and the curve ends where they begin.
func newCurve(pool *pool) curve {
	total := pool.recorded() + pool.over
	c := curve{p99: pool.p99, over: pool.over, total: total}
	last := math.Log10(float64(total))
	for nines := math.Log10(2); ; nines += curveStep {
		nines = min(nines, last)
		rank := math.Ceil((1 - math.Pow(10, -nines)) * float64(total))
		if nines == last {
			rank = float64(total) // the one message that a freeze delayed must not be left out
		}
		if rank > float64(pool.recorded()) {
			break
		}
		c.nines = append(c.nines, nines)
		c.micros = append(c.micros, pool.atRank(max(int64(rank), 1)))
		if nines == last {
			break
		}
	}
	return c
}

// latencyTitle names the quickest and the slowest cell at the 99th percentile:
// what was measured, and not a ratio, since the pooled percentile has no interval.
func latencyTitle(scenario string, curves []curve) string {
	var intended []curve
	for _, c := range curves {
		if !c.service {
			intended = append(intended, c)
		}
	}
	if len(intended) == 0 {
		return "Latency from the actual send, scenario " + scenario
	}
	by := func(a, b curve) int { return cmp.Compare(a.p99, b.p99) }
	best, worst := slices.MinFunc(intended, by), slices.MaxFunc(intended, by)
	quick, slow := stats.Micros(best.p99), stats.Micros(worst.p99)
	within := "99 % of messages arrive within "
	if worst.acknowledged() {
		within = "99 % of messages are acknowledged within "
	}
	switch {
	case best.p99 >= stats.OverRange:
		return fmt.Sprintf("%s: %s of messages %s, scenario %s", label(worst.cell), stats.Percent(worst.never()), worst.neverDid(), scenario)
	case worst.p99 >= stats.OverRange:
		return fmt.Sprintf("%s%s with %s; with %s, %s %s", within, quick, label(best.cell), label(worst.cell), stats.Percent(worst.never()), worst.neverDid())
	case quick == slow:
		return within + slow + ", scenario " + scenario
	}
	return fmt.Sprintf("%s%s with %s, within %s with %s", within, quick, label(best.cell), slow, label(worst.cell))
}

// neverDid says what became of those beyond the curve's end.
func (c curve) neverDid() string {
	if c.acknowledged() {
		return "had no acknowledgement"
	}
	return "never arrived"
}

func curvePoints(scenario string, curves []curve) [][]string {
	var points [][]string
	for _, c := range curves {
		for i := range c.nines {
			points = append(points, []string{c.cell.Name, scenario, c.role,
				strconv.FormatFloat(100*(1-math.Pow(10, -c.nines[i])), 'f', 6, 64),
				strconv.FormatFloat(c.nines[i], 'f', 4, 64), exact(c.micros[i])})
		}
	}
	return points
}

// percentileName is the tick at n nines: "90 %", "99 %", "99.9 %".
func percentileName(nines int) string {
	return strconv.FormatFloat(100-math.Pow(10, 2-float64(nines)), 'f', max(nines-2, 0), 64) + " %"
}

func paintCurves(p *pen, body vg.Rectangle, run *result.Run, scenario string, curves []curve) {
	ends, absent := curveEnds(run, scenario, curves)
	curves = slices.DeleteFunc(slices.Clone(curves), func(c curve) bool { return !c.begins() })
	lo, hi, most := math.Inf(1), 0.0, 1.0
	for _, c := range curves {
		lo, hi = min(lo, max(c.micros[0], 1)), max(hi, c.micros[len(c.micros)-1], 2)
		most = max(most, c.nines[len(c.nines)-1])
	}
	size := min(textSize, 0.92*(body.Size().Y-60)/vg.Length(max(len(ends)+len(absent), 1)))
	room := namesShare * body.Size().X
	var whole, texts []string
	for _, e := range ends {
		whole = append(whole, e.name+"  "+e.numbers)
	}
	size = min(size, p.fit(whole, size, room)) // a matrix's settings are what tells its cells apart
	for _, e := range ends {
		texts = append(texts, e.text(p, size, room))
	}
	column := min(p.widest(texts, size), room)
	x := scale{lo: math.Log10(2), hi: most, a: body.Min.X + 84, b: body.Max.X - column - 56}
	ticks := logTicks(lo, hi)
	y := scale{lo: ticks[0], hi: ticks[len(ticks)-1], a: body.Min.Y + 62, b: body.Max.Y - 38, log: true}
	paintLatencyAxes(p, x, y, thin(ticks, 13), most)
	for _, c := range curves {
		paintCurve(p, c, x, y)
	}
	paintEnds(p, body, x, y, ends, absent, size, column)
}

func paintLatencyAxes(p *pen, x, y scale, ticks []float64, most float64) {
	for _, v := range ticks {
		p.line(x.a, y.at(v), x.b, y.at(v), 1, rule)
		p.text(x.a-10, y.at(v), tickMicros(v), tickSize, faded, right)
	}
	mark := func(nines float64, name string) {
		p.line(x.at(nines), y.a, x.at(nines), y.b, 1, rule)
		p.text(x.at(nines), y.a-18, name, tickSize, faded, centre)
	}
	mark(x.lo, "50 %")
	for n := 1; float64(n) <= most; n++ {
		mark(float64(n), percentileName(n))
	}
	p.line(x.a, y.a, x.b, y.a, 1.5, axis)
	p.text((x.a+x.b)/2, y.a-46, "percentile of messages", tickSize, faded, centre)
	p.text(x.a-74, y.b+22, "latency (log scale)", tickSize, faded, left)
}

func paintCurve(p *pen, c curve, x, y scale) {
	var points []vg.Point
	for i := range c.nines {
		points = append(points, vg.Point{X: x.at(c.nines[i]), Y: y.at(max(c.micros[i], y.lo))})
	}
	if c.service {
		p.path(points, 2, c.colour, 7, 5)
		return
	}
	p.path(points, 3, c.colour)
	end := points[len(points)-1]
	p.dot(end.X, end.Y, 4.5, c.colour)
}

// curveEnd is the label of a curve.
type curveEnd struct {
	curve   curve
	name    string
	numbers string
}

// text is the label in width: the name gives way, not the numbers.
func (e curveEnd) text(p *pen, size, width vg.Length) string {
	numbers := "  " + e.numbers
	return p.shorten(p.shortenMiddle(e.name, size, max(width-p.width(numbers, size), 0))+numbers, size, width)
}

// mostAbsent is how many cells without a curve are named beside the curves.
const mostAbsent = 4

// curveEnds labels every cell once, at its solid curve or, where that is
// missing, at its dashed one. The cells without a curve are named with the reason.
func curveEnds(run *result.Run, scenario string, curves []curve) (ends []curveEnd, absent []string) {
	for _, cell := range pictured(run, scenario) {
		at := slices.IndexFunc(curves, func(c curve) bool { return c.cell == cell })
		if at < 0 {
			why := absence(cell, scenario)
			if len(completed(cell, scenario)) > 0 {
				why = "no latencies in histograms/"
			}
			absent = append(absent, label(cell)+", "+why)
			continue
		}
		if !curves[at].begins() {
			absent = append(absent, fmt.Sprintf("%s, %s of messages %s", label(cell), stats.Percent(curves[at].never()), curves[at].neverDid()))
			continue
		}
		text := "p99 " + stats.Micros(curves[at].p99)
		if n := curves[at].over; n > 0 {
			text += ", " + stats.Count(n) + " " + curves[at].neverDid()
		}
		if slices.ContainsFunc(completed(cell, scenario), closedLoop) {
			text += ", closed loop" // its load waits for the broker, and so measures no waiting
		}
		if slices.ContainsFunc(completed(cell, scenario), limited) {
			text += limitedMark
		}
		ends = append(ends, curveEnd{curves[at], label(cell), text})
	}
	if len(absent) > mostAbsent {
		absent = []string{fmt.Sprintf("%d cells without a curve: see the report", len(absent))}
	}
	return ends, absent
}

// paintEnds writes the labels beside the ends of their curves, moved apart and
// tied to them with a line.
func paintEnds(p *pen, body vg.Rectangle, x, y scale, ends []curveEnd, absent []string, size, column vg.Length) {
	gap := 1.35 * size
	floor := y.a
	for i, s := range absent {
		p.text(body.Max.X, y.a+gap*vg.Length(i), p.shorten(s, size*0.85, column+30), size*0.85, faded, right)
		floor += gap
	}
	var wanted []vg.Length
	for _, e := range ends {
		wanted = append(wanted, y.at(max(e.curve.micros[len(e.curve.micros)-1], y.lo)))
	}
	for i, place := range spread(wanted, gap, floor, y.b) {
		e := ends[i]
		x0 := x.at(e.curve.nines[len(e.curve.nines)-1])
		p.line(x0+6, wanted[i], x.b+10, wanted[i], 1.2, e.curve.colour, 1, 4) // dotted: the curve has ended
		p.path([]vg.Point{{X: x.b + 10, Y: wanted[i]}, {X: x.b + 38, Y: place}, {X: x.b + 48, Y: place}}, 1.2, e.curve.colour)
		p.text(x.b+56, place, e.text(p, size, column), size, ink, left)
	}
}

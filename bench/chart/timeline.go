package chart

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"

	"gonum.org/v1/plot/vg"
)

// mostTimelines bounds how many timelines are drawn: nobody looks at more, and the
// numbers of all are in run.json.
const mostTimelines = 12

// passage is a trial whose timeline can be drawn.
type passage struct {
	cell  *result.Cell
	trial *result.Trial
	of    int // repeats
}

// timelineFigures draws one repeat of cells in scenarios with faults.
func timelineFigures(run *result.Run) []figure {
	var figures []figure
	all := passages(run)
	chosen, others := telling(all), ""
	if len(chosen) < len(all) {
		others = fmt.Sprintf("%d of %d timelines are drawn", len(chosen), len(all))
	}
	for _, m := range chosen {
		c, t := m.cell, m.trial
		figures = append(figures, figure{
			name: "timeline-" + c.Name + "-" + t.Scenario, title: timelineTitle(c, t), speed: true,
			conditions: sentence(fmt.Sprintf("Scenario %s: %s", t.Scenario, load(run, t.Scenario)),
				m.repeat(), "counted every "+stats.Seconds(t.Timeline[0].LengthSecond), others),
			header: []string{"start_s", "length_s", "produced_msg_per_s", "effects_per_s", "end_to_end_p50_us", "end_to_end_p99_us", "end_to_end_max_us"},
			points: timelinePoints(t),
			paint:  func(p *pen, body vg.Rectangle) { paintTimeline(p, body, c, t) },
		})
	}
	return figures
}

// repeat says which one it is: "repeat 3 of 3, inconclusive, promise violated".
func (m passage) repeat() string {
	text := fmt.Sprintf("repeat %d of %d", m.trial.Repeat, m.of)
	if m.trial.Status != result.Completed {
		text += ", " + string(m.trial.Status)
	}
	if m.trial.Promise == result.Violated {
		text += ", promise violated"
	}
	return text
}

// passages have for each cell the first trial that broke its promise, whatever else
// became of it, else the first that completed.
func passages(run *result.Run) (all []passage) {
	for _, scenario := range scenarios(run) {
		for i := range run.Cells {
			c := &run.Cells[i]
			trials := c.InScenario(scenario)
			drawable := slices.DeleteFunc(slices.Clone(trials), func(t *result.Trial) bool { return len(t.Faults) == 0 || len(t.Timeline) == 0 })
			at := slices.IndexFunc(drawable, func(t *result.Trial) bool { return t.Promise == result.Violated })
			if at < 0 {
				at = slices.IndexFunc(drawable, func(t *result.Trial) bool { return t.Status == result.Completed && t.Verdict != nil })
			}
			if at >= 0 {
				all = append(all, passage{c, drawable[at], len(trials)})
			}
		}
	}
	return all
}

// telling leaves mostTimelines, in their order: first those that broke a promise,
// then one of every arm in every scenario, whose matrix combinations look alike.
func telling(all []passage) []passage {
	rank := map[passage]int{}
	seen := map[[2]string]bool{}
	for _, m := range all {
		arm := [2]string{m.cell.Arm, m.trial.Scenario}
		switch {
		case m.trial.Promise == result.Violated:
			rank[m] = 0
		case !seen[arm]:
			rank[m] = 1
		default:
			rank[m] = 2
		}
		seen[arm] = true
	}
	chosen := slices.Clone(all)
	slices.SortStableFunc(chosen, func(a, b passage) int { return cmp.Compare(rank[a], rank[b]) })
	chosen = chosen[:min(len(chosen), mostTimelines)]
	return slices.DeleteFunc(slices.Clone(all), func(m passage) bool { return !slices.Contains(chosen, m) })
}

// progress is what a pipeline's timeline counts as getting on, and what to call
// it: without a consumer there are only acknowledgements.
func progress(c *result.Cell) (of func(result.Interval) int64, one, many string) {
	if producesOnly(c) {
		return func(i result.Interval) int64 { return i.Produced }, "an acknowledgement", "acknowledgements"
	}
	return func(i result.Interval) int64 { return i.Effects }, "an effect", "effects"
}

// timelineTitle is how long effects stood still once the first fault had fired,
// and the last fault before that.
func timelineTitle(c *result.Cell, t *result.Trial) string {
	first := -1
	for i, f := range t.Faults {
		if f.Fired != nil && (first < 0 || *f.Fired < *t.Faults[first].Fired) {
			first = i
		}
	}
	if first < 0 {
		return fmt.Sprintf("%s in scenario %s: no fault fired", label(c), t.Scenario)
	}
	count, one, many := progress(c)
	start, still := standstill(t, *t.Faults[first].Fired, count)
	if still == 0 {
		return fmt.Sprintf("%s: under load never a whole %s without %s after %q", label(c), stats.Seconds(t.Timeline[0].LengthSecond), one, t.Faults[first].Name)
	}
	last := first
	for i, f := range t.Faults {
		if f.Fired != nil && *f.Fired <= start && *f.Fired >= *t.Faults[last].Fired {
			last = i
		}
	}
	after := fmt.Sprintf("after %q", t.Faults[last].Name)
	if f := t.Faults[last]; f.RecoveryStart() != nil && *f.RecoveryStart() > *f.Fired && start+t.Timeline[0].LengthSecond > *f.RecoveryStart() {
		after = fmt.Sprintf("after the kill in %q", t.Faults[last].Name)
	}
	return fmt.Sprintf("%s: no %s for about %s %s", label(c), many, stats.Seconds(still), after)
}

// standstill is the longest stretch of whole intervals without progress that
// ends after the given time, as its start and length in seconds. Once the load
// has ended, or the last message is done, silence is no standstill; it is when
// nothing at all follows the given time.
func standstill(t *result.Trial, from float64, progress func(result.Interval) int64) (start, length float64) {
	var begin, current float64
	resumed := false
	for _, i := range t.Timeline {
		if i.StartSecond+i.LengthSecond <= from {
			continue
		}
		if w := t.Throughput.WindowSeconds; resumed && current == 0 && w > 0 && i.StartSecond >= w {
			break
		}
		if progress(i) > 0 {
			if current > length {
				start, length = begin, current
			}
			// What was done before the fault in its interval is no resumption.
			current, resumed = 0, resumed || i.StartSecond >= from
			continue
		}
		if current == 0 {
			begin = i.StartSecond
		}
		current += i.LengthSecond
	}
	if !resumed && current > length {
		return begin, current
	}
	return start, length
}

func timelinePoints(t *result.Trial) [][]string {
	var points [][]string
	for _, i := range t.Timeline {
		points = append(points, []string{exact(i.StartSecond), exact(i.LengthSecond), exact(perSecond(i.Produced, i)), exact(perSecond(i.Effects, i)),
			exact(i.EndToEndP50), exact(i.EndToEndP99), exact(i.EndToEndMax)})
	}
	return points
}

func perSecond(count int64, i result.Interval) float64 {
	if i.LengthSecond <= 0 {
		return 0
	}
	return float64(count) / i.LengthSecond
}

func paintTimeline(p *pen, body vg.Rectangle, c *result.Cell, t *result.Trial) {
	first, last := t.Timeline[0], t.Timeline[len(t.Timeline)-1]
	x := scale{lo: first.StartSecond, hi: last.StartSecond + last.LengthSecond, a: body.Min.X + 84, b: body.Max.X - 120}
	const axisHeight, between, head = 58, 52, 34
	lanes := markLanes(p, t, x)
	top := body.Max.Y - laneHeight*vg.Length(lanes.count) - 8
	middle := body.Min.Y + axisHeight + (top-body.Min.Y-axisHeight)/2
	low := body.Min.Y + axisHeight
	paintMarks(p, lanes, low, top)
	_, _, done := progress(c)
	paintRatesOverTime(p, t, x, middle+between/2, top-head, done)
	paintLatencyOverTime(p, t, x, low, middle-between/2, done)
	for _, v := range timeTicks(x) {
		p.text(x.at(v), low-18, strconv.FormatFloat(v, 'f', -1, 64), tickSize, faded, centre)
	}
	p.text((x.a+x.b)/2, low-44, "seconds from the start of the measured window", tickSize, faded, centre)
}

// timeTicks are round numbers of seconds within the scale.
func timeTicks(x scale) []float64 {
	step := niceStep((x.hi - x.lo) / 12)
	var ticks []float64
	for i := int(x.lo/step) - 1; ; i++ {
		v, _ := strconv.ParseFloat(strconv.FormatFloat(float64(i)*step, 'g', 9, 64), 64)
		if v > x.hi+step*1e-6 {
			return ticks
		}
		if v >= x.lo-step*1e-6 {
			ticks = append(ticks, v)
		}
	}
}

func paintRatesOverTime(p *pen, t *result.Trial, x scale, low, top vg.Length, done string) {
	most := 1.0
	for _, i := range t.Timeline {
		most = max(most, perSecond(i.Produced, i), perSecond(i.Effects, i))
	}
	ticks := linearTicks(most, 4)
	y := scale{hi: ticks[len(ticks)-1], a: low, b: top}
	paintGrid(p, x, y, ticks, tickName, "messages per second")
	produced := steps(t, x, y, func(i result.Interval) (float64, bool) { return perSecond(i.Produced, i), true })
	effects := steps(t, x, y, func(i result.Interval) (float64, bool) { return perSecond(i.Effects, i), true })
	if done != "effects" {
		paintSeries(p, x, y, []series{{"produced", blue, 2.5, produced, nil}})
		return
	}
	paintSeries(p, x, y, []series{{"produced", tint(axis, 0.4), 7, produced, nil}, {done, blue, 2.5, effects, nil}})
}

func paintLatencyOverTime(p *pen, t *result.Trial, x scale, low, top vg.Length, done string) {
	least, most := 0.0, 0.0
	for _, i := range t.Timeline {
		if i.EndToEndP99 > 0 && (least == 0 || i.EndToEndP99 < least) {
			least = i.EndToEndP99
		}
		most = max(most, i.EndToEndMax, i.EndToEndP99)
	}
	if least == 0 {
		p.text((x.a+x.b)/2, (low+top)/2, "no latency was recorded", textSize, faded, centre)
		return
	}
	ticks := logTicks(least, most)
	y := scale{lo: ticks[0], hi: ticks[len(ticks)-1], a: low, b: top, log: true}
	paintGrid(p, x, y, thin(ticks, 8), tickMicros, "latency of the "+done+" in each interval (log scale)")
	p99 := steps(t, x, y, func(i result.Interval) (float64, bool) { return i.EndToEndP99, i.EndToEndP99 > 0 })
	longest := steps(t, x, y, func(i result.Interval) (float64, bool) { return i.EndToEndMax, i.EndToEndMax > 0 })
	paintSeries(p, x, y, []series{{"max", sky, 2.5, longest, []vg.Length{6, 4}}, {"p99", blue, 2.5, p99, nil}})
}

func paintGrid(p *pen, x, y scale, ticks []float64, name func(float64) string, title string) {
	for _, v := range ticks {
		p.line(x.a, y.at(v), x.b, y.at(v), 1, rule)
		p.text(x.a-10, y.at(v), name(v), tickSize, faded, right)
	}
	p.line(x.a, y.a, x.b, y.a, 1.5, axis)
	p.note(x.a-74, y.b+24, title, tickSize, faded)
}

// series is one line over time, in pieces where it has gaps.
type series struct {
	name   string
	colour shade
	width  vg.Length
	pieces [][]vg.Point
	dashes []vg.Length
}

// steps turns intervals into a line that is level during each: a slanted one
// would show rates that nobody counted.
func steps(t *result.Trial, x, y scale, value func(result.Interval) (float64, bool)) [][]vg.Point {
	var pieces [][]vg.Point
	var piece []vg.Point
	for _, i := range t.Timeline {
		v, ok := value(i)
		if !ok {
			if len(piece) > 0 {
				pieces = append(pieces, piece)
			}
			piece = nil
			continue
		}
		piece = append(piece, vg.Point{X: x.at(i.StartSecond), Y: y.at(v)}, vg.Point{X: x.at(i.StartSecond + i.LengthSecond), Y: y.at(v)})
	}
	if len(piece) > 0 {
		pieces = append(pieces, piece)
	}
	return pieces
}

// paintSeries paints the lines with their names at their right ends.
func paintSeries(p *pen, x, y scale, all []series) {
	var wanted []vg.Length
	for _, s := range all {
		for _, piece := range s.pieces {
			p.path(piece, s.width, s.colour, s.dashes...)
		}
		end := y.a
		if n := len(s.pieces); n > 0 {
			end = s.pieces[n-1][len(s.pieces[n-1])-1].Y
		}
		wanted = append(wanted, end)
	}
	for i, place := range spread(wanted, 1.3*textSize, y.a, y.b) {
		p.line(x.b+6, wanted[i], x.b+20, place, 1.2, all[i].colour)
		p.text(x.b+26, place, all[i].name, textSize, ink, left)
	}
}

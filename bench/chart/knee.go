package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"deliverybench/bench/capacity"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"

	"gonum.org/v1/plot/vg"
)

// kneeFigures are those of a capacity run: one for each cell, and one for each
// setting that capacities were measured over.
func kneeFigures(run *result.Run) []figure {
	a := capacity.Analyse(run)
	if a == nil {
		return nil
	}
	var figures []figure
	for _, s := range a.Scalings {
		if s.Over != "" && len(scalingPoints(s)) > 0 {
			figures = append(figures, figure{
				name: "scaling-" + s.Name, title: scalingTitle(s), speed: true, omitted: omitted(run),
				conditions: sentence("Capacity over "+s.Over, "SLO "+strings.Join(a.Question.SLO, ", "), "median knee with its interval, arrow: a bound", "the law is drawn beyond what was measured only where it can be tested"),
				header:     []string{"n", "knee_msg_per_s", "bound", "lo_msg_per_s", "hi_msg_per_s", "law_msg_per_s", "linear_msg_per_s"},
				points:     scalingPoints(s), paint: func(p *pen, body vg.Rectangle) { paintScaling(p, body, run, s) },
			})
		}
		for _, c := range s.Cells {
			drawn := kneePoints(c)
			if len(drawn) == 0 {
				continue
			}
			figures = append(figures, figure{
				name: "knee-" + c.Cell.Name, title: kneeTitle(c), speed: true, omitted: omitted(run),
				conditions: sentence("SLO "+strings.Join(a.Question.SLO, ", "), "messages of "+c.Cell.Settings["load.message.size"],
					"dots: trials, line: their median, hollow: the generator was the limit, small: the search, which is in no knee"),
				header: []string{"cell", "phase", "offered_msg_per_s", "repeat", c.Metric + "_us", "state", "broken"},
				points: kneeRows(c), paint: func(p *pen, body vg.Rectangle) { paintKnee(p, body, run, a, c) },
			})
		}
	}
	return figures
}

// kneePoints are the trials that have the latency.
func kneePoints(c capacity.Cell) []capacity.Point {
	return slices.DeleteFunc(slices.Clone(c.Points), func(p capacity.Point) bool { return p.Micros <= 0 })
}

func kneeTitle(c capacity.Cell) string {
	text := label(c.Cell) + ": "
	k := c.Knee
	switch k.Bound {
	case capacity.Exact, capacity.AtLeast:
		text += "the SLO holds up to " + k.String()
	case capacity.Below:
		below := 0
		for _, p := range k.Passes {
			if p.Bound == capacity.Below {
				below++
			}
		}
		text += fmt.Sprintf("the SLO breaks on the ladder's lowest rung, %s/s, in %d of %d repeats", stats.Count(int64(math.Round(k.PerSecond))), below, len(k.Passes))
	default:
		return text + "no knee was found"
	}
	switch b := c.Break; {
	case b == nil:
	case k.Bound != capacity.Below && b.PerSecond > k.PerSecond:
		text += fmt.Sprintf("; above, %s breaks first, in %d of %d", b.Metric, b.Times, b.Of)
	case k.Bound == capacity.Below:
		text += "; " + b.Metric + " breaks first"
	default: // a minority, so that the knee is higher
		text += fmt.Sprintf("; %s breaks in %d of %d below", b.Metric, b.Times, b.Of)
	}
	return text
}

func kneeRows(c capacity.Cell) [][]string {
	var rows [][]string
	for _, p := range c.Points {
		rows = append(rows, []string{c.Cell.Name, string(p.Phase), exact(p.PerSecond), strconv.Itoa(p.Repeat), exact(p.Micros), string(p.State), p.Broken})
	}
	return rows
}

// What stands around the axes, in points.
const (
	kneeLeft   = 110
	kneeBottom = 70
	kneeTop    = 46
)

func paintKnee(p *pen, body vg.Rectangle, run *result.Run, a *capacity.Analysis, c capacity.Cell) {
	points := kneePoints(c)
	rates, lo, hi := []float64{}, math.Inf(1), c.Limit
	for _, point := range points {
		rates = append(rates, point.PerSecond)
		lo, hi = min(lo, point.Micros), max(hi, point.Micros)
	}
	if c.Limit > 0 {
		lo = min(lo, c.Limit)
	}
	slices.Sort(rates)
	rates = slices.Compact(rates)
	ticks := logTicks(lo*0.9, max(hi, lo*2))
	x := scale{lo: rates[0] * 0.93, hi: rates[len(rates)-1] * 1.07, a: body.Min.X + kneeLeft, b: body.Max.X - 30, log: true}
	y := scale{lo: ticks[0], hi: ticks[len(ticks)-1], a: body.Min.Y + kneeBottom, b: body.Max.Y - kneeTop, log: true}
	colour := cellColour(run, c.Cell)
	paintKneeBand(p, c.Knee, x, y)
	for _, v := range thin(ticks, 13) {
		p.line(x.a, y.at(v), x.b, y.at(v), 1, rule)
		p.text(x.a-10, y.at(v), tickMicros(v), tickSize, faded, right)
	}
	last := vg.Length(math.Inf(-1))
	for _, v := range rates {
		p.line(x.at(v), y.a, x.at(v), y.a-6, 1, axis)
		if name := tickName(v); x.at(v)-last > p.width(name, tickSize)+14 {
			p.text(x.at(v), y.a-20, name, tickSize, faded, centre)
			last = x.at(v)
		}
	}
	p.line(x.a, y.a, x.b, y.a, 1.5, axis)
	p.text((x.a+x.b)/2, y.a-48, "offered messages per second (log scale, every rung)", tickSize, faded, centre)
	p.text(body.Min.X, y.b+kneeTop-14, c.Metric+" (log scale)", tickSize, faded, left)
	if c.Limit > 0 {
		p.line(x.a, y.at(c.Limit), x.b, y.at(c.Limit), 2, vermillion, 9, 5)
		p.text(x.a+10, y.at(c.Limit)+15, "SLO "+stats.Micros(c.Limit), textSize, bad, left)
	}
	p.path(medianPath(points, x, y), 3, colour)
	for _, point := range points {
		at, radius := vg.Point{X: x.at(point.PerSecond), Y: y.at(min(point.Micros, y.hi))}, vg.Length(6)
		if point.Phase == result.Searched {
			radius = 3
		}
		p.dot(at.X, at.Y, radius, colour)
		if point.State == capacity.Limited {
			p.dot(at.X, at.Y, radius*0.6, paper)
		}
	}
	paintKneeName(p, c.Knee, x, y)
}

// medianPath joins the medians of the measured rungs.
func medianPath(points []capacity.Point, x, y scale) []vg.Point {
	by := map[float64][]float64{}
	for _, point := range points {
		if point.Phase == result.Measured {
			by[point.PerSecond] = append(by[point.PerSecond], point.Micros)
		}
	}
	var path []vg.Point
	for rate, all := range by {
		path = append(path, vg.Point{X: x.at(rate), Y: y.at(min(stats.MedianLatency(all), y.hi))})
	}
	slices.SortFunc(path, func(a, b vg.Point) int { return cmp.Compare(a.X, b.X) })
	return path
}

// kneeEnds are the interval's ends in the picture: an open one is its edge.
func kneeEnds(k capacity.Knee, x scale) (from, to vg.Length) {
	return x.at(max(k.Lo, x.lo)), x.at(min(k.Hi, x.hi))
}

func paintKneeBand(p *pen, k capacity.Knee, x, y scale) {
	if k.Bound == capacity.None {
		return
	}
	if from, to := kneeEnds(k, x); to > from {
		p.box(from, y.a, to, y.b, tint(green, 0.86))
	}
	p.line(x.at(k.PerSecond), y.a, x.at(k.PerSecond), y.b, 2.5, green)
}

// paintKneeName writes the knee above its line, within the picture.
func paintKneeName(p *pen, k capacity.Knee, x, y scale) {
	if k.Bound == capacity.None {
		return
	}
	name := "knee " + k.String()
	if interval := k.Interval(); interval != "" {
		name += " (" + interval + ")"
	}
	half := p.width(name, textSize) / 2
	at := min(max(x.at(k.PerSecond), x.a+half), x.b-half)
	at = max(at, x.a+half)
	p.text(at, y.b+18, name, textSize, good, centre)
}

func scalingTitle(s capacity.Scaling) string {
	var known []capacity.Cell
	for _, c := range s.Cells {
		if c.Knee.Bound == capacity.Exact && c.Knee.Missing == 0 {
			known = append(known, c)
		}
	}
	if len(known) < 2 {
		var knees []string
		for _, c := range s.Cells {
			knees = append(knees, c.Knee.String())
		}
		return fmt.Sprintf("%s: what %s carries is known only in part: %s", s.Name, s.Over, strings.Join(knees, ", "))
	}
	first, last := known[0], known[len(known)-1]
	if !separate(first.Knee, last.Knee) {
		return fmt.Sprintf("%s: no difference detected between what %s %d and %d carries", s.Name, s.Over, first.N, last.N)
	}
	return fmt.Sprintf("%s: %s %d instead of %d carries %s× the messages", s.Name, s.Over, last.N, first.N, stats.Ratio(last.Knee.PerSecond/first.Knee.PerSecond))
}

// separate reports whether the 95 % intervals of two knees have nothing in common.
func separate(a, b capacity.Knee) bool {
	return a.Spread == stats.Interval && b.Spread == stats.Interval && (a.Hi < b.Lo || b.Hi < a.Lo)
}

// scalingPoints are the knees with the law beside them, without those that were
// not found.
func scalingPoints(s capacity.Scaling) [][]string {
	names := map[capacity.Bound]string{capacity.Exact: "exact", capacity.AtLeast: "at least", capacity.Below: "below"}
	var rows [][]string
	for _, c := range s.Cells {
		if c.Knee.Bound == capacity.None {
			continue
		}
		law, linear := "", ""
		if s.Law != nil {
			law, linear = exact(s.Law.At(float64(c.N))), exact(s.Law.Lambda*float64(c.N))
		}
		hi := ""
		if !math.IsInf(c.Knee.Hi, 1) {
			hi = exact(c.Knee.Hi)
		}
		rows = append(rows, []string{strconv.Itoa(c.N), exact(c.Knee.PerSecond), names[c.Knee.Bound], exact(c.Knee.Lo), hi, law, linear})
	}
	return rows
}

func paintScaling(p *pen, body vg.Rectangle, run *result.Run, s capacity.Scaling) {
	largest := s.Cells[len(s.Cells)-1].N
	end := float64(largest)
	if s.Law != nil && s.Law.Spare() > 0 {
		end *= 1.5
	}
	highest := 0.0
	for _, c := range s.Cells {
		highest = max(highest, c.Knee.PerSecond, min(c.Knee.Hi, 1.5*c.Knee.PerSecond))
	}
	if s.Law != nil {
		highest = max(highest, min(s.Law.Lambda*end, 1.6*highest))
	}
	ticks := linearTicks(highest, 5)
	x := scale{hi: end * 1.05, a: body.Min.X + kneeLeft, b: body.Max.X - 190}
	y := scale{hi: ticks[len(ticks)-1], a: body.Min.Y + kneeBottom, b: body.Max.Y - kneeTop}
	for _, v := range ticks {
		p.line(x.a, y.at(v), x.b, y.at(v), 1, rule)
		p.text(x.a-10, y.at(v), tickName(v), tickSize, faded, right)
	}
	for _, c := range s.Cells {
		p.line(x.at(float64(c.N)), y.a, x.at(float64(c.N)), y.a-6, 1, axis)
		p.text(x.at(float64(c.N)), y.a-20, strconv.Itoa(c.N), tickSize, faded, centre)
	}
	p.line(x.a, y.a, x.b, y.a, 1.5, axis)
	p.text((x.a+x.b)/2, y.a-48, s.Over, tickSize, faded, centre)
	p.text(body.Min.X, y.b+kneeTop-14, "capacity, messages per second", tickSize, faded, left)
	if s.Law != nil {
		paintLaw(p, *s.Law, x, y, end)
	}
	colour := cellColour(run, s.Cells[0].Cell)
	for _, c := range s.Cells {
		if c.Knee.Bound != capacity.None {
			paintCapacity(p, c, x, y, colour)
		}
	}
}

// paintLaw paints the law and what it would be without contention, each named at
// its end; beyond what was measured dashed.
func paintLaw(p *pen, l capacity.Law, x, y scale, end float64) {
	curve := func(from, to float64, of func(float64) float64) (path []vg.Point) {
		const steps = 200
		for i := 0; i <= steps; i++ {
			n := from + (to-from)*float64(i)/steps
			if v := of(n); v <= y.hi {
				path = append(path, vg.Point{X: x.at(n), Y: y.at(v)})
			}
		}
		return path
	}
	linear := func(n float64) float64 { return l.Lambda * n }
	ideal, measured := curve(0, end, linear), curve(0, l.Largest, l.At)
	p.path(ideal, 2, faded, 3, 5)
	p.path(measured, 3, ink)
	last := measured[len(measured)-1]
	if end > l.Largest {
		beyond := curve(l.Largest, end, l.At)
		p.path(beyond, 2.5, ink, 9, 6)
		if len(beyond) > 0 { // else the law leaves the picture before
			last = beyond[len(beyond)-1]
		}
	}
	top := ideal[len(ideal)-1]
	places := spread([]vg.Length{top.Y, last.Y}, 1.4*textSize, y.a, y.b)
	p.text(x.b+12, places[0], "linear", textSize, faded, left)
	p.text(x.b+12, places[1], "law of scaling", textSize, ink, left)
}

// paintCapacity paints a knee with its interval; a bound has an arrow.
func paintCapacity(p *pen, c capacity.Cell, x, y scale, colour shade) {
	k, at := c.Knee, x.at(float64(c.N))
	height := y.at(k.PerSecond)
	ends := []vg.Length{height, height}
	if k.Lo > 0 {
		ends[0] = y.at(k.Lo)
	}
	if !math.IsInf(k.Hi, 1) {
		ends[1] = y.at(min(k.Hi, y.hi))
	}
	p.line(at, ends[0], at, ends[1], 2.5, colour)
	for _, end := range ends {
		p.line(at-9, end, at+9, end, 2.5, colour)
	}
	p.dot(at, height, 9, colour)
	tip := vg.Length(0)
	switch k.Bound {
	case capacity.AtLeast:
		tip = 34
	case capacity.Below:
		tip = -34
	}
	if tip != 0 {
		p.line(at, height, at, height+tip, 3, colour)
		p.path([]vg.Point{{X: at - 8, Y: height + tip*0.7}, {X: at, Y: height + tip}, {X: at + 8, Y: height + tip*0.7}}, 3, colour)
	}
	p.note(at+18, height-16, k.String(), textSize, ink)
}

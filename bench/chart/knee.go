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
			figures = append(figures, scalingFigure(run, a, s))
		}
		for _, c := range s.Cells {
			drawn := kneePoints(c)
			if len(drawn) == 0 {
				continue
			}
			figures = append(figures, figure{
				name: "knee-" + c.Cell.Name, title: kneeTitle(c), speed: true, omitted: omitted(run),
				conditions: kneeConditions(a, c, drawn),
				header:     []string{"cell", "phase", "offered_msg_per_s", "repeat", c.Metric + "_us", "state", "broken"},
				points:     kneeRows(c, drawn), paint: func(p *pen, body vg.Rectangle) { paintKnee(p, body, run, c, drawn) },
			})
		}
	}
	return figures
}

func kneeConditions(a *capacity.Analysis, c capacity.Cell, drawn []capacity.Point) string {
	any := func(is func(capacity.Point) bool) bool { return slices.ContainsFunc(drawn, is) }
	marks := "dots: trials, line: their median"
	if any(func(p capacity.Point) bool { return p.State == capacity.Limited }) {
		marks += ", hollow: the generator was the limit"
	}
	if any(func(p capacity.Point) bool { return p.Phase == result.Searched }) {
		marks += ", small: the search, which is in no knee"
	}
	return sentence("SLO "+strings.Join(a.Question.SLO, ", "), "messages of "+c.Cell.Settings["load.message.size"],
		stats.Plural(a.Question.Repeats, "repeat"), marks)
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

func kneeRows(c capacity.Cell, drawn []capacity.Point) [][]string {
	var rows [][]string
	for _, p := range drawn {
		rows = append(rows, []string{c.Cell.Name, string(p.Phase), exact(p.PerSecond), strconv.Itoa(p.Repeat), exact(p.Micros), string(p.State), p.Broken})
	}
	return rows
}

// What stands around the axes, in points.
const (
	kneeLeft   = 110
	kneeBottom = 70
	kneeTop    = 72 // the axis's title, and below it what stands over the lines
)

func paintKnee(p *pen, body vg.Rectangle, run *result.Run, c capacity.Cell, points []capacity.Point) {
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
	slo := ""
	if c.Limit > 0 {
		slo = "SLO " + stats.Micros(c.Limit)
	}
	ticks := logTicks(lo*0.9, max(hi, lo*2))
	x := scale{lo: rates[0] * 0.93, hi: rates[len(rates)-1] * 1.07, a: body.Min.X + kneeLeft, b: body.Max.X - 30 - p.width(slo, textSize), log: true}
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
	p.text((x.a+x.b)/2, y.a-48, "offered messages per second (log scale)", tickSize, faded, centre)
	p.text(body.Min.X, y.b+kneeTop-14, c.Metric+" (log scale)", tickSize, faded, left)
	if c.Limit > 0 {
		p.line(x.a, y.at(c.Limit), x.b, y.at(c.Limit), 2, vermillion, 9, 5)
		p.text(x.b+14, y.at(c.Limit), slo, textSize, bad, left)
	}
	p.path(medianPath(points, x, y), 3, colour)
	for _, point := range points {
		at, radius := vg.Point{X: x.at(point.PerSecond), Y: latencyAt(point.Micros, y)}, vg.Length(6)
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

// latencyAt is a latency's place; what is over range is over all that were measured.
func latencyAt(micros float64, y scale) vg.Length {
	if micros >= stats.OverRange {
		return y.b
	}
	return y.at(min(micros, y.hi))
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
		path = append(path, vg.Point{X: x.at(rate), Y: latencyAt(stats.MedianLatency(all), y)})
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
	at := max(min(x.at(k.PerSecond), x.b-half), x.a+half)
	p.text(at, y.b+18, name, textSize, good, centre)
}

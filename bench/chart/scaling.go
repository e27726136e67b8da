package chart

import (
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

// scalingFigure is what cells carry that differ in one setting.
func scalingFigure(run *result.Run, a *capacity.Analysis, s capacity.Scaling) figure {
	return figure{
		name: "scaling-" + s.Name, title: scalingTitle(s), speed: true, omitted: sentence(omitted(run), unknownKnees(s)),
		conditions: scalingConditions(a, s),
		header:     []string{"n", "knee_msg_per_s", "bound", "lo_msg_per_s", "hi_msg_per_s", "interval", "law_msg_per_s", "linear_msg_per_s"},
		points:     scalingPoints(s), paint: func(p *pen, body vg.Rectangle) { paintScaling(p, body, run, s) },
	}
}

func scalingConditions(a *capacity.Analysis, s capacity.Scaling) string {
	bounds, law := "", ""
	var spreads []stats.Spread
	for _, c := range s.Cells {
		spreads = append(spreads, c.Knee.Spread)
		if c.Knee.Bound == capacity.AtLeast || c.Knee.Bound == capacity.Below {
			bounds = "arrow: a bound"
		}
	}
	if s.Law != nil {
		law = "the law is drawn beyond what was measured only where it can be tested"
	}
	lines := endsOf(spreads, "95 % interval")
	switch {
	case lines == "":
	case slices.Contains(spreads, stats.Interval) && slices.Contains(spreads, stats.Range):
		lines = "line: 95 % interval where it has end strokes, else range"
	default:
		lines = "line: " + lines
	}
	return sentence("Capacity over "+s.Over, "SLO "+strings.Join(a.Question.SLO, ", "),
		"dot: median knee of "+stats.Plural(a.Question.Repeats, "repeat"), lines, bounds, law)
}

// unknownKnees names the cells that have no place in the picture.
func unknownKnees(s capacity.Scaling) string {
	var without []string
	for _, c := range s.Cells {
		if c.Knee.Bound == capacity.None {
			without = append(without, strconv.Itoa(c.N))
		}
	}
	if len(without) == 0 {
		return ""
	}
	return fmt.Sprintf("%s %s: no knee was found", s.Over, strings.Join(without, ", "))
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
		rows = append(rows, []string{strconv.Itoa(c.N), exact(c.Knee.PerSecond), names[c.Knee.Bound], exact(c.Knee.Lo), hi, spreadName(c.Knee.Spread), law, linear})
	}
	return rows
}

// scalingTop is what stands over the axes, in points; the rest is as in a knee's figure.
const scalingTop = 46

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
	y := scale{hi: ticks[len(ticks)-1], a: body.Min.Y + kneeBottom, b: body.Max.Y - scalingTop}
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
	p.text(body.Min.X, y.b+scalingTop-14, "capacity, messages per second", tickSize, faded, left)
	var covered []vg.Rectangle
	if s.Law != nil {
		covered = paintLaw(p, *s.Law, x, y, end)
	}
	colour := cellColour(run, s.Cells[0].Cell)
	var known []capacity.Cell
	for _, c := range s.Cells {
		if c.Knee.Bound != capacity.None {
			known = append(known, c)
			covered = append(covered, paintCapacity(p, c, x, y, colour)...)
		}
	}
	area := vg.Rectangle{Min: vg.Point{X: x.a, Y: y.a + 4}, Max: vg.Point{X: body.Max.X, Y: y.b + scalingTop - 30}}
	paintCapacityNames(p, known, x, y, area, covered)
}

// paintLaw paints the law and what it would be without contention, each named at
// its end; beyond what was measured dashed. It returns what they cover.
func paintLaw(p *pen, l capacity.Law, x, y scale, end float64) (covered []vg.Rectangle) {
	curve := func(from, to float64, of func(float64) float64) (path []vg.Point) {
		const steps = 200
		for i := 0; i <= steps; i++ {
			n := from + (to-from)*float64(i)/steps
			if v := of(n); v <= y.hi {
				at := vg.Point{X: x.at(n), Y: y.at(v)}
				path, covered = append(path, at), append(covered, around(at, 4))
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
	for i, name := range []struct {
		text string
		ink  shade
	}{{"linear", faded}, {"law of scaling", ink}} {
		p.text(x.b+12, places[i], name.text, textSize, name.ink, left)
		covered = append(covered, vg.Rectangle{Min: vg.Point{X: x.b + 8, Y: places[i] - 0.7*textSize},
			Max: vg.Point{X: x.b + 16 + p.width(name.text, textSize), Y: places[i] + 0.7*textSize}})
	}
	return covered
}

// around is a square with the point in its middle.
func around(at vg.Point, half vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: at.X - half, Y: at.Y - half}, Max: vg.Point{X: at.X + half, Y: at.Y + half}}
}

// paintCapacity paints a knee with its spread, an interval's ends as strokes; a bound
// has an arrow. It returns what they cover.
func paintCapacity(p *pen, c capacity.Cell, x, y scale, colour shade) (covered []vg.Rectangle) {
	k, at := c.Knee, x.at(float64(c.N))
	height := y.at(k.PerSecond)
	low, high := height, height
	if k.Spread != stats.NoSpread {
		low, high = capacityEnds(k, y)
		p.line(at, low, at, high, 2.5, colour)
	}
	for _, end := range []struct {
		at    vg.Length
		known bool
	}{{low, k.Lo > 0}, {high, k.Hi <= y.hi}} {
		if k.Spread == stats.Interval && end.known {
			p.line(at-9, end.at, at+9, end.at, 2.5, colour)
		}
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
	return []vg.Rectangle{around(vg.Point{X: at, Y: height}, 12),
		{Min: vg.Point{X: at - 11, Y: min(low, height+tip) - 4}, Max: vg.Point{X: at + 11, Y: max(high, height+tip) + 4}}}
}

// capacityEnds are a spread's ends in the picture. An open one is its edge, but for a
// bound, whose arrow tells that.
func capacityEnds(k capacity.Knee, y scale) (low, high vg.Length) {
	low, high = y.at(k.Lo), y.at(min(k.Hi, y.hi))
	if k.Bound == capacity.Below {
		low = max(low, y.at(k.PerSecond))
	}
	if k.Bound == capacity.AtLeast && math.IsInf(k.Hi, 1) {
		high = y.at(k.PerSecond)
	}
	return low, high
}

// paintCapacityNames writes the knees beside their dots, where nothing is in the way.
func paintCapacityNames(p *pen, known []capacity.Cell, x, y scale, area vg.Rectangle, covered []vg.Rectangle) {
	var tags []tag
	for _, c := range known {
		tags = append(tags, tag{at: vg.Point{X: x.at(float64(c.N)), Y: y.at(c.Knee.PerSecond)}, area: area, left: 18, right: 18,
			width: p.width(c.Knee.String(), textSize), height: 1.1 * textSize})
	}
	for i, found := range place(tags, covered) {
		if !found.found {
			continue // the CSV has it
		}
		if from := towards(tags[i].at, found.end, 14); found.tied && math.Hypot(float64(found.end.X-from.X), float64(found.end.Y-from.Y)) > 20 {
			p.line(from.X, from.Y, found.end.X, found.end.Y, 1.2, axis)
		}
		p.note(found.box.Min.X, (found.box.Min.Y+found.box.Max.Y)/2, known[i].Knee.String(), textSize, ink)
	}
}

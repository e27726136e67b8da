package chart

import (
	"fmt"
	"math"
	"slices"

	"deliverybench/bench/stats"

	"gonum.org/v1/plot/vg"
)

// What a picture of cost against safety is made of, from top to bottom, in points.
const (
	safetyHead = 40
	laneTall   = 124 // none lost, none duplicated: a lane of its own, at the least
	laneMost   = 220
	laneBreak  = 30 // where the axis is broken
	safetyAxis = 66
)

// tradeoffRoom grows with the powers of ten between the fewest and the most
// messages; where nothing was damaged it is that of a lane alone.
func tradeoffRoom(all []bargain, labelled []int) vg.Length {
	y, laneTall := damageScale(all), safeLane(all, labelled)
	if y.hi == 0 {
		return safetyHead + 2*laneTall + safetyAxis
	}
	const power, least = 140, 320
	return safetyHead + max(least, power*vg.Length(math.Log10(y.hi/y.lo))) + laneBreak + laneTall + safetyAxis
}

// labelSizes are those of a cell's name and of what is told below it.
func labelSizes(labelled int) (name, detail vg.Length) {
	if labelled > 6 {
		return textSize, footerSize
	}
	return rowSize, tickSize
}

func labelHeight(labelled int) vg.Length {
	name, detail := labelSizes(labelled)
	return 1.1*name + 1.2*detail
}

// safeLane has room for the names of its cells one over another, as where all cost
// the same, up to a limit: what was damaged needs room too.
func safeLane(all []bargain, labelled []int) vg.Length {
	inside := 0
	for _, i := range labelled {
		if !all[i].counted() {
			inside++
		}
	}
	return min(max(laneTall, vg.Length(inside+1)*1.1*labelHeight(len(labelled))), laneMost)
}

// damageScale has powers of ten as its ends, and no mark at them; hi is 0 where
// there was no damage.
func damageScale(all []bargain) scale {
	few, most := math.Inf(1), 0.0
	for _, b := range all {
		for _, d := range []damage{b.lost, b.duplicates, b.strays} {
			if d.mean > 0 {
				few, most = min(few, d.mean), max(most, d.most)
			}
		}
	}
	if most == 0 {
		return scale{}
	}
	return scale{lo: math.Pow(10, math.Floor(math.Log10(few/1.5))), hi: math.Pow(10, math.Ceil(math.Log10(most*1.5))), log: true}
}

const perFaultTitle = "messages per fault (log scale; 0 is a lane of its own)"

// safety is the picture's geometry: cost across, damage up, none in the lane below.
type safety struct {
	of        price
	x, y      scale
	lane      vg.Rectangle
	costTicks []float64
}

func newSafety(body vg.Rectangle, of price, all []bargain, labelled []int) safety {
	lo, hi := math.Inf(1), 0.0
	for _, b := range all {
		lo, hi = min(lo, max(b.cost.Lo, 1)), max(hi, b.cost.Hi)
	}
	s := safety{of: of, y: damageScale(all), x: scale{a: body.Min.X + 96, b: body.Max.X - 24}}
	if of.rate {
		s.costTicks = linearTicks(hi, 8)
		s.x.hi = s.costTicks[len(s.costTicks)-1]
	} else {
		s.costTicks = logTicks(lo, max(hi, 2*lo))
		s.x.lo, s.x.hi, s.x.log = s.costTicks[0], s.costTicks[len(s.costTicks)-1], true
	}
	low, tall := body.Min.Y+safetyAxis, safeLane(all, labelled)
	if s.y.hi == 0 {
		tall = body.Max.Y - safetyHead - low
	}
	s.lane = vg.Rectangle{Min: vg.Point{X: s.x.a, Y: low}, Max: vg.Point{X: s.x.b, Y: low + tall}}
	if s.y.hi > 0 {
		s.y.a, s.y.b = s.lane.Max.Y+laneBreak, body.Max.Y-safetyHead
	}
	return s
}

// at is the height of a damage.
func (s safety) at(v float64) vg.Length {
	switch {
	case v == 0:
		return (s.lane.Min.Y + s.lane.Max.Y) / 2
	case v < s.y.lo:
		return s.y.a
	}
	return s.y.at(v)
}

func paintTradeoff(p *pen, body vg.Rectangle, of price, all []bargain, labelled []int) {
	s := newSafety(body, of, all, labelled)
	s.paintAxes(p, body, all)
	var obstacles []vg.Rectangle
	for i, b := range all {
		obstacles = append(obstacles, s.paintBargain(p, b, len(all) > mostLabels && !slices.Contains(labelled, i))...)
	}
	s.paintLabels(p, body, all, labelled, obstacles)
}

// paintAxes paints the lane, the grid and what is read at their edges.
func (s safety) paintAxes(p *pen, body vg.Rectangle, all []bargain) {
	p.box(s.lane.Min.X, s.lane.Min.Y, s.lane.Max.X, s.lane.Max.Y, tint(green, 0.85))
	p.text(s.x.a-14, s.at(0), "0", rowSize, good, right)
	if s.y.hi > 0 {
		for v := s.y.lo; v <= s.y.hi*1.001; v *= 10 {
			p.line(s.x.a, s.y.at(v), s.x.b, s.y.at(v), 1, rule)
			p.text(s.x.a-14, s.y.at(v), tickName(v), tickSize, faded, right)
		}
		p.line(s.x.a, s.y.a, s.x.a, s.y.b, 1.5, axis)
		middle := s.lane.Max.Y + laneBreak/2
		for _, y := range []vg.Length{middle - 4, middle + 4} { // the axis is broken: no scale leads to zero
			p.line(s.x.a-9, y-5, s.x.a+9, y+5, 1.5, axis)
		}
	}
	for _, v := range s.costTicks {
		p.line(s.x.at(v), s.lane.Min.Y-5, s.x.at(v), s.lane.Min.Y, 1.5, axis)
		name := tickMicros(v)
		if s.of.rate {
			name = tickName(v)
		}
		p.text(s.x.at(v), s.lane.Min.Y-18, name, tickSize, faded, centre)
	}
	p.line(s.x.a, s.lane.Min.Y, s.x.b, s.lane.Min.Y, 1.5, axis)
	title, side, x := "p99 latency (log scale)", "← less is better", s.x.a
	align := left
	if s.of.rate {
		title, side, x, align = "messages per second through the whole pipeline", "more is better →", s.x.b, right
	}
	p.text((s.x.a+s.x.b)/2, body.Min.Y+20, title, tickSize, faded, centre)
	p.text(x, body.Min.Y+20, side, tickSize, faded, align)
	p.text(body.Min.X, s.headLine(), perFaultTitle, tickSize, faded, left)
	x = body.Min.X + p.width(perFaultTitle, tickSize) + 34
	for _, kind := range key(all) {
		kind.paint(p, x, s.headLine(), 7, kind.shade)
		p.text(x+14, s.headLine(), kind.name, tickSize, kind.shade, left)
		x += 14 + p.width(kind.name, tickSize) + 30
	}
}

// paintBargain paints a cell's marks and returns what they cover. One that has no
// name is small.
func (s safety) paintBargain(p *pen, b bargain, nameless bool) (covered []vg.Rectangle) {
	radius := vg.Length(11)
	if nameless {
		radius = 6
	}
	x := s.x.at(b.cost.Median)
	mark := func(d damage, ink shade, paint func(*pen, vg.Length, vg.Length, vg.Length, shade)) {
		y := s.at(d.mean)
		if !nameless {
			s.paintSpread(p, b.cost, y, ink)
			covered = append(covered, vg.Rectangle{Min: vg.Point{X: s.x.at(s.within(b.cost.Lo)), Y: y - 7}, Max: vg.Point{X: s.x.at(s.within(b.cost.Hi)), Y: y + 7}})
		}
		if d.least < d.most {
			p.line(x, s.at(d.least), x, s.at(d.most), 2.5, ink)
			covered = append(covered, vg.Rectangle{Min: vg.Point{X: x - 3, Y: s.at(d.least)}, Max: vg.Point{X: x + 3, Y: s.at(d.most)}})
		}
		paint(p, x, y, radius, ink)
		covered = append(covered, vg.Rectangle{Min: vg.Point{X: x - radius - 2, Y: y - radius - 2}, Max: vg.Point{X: x + radius + 2, Y: y + radius + 2}})
	}
	low, high := math.Inf(1), 0.0
	for _, kind := range harmKinds() {
		d := kind.of(b.harm)
		if d.mean == 0 {
			continue
		}
		if high > 0 && !nameless { // marks of one cell
			from, to := s.at(min(low, d.mean)), s.at(max(high, d.mean))
			p.line(x, from, x, to, 1.2, axis, 2, 4)
			covered = append(covered, vg.Rectangle{Min: vg.Point{X: x - 3, Y: from}, Max: vg.Point{X: x + 3, Y: to}})
		}
		low, high = min(low, d.mean), max(high, d.mean)
		mark(d, kind.shade, kind.paint)
	}
	if !b.counted() {
		mark(damage{}, b.ink(), (*pen).dot)
	}
	return covered
}

// harmKind is one way for messages to come to harm, and its mark.
type harmKind struct {
	name  string
	shade shade
	paint func(p *pen, x, y, radius vg.Length, ink shade)
	of    func(harm) damage
}

func harmKinds() []harmKind {
	return []harmKind{
		{"lost", bad, (*pen).cross, func(h harm) damage { return h.lost }},
		{"duplicated", blue, (*pen).diamond, func(h harm) damage { return h.duplicates }},
		{"stray: aborted or without a row, and delivered", purple, (*pen).square, func(h harm) damage { return h.strays }},
	}
}

// key are the marks that are explained: of what is rare, only those that occur.
func key(all []bargain) (marks []harmKind) {
	any := func(is func(bargain) bool) bool { return slices.ContainsFunc(all, is) }
	marks = append(marks, harmKinds()[:2]...)
	if any(func(b bargain) bool { return b.strays.mean > 0 }) {
		marks = append(marks, harmKinds()[2])
	}
	marks = append(marks, harmKind{name: "neither", shade: good, paint: (*pen).dot})
	if any(func(b bargain) bool { return !b.counted() && b.violated }) {
		marks = append(marks, harmKind{name: "promise violated", shade: bad, paint: (*pen).dot})
	}
	if any(func(b bargain) bool { return !b.counted() && !b.violated && len(b.unfinished) > 0 }) {
		marks = append(marks, harmKind{name: "unfinished", shade: faded, paint: (*pen).dot})
	}
	return marks
}

// within is a cost that the axis has.
func (s safety) within(v float64) float64 { return min(max(v, s.x.lo), s.x.hi) }

func (s safety) paintSpread(p *pen, cost stats.Summary, y vg.Length, ink shade) {
	lo, hi := s.x.at(s.within(cost.Lo)), s.x.at(s.within(cost.Hi))
	p.line(lo, y, hi, y, 2.5, ink)
	if cost.Spread == stats.Interval {
		p.line(lo, y-8, lo, y+8, 2.5, ink)
		p.line(hi, y-8, hi, y+8, 2.5, ink)
	}
}

// paintLabels names cells beside their marks, or tied to them by a line.
func (s safety) paintLabels(p *pen, body vg.Rectangle, all []bargain, labelled []int, obstacles []vg.Rectangle) {
	size, detail := labelSizes(len(labelled))
	widest := 0.42 * body.Size().X
	if s.y.hi > 0 { // the break belongs to neither side
		obstacles = append(obstacles, vg.Rectangle{Min: vg.Point{X: s.x.a, Y: s.lane.Max.Y}, Max: vg.Point{X: body.Max.X, Y: s.y.a}})
	}
	var tags []tag
	var names, details []string
	for _, i := range labelled {
		b := all[i]
		name := p.shortenMiddle(b.name(), size, widest)
		about := p.shorten(b.about(s.of), detail, widest)
		names, details = append(names, name), append(details, about)
		x := s.x.at(b.cost.Median)
		area := vg.Rectangle{Min: vg.Point{X: s.x.a + 8, Y: s.lane.Min.Y + 2}, Max: vg.Point{X: body.Max.X, Y: max(s.lane.Max.Y, s.y.b) + 6}}
		if b.counted() {
			area.Min.Y = s.y.a // what was damaged is not named among what was not
		}
		tags = append(tags, tag{area: area, at: vg.Point{X: x, Y: s.at(b.worst())}, away: 20,
			left: max(20, x-s.x.at(s.within(b.cost.Lo))+10), right: max(20, s.x.at(s.within(b.cost.Hi))-x+10),
			width: max(p.width(name, size), p.width(about, detail)), height: labelHeight(len(labelled))})
	}
	nameless := len(all)
	for k, found := range place(tags, obstacles) {
		if !found.found {
			continue // the CSV has it
		}
		nameless--
		b, box := all[labelled[k]], found.box
		if found.tied {
			from := towards(tags[k].at, found.end, 15) // from the mark's edge
			p.line(from.X, from.Y, found.end.X, found.end.Y, 1.2, axis)
		}
		align, x := left, box.Min.X
		switch {
		case box.Max.X < tags[k].at.X:
			align, x = right, box.Max.X
		case box.Min.X < tags[k].at.X:
			align, x = centre, (box.Min.X+box.Max.X)/2
		}
		p.text(x, box.Max.Y-0.55*size, names[k], size, ink, align)
		p.text(x, box.Min.Y+0.6*detail, details[k], detail, b.ink(), align)
	}
	if nameless > 0 {
		p.text(body.Max.X, s.headLine(), fmt.Sprintf("%d of %d cells not named", nameless, len(all)), tickSize, faded, right)
	}
}

// headLine is where the marks are explained.
func (s safety) headLine() vg.Length { return max(s.lane.Max.Y, s.y.b) + 24 }

func (b bargain) name() string {
	name := label(b.cell)
	if b.limited {
		name += limitedMark
	}
	return name
}

// about is a cell in numbers: "loses 500 · 212k msg/s, 1.12×".
func (b bargain) about(of price) string {
	text := fmt.Sprintf("%s  ·  %s", b.deeds(), of.text(b.cost.Median))
	if c := b.comparison; c != nil {
		switch {
		case c.Significant:
			text += ", " + stats.Ratio(c.Ratio) + "×"
		case c.Missing == 0:
			text += ", no difference detected"
		}
	}
	if b.violated {
		text += "  ·  promise violated"
	}
	return text
}

func (b bargain) ink() shade {
	switch {
	case b.lost.mean > 0 || b.strays.mean > 0 || b.violated:
		return bad
	case b.duplicates.mean > 0:
		return blue
	case len(b.unfinished) > 0:
		return faded
	}
	return good
}

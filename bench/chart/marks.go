package chart

import (
	"cmp"
	"image/color"
	"slices"

	"deliverybench/bench/result"

	"gonum.org/v1/plot/vg"
)

// mark is a moment of a fault, with its label in a lane above the panels.
type mark struct {
	x      vg.Length
	text   string
	colour color.NRGBA
	dashes []vg.Length
	lane   int
	from   vg.Length // where the label begins
	to     vg.Length // and ends
}

// laneSet is the marks of a trial and the bands between fired and recovered.
type laneSet struct {
	marks []mark
	bands [][2]vg.Length
	count int
}

// markLanes puts the label of every mark into the lowest lane in which neither
// another label nor another mark's line, which ends at its own lane, meets it.
// From right to left, since a label stands to the right of its line.
func markLanes(p *pen, t *result.Trial, x scale) laneSet {
	set := faultMarks(p, t, x)
	slices.SortStableFunc(set.marks, func(a, b mark) int { return cmp.Compare(b.x, a.x) })
	for i := range set.marks {
		m := &set.marks[i]
		for j := 0; j < i; j++ {
			other := set.marks[j]
			labels := m.from < other.to+14 && other.from < m.to+14
			line := other.x > m.from-6 && other.x < m.to+6
			if labels || line {
				m.lane = max(m.lane, other.lane+1)
			}
		}
		set.count = max(set.count, m.lane+1)
	}
	return set
}

// faultMarks are the moments and the bands of the trial's faults that lie in the picture.
func faultMarks(p *pen, t *result.Trial, x scale) laneSet {
	set := laneSet{count: 1}
	add := func(seconds *float64, text string, colour color.NRGBA, dashes ...vg.Length) {
		if seconds == nil || *seconds < x.lo || *seconds > x.hi {
			return
		}
		m := mark{x: x.at(*seconds), text: text, colour: colour, dashes: dashes}
		width := p.width(text, tickSize)
		m.from = min(m.x+4, x.b+100-width) // a label at the right edge turns back into the picture
		m.to = m.from + width
		set.marks = append(set.marks, m)
	}
	for _, f := range t.Faults {
		add(f.Armed, "armed", faded, 2, 4)
		add(f.Fired, f.Name, vermillion)
		add(f.Recovered, "recovered", green, 8, 4)
		if f.Fired != nil && f.Recovered != nil {
			set.bands = append(set.bands, [2]vg.Length{
				max(x.at(*f.Fired), x.a), min(x.at(*f.Recovered), x.b)})
		}
	}
	return set
}

// laneHeight is the height of one lane of labels, in points.
const laneHeight = 26

// paintMarks paints the bands and lines over the panels, and the labels above them.
func paintMarks(p *pen, set laneSet, low, top vg.Length) {
	for _, band := range set.bands {
		if band[1] > band[0] {
			p.box(band[0], low, band[1], top, color.NRGBA{vermillion.R, vermillion.G, vermillion.B, 0x1c})
		}
	}
	level := func(m mark) vg.Length { return top + 14 + laneHeight*vg.Length(m.lane) }
	for _, m := range set.marks {
		p.line(m.x, low, m.x, level(m)-8, 2, m.colour, m.dashes...)
	}
	for _, m := range set.marks { // last, on white: near the right edge a line may cross a label
		p.box(m.from-3, level(m)-9, m.to+3, level(m)+13, white)
		p.text(m.from, level(m)+2, m.text, tickSize, m.colour, left)
	}
}

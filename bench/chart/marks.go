package chart

import (
	"image/color"

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
}

// laneSet is the marks of a trial and the bands between fired and recovered.
type laneSet struct {
	marks []mark
	bands [][2]vg.Length
	count int
}

// markLanes puts the label of every mark into the lowest lane in which it meets no other.
func markLanes(p *pen, t *result.Trial, x scale) laneSet {
	var set laneSet
	var ends []vg.Length // where the last label of each lane ends
	add := func(seconds *float64, text string, colour color.NRGBA, dashes ...vg.Length) {
		if seconds == nil || *seconds < x.lo || *seconds > x.hi {
			return
		}
		m := mark{x: x.at(*seconds), text: text, colour: colour, dashes: dashes}
		width := p.width(text, tickSize)
		m.from = min(m.x+4, x.b+100-width) // a label at the right edge turns back into the picture
		for m.lane = 0; m.lane < len(ends) && ends[m.lane] > m.from-14; {
			m.lane++
		}
		if m.lane == len(ends) {
			ends = append(ends, 0)
		}
		ends[m.lane] = m.from + width
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
	set.count = max(len(ends), 1)
	return set
}

func paintMarks(p *pen, set laneSet, low, top vg.Length) {
	for _, band := range set.bands {
		if band[1] > band[0] {
			p.box(band[0], low, band[1], top, color.NRGBA{vermillion.R, vermillion.G, vermillion.B, 0x1c})
		}
	}
	for _, m := range set.marks {
		y := top + 14 + 26*vg.Length(m.lane)
		p.line(m.x, low, m.x, y-8, 2, m.colour, m.dashes...)
		p.text(m.from, y+2, m.text, tickSize, m.colour, left)
	}
}

package chart

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"

	"gonum.org/v1/plot/vg"
)

// moment is one thing that happened around a fault.
type moment struct {
	second float64
	kind   momentKind
	text   string
}

// momentKind decides how a moment's line is drawn, and of moments that lie
// together the gravest is drawn.
type momentKind int

const (
	prepared momentKind = iota // armed
	mended                     // thawed, started again
	elected
	recovered // acked, processed, everything that was watched for
	done      // frozen, stopped, killed
	struck    // the fault, by its name
)

func (k momentKind) colour() shade {
	switch k {
	case recovered:
		return good
	case elected:
		return ink
	case done, struck:
		return bad
	}
	return faded
}

func (k momentKind) dashes() []vg.Length {
	switch k {
	case recovered:
		return []vg.Length{8, 4}
	case elected:
		return []vg.Length{4, 3}
	case prepared, mended:
		return []vg.Length{2, 4}
	}
	return nil
}

// moments are what happened around a fault, in order. The fault's name comes
// before what was done in its name.
func moments(f result.Fault) []moment {
	var all []moment
	add := func(second *float64, kind momentKind, text string) {
		if second != nil {
			all = append(all, moment{*second, kind, text})
		}
	}
	add(f.Armed, prepared, "armed")
	add(f.Fired, struck, f.Name)
	noticed := false // recovery is one of the steps
	for _, s := range f.Steps {
		m := stepMoment(s)
		if f.Recovered != nil && m.kind == recovered && s.At == *f.Recovered {
			m.text, noticed = m.text+" (recovered)", true
		}
		all = append(all, m)
	}
	if !noticed {
		add(f.Recovered, recovered, "recovered")
	}
	slices.SortStableFunc(all, func(a, b moment) int { return cmp.Compare(a.second, b.second) })
	return all
}

func stepMoment(s result.Step) moment {
	switch s.What {
	case result.Elected:
		return moment{s.At, elected, s.What}
	case result.AckedAgain:
		return moment{s.At, recovered, "acked again"}
	case result.ProcessedAgain:
		return moment{s.At, recovered, "processed again"}
	}
	if strings.HasSuffix(s.What, "thawed") || strings.HasSuffix(s.What, "again") {
		return moment{s.At, mended, s.What}
	}
	return moment{s.At, done, s.What}
}

// mark is moments that lie so close together that they share a label, in a
// lane above the panels.
type mark struct {
	lines []markLine
	words []word
	lane  int
	brief bool      // the lines are strokes over the panels, and not through them
	from  vg.Length // where the label begins
	to    vg.Length // and ends
}

type markLine struct {
	x    vg.Length
	kind momentKind
}

// word is a part of a label in one colour.
type word struct {
	text string
	kind momentKind
}

// between stands between the words of a label.
const between = "  "

// Marks share a label where their lines are closer than this, in points, and
// the label does not grow longer than most.
const (
	together  = 26
	mostLabel = 640
)

// newMark words the moments: the fault first, and nodes that had the same done
// to them together ("nodes 1, 3 frozen").
func newMark(p *pen, all []moment, x scale) mark {
	m := mark{}
	for _, a := range all {
		m.addLine(markLine{x.at(a.second), a.kind})
	}
	isStruck := func(a moment) bool { return a.kind == struck }
	if at := slices.IndexFunc(all, isStruck); at >= 0 {
		all = append([]moment{all[at]}, slices.Delete(slices.Clone(all), at, at+1)...)
	}
	for _, a := range all {
		if a.kind == prepared && slices.ContainsFunc(all, isStruck) {
			continue // it struck at once
		}
		last := word{}
		if n := len(m.words); n > 0 {
			last, m.words = m.words[n-1], m.words[:n-1]
		}
		switch {
		case last.kind == struck && a.kind == done:
			m.words = append(m.words, word{last.text + ": " + a.text, done})
		case last.kind == a.kind && last.text != "":
			m.words = append(m.words, word{joined(last.text, a.text), a.kind})
		case last.text != "":
			m.words = append(m.words, last, word{a.text, a.kind})
		default:
			m.words = append(m.words, word{a.text, a.kind})
		}
	}
	first := m.lines[0].x
	m.from = min(first+4, x.b+100-m.width(p)) // a label at the right edge turns back into the picture
	m.to = m.from + m.width(p)
	return m
}

// addLine keeps one of lines that would cover each other.
func (m *mark) addLine(l markLine) {
	const thick = 3
	if n := len(m.lines); n > 0 && l.x-m.lines[n-1].x < thick {
		m.lines[n-1].kind = max(m.lines[n-1].kind, l.kind)
		return
	}
	m.lines = append(m.lines, l)
}

func (m mark) width(p *pen) vg.Length {
	var texts []string
	for _, w := range m.words {
		texts = append(texts, w.text)
	}
	return p.width(strings.Join(texts, between), tickSize)
}

// joined adds to a list of what happened: "node 1 frozen" and "node 3 frozen"
// are "nodes 1, 3 frozen".
func joined(list, next string) string {
	head, last := "", list
	if i := strings.LastIndexAny(list, ";:"); i >= 0 {
		head, last = list[:i+2], list[i+2:]
	}
	ids, deed, ok := nodeDeed(last)
	id, same, also := nodeDeed(next)
	if ok && also && deed == same {
		return fmt.Sprintf("%snodes %s, %s %s", head, ids, id, deed)
	}
	return list + "; " + next
}

// nodeDeed splits "node 2 killed" and "nodes 1, 3 frozen".
func nodeDeed(text string) (ids, deed string, ok bool) {
	rest, one := strings.CutPrefix(text, "node ")
	if !one {
		if rest, ok = strings.CutPrefix(text, "nodes "); !ok {
			return "", "", false
		}
	}
	end := strings.LastIndexAny(rest, "0123456789") + 1
	return rest[:end], strings.TrimSpace(rest[end:]), end > 0
}

// laneSet is the marks of a trial and the bands between fired and recovered.
type laneSet struct {
	marks []mark
	bands [][2]vg.Length
	count int
}

// mostLanes bounds the lanes of labels: with more the panels below are too flat to
// be read.
const mostLanes = 10

// markLanes are the trial's marks in as much detail as mostLanes has room for:
// all that happened, else what struck, else how many did.
func markLanes(p *pen, t *result.Trial, x scale) laneSet {
	set := inLanes(faultMarks(p, t, x, moments))
	if set.count > mostLanes {
		set = inLanes(faultMarks(p, t, x, strokes))
	}
	if set.count > mostLanes {
		set = countedMarks(p, set, x)
	}
	return set
}

// strokes are the moments at which the fault struck.
func strokes(f result.Fault) []moment {
	return slices.DeleteFunc(moments(f), func(m moment) bool { return m.kind != struck })
}

// countedMarks are the lines of all marks under one label.
func countedMarks(p *pen, set laneSet, x scale) laneSet {
	all := mark{words: []word{{stats.Plural(len(set.marks), "fault"), struck}, {"shaded until recovered", mended}}, from: x.a, brief: true}
	all.to = all.from + all.width(p)
	for _, m := range slices.Backward(set.marks) { // those lie from right to left
		for _, l := range m.lines {
			all.addLine(l)
		}
	}
	return laneSet{marks: []mark{all}, bands: set.bands, count: 1}
}

// inLanes puts the label of every mark into the lowest lane in which neither
// another label nor another mark's line, which ends at its own lane, meets it.
// From right to left, since a label stands to the right of its line.
func inLanes(set laneSet) laneSet {
	slices.SortStableFunc(set.marks, func(a, b mark) int { return cmp.Compare(b.lines[0].x, a.lines[0].x) })
	for i := range set.marks {
		m := &set.marks[i]
		for j := 0; j < i; j++ {
			other := set.marks[j]
			labels := m.from < other.to+14 && other.from < m.to+14
			line := slices.ContainsFunc(other.lines, func(l markLine) bool { return l.x > m.from-6 && l.x < m.to+6 })
			if labels || line {
				m.lane = max(m.lane, other.lane+1)
			}
		}
		set.count = max(set.count, m.lane+1)
	}
	return set
}

// faultMarks are the marks of the faults' moments, and the bands, that lie in the
// picture. Moments of different faults never share a label.
func faultMarks(p *pen, t *result.Trial, x scale, moments func(result.Fault) []moment) laneSet {
	set := laneSet{count: 1}
	for _, f := range t.Faults {
		var group []moment
		flush := func() {
			if len(group) > 0 {
				set.marks = append(set.marks, newMark(p, group, x))
			}
			group = nil
		}
		for _, m := range moments(f) {
			if m.second < x.lo || m.second > x.hi {
				continue
			}
			if len(group) > 0 {
				longer := newMark(p, append(slices.Clone(group), m), x)
				if x.at(m.second)-x.at(group[0].second) >= together || longer.width(p) > mostLabel {
					flush()
				}
			}
			group = append(group, m)
		}
		flush()
		if f.Fired != nil && f.Recovered != nil {
			set.bands = append(set.bands, [2]vg.Length{
				max(x.at(*f.Fired), x.a), min(x.at(*f.Recovered), x.b)})
		}
	}
	return set
}

// The height of one lane of labels, and how far a brief mark's lines reach down
// into the panels, in points.
const (
	laneHeight  = 26
	briefStroke = 10
)

// paintMarks paints the bands and lines over the panels, and the labels above them.
func paintMarks(p *pen, set laneSet, low, top vg.Length) {
	for _, band := range set.bands {
		if band[1] > band[0] {
			p.box(band[0], low, band[1], top, tint(vermillion, 0.89))
		}
	}
	level := func(m mark) vg.Length { return top + 14 + laneHeight*vg.Length(m.lane) }
	for _, m := range set.marks {
		foot := low
		if m.brief {
			foot = top - briefStroke
		}
		for _, l := range m.lines {
			p.line(l.x, foot, l.x, level(m)-8, 2, l.kind.colour(), l.kind.dashes()...)
		}
	}
	for _, m := range set.marks { // last, on white: near the right edge a line may cross a label
		p.box(m.from-3, level(m)-9, m.to+3, level(m)+13, paper)
		x := m.from
		for _, w := range m.words {
			p.text(x, level(m)+2, w.text, tickSize, w.kind.colour(), left)
			x += p.width(w.text+between, tickSize)
		}
	}
}

package chart

import "gonum.org/v1/plot/vg"

// tag is a label that wants to stand beside a point.
type tag struct {
	at            vg.Point
	away          vg.Length // from the point upwards and downwards, at the least
	left, right   vg.Length // from the point to the sides, at the least
	width, height vg.Length
}

// spot is where a tag found room; found is false where there was none.
type spot struct {
	box   vg.Rectangle
	found bool
	tied  bool // it is not beside its point, and needs a line to it
}

// place finds a spot for every tag, in their order: within the area, and apart
// from the obstacles and each other. It tries the right and the left of a point,
// above and below, and then farther and farther around.
func place(tags []tag, area vg.Rectangle, obstacles []vg.Rectangle) []spot {
	taken := append([]vg.Rectangle{}, obstacles...)
	spots := make([]spot, len(tags))
	for i, t := range tags {
		for j, box := range t.candidates() {
			if within(box, area) && !meetsAny(box, taken) {
				spots[i] = spot{box: box, found: true, tied: j >= beside}
				taken = append(taken, box)
				break
			}
		}
	}
	return spots
}

// beside is how many candidates touch their point.
const beside = 4

// candidates are the places for a tag, the best first.
func (t tag) candidates() []vg.Rectangle {
	box := func(left, low vg.Length) vg.Rectangle {
		return vg.Rectangle{Min: vg.Point{X: left, Y: low}, Max: vg.Point{X: left + t.width, Y: low + t.height}}
	}
	x, y := t.at.X, t.at.Y
	level := y - t.height/2
	all := []vg.Rectangle{
		box(x+t.right, level), box(x-t.left-t.width, level),
		box(x-t.width/2, y+t.away), box(x-t.width/2, y-t.away-t.height),
	}
	const rings, step = 24, 22
	for ring := 1; ring <= rings; ring++ {
		by := vg.Length(ring) * step
		for _, left := range []vg.Length{x + t.right, x - t.left - t.width, x - t.width/2} {
			all = append(all, box(left, level+t.away+by), box(left, level-t.away-by))
		}
		all = append(all, box(x+t.right+2*by, level), box(x-t.left-2*by-t.width, level))
	}
	return all
}

func within(box, area vg.Rectangle) bool {
	return box.Min.X >= area.Min.X && box.Max.X <= area.Max.X && box.Min.Y >= area.Min.Y && box.Max.Y <= area.Max.Y
}

func meetsAny(box vg.Rectangle, others []vg.Rectangle) bool {
	for _, o := range others {
		if box.Min.X < o.Max.X && o.Min.X < box.Max.X && box.Min.Y < o.Max.Y && o.Min.Y < box.Max.Y {
			return true
		}
	}
	return false
}

package chart

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// tag is a label that wants to stand beside a point.
type tag struct {
	at            vg.Point
	area          vg.Rectangle // that it may stand in
	away          vg.Length    // from the point upwards and downwards, at the least
	left, right   vg.Length    // from the point to the sides, at the least
	width, height vg.Length
}

// spot is where a tag found room; found is false where there was none.
type spot struct {
	box   vg.Rectangle
	found bool
	tied  bool     // it is not beside its point, and needs a line to it
	end   vg.Point // of that line
}

// place finds a spot for every tag, apart from the obstacles and each other. It
// takes the tags in several orders, always the first of them first, and keeps what leaves the fewest without a
// spot, and then the fewest away from their points.
func place(tags []tag, obstacles []vg.Rectangle) (best []spot) {
	given := make([]int, len(tags))
	for i := range given {
		given[i] = i
	}
	falling := slices.Clone(given)
	slices.SortStableFunc(falling[min(1, len(tags)):], func(a, b int) int { return cmp.Compare(tags[b].at.Y, tags[a].at.Y) })
	rising := slices.Clone(falling)
	slices.Reverse(rising[min(1, len(tags)):])
	least := 0
	for _, order := range [][]int{given, falling, rising} {
		spots, bad := placeInOrder(tags, order, obstacles), 0
		for _, s := range spots {
			switch {
			case !s.found:
				bad += len(tags) + 1
			case s.tied:
				bad++
			}
		}
		if best == nil || bad < least {
			best, least = spots, bad
		}
	}
	return best
}

// placeInOrder tries the right and the left of each point, above and below, and then
// farther and farther around, where the line to the point crosses no label.
func placeInOrder(tags []tag, order []int, obstacles []vg.Rectangle) []spot {
	taken := slices.Clone(obstacles)
	var labels []vg.Rectangle
	spots := make([]spot, len(tags))
	for _, i := range order {
		t := tags[i]
		for j, box := range t.candidates() {
			if !within(box, t.area) || meetsAny(box, taken) {
				continue
			}
			s := spot{box: box, found: true, tied: j >= beside, end: nearest(box, t.at)}
			if s.tied {
				line := stretch(t.at, s.end)
				if slices.ContainsFunc(line, func(bit vg.Rectangle) bool { return meetsAny(bit, labels) }) {
					continue
				}
				taken = append(taken, line...)
			}
			spots[i], taken, labels = s, append(taken, box), append(labels, box)
			break
		}
	}
	return spots
}

// nearest is the point of a box that is nearest to another.
func nearest(box vg.Rectangle, to vg.Point) vg.Point {
	return vg.Point{X: min(max(to.X, box.Min.X), box.Max.X), Y: min(max(to.Y, box.Min.Y), box.Max.Y)}
}

// towards is the point at a distance on the way to another.
func towards(from, to vg.Point, distance vg.Length) vg.Point {
	whole := vg.Length(math.Hypot(float64(to.X-from.X), float64(to.Y-from.Y)))
	share := min(distance/max(whole, 1), 1)
	return vg.Point{X: from.X + share*(to.X-from.X), Y: from.Y + share*(to.Y-from.Y)}
}

// stretch covers the line between two points with small boxes.
func stretch(from, to vg.Point) (bits []vg.Rectangle) {
	const count, half = 40, 2
	for i := range count + 1 {
		share := vg.Length(i) / count
		x, y := from.X+share*(to.X-from.X), from.Y+share*(to.Y-from.Y)
		bits = append(bits, vg.Rectangle{Min: vg.Point{X: x - half, Y: y - half}, Max: vg.Point{X: x + half, Y: y + half}})
	}
	return bits
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

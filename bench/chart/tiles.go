package chart

import (
	"math"
	"slices"

	"deliverybench/bench/result"

	"gonum.org/v1/plot/vg"
)

// What stands around the tiles, in points.
const (
	heatHead  = 44 // the key
	panelHead = 62 // a panel's title and its columns' names
	panelGap  = 26
	tallTile  = 76
	leastTile = 22
)

// aside is how many panels have room side by side: as many as leave their tiles room for a number.
func (g grid) aside() int { return max(1, mostTilesAside/max(1, len(g.columns.values))) }

// down is in how many rows the panels stand: as few as have room.
func (g grid) down() int { return (len(g.panels) + g.aside() - 1) / g.aside() }

// across is how many panels stand side by side, so that the rows are about as long as each other.
func (g grid) across() int { return (len(g.panels) + g.down() - 1) / max(1, g.down()) }

// What one figure has room for: the least that a long title and notes leave of its
// height, and names that can be read.
const (
	heatRoom       = 426
	mostTileRows   = (heatRoom - panelHead - panelGap) / leastTile
	mostTilesAside = 20
)

// mostPanels is how many panels leave their tiles leastTile of height.
func (g grid) mostPanels() int {
	return g.aside() * max(1, heatRoom/(panelHead+panelGap+leastTile*len(g.rows.values)))
}

// parts cuts a grid that has more tiles than one figure shows.
func (g grid) parts() (parts []grid) {
	bands, _ := pages(g.rows.values, mostTileRows)
	strips, _ := pages(g.columns.values, mostTilesAside)
	top := 0
	for _, rows := range bands {
		start := 0
		for _, columns := range strips {
			part := grid{rows: g.rows, columns: g.columns}
			part.rows.values, part.columns.values = rows, columns
			for _, whole := range g.panels {
				made := panel{title: whole.title}
				for _, cells := range whole.cells[top : top+len(rows)] {
					made.cells = append(made.cells, cells[start:start+len(columns)])
				}
				part.panels = append(part.panels, made)
			}
			cut, _ := pages(part.panels, part.mostPanels())
			for _, panels := range cut {
				parts = append(parts, grid{rows: part.rows, columns: part.columns, panels: panels})
			}
			start += len(columns)
		}
		top += len(rows)
	}
	return parts
}

// has reports whether one of the grid's tiles is the cell of that name.
func (g grid) has(name string) bool {
	for _, p := range g.panels {
		for _, row := range p.cells {
			if slices.ContainsFunc(row, func(c *result.Cell) bool { return c != nil && c.Name == name }) {
				return true
			}
		}
	}
	return false
}

// room is how high the figure is where there is no lack of it.
func (g grid) room() vg.Length {
	return heatHead + vg.Length(g.down())*(panelHead+panelGap+tallTile*vg.Length(len(g.rows.values)))
}

func paintHeat(p *pen, body vg.Rectangle, g grid, h heat) {
	var names []string
	for _, value := range g.rows.values {
		names = append(names, p.shortenMiddle(g.rows.name(value), textSize, 0.2*body.Size().X))
	}
	left := body.Min.X + p.widest(names, textSize) + 18
	across, down := vg.Length(g.across()), vg.Length(g.down())
	top := body.Max.Y - heatHead
	width := (body.Max.X - left - panelGap*(across-1)) / across
	height := min((top-body.Min.Y)/down-panelHead-panelGap, tallTile*vg.Length(len(g.rows.values)))
	h.paintKey(p, body.Max.X, body.Max.Y-20)
	tile := height / vg.Length(len(g.rows.values))
	size := min(textSize, 0.62*max(tile, leastTile))
	for i, made := range g.panels {
		x := left + (width+panelGap)*vg.Length(i%g.across())
		y := top - (panelHead+panelGap+height)*vg.Length(i/g.across())
		if i%g.across() == 0 {
			for row, name := range names {
				p.text(left-14, y-panelHead-tile*(vg.Length(row)+0.5), name, min(size, 0.8*tile), ink, right)
			}
		}
		h.paintPanel(p, g, made, vg.Rectangle{Min: vg.Point{X: x, Y: y - panelHead - height}, Max: vg.Point{X: x + width, Y: y}})
	}
}

// paintPanel paints a title, the columns' names and the tiles below them.
func (h heat) paintPanel(p *pen, g grid, made panel, in vg.Rectangle) {
	width := in.Size().X / vg.Length(len(g.columns.values))
	top := in.Max.Y - panelHead
	height := (top - in.Min.Y) / vg.Length(len(g.rows.values))
	p.text(in.Min.X, in.Max.Y-14, p.shortenMiddle(made.title, textSize, in.Size().X), textSize, ink, left)
	var columns []string
	for _, value := range g.columns.values {
		columns = append(columns, g.columns.name(value))
	}
	size := p.fit(columns, tickSize, width-8)
	for i, name := range columns {
		p.text(in.Min.X+width*(vg.Length(i)+0.5), top+14, p.shortenMiddle(name, size, width-8), size, faded, centre)
	}
	for row, cells := range made.cells {
		for column, c := range cells {
			x, y := in.Min.X+width*vg.Length(column), top-height*vg.Length(row+1)
			box := vg.Rectangle{Min: vg.Point{X: x + 1, Y: y + 1}, Max: vg.Point{X: x + width - 1, Y: y + height - 1}}
			if c != nil {
				if value, text := h.of(c); text != "" {
					h.paintTile(p, box, value, text)
					continue
				}
			}
			paintEmpty(p, box, h.missing(c))
		}
	}
}

// shade is the colour of a value.
func (h heat) shade(value float64) shade {
	switch {
	case h.none && value == 0:
		return tint(green, 0.85)
	case h.none && value == broken:
		return tint(vermillion, 0.8)
	}
	return ramp(float64(h.scale.at(value)))
}

func (h heat) paintTile(p *pen, box vg.Rectangle, value float64, text string) {
	s := h.shade(value)
	p.box(box.Min.X, box.Min.Y, box.Max.X, box.Max.Y, s)
	letters := onTile(s)
	switch {
	case h.none && value == broken:
		letters = bad
	case s < rampStart:
		letters = good
	}
	width, height := box.Size().X-8, box.Size().Y
	size := p.fit([]string{text}, min(textSize, 0.6*height), width)
	lines := []string{text}
	if p.width(text, size) > width || size < tickSize && height > 3*tickSize {
		lines = p.wrap(text, size, width, 2)
		size = p.fit(lines, min(tickSize, 0.3*height), width)
	}
	for i, line := range lines {
		y := (box.Min.Y+box.Max.Y)/2 + 1.15*size*(vg.Length(len(lines)-1)/2-vg.Length(i))
		p.text((box.Min.X+box.Max.X)/2, y, p.shorten(line, size, width), size, letters, centre)
	}
}

// paintEmpty paints a tile without a number: striped, with the reason in a word
// where there is room for it.
func paintEmpty(p *pen, box vg.Rectangle, why string) {
	const step = 14
	wide, tall := box.Size().X, box.Size().Y
	for from := -tall; from < wide; from += step { // lines upwards to the right, within the tile
		x0, x1 := max(from, 0), min(from+tall, wide)
		if x1 > x0 {
			p.line(box.Min.X+x0, box.Min.Y+x0-from, box.Min.X+x1, box.Min.Y+x1-from, 1, rule)
		}
	}
	p.outline(box.Min.X, box.Min.Y, box.Max.X, box.Max.Y, 1, rule)
	size := p.fit([]string{why}, min(footerSize, 0.5*tall), wide-14)
	if width := p.width(why, size); width <= wide-10 {
		middle := (box.Min.Y + box.Max.Y) / 2
		p.note((box.Min.X+box.Max.X-width)/2, middle, why, size, faded)
	}
}

// paintKey paints what the colours mean, to the left of x.
func (h heat) paintKey(p *pen, x, y vg.Length) {
	put := func(text string, ink shade) {
		p.text(x, y, text, tickSize, ink, right)
		x -= p.width(text, tickSize)
	}
	if h.scale.hi > h.scale.lo || !h.none {
		const wide = 240
		put(h.write(h.scale.hi), faded)
		x -= 10 + wide
		for i := range rampSteps {
			share := float64(i) / (rampSteps - 1)
			v := math.Exp(math.Log(h.scale.lo) + share*(math.Log(h.scale.hi)-math.Log(h.scale.lo)))
			p.box(x+wide*vg.Length(i)/rampSteps, y-9, x+wide, y+9, h.shade(v)) // over the one before: no seams
		}
		x -= 10
		put(h.write(h.scale.lo), faded)
		x -= 24
	}
	if h.none {
		put("none", good)
		x -= 30
		p.box(x, y-9, x+22, y+9, h.shade(0))
		x -= 14
	}
	put(h.key, ink)
}

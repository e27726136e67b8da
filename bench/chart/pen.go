package chart

import (
	"image/color"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Colours of the theme. Data colours are the palette of Okabe and Ito, "Color
// Universal Design" (2008), which stays distinct under colour blindness; its
// yellow is left out because it vanishes on white.
var (
	white = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	ink   = color.NRGBA{0x1f, 0x23, 0x28, 0xff}
	faded = color.NRGBA{0x5c, 0x63, 0x6b, 0xff}
	rule  = color.NRGBA{0xde, 0xe1, 0xe5, 0xff}
	axis  = color.NRGBA{0x8a, 0x91, 0x99, 0xff}

	blue       = color.NRGBA{0x00, 0x72, 0xb2, 0xff}
	vermillion = color.NRGBA{0xd5, 0x5e, 0x00, 0xff}
	green      = color.NRGBA{0x00, 0x9e, 0x73, 0xff}
	purple     = color.NRGBA{0xcc, 0x79, 0xa7, 0xff}
	orange     = color.NRGBA{0xe6, 0x9f, 0x00, 0xff}
	sky        = color.NRGBA{0x56, 0xb4, 0xe9, 0xff}
)

// armColours are given to arms in their order in the profile.
func armColours() []color.NRGBA {
	return []color.NRGBA{blue, vermillion, green, purple, orange, sky, ink, axis}
}

// Sizes of text in points.
const (
	titleSize  = 36
	rowSize    = 26 // of rows where there are few; textSize and less where there are many
	textSize   = 20
	tickSize   = 18
	footerSize = 15
	leastSize  = 11
)

// pen paints in points, from the bottom left corner.
type pen struct {
	c     draw.Canvas
	fonts *font.Cache
}

func newPen(c draw.Canvas) *pen {
	return &pen{c: c, fonts: font.NewCache(liberation.Collection())}
}

func (p *pen) style(size vg.Length, ink color.Color) text.Style {
	return text.Style{
		Color:   ink,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		Handler: text.Plain{Fonts: p.fonts},
	}
}

// width is how wide the text is painted.
func (p *pen) width(s string, size vg.Length) vg.Length {
	return p.style(size, ink).Width(s)
}

// Alignments of text on its point: its left end, its middle or its right end.
const (
	left   = draw.XLeft
	centre = draw.XCenter
	right  = draw.XRight
)

// text paints one line, vertically centred on y.
func (p *pen) text(x, y vg.Length, s string, size vg.Length, ink color.Color, align text.XAlignment) {
	style := p.style(size, ink)
	style.XAlign = align
	// Centred on the height of the lower-case and capital letters alike, so
	// that texts on one line share a baseline whatever their letters.
	p.c.FillText(style, vg.Point{X: x, Y: y - 0.35*size}, s)
}

// line paints a straight line.
func (p *pen) line(x0, y0, x1, y1, width vg.Length, ink color.Color, dashes ...vg.Length) {
	p.path([]vg.Point{{X: x0, Y: y0}, {X: x1, Y: y1}}, width, ink, dashes...)
}

// path paints a line through the points.
func (p *pen) path(points []vg.Point, width vg.Length, ink color.Color, dashes ...vg.Length) {
	p.c.StrokeLines(draw.LineStyle{Color: ink, Width: width, Dashes: dashes}, points)
}

// box fills a rectangle.
func (p *pen) box(x0, y0, x1, y1 vg.Length, ink color.Color) {
	p.c.FillPolygon(ink, []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
}

// outline paints the edge of a rectangle.
func (p *pen) outline(x0, y0, x1, y1, width vg.Length, ink color.Color) {
	p.path([]vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}, {X: x0, Y: y0}}, width, ink)
}

// dot fills a circle.
func (p *pen) dot(x, y, radius vg.Length, ink color.Color) {
	p.c.DrawGlyphNoClip(draw.GlyphStyle{Color: ink, Radius: radius, Shape: draw.CircleGlyph{}}, vg.Point{X: x, Y: y})
}

// wrap breaks text into lines of at most width, and shortens the last line
// when there would be more than most of them.
func (p *pen) wrap(s string, size, width vg.Length, most int) []string {
	var lines []string
	current := ""
	words := strings.Fields(s)
	for i, word := range words {
		longer := strings.TrimSpace(current + " " + word)
		if current == "" || p.width(longer, size) <= width {
			current = longer
			continue
		}
		if len(lines) == most-1 {
			current = current + " " + strings.Join(words[i:], " ")
			break
		}
		lines = append(lines, current)
		current = word
	}
	lines = append(lines, current)
	for i := range lines {
		lines[i] = p.shorten(lines[i], size, width)
	}
	return lines
}

// shorten cuts text to width with an ellipsis at its end.
func (p *pen) shorten(s string, size, width vg.Length) string {
	if p.width(s, size) <= width {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 && p.width(strings.TrimSpace(string(runes))+"…", size) > width {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimSpace(string(runes)) + "…"
}

// shortenMiddle cuts text to width with an ellipsis two thirds in: the names of
// cells differ at their ends.
func (p *pen) shortenMiddle(s string, size, width vg.Length) string {
	if p.width(s, size) <= width {
		return s
	}
	runes := []rune(s)
	head, tail := 2*len(runes)/3, len(runes)-2*len(runes)/3
	for head+tail > 0 {
		cut := string(runes[:head]) + "…" + string(runes[len(runes)-tail:])
		if p.width(cut, size) <= width {
			return cut
		}
		if head >= tail {
			head--
		} else {
			tail--
		}
	}
	return "…"
}

// note paints text on white, where lines may run behind it.
func (p *pen) note(x, y vg.Length, s string, size vg.Length, ink color.Color) {
	p.box(x-4, y-0.5*size, x+p.width(s, size)+4, y+0.5*size, white)
	p.text(x, y, s, size, ink, left)
}

// fit returns the largest size, from size down to leastSize, in which every text is at most width wide.
func (p *pen) fit(texts []string, size, width vg.Length) vg.Length {
	widest := p.widest(texts, size)
	if widest <= width {
		return size
	}
	return max(size*width/widest, leastSize)
}

func (p *pen) widest(texts []string, size vg.Length) vg.Length {
	var widest vg.Length
	for _, s := range texts {
		widest = max(widest, p.width(s, size))
	}
	return widest
}

// tint lightens a colour: 0 leaves it, 1 is white.
func tint(c color.NRGBA, towardsWhite float64) color.NRGBA {
	mix := func(x uint8) uint8 { return uint8(float64(x) + (255-float64(x))*towardsWhite) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), c.A}
}

package chart

import (
	"fmt"
	"strings"

	"deliverybench/bench/stats"

	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

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
	c       draw.Canvas
	colours theme
	fonts   *font.Cache
}

func newPen(c draw.Canvas, colours theme, fonts *font.Cache) *pen {
	return &pen{c: c, colours: colours, fonts: fonts}
}

// typeface is the only one in the charts.
func typeface() font.Font { return font.Font{Typeface: "Liberation", Variant: "Sans"} }

// typefaces has it, for any number of pens at the same time.
func typefaces() (*font.Cache, error) {
	parsed, err := opentype.Parse(liberationsansregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("reading the typeface: %w", err)
	}
	return font.NewCache(font.Collection{{Font: typeface(), Face: parsed}}), nil
}

func (p *pen) style(size vg.Length, ink shade) text.Style {
	face := typeface()
	face.Size = size
	return text.Style{
		Color:   p.colours.of(ink),
		Font:    face,
		Handler: text.Plain{Fonts: p.fonts},
	}
}

// width is how wide the text is painted.
func (p *pen) width(s string, size vg.Length) vg.Length {
	return p.style(size, ink).Width(p.written(s))
}

// written is s as it is painted: what is no letter is a space, and a letter that the
// typeface lacks is its code (\u65e5), so that what differs looks different.
func (p *pen) written(s string) string {
	plain := true
	for _, r := range s {
		plain = plain && r >= ' ' && r <= '~'
	}
	if plain {
		return s
	}
	face := p.fonts.Lookup(typeface(), textSize).Face
	var b strings.Builder
	for _, r := range stats.Printable(s) {
		// Without a buffer of its own the lookup may run in several pictures at once.
		glyph, err := face.GlyphIndex(nil, r)
		switch {
		case err == nil && glyph != 0:
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// Alignments of text on its point: its left end, its middle or its right end.
const (
	left   = draw.XLeft
	centre = draw.XCenter
	right  = draw.XRight
)

// text paints one line, vertically centred on y.
func (p *pen) text(x, y vg.Length, s string, size vg.Length, ink shade, align text.XAlignment) {
	style := p.style(size, ink)
	style.XAlign = align
	// Centred on the height of the lower-case and capital letters alike, so
	// that texts on one line share a baseline whatever their letters.
	p.c.FillText(style, vg.Point{X: x, Y: y - 0.35*size}, p.written(s))
}

// line paints a straight line.
func (p *pen) line(x0, y0, x1, y1, width vg.Length, ink shade, dashes ...vg.Length) {
	p.path([]vg.Point{{X: x0, Y: y0}, {X: x1, Y: y1}}, width, ink, dashes...)
}

// path paints a line through the points.
func (p *pen) path(points []vg.Point, width vg.Length, ink shade, dashes ...vg.Length) {
	p.c.StrokeLines(draw.LineStyle{Color: p.colours.of(ink), Width: width, Dashes: dashes}, points)
}

// box fills a rectangle.
func (p *pen) box(x0, y0, x1, y1 vg.Length, ink shade) {
	p.c.FillPolygon(p.colours.of(ink), []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
}

// outline paints the edge of a rectangle.
func (p *pen) outline(x0, y0, x1, y1, width vg.Length, ink shade) {
	p.path([]vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}, {X: x0, Y: y0}}, width, ink)
}

// dot fills a circle.
func (p *pen) dot(x, y, radius vg.Length, ink shade) {
	p.c.DrawGlyphNoClip(draw.GlyphStyle{Color: p.colours.of(ink), Radius: radius, Shape: draw.CircleGlyph{}}, vg.Point{X: x, Y: y})
}

// diamond fills a square on its corner, of about a dot's area.
func (p *pen) diamond(x, y, radius vg.Length, ink shade) {
	r := 1.25 * radius
	p.c.FillPolygon(p.colours.of(ink), []vg.Point{{X: x - r, Y: y}, {X: x, Y: y + r}, {X: x + r, Y: y}, {X: x, Y: y - r}})
}

// square fills a square of about a dot's area.
func (p *pen) square(x, y, radius vg.Length, ink shade) {
	r := 0.88 * radius
	p.box(x-r, y-r, x+r, y+r, ink)
}

// cross paints two strokes within a dot's area.
func (p *pen) cross(x, y, radius vg.Length, ink shade) {
	r := 0.8 * radius
	p.line(x-r, y-r, x+r, y+r, 0.5*radius, ink)
	p.line(x-r, y+r, x+r, y-r, 0.5*radius, ink)
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

// note paints text on the background, where lines may run behind it.
func (p *pen) note(x, y vg.Length, s string, size vg.Length, ink shade) {
	p.box(x-4, y-0.5*size, x+p.width(s, size)+4, y+0.5*size, paper)
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

package chart

import (
	"fmt"
	"image/color"
	"math"
)

// shade is a colour by what it is for. Which colour that is, a theme says.
type shade int

// Each shade is followed by its tints, up to the background (see tint).
const (
	paper shade = iota * tints // the background
	ink                        // what is read first
	faded                      // what is read second
	rule
	axis

	good // text that says that a promise held
	bad  // text of faults, and of what was violated

	blue
	vermillion
	green
	purple
	orange
	sky

	shadeCount = iota
)

// Behind them come shades without tints, which are the same on every paper: those
// of tiles, from rampStart on, and the texts in them.
const (
	rampStart shade = shadeCount*tints + iota
	tileInk         = rampStart + rampSteps - 1 + iota
	tilePaper

	everyShade
)

// rampSteps is how many colours tiles have.
const rampSteps = 25

// ramp is the shade of a tile, from the darkest at 0 to the brightest at 1.
func ramp(share float64) shade {
	return rampStart + shade(math.Round(min(max(share, 0), 1)*(rampSteps-1)))
}

// onTile is the shade in which text can be read on a tile.
func onTile(tile shade) shade {
	if 2*(tile-rampStart) < rampSteps-1 {
		return tilePaper
	}
	return tileInk
}

// A shade and its tints, each a further 1/allTheWay of the way to the background.
// The last of it is left out: there the tints of different shades become one.
const (
	tints     = 22
	allTheWay = 24
)

// armColours are given to arms in their order in the profile.
func armColours() []shade {
	return []shade{blue, vermillion, green, purple, orange, sky, ink, axis}
}

// tint mixes a shade with the background: 0 leaves it, 1 would be the background,
// and 0.87 is the palest.
func tint(s shade, towardsPaper float64) shade {
	return s + min(shade(math.Round(towardsPaper*allTheWay)), tints-1)
}

// theme is the colours of a chart, which is painted alike in all of them.
type theme struct {
	suffix string // of the files' names
	shades [shadeCount]color.NRGBA
}

// light is for white paper. Its data colours are the palette of Okabe and Ito,
// "Color Universal Design" (2008), which stays distinct under colour blindness;
// the yellow is left out because it vanishes on white.
func light() theme {
	return theme{shades: [shadeCount]color.NRGBA{
		paper / tints: {0xff, 0xff, 0xff, 0xff},
		ink / tints:   {0x1f, 0x23, 0x28, 0xff},
		faded / tints: {0x5c, 0x63, 0x6b, 0xff},
		rule / tints:  {0xde, 0xe1, 0xe5, 0xff},
		axis / tints:  {0x8a, 0x91, 0x99, 0xff},

		good / tints: {0x00, 0x75, 0x55, 0xff},
		bad / tints:  {0xb2, 0x4a, 0x00, 0xff},

		blue / tints:       {0x00, 0x72, 0xb2, 0xff},
		vermillion / tints: {0xd5, 0x5e, 0x00, 0xff},
		green / tints:      {0x00, 0x9e, 0x73, 0xff},
		purple / tints:     {0xcc, 0x79, 0xa7, 0xff},
		orange / tints:     {0xe6, 0x9f, 0x00, 0xff},
		sky / tints:        {0x56, 0xb4, 0xe9, 0xff},
	}}
}

// dark is for a dark page: the same hues, lighter where they would sink into it.
func dark() theme {
	return theme{suffix: darkSuffix, shades: [shadeCount]color.NRGBA{
		paper / tints: {0x11, 0x15, 0x1a, 0xff},
		ink / tints:   {0xe8, 0xec, 0xf0, 0xff},
		faded / tints: {0xa3, 0xac, 0xb6, 0xff},
		rule / tints:  {0x2b, 0x32, 0x3a, 0xff},
		axis / tints:  {0x7b, 0x85, 0x90, 0xff},

		good / tints: {0x35, 0xc4, 0x9a, 0xff},
		bad / tints:  {0xff, 0x8f, 0x45, 0xff},

		blue / tints:       {0x3a, 0x8f, 0xd9, 0xff},
		vermillion / tints: {0xee, 0x76, 0x2d, 0xff},
		green / tints:      {0x1c, 0xb8, 0x8c, 0xff},
		purple / tints:     {0xdb, 0x8f, 0xb9, 0xff},
		orange / tints:     {0xf2, 0xb6, 0x37, 0xff},
		sky / tints:        {0x86, 0xcd, 0xf7, 0xff},
	}}
}

// darkSuffix ends the names of the dark version's files, before their endings.
const darkSuffix = "-dark"

// themes are the versions of every chart.
func themes() []theme { return []theme{light(), dark()} }

// anyPaper is the colour of a shade that is the same in every theme. Brightness
// grows all along the ramp, from blue to yellow, so that it can be read in grey
// and by the colour-blind; after cividis (Nuñez, Anderton and Renslow, "Optimizing
// colormaps with consideration for color vision deficiency", 2018).
func anyPaper(s shade) color.NRGBA {
	switch s {
	case tileInk:
		return color.NRGBA{0x01, 0x01, 0x01, 0xff}
	case tilePaper:
		return color.NRGBA{0xfe, 0xfe, 0xfe, 0xff}
	}
	knots := []color.NRGBA{{0x00, 0x22, 0x4e, 0xff}, {0x43, 0x4e, 0x6c, 0xff}, {0x7d, 0x7c, 0x78, 0xff}, {0xbc, 0xae, 0x6c, 0xff}, {0xfe, 0xe8, 0x38, 0xff}}
	place := float64(s-rampStart) / (rampSteps - 1) * float64(len(knots)-1)
	from := min(int(place), len(knots)-2)
	return mix(knots[from], knots[from+1], place-float64(from))
}

// mix goes a share of the way from one colour to another.
func mix(from, to color.NRGBA, share float64) color.NRGBA {
	channel := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*share) }
	return color.NRGBA{channel(from.R, to.R), channel(from.G, to.G), channel(from.B, to.B), 0xff}
}

// of is the colour of a shade or of one of its tints.
func (t theme) of(s shade) color.NRGBA {
	if s >= rampStart {
		return anyPaper(s)
	}
	return mix(t.shades[s/tints], t.shades[paper/tints], float64(s%tints)/allTheWay)
}

// DarkColours maps every colour that a chart's SVG can have, as it is written
// there ("#1F2328"), to the one that stands for it in the dark version, so that a
// page can recolour its charts. Charts have no transparency. Colours are written
// in upper case, and none is the black that SVG takes where none is named.
func DarkColours() map[string]string {
	all := map[string]string{}
	for s := range everyShade {
		all[svgColour(light().of(s))] = svgColour(dark().of(s))
	}
	return all
}

// svgColour is how an opaque colour is written in an SVG.
func svgColour(c color.NRGBA) string { return fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B) }

package chart

import (
	"image/color"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// drawnColour finds the colours of an SVG that this package wrote.
var drawnColour = regexp.MustCompile(`#[0-9A-Fa-f]{3,8}\b`)

// recolour does what a page does that has the light version and wants the dark one.
func recolour(svg []byte) []byte {
	dark := DarkColours()
	return drawnColour.ReplaceAllFunc(svg, func(c []byte) []byte { return []byte(dark[string(c)]) })
}

// TestTheDarkVersionIsTheLightOneRecoloured draws every figure of every case, so a
// colour that is missing in DarkColours, or has two meanings, is noticed.
func TestTheDarkVersionIsTheLightOneRecoloured(t *testing.T) {
	known := slices.Collect(maps.Keys(DarkColours()))
	for name, make := range cases() {
		dir, run := make(t)
		all, err := figures(dir, run)
		require.NoError(t, err)
		for _, f := range all {
			drawing := drawn(t, light(), run, f)
			for _, c := range drawnColour.FindAllString(string(drawing), -1) {
				require.Contains(t, known, c, "%s, %s", name, f.name)
			}
			require.Equal(t, string(drawn(t, dark(), run, f)), string(recolour(drawing)), "%s, %s", name, f.name)
			for _, element := range regexp.MustCompile(`(?s)<(?:path|text)[^>]*>`).FindAllString(string(drawing), -1) {
				require.Regexp(t, drawnColour, element, "what names no colour is black in both versions")
				require.NotContains(t, element, "opacity", "what is seen through has a colour that no map knows")
			}
		}
	}
}

// Two shades that are one colour on light paper have to be one on dark paper.
func TestEveryColourHasOneMeaning(t *testing.T) {
	meanings := map[string]string{}
	for s := range everyShade {
		lit, unlit := svgColour(light().of(s)), svgColour(dark().of(s))
		if before, ok := meanings[lit]; ok {
			require.Equal(t, before, unlit, "%s is more than one shade", lit)
		}
		meanings[lit] = unlit
		require.Equal(t, strings.ToUpper(lit), lit)
		require.NotEqual(t, "#000000", lit)
	}
	require.Equal(t, meanings, DarkColours())
}

// TestContrast holds the themes to WCAG 2.2: 4.5 : 1 for text (1.4.3), and on
// dark paper 3 : 1 for what is drawn (1.4.11). The palette of Okabe and Ito has
// lighter colours on white; nothing is told by them alone.
func TestContrast(t *testing.T) {
	for _, theme := range themes() {
		paper := theme.of(paper)
		for _, s := range []shade{ink, faded, good, bad} {
			require.GreaterOrEqual(t, contrast(theme.of(s), paper), 4.5, "shade %d%s", s/tints, theme.suffix)
		}
		least := 2.0
		if theme.suffix != "" {
			least = 3
		}
		for _, s := range append(armColours(), vermillion, orange, sky, axis) {
			require.GreaterOrEqual(t, contrast(theme.of(s), paper), least, "shade %d%s", s/tints, theme.suffix)
		}
	}
}

// A number in a tile can be read on every colour that a tile has, and brightness tells their order.
func TestTilesCanBeRead(t *testing.T) {
	before := 0.0
	for _, theme := range themes() {
		for i := range shade(rampSteps) {
			tile := rampStart + i
			require.GreaterOrEqual(t, contrast(theme.of(onTile(tile)), theme.of(tile)), 4.5, "step %d", i)
			bright := contrast(theme.of(tile), color.NRGBA{A: 0xff})
			require.True(t, i == 0 || bright > before, "step %d is not brighter than the one before", i)
			before = bright
		}
		lane := theme.of(tint(green, 0.85)) // of what was not damaged
		for _, s := range []shade{ink, good} {
			require.GreaterOrEqual(t, contrast(theme.of(s), lane), 4.5, "shade %d%s", s/tints, theme.suffix)
		}
	}
	require.Equal(t, []shade{rampStart, rampStart + rampSteps - 1, rampStart}, []shade{ramp(0), ramp(1), ramp(-1)})
	require.Equal(t, []shade{rampStart + rampSteps, rampStart + rampSteps + 1, rampStart + rampSteps + 2}, []shade{tileInk, tilePaper, everyShade})
}

// contrast is the ratio of the relative luminances of two colours, as WCAG 2.2 defines it.
func contrast(a, b color.NRGBA) float64 {
	luminance := func(c color.NRGBA) float64 {
		linear := func(channel uint8) float64 {
			v := float64(channel) / 255
			if v <= 0.04045 {
				return v / 12.92
			}
			return math.Pow((v+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
	}
	high, low := luminance(a), luminance(b)
	return (max(high, low) + 0.05) / (min(high, low) + 0.05)
}

// A scenario named like a dark version takes no other chart's name.
func TestAScenarioMayBeCalledDark(t *testing.T) {
	dir, run := fixture(t, arms()[:1], nil, 1)
	run.Run.Scenarios = []string{"saturated", "saturated-dark"}
	run.Cells[0].Trials[1] = run.Cells[0].Trials[0]
	run.Cells[0].Trials[1].Scenario = "saturated-dark"
	names, err := Draw(dir, run)
	require.NoError(t, err)
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(names))), len(names))
	require.Contains(t, names, result.ChartsFolder+"/throughput-saturated-dark.svg")
	require.Contains(t, names, result.ChartsFolder+"/throughput-saturated-dark_-dark.svg")
}

package chart

import (
	"bytes"
	"encoding/xml"
	"image/png"
	"io"
	"maps"
	"path/filepath"
	"runtime"
	"strings"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// version is a figure in a theme.
type version struct {
	figure  figure
	theme   theme
	stem    string // of its files' names
	height  vg.Length
	svg     []byte
	letters map[rune]bool // that the picture has
}

// write draws the figures into dir/charts, several at a time, and returns the
// files' names relative to dir. All SVGs of a run have the same typeface, of the
// letters that occur in it, so that a page with all of them has it once.
func write(dir string, run *result.Run, figures []figure) ([]string, error) {
	fonts, err := typefaces()
	if err != nil {
		return nil, err
	}
	var versions []*version
	for _, f := range figures {
		high := height(fonts, run, f)
		for _, t := range themes() {
			versions = append(versions, &version{figure: f, theme: t, stem: f.name + t.suffix, height: high})
		}
	}
	path := func(name string) string { return filepath.Join(dir, result.ChartsFolder, name) }
	err = each(versions, func(v *version) error {
		if err := v.paintSVG(fonts, run); err != nil {
			return err
		}
		return result.WriteFile(path(v.stem+".png"), func(w io.Writer) error { return v.writePNG(w, fonts, run) })
	})
	if err != nil {
		return nil, err
	}
	letters := map[rune]bool{}
	for _, v := range versions {
		maps.Copy(letters, v.letters)
	}
	face, err := fontFace(letters)
	if err != nil {
		return nil, err
	}
	var names []string
	add := func(name string, write func(io.Writer) error) error {
		names = append(names, result.ChartsFolder+"/"+name)
		return result.WriteFile(path(name), write)
	}
	for _, v := range versions {
		names = append(names, result.ChartsFolder+"/"+v.stem+".png")
		if err := add(v.stem+".svg", func(w io.Writer) error { return v.writeSVG(w, face) }); err != nil {
			return names, err
		}
		if v.theme.suffix != "" {
			continue
		}
		if err := add(v.stem+".csv", func(w io.Writer) error { return writeCSV(w, v.figure) }); err != nil {
			return names, err
		}
	}
	return names, nil
}

// each calls do for all versions, as many at a time as there are processors.
func each(versions []*version, do func(*version) error) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, v := range versions {
		group.Go(func() error { return do(v) })
	}
	return group.Wait()
}

func (v *version) writePNG(w io.Writer, fonts *font.Cache, run *result.Run) error {
	// At 72 dots per inch a point is a pixel.
	canvas := vgimg.NewWith(vgimg.UseWH(Width, v.height), vgimg.UseDPI(72))
	paint(draw.New(canvas), v.theme, fonts, run, v.figure)
	return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, canvas.Image())
}

// lettered is a drawing that notes its letters.
type lettered struct {
	*vgsvg.Canvas
	letters map[rune]bool
}

func (c lettered) FillString(face font.Face, at vg.Point, text string) {
	text = strings.ReplaceAll(text, "  ", "\u00a0 ") // in an SVG two spaces are one
	for _, r := range text {
		c.letters[r] = true
	}
	c.Canvas.FillString(face, at, text)
}

// What vgsvg writes with each text is said once, of all of them. A text itself
// holds no quotation mark that is not escaped.
const (
	eachText = "\n\tstyle=\"font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal;"
	allTexts = `<g style="font-family:` + family + `,Liberation Sans,Arial,Helvetica,sans-serif" transform="scale(`
)

// paintSVG paints the drawing, still without a typeface, and notes its letters.
func (v *version) paintSVG(fonts *font.Cache, run *result.Run) error {
	v.letters = map[rune]bool{}
	canvas := lettered{vgsvg.NewWith(vgsvg.UseWH(Width, v.height)), v.letters}
	paint(draw.New(canvas), v.theme, fonts, run, v.figure)
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return err
	}
	v.svg = bytes.ReplaceAll(svg.Bytes(), []byte(eachText), []byte(` style="`))
	v.svg = bytes.Replace(v.svg, []byte(`<g transform="scale(`), []byte(allTexts), 1)
	return nil
}

// writeSVG writes the drawing with a typeface's rule. Its title goes first: screen
// readers and reports read it there.
func (v *version) writeSVG(w io.Writer, face string) error {
	var words strings.Builder
	for _, part := range [][2]string{{"title", v.figure.title}, {"desc", v.figure.conditions}} {
		words.WriteString("<" + part[0] + ">")
		if err := xml.EscapeText(&words, []byte(stats.Plain(part[1]))); err != nil {
			return err
		}
		words.WriteString("</" + part[0] + ">\n")
	}
	head, drawing, _ := bytes.Cut(v.svg, []byte("<g "))
	_, err := w.Write(bytes.Join([][]byte{head, []byte(words.String()), []byte("<defs>\n\t<style>\n" + face + "\t</style>\n</defs>\n<g "), drawing}, nil))
	return err
}

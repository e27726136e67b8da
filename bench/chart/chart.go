package chart

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"deliverybench/bench/result"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Size of a chart: pixels of the PNG, points of the SVG. One with few rows is
// less high.
const (
	Width  = 1600
	Height = 900
)

// mostRows is how many rows fit with readable text; more go on to a further figure.
const mostRows = 24

// namesShare is how much of the width the names of the rows may take.
const namesShare = 0.36

// figure is one chart, laid out when it is painted.
type figure struct {
	name       string    // of its files, without an ending
	title      string    // the finding
	conditions string    // the line under it
	speed      bool      // shows speeds, which a broker beside the load does not have of its own
	omitted    string    // what the run left out and the chart therefore lacks
	room       vg.Length // that the data takes at the most, from top to bottom; 0 is all there is
	header     []string
	points     [][]string // what is drawn, for the CSV
	paint      func(p *pen, body vg.Rectangle)
}

// Draw draws every chart that the run has data for into dir/charts, removes
// those of an earlier drawing that are no longer drawn, and returns the paths of
// the files, relative to dir. dir is the run's folder: latency curves are made
// from its histograms.
func Draw(dir string, run *result.Run) ([]string, error) {
	figures, err := figures(dir, run)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range figures {
		for _, format := range []struct {
			ending string
			write  func(io.Writer) error
		}{
			{".png", func(w io.Writer) error { return writePNG(w, run, f) }},
			{".svg", func(w io.Writer) error { return writeSVG(w, run, f) }},
			{".csv", func(w io.Writer) error { return writeCSV(w, f) }},
		} {
			name := result.ChartsFolder + "/" + f.name + format.ending
			if err := result.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), format.write); err != nil {
				return names, err
			}
			names = append(names, name)
		}
	}
	return names, removeOthers(dir, names)
}

// ours are the names that Draw gives its files, and no other file in charts/.
var ours = regexp.MustCompile(`^((throughput|latency|timeline|knee|scaling)-[A-Za-z0-9._-]+|losses(-[0-9]+)?)\.(png|svg|csv)$`)

// removeOthers removes the charts that are not among names: what an earlier
// drawing, of fewer or other trials, left would be read as this run's.
func removeOthers(dir string, names []string) error {
	folder := filepath.Join(dir, result.ChartsFolder)
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Type().IsRegular() && ours.MatchString(e.Name()) && !slices.Contains(names, result.ChartsFolder+"/"+e.Name()) {
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func figures(dir string, run *result.Run) ([]figure, error) {
	all := kneeFigures(run)
	if run.Capacity == nil { // its rungs are no scenarios to compare
		curves, err := latencyFigures(dir, run)
		if err != nil {
			return nil, err
		}
		all = slices.Concat(throughputFigures(run), lossFigures(run), curves, timelineFigures(run))
	}
	taken := map[string]int{}
	for i := range all {
		all[i].name = result.FileName(all[i].name)
		// Different cells can have one file name once what is unsafe in it is replaced.
		if taken[all[i].name]++; taken[all[i].name] > 1 {
			all[i].name = fmt.Sprintf("%s_%d", all[i].name, taken[all[i].name])
		}
	}
	return all, nil
}

func writePNG(w io.Writer, run *result.Run, f figure) error {
	// At 72 dots per inch a point is a pixel.
	canvas := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(Width, height(run, f)), vgimg.UseDPI(72))}
	paint(draw.New(canvas), run, f)
	_, err := canvas.WriteTo(w)
	return err
}

func writeSVG(w io.Writer, run *result.Run, f figure) error {
	canvas := vgsvg.NewWith(vgsvg.UseWH(Width, height(run, f)), vgsvg.EmbedFonts(true))
	paint(draw.New(canvas), run, f)
	var svg, words bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return err
	}
	for _, part := range [][2]string{{"title", f.title}, {"desc", f.conditions}} {
		words.WriteString("<" + part[0] + ">")
		if err := xml.EscapeText(&words, []byte(part[1])); err != nil {
			return err
		}
		words.WriteString("</" + part[0] + ">\n")
	}
	// The title goes first in the picture: screen readers and reports read it there.
	head, rest, _ := bytes.Cut(svg.Bytes(), []byte("<defs>"))
	_, err := w.Write(slices.Concat(head, words.Bytes(), []byte("<defs>"), rest))
	return err
}

func writeCSV(w io.Writer, f figure) error {
	out := csv.NewWriter(w)
	if err := out.Write(f.header); err != nil {
		return err
	}
	return out.WriteAll(f.points)
}

func paint(c draw.Canvas, run *result.Run, f figure) {
	p := newPen(c)
	f.paint(p, frame(p, run, f, c.Size().Y))
}

// height is Height less what the frame would leave empty.
func height(run *result.Run, f figure) vg.Length {
	if f.room == 0 {
		return Height
	}
	body := frame(newPen(draw.NewCanvas(new(recorder.Canvas), Width, Height)), run, f, Height)
	return Height - vg.Length(math.Floor(float64(max(0, body.Size().Y-f.room))))
}

// pages cuts rows into pages of at most most, as equal as possible, and says
// which page is which in the figure's name: "", or "-2" for the second.
func pages[T any](rows []T, most int) (cut [][]T, suffixes []string) {
	count := (len(rows) + most - 1) / most
	for i := range count {
		cut = append(cut, rows[i*len(rows)/count:(i+1)*len(rows)/count])
		suffix := ""
		if i > 0 {
			suffix = fmt.Sprintf("-%d", i+1)
		}
		suffixes = append(suffixes, suffix)
	}
	return cut, suffixes
}

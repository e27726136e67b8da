package chart

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"deliverybench/bench/result"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
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
	unfinished string    // what is shown although not all of it is known, and why
	striped    bool      // it has a place in the chart all the same
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
	names, err := write(dir, run, figures)
	if err != nil {
		return names, err
	}
	return names, removeOthers(dir, names)
}

// ours are the names that Draw gives its files, and no other file in charts/.
var ours = regexp.MustCompile(`^((tradeoff|heatmap|throughput|latency|timeline|knee|scaling)-[A-Za-z0-9._-]+|losses(-[0-9]+)?(-dark)?)\.(png|svg|csv)$`)

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
		all = slices.Concat(tradeoffFigures(run), heatFigures(run), throughputFigures(run), lossFigures(run), curves, timelineFigures(run))
	}
	taken := map[string]int{}
	for i := range all {
		all[i].name = result.FileName(all[i].name)
		if strings.HasSuffix(all[i].name, darkSuffix) {
			all[i].name += "_" // a scenario of that name is not the dark version of another
		}
		// Different cells can have one file name once what is unsafe in it is replaced.
		if taken[all[i].name]++; taken[all[i].name] > 1 {
			all[i].name = fmt.Sprintf("%s_%d", all[i].name, taken[all[i].name])
		}
	}
	return all, nil
}

func writeCSV(w io.Writer, f figure) error {
	out := csv.NewWriter(w)
	if err := out.Write(f.header); err != nil {
		return err
	}
	return out.WriteAll(f.points)
}

// paint paints a figure in a theme, in a typeface whose measures fonts has.
func paint(c draw.Canvas, t theme, fonts *font.Cache, run *result.Run, f figure) {
	p := newPen(c, t, fonts)
	f.paint(p, frame(p, run, f, c.Size().Y))
}

// height is Height less what the frame would leave empty.
func height(fonts *font.Cache, run *result.Run, f figure) vg.Length {
	if f.room == 0 {
		return Height
	}
	body := frame(newPen(draw.NewCanvas(new(recorder.Canvas), Width, Height), light(), fonts), run, f, Height)
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

package chart

import (
	"bytes"
	"cmp"
	"flag"
	"html"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
)

var (
	update   = flag.Bool("update", false, "rewrite the golden files")
	pictures = flag.String("pictures", "", "a folder to leave every picture in, to look at")
)

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// fonts are those of the charts.
func fonts(t require.TestingT) *font.Cache {
	made, err := typefaces()
	require.NoError(t, err)
	return made
}

// testPen measures and paints nothing.
func testPen(t require.TestingT) *pen { return newPen(draw.Canvas{}, light(), fonts(t)) }

// drawn is a figure's SVG with an empty typeface.
func drawn(t *testing.T, in theme, run *result.Run, f figure) []byte {
	t.Helper()
	v := &version{figure: f, theme: in, height: height(fonts(t), run, f)}
	require.NoError(t, v.paintSVG(fonts(t), run))
	var out bytes.Buffer
	require.NoError(t, v.writeSVG(&out, ""))
	return out.Bytes()
}

// cases are the runs whose charts are checked, from the smallest to the worst.
func cases() map[string]func(*testing.T) (string, *result.Run) {
	sizes := []string{"64B", "256B", "512B", "1KiB", "4KiB", "16KiB", "64KiB", "256KiB"}
	return map[string]func(*testing.T) (string, *result.Run){
		"1-arm":    func(t *testing.T) (string, *result.Run) { return fixture(t, arms()[1:2], nil, 1) },
		"2-arms":   func(t *testing.T) (string, *result.Run) { return fixture(t, arms()[1:], nil, 6) },
		"3-arms":   func(t *testing.T) (string, *result.Run) { return fixture(t, arms(), nil, 3) },
		"24-cells": func(t *testing.T) (string, *result.Run) { return fixture(t, arms(), sizes, 6) },
		"30-cells": func(t *testing.T) (string, *result.Run) {
			return fixture(t, arms(), append(sizes, "512KiB", "1MiB"), 1)
		},
		"awkward":  awkward,
		"paced":    paced,
		"48-cells": func(t *testing.T) (string, *result.Run) { return wide(t) },
		"brokers":  brokers,
		"knees":    exactKnees,
		"bounds":   boundedKnees,
		"3-values": func(t *testing.T) (string, *result.Run) { return ladder(t, six(5000), six(9600), six(13500)) },
	}
}

// awkward has long names, omitted and failed cells, limited generators,
// messages that never arrived, broken promises, wrong and missing predictions,
// and faults that crowd at the edges.
func awkward(t *testing.T) (string, *result.Run) {
	long := arm{"at-least-once-with-a-name-that-somebody-made-far-too-long", "at-least-once", 181e3, 1300, 0, 0}
	dir, run := fixture(t, append(arms(), long), []string{"256B", "1KiB"}, 2)
	run.Run.Profile = "a profile with a long name, of which the file names show no more than is safe"
	run.Environment.CPU = "Some Vendor(R) Processor With A Very Long Brand Name 9999X @ 3.00GHz (stepping 7, with all mitigations on)"
	run.Cells[1].Trials = nil
	run.Cells[1].Omitted = "the embedded broker has one log per partition, so acks=1 and acks=all are the same to it: try -broker local3"
	for i := range run.Cells[2].Trials {
		run.Cells[2].Trials[i].Status, run.Cells[2].Trials[i].Reason = result.Failed, "the broker did not answer within 10 s"
	}
	for i := range run.Cells[6].Trials {
		trial := &run.Cells[6].Trials[i]
		trial.Generator.Limited = true
		switch trial.Scenario {
		case "paced":
			trial.Latency[result.EndToEnd] = latency.Summary{Count: 20000, Over: 150}
		case "crash":
			trial.Promise = result.Violated
			trial.Verdict.Lost = ledger.Lost{Total: 275163, Log: 275160, Skipped: 3}
			trial.Verdict.Duplicates = ledger.Dups{Total: 9082, Retried: 9000, Resent: 80, Redelivered: 2}
			trial.Faults = []result.Fault{
				{Name: "freeze broker", Armed: pointer(0.0), Fired: pointer(0.01), Recovered: pointer(0.9), Predicted: &result.Predicted{Lost: pointer(int64(300_000))}},
				{Name: "kill broker leader at 95%", Armed: pointer(1.9), Fired: pointer(1.91), Recovered: pointer(1.99), Predicted: &result.Predicted{Lost: pointer(int64(0))}},
				{Name: "join consumer", Armed: pointer(1.93), Fired: pointer(1.94)},
				{Name: "never", Armed: pointer(1.95)},
			}
		}
	}
	for i := range run.Cells[7].Trials {
		if trial := &run.Cells[7].Trials[i]; trial.Scenario == "crash" {
			trial.Verdict.Duplicates = ledger.Dups{Total: int64(trial.Repeat), Redelivered: int64(trial.Repeat)}
			trial.Faults[0].Predicted = nil
		}
	}
	return dir, run
}

// TestNoTextMeetsAnother lays every figure of every case out and checks that
// no text overlaps another one or leaves the picture.
func TestNoTextMeetsAnother(t *testing.T) {
	for name, make := range cases() {
		t.Run(name, func(t *testing.T) {
			dir, run := make(t)
			all, err := figures(dir, run)
			require.NoError(t, err)
			require.NotEmpty(t, all)
			for _, f := range all {
				high := height(fonts(t), run, f)
				texts := painted(t, run, f, high)
				require.Greater(t, len(texts), 10, f.name)
				for i, a := range texts {
					inside := a.box.Min.X >= 0 && a.box.Min.Y >= 0 && a.box.Max.X <= Width && a.box.Max.Y <= high
					require.True(t, inside, "%s: %q leaves the picture: %v", f.name, a.text, a.box)
					for _, b := range texts[i+1:] {
						apart := a.box.Max.X <= b.box.Min.X || b.box.Max.X <= a.box.Min.X || a.box.Max.Y <= b.box.Min.Y || b.box.Max.Y <= a.box.Min.Y
						require.True(t, apart, "%s: %q %v meets %q %v", f.name, a.text, a.box, b.text, b.box)
					}
				}
			}
		})
	}
}

// TestConditionsUnderEveryFigure holds every kind of figure to what its reader has to
// know: on what it was measured, when, how often, by which profile; and of a speed
// that an embedded broker gave, that it is not a cluster's.
func TestConditionsUnderEveryFigure(t *testing.T) {
	speeds := map[string]map[bool]bool{} // by kind
	for name, make := range cases() {
		dir, run := make(t)
		all, err := figures(dir, run)
		require.NoError(t, err)
		for _, f := range all {
			kind, _, _ := strings.Cut(f.name, "-")
			if speeds[kind] == nil {
				speeds[kind] = map[bool]bool{}
			}
			speeds[kind][f.speed] = true
			var words []string
			lines := painted(t, run, f, height(fonts(t), run, f))
			slices.SortStableFunc(lines, func(a, b paintedText) int { return cmp.Compare(b.box.Min.Y, a.box.Min.Y) })
			for _, line := range lines {
				words = append(words, strings.Fields(line.text)...)
			}
			text := strings.Join(words, " ")
			e, broker := run.Environment, run.Environment.Broker
			for _, condition := range []string{
				"(sha256 8d969eef)", "21 November 2026", "broker: " + broker.Kind + " " + broker.Version, "client: " + e.Client + ", librdkafka " + e.Librdkafka,
				"machine: 2 cores, ", e.OS, e.CPU,
			} {
				require.Contains(t, text, condition, "%s, %s", name, f.name)
			}
			require.Regexp(t, `\b[0-9]+ repeats?\b|\brepeat [0-9]+ of [0-9]+\b`, text, "%s, %s", name, f.name)
			const caution = "Embedded broker: not your cluster's speeds"
			require.Equal(t, f.speed && broker.Kind == "embedded", strings.Contains(text, caution), "%s, %s", name, f.name)
		}
	}
	yes, no := map[bool]bool{true: true}, map[bool]bool{false: true}
	require.Equal(t, map[string]map[bool]bool{
		"tradeoff": yes, "throughput": yes, "latency": yes, "timeline": yes, "knee": yes, "scaling": yes,
		"losses": no, "heatmap": {true: true, false: true}, // of costs, of damage
	}, speeds)
}

type paintedText struct {
	text string
	box  vg.Rectangle
}

// painted returns every text of a figure with the box of its letters.
func painted(t *testing.T, run *result.Run, f figure, high vg.Length) []paintedText {
	var canvas recorder.Canvas
	paint(draw.NewCanvas(&canvas, Width, high), light(), fonts(t), run, f)
	var texts []paintedText
	pen := testPen(t)
	for _, action := range canvas.Actions {
		if s, ok := action.(*recorder.FillString); ok && strings.TrimSpace(s.String) != "" {
			width := pen.width(s.String, s.Size)
			texts = append(texts, paintedText{s.String, vg.Rectangle{ // from a little below the baseline to the height of a capital
				Min: vg.Point{X: s.Point.X, Y: s.Point.Y - 0.1*s.Size}, Max: vg.Point{X: s.Point.X + width, Y: s.Point.Y + 0.72*s.Size}}})
		}
	}
	return texts
}

// TestDraw draws the three arms and looks at the files: their names, that they
// are pictures of the right size with something on them, and the same each time.
func TestDraw(t *testing.T) {
	dir, run := fixture(t, arms(), nil, 6)
	names, err := Draw(dir, run)
	require.NoError(t, err)
	var stems []string
	first, faces := map[string][]byte{}, map[string]bool{}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		require.NoError(t, err)
		first[name] = data
		base := filepath.Base(name)
		switch filepath.Ext(name) {
		case ".png":
			stems = append(stems, strings.TrimSuffix(base, ".png"))
			picture, err := png.Decode(bytes.NewReader(data))
			require.NoError(t, err)
			size := picture.Bounds().Size()
			require.Equal(t, Width, size.X)
			require.LessOrEqual(t, size.Y, Height)
			require.Greater(t, inked(picture), size.X*size.Y/200, "%s is nearly blank", name)
		case ".svg":
			require.Less(t, len(data), 60_000, name)
			require.NotRegexp(t, `>[^<]*  [^<]*</text>`, string(data), "a browser takes two spaces for one")
			face := regexp.MustCompile(`(?s)@font-face\{.*?\}`).FindString(string(data))
			require.Contains(t, face, "font/ttf;charset=utf-8;base64,", "the typeface is in the file")
			for _, text := range regexp.MustCompile(`>([^<]+)</text>`).FindAllSubmatch(data, -1) {
				requireLetters(t, face, html.UnescapeString(string(text[1])))
			}
			if faces[face] = true; len(faces) > 1 {
				require.Fail(t, "a page with all charts has more than one typeface", name)
			}
			require.True(t, bytes.Contains(data, []byte("confluent-kafka-go")), "text is text")
			require.Regexp(t, `<title>.+</title>\n<desc>.+</desc>`, string(data[:2000]))
		case ".csv":
			golden(t, base, data)
		}
	}
	var want []string
	for _, stem := range []string{"tradeoff-crash", "throughput-saturated", "losses", "latency-paced",
		"timeline-at-most-once-crash", "timeline-at-least-once-crash", "timeline-exactly-once-crash"} {
		want = append(want, stem, stem+"-dark")
	}
	require.Equal(t, want, stems)
	saved, err := result.Load(dir)
	require.NoError(t, err)
	again, err := Draw(dir, saved)
	require.NoError(t, err)
	require.Equal(t, names, again)
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		require.NoError(t, err)
		require.True(t, bytes.Equal(first[name], data), "%s differs when drawn again from the saved run", name)
	}
}

// TestDrawLeavesNoOldChart draws over the charts of an earlier drawing and
// beside files that somebody else put there.
func TestDrawLeavesNoOldChart(t *testing.T) {
	dir, run := fixture(t, arms()[1:2], nil, 1)
	folder := filepath.Join(dir, result.ChartsFolder)
	foreign := []string{"mine.svg", "losses.txt", "latency of mine.svg", "losses-of-mine.csv", "losses-darker.svg"}
	for _, name := range append([]string{"losses-2.svg", "losses-2-dark.png", "timeline-gone-crash.csv", "latency-old.png"}, foreign...) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), nil, 0o644))
	}
	names, err := Draw(dir, run)
	require.NoError(t, err)
	want := append([]string{}, foreign...)
	for _, name := range names {
		want = append(want, filepath.Base(name))
	}
	var there []string
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, e := range entries {
		there = append(there, e.Name())
	}
	require.ElementsMatch(t, want, there)
}

// inked counts the pixels that are not white.
func inked(picture image.Image) int {
	count := 0
	for y := range picture.Bounds().Dy() {
		for x := range Width {
			if color.NRGBAModel.Convert(picture.At(x, y)) != color.Color(light().of(paper)) {
				count++
			}
		}
	}
	return count
}

// TestSVG is a golden of the smallest chart, without the embedded font.
func TestSVG(t *testing.T) {
	_, run := fixture(t, arms()[1:2], nil, 1)
	golden(t, "throughput.svg", drawn(t, light(), run, throughputFigures(run)[0]))
}

// TestPictures leaves every case's pictures in the folder of -pictures.
func TestPictures(t *testing.T) {
	if *pictures == "" {
		return
	}
	for name, make := range cases() {
		dir, run := make(t)
		all, err := figures(dir, run)
		require.NoError(t, err)
		for _, f := range all {
			for _, theme := range themes() {
				v := &version{figure: f, theme: theme, height: height(fonts(t), run, f)}
				var out bytes.Buffer
				require.NoError(t, v.writePNG(&out, fonts(t), run))
				require.NoError(t, os.WriteFile(filepath.Join(*pictures, name+"-"+f.name+theme.suffix+".png"), out.Bytes(), 0o644))
			}
		}
	}
}

func TestNothingToDrawDrawsNothing(t *testing.T) {
	_, run := fixture(t, arms(), nil, 1)
	dir := t.TempDir() // without the histograms
	for i := range run.Cells {
		for j := range run.Cells[i].Trials {
			run.Cells[i].Trials[j].Status = result.Failed
		}
	}
	names, err := Draw(dir, run)
	require.NoError(t, err)
	require.Empty(t, names)
}

func TestBrokenHistogramIsNamed(t *testing.T) {
	dir, run := fixture(t, arms()[:1], nil, 1)
	path := filepath.Join(dir, "histograms", "000-paced-1.hlog")
	require.NoError(t, os.WriteFile(path, []byte("not a log\n"), 0o644))
	_, err := Draw(dir, run)
	require.ErrorContains(t, err, "latencies of trial 000-paced-1")
	require.ErrorContains(t, err, path)
}

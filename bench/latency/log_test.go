package latency_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/latency"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var (
	grid    = latency.Grid{Origin: 5_000_000_000, Interval: 100 * time.Millisecond}
	started = time.Date(2026, 11, 21, 10, 15, 0, 250_000_000, time.UTC)
)

func newLog(t require.TestingT, w io.Writer) *latency.LogWriter {
	writer, err := latency.NewLogWriter(w, grid, started)
	require.NoError(t, err)
	return writer
}

func newRole(t require.TestingT, writer *latency.LogWriter, name string) *latency.IntervalRecorder {
	role, err := writer.Role(name)
	require.NoError(t, err)
	return role
}

func readLog(t require.TestingT, text string) *latency.Log {
	log, err := latency.ReadLog(strings.NewReader(text))
	require.NoError(t, err)
	return log
}

// at returns a clock reading in an interval of the grid.
func at(index int64) int64 { return grid.Origin + index*int64(grid.Interval) + 1 }

// sample writes a small log with two roles, a gap and values out of range.
func sample(t require.TestingT, w io.Writer) {
	writer := newLog(t, w)
	ack, end := newRole(t, writer, "ack"), newRole(t, writer, "end_to_end")
	ack.Record(grid.Origin-1, 1_000_000) // warm-up
	for i := range int64(1000) {
		ack.Record(at(0), (i+1)*1000)
	}
	ack.Record(at(1), 7_000_000)
	ack.Record(at(5), 8_000_000)
	ack.Record(at(5), -1)
	ack.Record(at(5), int64(latency.Highest)+1)
	end.Record(at(2), int64(time.Second))
	require.NoError(t, writer.Close())
}

func TestLogHoldsWhatWasRecorded(t *testing.T) {
	var file bytes.Buffer
	sample(t, &file)
	log := readLog(t, file.String())
	require.Equal(t, grid, log.Grid)
	require.Equal(t, started, log.Started)
	require.Zero(t, log.Torn)
	require.Equal(t, []string{"ack", "end_to_end"}, log.Roles())

	var indexes, counts []int64
	for _, interval := range log.Intervals("ack") {
		indexes = append(indexes, interval.Index)
		counts = append(counts, interval.Count())
	}
	require.Equal(t, []int64{0, 1, 5}, indexes)
	require.Equal(t, []int64{1000, 1, 1}, counts)
	require.Equal(t, float64(990), log.Intervals("ack")[0].Summary().P99)
	require.Equal(t, float64(latency.OverRange), log.Intervals("ack")[2].Summary().Max)

	require.Equal(t, int64(1002), log.Total("ack").TotalCount())
	under, over := log.OutOfRange("ack")
	require.Equal(t, int64(1), under)
	require.Equal(t, int64(1), over)
	require.Equal(t, int64(6), log.Summary("ack", 5).Over)
	require.Zero(t, log.Summary("commit", 0))
}

// readable replaces the compressed histograms, whose bytes may differ between
// versions of the compressor, by what the library reads in them.
func readable(t *testing.T, text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "Tag=") {
			continue
		}
		comma := strings.LastIndexByte(line, ',')
		h, err := hdrhistogram.Decode([]byte(strings.TrimSuffix(line[comma+1:], "\n")))
		require.NoError(t, err)
		lines[i] = fmt.Sprintf("%s%d counted, %d to %d µs\n", line[:comma+1], h.TotalCount(), h.Min(), h.Max())
	}
	return strings.Join(lines, "")
}

// The file is read by other programs, so its form is fixed.
func TestLogGolden(t *testing.T) {
	var file bytes.Buffer
	require.NoError(t, latency.WriteLog(&file, func() *latency.Log {
		var unordered bytes.Buffer
		sample(t, &unordered)
		return readLog(t, unordered.String())
	}()))
	path := filepath.Join("testdata", "sample.hlog")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, file.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update")
	require.Equal(t, readable(t, string(want)), readable(t, file.String()))
}

// The library's own reader takes the file: tags, start times and counts.
func TestLogIsReadByTheLibrary(t *testing.T) {
	var file bytes.Buffer
	sample(t, &file)
	reader := hdrhistogram.NewHistogramLogReader(&file)
	found := map[string]int64{}
	for {
		h, err := reader.NextIntervalHistogram()
		require.NoError(t, err)
		if h == nil {
			break
		}
		offset := h.StartTimeMs() - started.UnixMilli()
		found[fmt.Sprintf("%s at %d ms", h.Tag(), offset)] = h.TotalCount()
	}
	require.Equal(t, map[string]int64{
		"ack at 0 ms": 1000, "ack at 100 ms": 1, "ack at 500 ms": 1,
		"end_to_end at 200 ms": 1,
	}, found)
}

// Whatever is recorded, in whichever of several logs, is in the merged log:
// in its own interval and in the total, and still there after writing it.
func TestMergedLogsHoldEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		files := rapid.IntRange(1, 4).Draw(t, "files")
		total := latency.NewRecorder()
		byInterval := map[int64]*latency.Recorder{}
		var logs []*latency.Log
		for range files {
			var file bytes.Buffer
			writer := newLog(t, &file)
			role := newRole(t, writer, "ack")
			index := int64(0)
			for _, n := range nanos(t) {
				index += rapid.Int64Range(0, 2).Draw(t, "step")
				role.Record(at(index), n)
				total.Record(n)
				if byInterval[index] == nil {
					byInterval[index] = latency.NewRecorder()
				}
				byInterval[index].Record(n)
			}
			require.NoError(t, writer.Close())
			logs = append(logs, readLog(t, file.String()))
		}
		merged, err := latency.Merge(logs...)
		require.NoError(t, err)
		var file bytes.Buffer
		require.NoError(t, latency.WriteLog(&file, merged))
		for _, log := range []*latency.Log{merged, readLog(t, file.String())} {
			require.True(t, total.Histogram().Equals(log.Total("ack")))
			under, over := log.OutOfRange("ack")
			wantUnder, wantOver := total.OutOfRange()
			require.Equal(t, [2]int64{wantUnder, wantOver}, [2]int64{under, over})
			require.Len(t, log.Intervals("ack"), len(byInterval))
			for _, interval := range log.Intervals("ack") {
				require.True(t, byInterval[interval.Index].Histogram().Equals(interval.Histogram()))
			}
		}
	})
}

func TestMergeRefusesAnotherGrid(t *testing.T) {
	var file, other bytes.Buffer
	sample(t, &file)
	writer, err := latency.NewLogWriter(&other, latency.Grid{Origin: 1, Interval: grid.Interval}, started)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	_, err = latency.Merge(readLog(t, file.String()), readLog(t, other.String()))
	require.ErrorContains(t, err, "different grids")
}

// A file cut anywhere, as SIGKILL cuts it, reads without an error and holds
// every whole line.
func TestTornLogs(t *testing.T) {
	var file bytes.Buffer
	sample(t, &file)
	whole := file.String()
	uncut := readLog(t, whole)
	for cut := range len(whole) {
		log := readLog(t, whole[:cut])
		torn := 0
		if cut > 0 && whole[cut-1] != '\n' {
			torn = 1
		}
		require.Equal(t, torn, log.Torn, "cut at %d", cut)
		merged, err := latency.Merge(log, uncut)
		require.NoError(t, err, "cut at %d", cut)
		require.Equal(t, torn, merged.Torn)
	}
	lines := strings.SplitAfter(whole, "\n")
	last := len(whole) - len(lines[len(lines)-2])
	require.Zero(t, readLog(t, whole[:last+20]).Total("end_to_end").TotalCount())
	require.Equal(t, int64(1002), readLog(t, whole[:last+20]).Total("ack").TotalCount())
}

// lineWriter hands each Write to a channel, so that a test waits for it.
type lineWriter chan string

func (w lineWriter) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

func TestFinishedIntervalsAreWrittenAtOnce(t *testing.T) {
	lines := make(lineWriter, 100)
	writer := newLog(t, lines)
	role := newRole(t, writer, "ack")
	<-lines // the header
	role.Record(at(0), 1000)
	role.Record(at(1), 1000) // ends interval 0
	require.True(t, strings.HasPrefix(<-lines, "Tag=ack,0.000000000,0.100000000,0.001,HISTF"))
	role.Record(at(9), -5) // ends interval 1
	require.True(t, strings.HasPrefix(<-lines, "Tag=ack,0.100000000,"))
	require.NoError(t, writer.Close())
	require.True(t, strings.HasPrefix(<-lines, "#[OutOfRange: ack,9,1,0 "))
	require.Empty(t, lines)
}

func TestRolesOfManyGoroutines(t *testing.T) {
	var file bytes.Buffer
	writer := newLog(t, &file)
	const goroutines, each = 4, 2000
	var group sync.WaitGroup
	for range goroutines {
		role := newRole(t, writer, "ack")
		group.Go(func() {
			for n := range int64(each) {
				role.Record(at(n/50), n*1000)
			}
		})
	}
	group.Wait()
	require.NoError(t, writer.Close())
	log := readLog(t, file.String())
	require.Equal(t, int64(goroutines*each), log.Total("ack").TotalCount())
	require.Len(t, log.Intervals("ack"), each/50)
}

// brokenWriter fails after some writes.
type brokenWriter struct{ left int }

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.left == 0 {
		return 0, errors.New("disk full")
	}
	w.left--
	return len(p), nil
}

func TestWriteErrorsAreReported(t *testing.T) {
	_, err := latency.NewLogWriter(&brokenWriter{}, grid, started)
	require.ErrorContains(t, err, "disk full")

	writer := newLog(t, &brokenWriter{left: 1})
	role := newRole(t, writer, "ack")
	for index := range int64(200) { // more than may wait: recording goes on
		role.Record(at(index), 1000)
	}
	require.ErrorContains(t, writer.Close(), "disk full")
	require.ErrorContains(t, writer.Close(), "closed already")

	var file bytes.Buffer
	sample(t, &file)
	log := readLog(t, file.String())
	for writes := range 4 {
		require.ErrorContains(t, latency.WriteLog(&brokenWriter{left: writes}, log), "disk full")
		require.ErrorContains(t, latency.WritePercentiles(&brokenWriter{left: writes}, log.Total("ack"), 1), "disk full")
	}
}

func TestRefusals(t *testing.T) {
	_, err := latency.NewLogWriter(io.Discard, latency.Grid{Interval: 999}, started)
	require.ErrorContains(t, err, "at least 1 µs")
	writer := newLog(t, io.Discard)
	for _, name := range []string{"", "a b", "a,b", "a\nb", "é"} {
		_, err := writer.Role(name)
		require.ErrorContains(t, err, "use letters")
	}
	require.NoError(t, writer.Close())
	_, err = writer.Role("ack")
	require.ErrorContains(t, err, "closed already")
}

func TestReadLogNamesTheLine(t *testing.T) {
	head := "#[Grid: 1,100000000 x]\n"
	foreign, err := hdrhistogram.New(1, 1000, 2).EncodeV2()
	require.NoError(t, err)
	for text, want := range map[string]string{
		"Tag=a,0,1,2,H\n":                                   "line 1: an interval before the grid",
		"#[OutOfRange: a,0,1,1]\n":                          "before the grid",
		head + "nonsense\n":                                 "line 2: 1 fields",
		head + "a,0,1,2,H\n":                                "is not Tag=role",
		head + "Tag=a,x,1,2,H\n":                            "start \"x\"",
		head + "Tag=a,-1,1,2,H\n":                           "outside the grid",
		head + "Tag=a,NaN,1,2,H\n":                          "outside the grid",
		head + "Tag=a,0,1,2,H\n":                            "histogram: ",
		head + "Tag=a,0,1,2," + string(foreign) + "\n":      "not 1 µs to 10 min",
		head + "#[OutOfRange: a,0,-1,1 x]\n":                "is not between",
		head + "#[OutOfRange: a,0,1 x]\n":                   "is not role,interval,under,over",
		head + "#[Grid: 2,100000000 x]\n":                   "a second grid",
		"#[Grid: 1,1 x]\n":                                  "at least 1 µs",
		"#[Grid: one x]\n":                                  "is not origin,interval",
		"#[StartTime: soon (seconds since epoch), never]\n": "start time \"soon\"",
	} {
		_, err := latency.ReadLog(strings.NewReader(text))
		require.ErrorContains(t, err, want, "%q", text)
	}
}

// FuzzReadLog: any input is a log or an error, and a log survives being written.
func FuzzReadLog(f *testing.F) {
	var file bytes.Buffer
	sample(f, &file)
	f.Add(file.Bytes())
	f.Add(file.Bytes()[:file.Len()-10])
	f.Add([]byte("#[Grid: 1,1000 x]\n#[OutOfRange: a,9,1,1 x]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		log, err := latency.ReadLog(bytes.NewReader(text))
		if err != nil {
			return
		}
		if log.Grid.Interval == 0 {
			require.Empty(t, log.Roles())
			return
		}
		var again bytes.Buffer
		require.NoError(t, latency.WriteLog(&again, log))
		reread, err := latency.ReadLog(&again)
		require.NoError(t, err)
		require.Equal(t, log.Roles(), reread.Roles())
		for _, role := range log.Roles() {
			require.Len(t, reread.Intervals(role), len(log.Intervals(role)))
			for i, want := range log.Intervals(role) {
				got := reread.Intervals(role)[i]
				require.Equal(t, [3]int64{want.Index, want.Under, want.Over}, [3]int64{got.Index, got.Under, got.Over})
				require.True(t, want.Histogram().Equals(got.Histogram()))
			}
		}
	})
}

func TestIntervalRecordDoesNotAllocate(t *testing.T) {
	role := newRole(t, newLog(t, io.Discard), "ack")
	role.Record(at(0), 1)
	require.Zero(t, testing.AllocsPerRun(1000, func() { role.Record(at(0), 12_345) }))
}

func BenchmarkIntervalRecord(b *testing.B) {
	writer := newLog(b, io.Discard)
	role := newRole(b, writer, "ack")
	b.ReportAllocs()
	now, n := grid.Origin, int64(0)
	for b.Loop() {
		now += 1000 // a million per second: an interval is 100,000 of them
		n = (n*5 + 17_000) & 0x3ffffff
		role.Record(now, n)
	}
	require.NoError(b, writer.Close())
}

// BenchmarkInterval is what a finished interval of 20,000 latencies costs the
// writing goroutine, once per operation.
func BenchmarkInterval(b *testing.B) {
	writer := newLog(b, io.Discard)
	role := newRole(b, writer, "ack")
	b.ReportAllocs()
	index, n := int64(0), int64(0)
	for b.Loop() {
		for range 20_000 {
			n = (n*5 + 17_000) & 0x7fffff // up to 8 ms
			role.Record(at(index), n)
		}
		index++
	}
	require.NoError(b, writer.Close())
}

func BenchmarkReadLog(b *testing.B) {
	var file bytes.Buffer
	sample(b, &file)
	text := file.String()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := latency.ReadLog(strings.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}

package result

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the golden files")

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

func TestGoldens(t *testing.T) {
	formats := map[string]func(io.Writer, *Run) error{
		"run.json": Encode, "trials.csv": WriteTrialsCSV, "cells.csv": WriteCellsCSV, "bench.txt": WriteBench,
	}
	for name, format := range formats {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, format(&out, sample()))
			golden(t, name, out.Bytes())
		})
	}
}

func TestStoreKeepsEverything(t *testing.T) {
	out := filepath.Join(t.TempDir(), "not", "there", "yet")
	run := sample()
	trials := run.Cells[0].Trials
	run.Cells[0].Trials = nil
	run.Run.ID, run.Schema, run.Units = "", "", nil
	s, err := Create(out, run)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(out, "acks-and-crash-20261121T101500Z"), s.Dir())
	require.NoError(t, s.SaveProfile([]byte("name: x\n"), []byte("name: x\nrepeats: 1\n")))
	for i, trial := range trials {
		require.NoError(t, s.SaveTrial(run, run.Cells[0].Name, trial))
		saved, err := Load(s.Dir())
		require.NoError(t, err)
		require.Equal(t, trials[:i+1], saved.Cells[0].Trials, "a trial is on disk as soon as it is saved")
	}
	require.NoError(t, s.SaveHistogramLog(trials[0].ID, write([]byte("log"))))
	require.NoError(t, s.SavePercentiles(trials[0].ID, EndToEnd, write([]byte("percentiles"))))

	reopened, saved, err := Open(s.Dir())
	require.NoError(t, err)
	require.Equal(t, sample(), saved)
	require.Equal(t, s.Dir(), reopened.Dir())
	require.Equal(t, []string{
		"bench.txt", "cells.csv", "charts", "histograms", "histograms/002-all-crash-1.end_to_end.hgrm", "histograms/002-all-crash-1.hlog",
		"profile.resolved.yaml", "profile.yaml", "run.json", "trials.csv",
	}, tree(t, s.Dir()))
}

func tree(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if path != dir {
			name, _ := filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	}))
	return names
}

func TestSaveTrialReplacesItsOwnID(t *testing.T) {
	run := sample()
	s, err := Create(t.TempDir(), run)
	require.NoError(t, err)
	trial := run.Cells[0].Trials[1]
	trial.Status, trial.Reason = Failed, "second try"
	require.NoError(t, s.SaveTrial(run, run.Cells[0].Name, trial))
	require.Len(t, run.Cells[0].Trials, 2)
	require.Equal(t, "second try", run.Cells[0].Trials[1].Reason)
	require.EqualError(t, s.SaveTrial(run, "other", trial), `the run has no cell "other" to put trial "001-all-saturated-1" into`)
}

func TestNameClash(t *testing.T) {
	out := t.TempDir()
	for _, want := range []string{"a-b-20261121T101500Z", "a-b-20261121T101500Z-2", "a-b-20261121T101500Z-3"} {
		run := sample()
		run.Run.Profile = "a/b"
		s, err := Create(out, run)
		require.NoError(t, err)
		require.Equal(t, want, filepath.Base(s.Dir()))
		require.Equal(t, want, run.Run.ID)
	}
}

func TestCreateErrorsSayWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := Create(filepath.Join(file, "results"), sample())
	require.EqualError(t, err, "cannot create the results folder "+file+"/results (not a directory): name one that can be written with -out")
	_, err = Create("/proc/self", sample()) // exists, and nobody may make a folder in it, not even root
	require.ErrorContains(t, err, "cannot write to the results folder /proc/self")
	require.ErrorContains(t, err, "-out")
}

// TestFailedSaveKeepsTheOld is the promise that matters most: whatever fails, the last
// good run.json is still there, whole, and nothing is left beside it.
func TestFailedSaveKeepsTheOld(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "run")
		require.NoError(rt, err)
		s := &Store{dir: dir}
		want := ""
		for range rapid.IntRange(1, 6).Draw(rt, "saves") {
			content := rapid.StringN(0, 200_000, -1).Draw(rt, "content")
			failAt := rapid.IntRange(-1, len(content)).Draw(rt, "fail after bytes")
			err := s.WriteFile(RunFile, func(w io.Writer) error {
				if failAt < 0 {
					_, err := io.WriteString(w, content)
					return err
				}
				_, err := io.WriteString(w, content[:failAt])
				return errors.Join(err, syscall.ENOSPC)
			})
			if failAt < 0 {
				require.NoError(rt, err)
				want = content
			} else {
				require.ErrorIs(rt, err, syscall.ENOSPC)
				require.ErrorContains(rt, err, "free some space or name another disk with -out")
			}
			got, err := os.ReadFile(s.Path(RunFile))
			if want == "" && errors.Is(err, os.ErrNotExist) {
				require.Empty(rt, tree(t, dir))
				continue
			}
			require.NoError(rt, err)
			require.Equal(rt, want, string(got))
			require.Equal(rt, []string{RunFile}, tree(t, dir))
		}
	})
}

func TestUnsaveableNumberKeepsTheOld(t *testing.T) {
	run := sample()
	s, err := Create(t.TempDir(), run)
	require.NoError(t, err)
	run.Cells[0].Trials[0].TookSecond = math.NaN()
	require.ErrorContains(t, s.Save(run), "unsupported value: NaN")
	saved, err := Load(s.Dir())
	require.NoError(t, err)
	require.Equal(t, 4.0, saved.Cells[0].Trials[0].TookSecond)
}

func TestLeftoverOfAKilledSaveIsReplaced(t *testing.T) {
	run := sample()
	s, err := Create(t.TempDir(), run)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(s.Path(".run.json.partial"), []byte(`{"schema": "deliv`), 0o644))
	require.NoError(t, s.Save(run))
	require.NoFileExists(t, s.Path(".run.json.partial"))
}

func TestLoadRefusals(t *testing.T) {
	dir := t.TempDir()
	_, err := Load(dir)
	require.EqualError(t, err, dir+" holds no run.json: give the folder of a run, such as results/semantics-20261121T101500Z")
	path := filepath.Join(dir, RunFile)
	for content, want := range map[string]string{
		`{"schema": "deliverybench/run/v9"}`: `its schema is "deliverybench/run/v9" and this program reads "deliverybench/run/v1": use the version of deliverybench that wrote it`,
		`{}`:                                 `not a saved run: it states no schema (want "deliverybench/run/v1")`,
		`{"schema": "deliverybench/run/v1"`:  `not a saved run: unexpected end of JSON input`,
		`{"schema": "deliverybench/run/v1", "cells": [{"name": ""}]}`:                           `cell "": names of cells must be given and differ`,
		`{"schema": "deliverybench/run/v1", "cells": [{"name": "a", "trials": [{"id": "x"}]}]}`: `trial "x": it must name its scenario and a repeat from 1`,
		`{"schema": "deliverybench/run/v1", "cells": [{"name": "a", "trials": [{}]}]}`:          `cell "a", trial "": IDs of trials must be given and differ`,
	} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
		_, err := Load(dir)
		require.EqualError(t, err, path+": "+want)
	}
	_, err = Load(path)
	require.ErrorContains(t, err, "holds no run.json")
}

func FuzzDecode(f *testing.F) {
	var whole bytes.Buffer
	require.NoError(f, Encode(&whole, sample()))
	f.Add(whole.Bytes())
	f.Add([]byte(`{"schema":"deliverybench/run/v1","cells":[{"name":"a","trials":[{"id":"../x","scenario":"s","repeat":1,"status":"completed"}]}]}`))
	f.Add([]byte(`{"schema":"deliverybench/run/v2"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		run, err := Decode(bytes.NewReader(data))
		if err != nil {
			require.Nil(t, run)
			return
		}
		require.Equal(t, Schema, run.Schema)
		// What can be read can be written, in every format, and reads back the same.
		var again bytes.Buffer
		require.NoError(t, Encode(&again, run))
		reread, err := Decode(&again)
		require.NoError(t, err)
		var once, twice bytes.Buffer
		require.NoError(t, Encode(&once, run))
		require.NoError(t, Encode(&twice, reread))
		require.Equal(t, once.String(), twice.String())
		for _, format := range []func(io.Writer, *Run) error{WriteTrialsCSV, WriteCellsCSV} {
			var out bytes.Buffer
			require.NoError(t, format(&out, run))
			_, err := csv.NewReader(&out).ReadAll()
			require.NoError(t, err)
		}
		require.NoError(t, WriteBench(io.Discard, run))
		for _, c := range run.Cells {
			for _, trial := range c.Trials {
				require.True(t, filepath.IsLocal(HistogramLogFile(trial.ID)), "a loaded ID never leads out of the folder")
				require.Equal(t, HistogramsFolder, filepath.Dir(HistogramLogFile(trial.ID)))
			}
		}
	})
}

// TestBenchText reads bench.txt with benchstat's own reader.
func TestBenchText(t *testing.T) {
	run := sample()
	run.Environment.CPU = "two\nlines"
	var out bytes.Buffer
	require.NoError(t, WriteBench(&out, run))
	reader := benchfmt.NewReader(&out, "bench.txt")
	var results []*benchfmt.Result
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			results = append(results, record.Clone())
		case *benchfmt.SyntaxError:
			t.Fatal(record)
		}
	}
	require.NoError(t, reader.Err())
	require.Equal(t, +1, reader.Units().GetBetter("msg/s"))
	require.Len(t, results, 2, "one line per completed trial")
	first := results[0]
	require.Equal(t, "AcksAndCrash/arm=all/load.message.size=1KiB/scenario=saturated-2", first.Name.String())
	_, parts := first.Name.Parts()
	require.Equal(t, "-2", string(parts[len(parts)-1]))
	require.Equal(t, "embedded", first.GetConfig("broker"))
	require.Equal(t, "two lines", first.GetConfig("cpu"))
	for unit, want := range map[string]float64{"msg/s": 212000, "p50-us": 39000, "ack-p99-us": 4000, "lost-msgs": 0} {
		got, ok := first.Value(unit)
		require.True(t, ok, unit)
		require.Equal(t, want, got, unit)
	}
	seconds, _ := first.Value("sec/msg")
	require.InDelta(t, 1.0/212000, seconds, 1e-15)
	duplicates, _ := results[1].Value("duplicate-effects")
	require.Equal(t, 500.0, duplicates)
}

// TestEveryNumberHasAUnit walks the types: a number added to them without a unit fails here.
func TestEveryNumberHasAUnit(t *testing.T) {
	units, used := Units(), map[string]bool{}
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, field string) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice:
			walk(typ.Elem(), field)
		case reflect.Map:
			walk(typ.Elem(), field)
		case reflect.Struct:
			if typ.String() == "time.Time" {
				return
			}
			for f := range typ.Fields() {
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				require.NotEmpty(t, name, "%s.%s", typ, f.Name)
				walk(f.Type, name)
			}
		case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint64, reflect.Float64:
			require.NotEmpty(t, units[field], "field %q", field)
			used[field] = true
		case reflect.String, reflect.Bool:
		default:
			t.Fatalf("field %q has kind %v", field, typ.Kind())
		}
	}
	walk(reflect.TypeFor[Run](), "")
	for field := range units {
		require.True(t, used[field], "no field is called %q", field)
	}
}

func TestPredictedAddsUpOrSaysNothing(t *testing.T) {
	lost := func(p *Predicted) *int64 { return p.Lost }
	trial := Trial{}
	require.Nil(t, trial.Predicted(lost))
	trial.Faults = []Fault{{Predicted: &Predicted{Lost: pointer(int64(2))}}, {Predicted: &Predicted{Lost: pointer(int64(3))}}}
	require.Equal(t, int64(5), *trial.Predicted(lost))
	trial.Faults = append(trial.Faults, Fault{Predicted: &Predicted{}})
	require.Nil(t, trial.Predicted(lost))
}

func TestFileName(t *testing.T) {
	for name, want := range map[string]string{
		"003-a-crash-1": "003-a-crash-1", "../../etc": "_..-..-etc", "": "_", ".": "_.", "a b/c=d×": "a-b-c-d-",
	} {
		require.Equal(t, want, FileName(name))
	}
}

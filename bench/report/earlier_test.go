package report

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/chart"
	"deliverybench/bench/result"
)

// files are everything that is made from a saved run, by their names.
func files(t *testing.T, saved string) map[string]string {
	t.Helper()
	folder := t.TempDir()
	text, err := os.ReadFile(saved)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, result.RunFile), text, 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(folder, result.ChartsFolder), 0o700))

	run, err := result.Load(folder)
	require.NoError(t, err)
	names, err := chart.Draw(folder, run)
	require.NoError(t, err)
	require.NotEmpty(t, names)
	made := map[string]string{}
	for name, write := range map[string]func(io.Writer) error{
		result.CellsFile:  func(w io.Writer) error { return result.WriteCellsCSV(w, run) },
		result.TrialsFile: func(w io.Writer) error { return result.WriteTrialsCSV(w, run) },
		result.BenchFile:  func(w io.Writer) error { return result.WriteBench(w, run) },
		"table.txt":       func(w io.Writer) error { return Table(w, run, Options{Heading: true}) },
		"report.md":       func(w io.Writer) error { return Markdown(w, run, os.DirFS(folder)) },
		"report.html":     func(w io.Writer) error { return HTML(w, run, os.DirFS(folder)) },
	} {
		var b bytes.Buffer
		require.NoError(t, write(&b), name)
		made[name] = b.String()
	}
	drawn, err := filepath.Glob(filepath.Join(folder, result.ChartsFolder, "*"))
	require.NoError(t, err)
	for _, path := range drawn {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		made[filepath.Base(path)] = string(text)
	}
	return made
}

// A run outlives the program that saved it: testdata/earlier has run.json as the
// first version wrote it, without the fields that came later. What is made from it
// is whole, and the same again.
func TestARunOfAnEarlierVersion(t *testing.T) {
	saved := filepath.Join("testdata", "earlier", result.RunFile)
	text, err := os.ReadFile(saved)
	require.NoError(t, err)
	for _, later := range []string{"planned", "clients", "steps", "database", "backlog", "dead_lettered"} {
		require.NotContains(t, string(text), `"`+later+`"`, "the file is to be an earlier one")
	}
	first := files(t, saved)
	require.Equal(t, first, files(t, saved))
	golden(t, "earlier.txt", []byte(first["table.txt"]))
	golden(t, "earlier.md", []byte(first["report.md"]))
	golden(t, "earlier.html", ofTheRun.ReplaceAll(fontFace.ReplaceAll([]byte(first["report.html"]), nil), []byte("$1…$2")))
	require.NotContains(t, first["report.html"], "NaN")
}

package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/result"
)

// hostile has names and reasons that are no plain text, in every place of a chart.
func hostile(t *testing.T) (string, *result.Run) {
	const mess = "\x1b[31m<script>&\"'\x00\n\u202e\xff]]>"
	cells := arms()
	cells[1].name += mess
	dir, run := fixture(t, cells, []string{"256B", mess}, 2)
	run.Run.Baseline, run.Run.Profile, run.Run.Version = cells[1].name, mess, mess
	run.Environment.CPU, run.Environment.Broker.Version = mess, mess
	for i := range run.Cells {
		for j := range run.Cells[i].Trials {
			trial := &run.Cells[i].Trials[j]
			for k := range trial.Faults {
				trial.Faults[k].Name = mess
			}
			if trial.Scenario == "crash" {
				trial.Scenario = "crash" + mess
			}
		}
	}
	run.Run.Scenarios[2] = "crash" + mess
	last := run.Cells[5].Trials
	last[2].Status, last[2].Reason = result.Inconclusive, mess
	last[5].Status, last[5].Reason = result.Failed, mess
	run.Cells[4].Omitted, run.Cells[4].Trials = mess, nil
	return dir, run
}

// Whatever a profile or a broker says: every picture is XML.
func TestHostileTextIsXML(t *testing.T) {
	dir, run := hostile(t)
	names, err := Draw(dir, run)
	require.NoError(t, err)
	seen := 0
	for _, name := range names {
		if filepath.Ext(name) != ".svg" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		require.NoError(t, err)
		requireXML(t, name, data)
		seen++
	}
	require.Greater(t, seen, 8)
}

func requireXML(t *testing.T, name string, data []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(data)); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err, name)
	}
}

// What the typeface lacks is written as its code, so that names that differ look different.
func TestLettersThatTheTypefaceLacks(t *testing.T) {
	p := testPen(t)
	require.Equal(t, `a\u65e5 \U0001f600 µ·×≥ц`, p.written("a日 😀 µ·×≥ц"))
	require.Equal(t, "a  b", p.written("a\x1b\nb"))
	require.Equal(t, p.width(`\u65e5`, 20), p.width("日", 20))
	cells := arms()
	cells[1].name, cells[2].name = "日", "本"
	_, run := fixture(t, cells, nil, 1)
	for _, f := range tradeoffFigures(run) {
		var all strings.Builder
		for _, text := range painted(t, run, f, height(fonts(t), run, f)) {
			all.WriteString(text.text)
		}
		require.Contains(t, all.String(), `\u65e5`)
		require.Contains(t, all.String(), `\u672c`)
		svg := string(drawn(t, light(), run, f))
		require.Contains(t, svg, `>\u65e5</text>`)
		require.Contains(t, svg, "<title>本 lost", "for those who read it aloud the title has its letters")
	}
}

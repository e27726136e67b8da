package result

import (
	"io"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
)

// record adds a completed trial to the cell that recorded these latencies, and
// lost so many messages.
func record(t require.TestingT, s *Store, c *Cell, id string, repeat int, micros []int64, lost int64) {
	h := latency.NewHistogram()
	for _, v := range micros {
		require.NoError(t, h.RecordValue(v))
	}
	c.Trials = append(c.Trials, Trial{
		ID: id, Scenario: "paced", Repeat: repeat, Status: Completed, Promise: Held,
		Verdict: &ledger.Verdict{}, Latency: map[string]latency.Summary{EndToEnd: latency.Summarize(h, lost)},
	})
	if len(micros) == 0 {
		return
	}
	require.NoError(t, s.SaveHistogramLog(id, func(w io.Writer) error {
		log, err := latency.NewLogWriter(w, latency.Grid{Interval: time.Second}, time.Time{})
		require.NoError(t, err)
		role, err := log.Role(EndToEnd)
		require.NoError(t, err)
		for i, v := range micros {
			role.Record(int64(i)*int64(time.Second), v*int64(time.Microsecond))
		}
		return log.Close()
	}))
}

// However the messages are spread over repeats, the pooled percentiles are those
// of all of them; a lost one is longer than every other.
func TestPoolIsOneHistogramOfAll(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		run := &Run{Run: Header{Profile: "pool"}, Cells: []Cell{{Name: "arm", Arm: "arm"}}}
		s, err := Create(dir, run)
		require.NoError(t, err)
		defer os.RemoveAll(s.Dir())
		all, lost := latency.NewHistogram(), int64(0)
		for repeat := range rapid.IntRange(1, 4).Draw(t, "repeats") {
			micros := rapid.SliceOfN(rapid.Int64Range(1, 600_000_000), 0, 20).Draw(t, "micros")
			gone := rapid.Int64Range(0, 3).Draw(t, "lost")
			record(t, s, &run.Cells[0], FileName(string(rune('a'+repeat))), repeat+1, micros, gone)
			for _, v := range micros {
				require.NoError(t, all.RecordValue(v))
			}
			lost += gone
		}
		require.NoError(t, run.Cells[0].PoolLatency(s.Dir(), "paced"))
		require.Equal(t, latency.Summarize(all, lost), run.Cells[0].Latency["paced"][EndToEnd])
	})
}

func TestPoolNeedsEveryCompletedTrial(t *testing.T) {
	run := sample()
	run.Cells = []Cell{{Name: "arm", Arm: "arm"}}
	s, err := Create(t.TempDir(), run)
	require.NoError(t, err)
	c := &run.Cells[0]
	record(t, s, c, "one", 1, []int64{100}, 0)
	record(t, s, c, "two", 2, []int64{300}, 0)
	record(t, s, c, "failed", 3, []int64{9000}, 0)
	c.Trials[2].Status = Failed
	require.NoError(t, c.PoolLatency(s.Dir(), "paced"))
	require.Equal(t, int64(2), c.Latency["paced"][EndToEnd].Count)
	require.Equal(t, 300.0, c.Latency["paced"][EndToEnd].Max)

	require.NoError(t, os.Remove(s.Path(HistogramLogFile("two"))))
	_, err = Pool(s.Dir(), c.Completed("paced"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "latencies of trial two")
	require.NoError(t, c.PoolLatency(s.Dir(), "paced"))
	require.Empty(t, c.Latency, "percentiles of one repeat of two are not those of both")

	require.NoError(t, os.WriteFile(s.Path(HistogramLogFile("two")), []byte("not a log\n"), 0o644))
	require.ErrorContains(t, c.PoolLatency(s.Dir(), "paced"), "two.hlog")
}

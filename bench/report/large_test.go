package report

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/chart"
	"deliverybench/bench/latency"
	"deliverybench/bench/result"
)

// large is a run of 48 cells in 3 scenarios, 5 times each: 720 trials, with what a
// relay's trials have.
func large() *result.Run {
	b := newBuild("large", "saturated", "paced", "crash")
	draw := rand.New(rand.NewPCG(1, 2))
	n := 0
	for _, acks := range []string{"0", "1", "all"} {
		for _, linger := range []string{"0s", "5ms", "20ms", "100ms"} {
			for _, size := range []string{"16KiB", "1MiB"} {
				for _, codec := range []string{"none", "lz4"} {
					n++
					c := b.cell("after-processing", "at-least-once", "producer.acks", acks, "producer.linger", linger, "producer.batch_size", size, "producer.compression", codec)
					for range 5 {
						saturate(b.trial(c, "saturated"), 50e3+150e3*draw.Float64())
						wait(b.trial(c, "paced"), draw.Float64())
						t := b.trial(c, "crash")
						wait(t, draw.Float64())
						strike(t, "kill relay at produced", true, 0, 500, 0, 500)
						t.Warnings = []string{fmt.Sprintf("the group rebalanced %d times", n)}
					}
				}
			}
		}
	}
	return b.claims("*/*", "lost == 0", "*/crash", "duplicates == consumer.commit.every", "*/paced", "end_to_end.p99 <= 500ms")
}

// wait gives a trial the latencies that a relay in transactions records.
func wait(t *result.Trial, much float64) {
	pace(t, 900+much*1e3, 12e3+much*1e4, 30e3+much*1e5)
	for _, role := range []string{result.AckService, result.CommitLatency, result.TransactionVisible, result.SendLag} {
		t.Latency[role] = latency.Summary{Count: 40_000, P50: 100 + much, P90: 300, P99: 900, P999: 4000 * much, Max: 9000, Mean: 120}
	}
}

// A page has to open in a mail or a pull request, with its charts.
func TestALargeRunIsASmallPage(t *testing.T) {
	run := large()
	require.Len(t, run.Cells, 48)
	var bare, whole bytes.Buffer
	require.NoError(t, HTML(&bare, run, nil))
	require.Equal(t, 720, bytes.Count(bare.Bytes(), []byte(`class="trial"`)))
	require.Less(t, bare.Len(), 2_500_000)

	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, result.ChartsFolder), 0o700))
	_, err := chart.Draw(folder, run)
	require.NoError(t, err)
	require.NoError(t, HTML(&whole, run, os.DirFS(folder)))
	require.Greater(t, bytes.Count(whole.Bytes(), []byte("<svg")), 3)
	require.Less(t, whole.Len(), 5_000_000)
	t.Logf("%.2f MB, with charts %.2f MB", float64(bare.Len())/1e6, float64(whole.Len())/1e6)
}

func BenchmarkHTML(b *testing.B) {
	run := large()
	for b.Loop() {
		if err := HTML(io.Discard, run, nil); err != nil {
			b.Fatal(err)
		}
	}
}

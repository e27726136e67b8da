package chart

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

func pointer[T any](x T) *T { return &x }

// arm is how the fixture's arms behave; the numbers are made up and round.
type arm struct {
	name      string
	guarantee string
	rate      float64 // messages per second, saturated
	median    float64 // end-to-end latency in microseconds, paced
	lost      int64   // per crash
	redeliver int64   // per crash
}

func arms() []arm {
	return []arm{
		{"at-most-once", "at-most-once", 212e3, 1000, 500, 0},
		{"at-least-once", "at-least-once", 190e3, 1200, 0, 500},
		{"exactly-once", "exactly-once", 114e3, 41000, 0, 0},
	}
}

// fixture writes a run with the given arms and sizes (of the matrix; none for
// no matrix) in three scenarios and returns its folder.
func fixture(t *testing.T, arms []arm, sizes []string, repeats int) (string, *result.Run) {
	t.Helper()
	run := &result.Run{
		Run: result.Header{
			Started: time.Date(2026, 11, 21, 10, 15, 0, 0, time.UTC), Seed: 7, Version: "v1.0.0", Profile: "semantics",
			ProfileSHA256: "8d969eef6ecad3c29a3a629280e686cf", Baseline: "at-least-once", Scenarios: []string{"saturated", "paced", "crash"},
		},
		Environment: result.Environment{OS: "linux/amd64", CPU: "Example CPU @ 3.00GHz", Cores: 2, Go: "go1.26.0",
			Client: "confluent-kafka-go v2.15.0", Librdkafka: "2.15.0",
			Broker: result.Broker{Kind: "embedded", Version: "kfake 0.1", Nodes: 1, SharesHost: true}},
	}
	if len(sizes) == 0 {
		sizes = []string{""}
	}
	for _, a := range arms {
		for _, size := range sizes {
			c := result.Cell{Name: a.name, Arm: a.name, Guarantee: a.guarantee,
				Settings: map[string]string{"load.rate": "20000/s", "load.message.size": "256B", "topic.partitions": "3"}}
			if size != "" {
				c.Name += "/load.message.size=" + size
				c.Matrix = map[string]string{"load.message.size": size}
				c.Settings["load.message.size"] = size
			}
			run.Cells = append(run.Cells, c)
		}
	}
	store, err := result.Create(t.TempDir(), run)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range run.Cells {
		a := arms[i/len(sizes)]
		slower := 1 + 0.22*float64(i%len(sizes)) // bigger messages cost more
		for repeat := 1; repeat <= repeats; repeat++ {
			run.Cells[i].Trials = append(run.Cells[i].Trials,
				saturatedTrial(i, repeat, a.rate/slower*(1+0.03*random.NormFloat64())),
				pacedTrial(t, store, random, i, repeat, a.median*slower),
				crashTrial(i, repeat, a))
		}
	}
	require.NoError(t, store.Save(run))
	return store.Dir(), run
}

func saturatedTrial(cell, repeat int, rate float64) result.Trial {
	return result.Trial{
		ID: fmt.Sprintf("%03d-saturated-%d", cell, repeat), Scenario: "saturated", Repeat: repeat, Status: result.Completed, Promise: result.Held,
		Settings: map[string]string{"load.rate": "max"}, Verdict: &ledger.Verdict{Due: 1000, Acked: 1000, Effects: 1000},
		Throughput: result.Throughput{WindowSeconds: 2, PipelinePerSecond: math.Round(rate)}, Generator: result.Generator{Closed: true},
	}
}

func pacedTrial(t *testing.T, store *result.Store, random *rand.Rand, cell, repeat int, median float64) result.Trial {
	id := fmt.Sprintf("%03d-paced-%d", cell, repeat)
	trial := result.Trial{
		ID: id, Scenario: "paced", Repeat: repeat, Status: result.Completed, Promise: result.Held,
		Verdict: &ledger.Verdict{Due: 20000, Acked: 20000, Effects: 20000}, Latency: map[string]latency.Summary{},
	}
	require.NoError(t, store.SaveHistogramLog(id, func(w io.Writer) error {
		log, err := latency.NewLogWriter(w, latency.Grid{Interval: 100 * time.Millisecond}, time.Time{})
		require.NoError(t, err)
		for _, role := range []string{result.EndToEnd, result.EndToEndService} {
			recorder, err := log.Role(role)
			require.NoError(t, err)
			shift := 1.0
			if role == result.EndToEndService {
				shift = 0.7
			}
			for n := range int64(20000) {
				recorder.Record(n*100_000, int64(1000*shift*median*math.Exp(0.35*random.NormFloat64()+0.15*random.ExpFloat64())))
			}
			trial.Latency[role] = latency.Summary{Count: 20000}
		}
		return log.Close()
	}))
	return trial
}

func crashTrial(cell, repeat int, a arm) result.Trial {
	trial := result.Trial{
		ID: fmt.Sprintf("%03d-crash-%d", cell, repeat), Scenario: "crash", Repeat: repeat, Status: result.Completed, Promise: result.Held,
		Verdict: &ledger.Verdict{Due: 40000, Acked: 40000, Effects: 40000,
			Lost:       ledger.Lost{Total: a.lost, Skipped: a.lost},
			Duplicates: ledger.Dups{Total: a.redeliver, Redelivered: a.redeliver}},
		Faults: []result.Fault{{Name: "kill consumer at mid-batch", Armed: pointer(1.0), Fired: pointer(1.06), Recovered: pointer(1.34),
			Predicted: &result.Predicted{Lost: pointer(a.lost), Duplicates: pointer(a.redeliver), Exact: true}}},
	}
	for i := range 20 {
		slice := result.Interval{StartSecond: float64(i) / 10, LengthSecond: 0.1, Produced: 2000, Effects: 2000,
			EndToEndP50: a.median, EndToEndP99: 3 * a.median, EndToEndMax: 5 * a.median}
		switch {
		case i >= 11 && i < 14:
			slice.Effects, slice.EndToEndP50, slice.EndToEndP99, slice.EndToEndMax = 0, 0, 0, 0
		case i == 14:
			slice.Effects, slice.EndToEndP99, slice.EndToEndMax = 8000, 330_000, 352_000
		}
		trial.Timeline = append(trial.Timeline, slice)
	}
	return trial
}

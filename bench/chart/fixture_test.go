package chart

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
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
func fixture(t testing.TB, arms []arm, sizes []string, repeats int) (string, *result.Run) {
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
	values := 20_000 // latencies of a trial; fewer where there are many trials
	if len(run.Cells)*repeats > 60 {
		values = 1000
	}
	for i := range run.Cells {
		a := arms[i/len(sizes)]
		slower := 1 + 0.22*float64(i%len(sizes)) // bigger messages cost more
		for repeat := 1; repeat <= repeats; repeat++ {
			run.Cells[i].Trials = append(run.Cells[i].Trials,
				saturatedTrial(i, repeat, a.rate/slower*(1+0.03*random.NormFloat64())),
				pacedTrial(t, store, random, i, repeat, values, a.median*slower),
				crashTrial(i, repeat, a))
		}
	}
	require.NoError(t, store.Save(run))
	return store.Dir(), run
}

// wide is a run of 48 cells in three scenarios, five repeats each: four arms under
// every combination of three settings, some of which were omitted.
func wide(t testing.TB) (string, *result.Run) {
	t.Helper()
	var combinations []map[string]string
	var names []string
	for _, acks := range []string{"0", "1", "all"} {
		for _, retries := range []string{"0", "3"} {
			for _, idempotence := range []string{"false", "true"} {
				combinations = append(combinations, map[string]string{"producer.acks": acks, "producer.retries": retries, "producer.idempotence": idempotence})
				names = append(names, "producer.acks="+acks+"/producer.retries="+retries+"/producer.idempotence="+idempotence)
			}
		}
	}
	stored := arm{"at-least-once-by-a-timer", "at-least-once", 186e3, 1250, 3, 1117}
	dir, run := fixture(t, append(arms(), stored), names, 5)
	for i := range run.Cells {
		c := &run.Cells[i]
		c.Name, c.Matrix = c.Arm+"/"+names[i%len(names)], combinations[i%len(names)]
		if c.Matrix["producer.idempotence"] == "true" && c.Matrix["producer.acks"] == "0" {
			c.Omitted, c.Trials = "producer.idempotence needs acks: all, not 0", nil
		}
	}
	for i := range run.Cells[6].Trials {
		run.Cells[6].Trials[i].Status, run.Cells[6].Trials[i].Reason = result.Failed, "the broker did not answer within 10 s"
	}
	run.Cells = slices.Delete(run.Cells, 9, 10) // the matrix excludes it
	return dir, run
}

func saturatedTrial(cell, repeat int, rate float64) result.Trial {
	return result.Trial{
		ID: fmt.Sprintf("%03d-saturated-%d", cell, repeat), Scenario: "saturated", Repeat: repeat, Status: result.Completed, Promise: result.Held,
		Settings: map[string]string{"load.rate": "max"}, Verdict: &ledger.Verdict{Due: 1000, Acked: 1000, Effects: 1000},
		Throughput: result.Throughput{WindowSeconds: 2, PipelinePerSecond: math.Round(rate)}, Generator: result.Generator{Closed: true},
	}
}

func pacedTrial(t testing.TB, store *result.Store, random *rand.Rand, cell, repeat, values int, median float64) result.Trial {
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
			for n := range int64(values) {
				recorder.Record(n*100_000, int64(1000*shift*median*math.Exp(0.35*random.NormFloat64()+0.15*random.ExpFloat64())))
			}
			trial.Latency[role] = latency.Summary{Count: int64(values)}
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

// brokers is a run on three nodes: a leader isolated, one stopped in good order,
// and a freeze; the numbers are made up after real ones.
func brokers(t *testing.T) (string, *result.Run) {
	t.Helper()
	run := &result.Run{
		Run: result.Header{
			Started: time.Date(2026, 11, 21, 10, 15, 0, 0, time.UTC), Seed: 7, Version: "v1.0.0", Profile: "acks-failover",
			ProfileSHA256: "8d969eef6ecad3c29a3a629280e686cf", Scenarios: []string{"isolated", "stopped", "frozen"},
		},
		Environment: result.Environment{OS: "linux/amd64", CPU: "Example CPU @ 3.00GHz", Cores: 2, Go: "go1.26.0",
			Client: "confluent-kafka-go v2.15.0", Librdkafka: "2.15.0",
			Broker: result.Broker{Kind: "local3", Version: "4.3.1", Nodes: 3, SharesHost: true}},
	}
	about := func(lost int64) *result.Predicted { return &result.Predicted{Lost: &lost} }
	for i, arm := range []string{"none", "leader", "all", "all-idempotent"} {
		c := result.Cell{Name: arm, Arm: arm, Settings: map[string]string{"load.rate": "5000/s", "load.message.size": "256B", "topic.partitions": "1", "pipeline": "produce"}}
		lost := []int64{10_305, 9_981, 0, 0}[i]
		predicted := []int64{10_000, 10_000, 0, 0}[i]
		c.Trials = append(c.Trials,
			brokerTrial("isolated", lost, 13, result.Fault{Name: "isolate leader for 2s", Armed: pointer(2.0), Fired: pointer(2.004), Recovered: pointer(13.02),
				Predicted: about(predicted), Nodes: []int32{1, 2, 3}, Steps: []result.Step{
					{What: "node 1 frozen", At: 2.002}, {What: "node 3 frozen", At: 2.003}, {What: "node 2 killed", At: 4.01}, {What: "node 1 thawed", At: 4.012},
					{What: "node 3 thawed", At: 4.013}, {What: "node 2 started again", At: 4.53}, {What: result.Elected, At: 12.94}, {What: result.AckedAgain, At: 13.02}}}),
			brokerTrial("stopped", 0, 3.26, result.Fault{Name: "stop leader", Armed: pointer(3.0), Fired: pointer(3.001), Recovered: pointer(3.26),
				Predicted: about(0), Nodes: []int32{2}, Steps: []result.Step{{What: result.Elected, At: 3.1}, {What: result.AckedAgain, At: 3.19},
					{What: result.ProcessedAgain, At: 3.26}, {What: "node 2 stopped", At: 3.4}, {What: "node 2 started again", At: 3.9}}}),
			brokerTrial("frozen", 0, 5.2, result.Fault{Name: "freeze leader for 2s", Armed: pointer(3.0), Fired: pointer(3.002), Recovered: pointer(5.2),
				Nodes: []int32{2}, Steps: []result.Step{{What: "node 2 frozen", At: 3.001}, {What: "node 2 thawed", At: 5.003}, {What: result.AckedAgain, At: 5.2}}}))
		run.Cells = append(run.Cells, c)
	}
	for i := range run.Cells[0].Trials {
		if trial := &run.Cells[0].Trials[i]; trial.Scenario == "frozen" {
			*trial = result.Trial{Scenario: "frozen", Repeat: 1, Status: result.Omitted, Reason: "freeze leader: the brokers of an external cluster are not this program's to strike; try -broker local3"}
		}
	}
	run.Cells = append(run.Cells, result.Cell{Name: "five", Arm: "five", Omitted: "topic.replication: 5 needs as many brokers, and -broker local3 has 3"})
	return t.TempDir(), run
}

// brokerTrial stands still from its fault, of an isolation from its kill, until a time.
func brokerTrial(scenario string, lost int64, until float64, f result.Fault) result.Trial {
	trial := result.Trial{
		ID: scenario, Scenario: scenario, Repeat: 1, Status: result.Completed, Promise: result.Held,
		Verdict: &ledger.Verdict{Due: 40000, Acked: 40000, Lost: ledger.Lost{Total: lost, Log: lost}}, Faults: []result.Fault{f},
		Throughput: result.Throughput{WindowSeconds: 8},
	}
	since := *f.Fired
	if scenario == "isolated" {
		since = 4.01
	}
	for i := range int(max(8, until+1) * 10) {
		slice := result.Interval{StartSecond: float64(i) / 10, LengthSecond: 0.1, Produced: 500, Effects: 500, EndToEndP50: 900, EndToEndP99: 2700, EndToEndMax: 4500}
		switch at := slice.StartSecond; {
		case at+0.1 > since && at+0.1 < until:
			slice.Produced, slice.Effects, slice.EndToEndP50, slice.EndToEndP99, slice.EndToEndMax = 0, 0, 0, 0, 0
		case at < until && at+0.1 >= until:
			slice.Produced, slice.Effects, slice.EndToEndP99, slice.EndToEndMax = 18000, 18000, 1e6*(until-since), 1.01e6*(until-since)
		case at >= 8:
			slice.Produced, slice.Effects = 0, 0
		}
		trial.Timeline = append(trial.Timeline, slice)
	}
	return trial
}

package report

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/comparison"
	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
)

// speeds is a run of arms in one scenario, six trials each, around a speed.
func speeds(id, machine string, of map[string]float64) *result.Run {
	run := &result.Run{Schema: result.Schema, Run: result.Header{ID: id, Scenarios: []string{"paced"}, Version: "v0.1.0"}}
	run.Environment = result.Environment{CPU: machine, Cores: 2, Broker: result.Broker{Kind: "embedded", Version: "kfake", Nodes: 1, SharesHost: true}}
	for _, arm := range []string{"acks-all", "acks-one", "naive"} {
		speed, there := of[arm]
		if !there {
			continue
		}
		c := result.Cell{Name: arm, Arm: arm, Settings: map[string]string{"producer.acks": arm, "load.rate": "9000/s"}}
		for i := range 6 {
			here := speed * (1 + 0.01*float64(i))
			c.Trials = append(c.Trials, result.Trial{
				ID: fmt.Sprintf("%s-%d", arm, i+1), Scenario: "paced", Repeat: i + 1, Status: result.Completed, Promise: result.Held,
				Verdict:    &ledger.Verdict{Lost: ledger.Lost{Total: int64(9000-speed) / 1000 * 100}},
				Throughput: result.Throughput{PipelinePerSecond: here, WindowSeconds: 1},
				Latency:    map[string]latency.Summary{result.EndToEnd: {Count: 9000, P50: 1e7 / here, P99: 3e7 / here, P999: 5e7 / here}},
			})
		}
		run.Cells = append(run.Cells, c)
	}
	return run
}

// What differs in the conditions comes first, then every number with what it comes
// to, then what only one run has, then the gates.
func TestComparison(t *testing.T) {
	base := speeds("pace-20261120T101500Z", "AMD EPYC", map[string]float64{"acks-all": 8000, "acks-one": 9000, "naive": 9000})
	run := speeds("pace-20261121T101500Z", "Intel Xeon", map[string]float64{"acks-all": 6000, "acks-one": 9010})
	run.Cells[1].Settings["producer.linger"] = "5ms"
	c := comparison.Compare(base, run)
	var judged []comparison.Judged
	for _, text := range []string{"end_to_end.p99 > +10%", "lost > +0"} {
		gate, err := comparison.ParseGate(text)
		require.NoError(t, err)
		judged = append(judged, c.Judge(gate)...)
	}
	var b bytes.Buffer
	require.NoError(t, Comparison(&b, c, judged, Options{}))
	golden(t, "comparison.txt", b.Bytes())

	b.Reset()
	require.NoError(t, Comparison(&b, comparison.Compare(base, base), nil, Options{}))
	require.Contains(t, b.String(), "The conditions are the same: embedded, kfake")
	require.Contains(t, b.String(), "18 no difference detected.\n")
	require.NotContains(t, b.String(), "worse,")

	b.Reset()
	require.NoError(t, Comparison(&b, comparison.Compare(base, &result.Run{}), nil, Options{}))
	require.Contains(t, b.String(), "Nothing to compare: the runs have no cell in common.")
}

package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

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
	run.Cells[1].Settings["producer.linger"] = "20ms"
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

// A difference of counts says what it rests on.
func TestWhatADifferenceOfCountsRestsOn(t *testing.T) {
	once := func(lost int64, promise result.Promise) *result.Run {
		run := speeds("once", "AMD EPYC", map[string]float64{"acks-all": 9000})
		c := &run.Cells[0]
		c.Guarantee, c.Trials = "at-least-once", c.Trials[:1]
		c.Trials[0].Verdict.Lost.Total, c.Trials[0].Promise = lost, promise
		return run
	}
	text := func(base, run *result.Run) string {
		var b bytes.Buffer
		require.NoError(t, Comparison(&b, comparison.Compare(base, run), nil, Options{Width: 300}))
		return b.String()
	}
	broken := text(once(0, result.Held), once(3, result.Violated))
	require.Regexp(t, `lost +0 +3 +worse, promise broken\n`, broken)
	require.Contains(t, broken, " Promise broken: what the base has none of breaks the run's guarantee, which is never noise.")
	require.NotContains(t, broken, "Exact:")
	draw := text(once(2, result.Held), once(3, result.Held))
	require.Regexp(t, `lost +2 +3 +too few repeats\n`, draw)
	require.NotContains(t, draw, "Promise broken")
}

// Numbers under other conditions compare these: whatever differs is named, and what
// differs between any two runs is not.
func TestConditionsThatDiffer(t *testing.T) {
	at := func(change func(*result.Run)) *result.Run {
		run := speeds("pace", "AMD EPYC", map[string]float64{"acks-all": 8000})
		run.Environment.Client, run.Environment.Librdkafka = "confluent-kafka-go v2.15.0", "2.15.0"
		run.Environment.OS, run.Environment.Kernel, run.Environment.Go = "linux/amd64", "6.1", "go1.26"
		run.Run.Profile, run.Run.ProfileSHA256 = "pace.yaml", "0123456789abcdef"
		change(run)
		return run
	}
	for name, c := range map[string]struct {
		change func(*result.Run)
		want   []string
	}{
		"nothing": {func(r *result.Run) {}, nil},
		"what means nothing": {func(r *result.Run) {
			r.Run.ID, r.Run.Seed, r.Run.Profile, r.Run.Started = "pace-2", 7, "other.yaml", time.Date(2026, 11, 21, 10, 15, 0, 0, time.UTC)
		}, nil},
		"program": {func(r *result.Run) { r.Run.Version = "v0.2.0" }, []string{"deliverybench: v0.1.0 → v0.2.0"}},
		"broker": {func(r *result.Run) { r.Environment.Broker = result.Broker{Kind: "local", Version: "4.1.0", Nodes: 3} },
			[]string{"Broker: embedded, kfake, 1 node, on the machine of the load → local, 4.1.0, 3 nodes"}},
		"client": {func(r *result.Run) {
			r.Environment.Client, r.Environment.Librdkafka = "confluent-kafka-go v2.16.0", "2.16.0"
		}, []string{"Client: confluent-kafka-go v2.15.0, librdkafka 2.15.0 → confluent-kafka-go v2.16.0, librdkafka 2.16.0"}},
		"library": {func(r *result.Run) { r.Environment.Librdkafka = "2.15.1" },
			[]string{"Client: confluent-kafka-go v2.15.0, librdkafka 2.15.0 → confluent-kafka-go v2.15.0, librdkafka 2.15.1"}},
		"no client known": {func(r *result.Run) { r.Environment.Client, r.Environment.Librdkafka = "", "" },
			[]string{"Client: confluent-kafka-go v2.15.0, librdkafka 2.15.0 → –"}},
		"machine": {func(r *result.Run) { r.Environment.Cores = 4 }, []string{"Machine: AMD EPYC, 2 cores → AMD EPYC, 4 cores"}},
		"system":  {func(r *result.Run) { r.Environment.Kernel = "6.8" }, []string{"System: linux/amd64, 6.1, go1.26 → linux/amd64, 6.8, go1.26"}},
		"profile": {func(r *result.Run) { r.Run.ProfileSHA256 = "fedcba9876543210" }, []string{"SHA-256 of the profile: 0123456789a… → fedcba98765…"}},
		"two": {func(r *result.Run) { r.Run.Version, r.Environment.CPU = "v0.2.0", "Intel Xeon" },
			[]string{"Machine: AMD EPYC, 2 cores → Intel Xeon, 2 cores", "deliverybench: v0.1.0 → v0.2.0"}},
	} {
		var b bytes.Buffer
		require.NoError(t, Comparison(&b, comparison.Compare(at(func(*result.Run) {}), at(c.change)), nil, Options{Width: 200}))
		_, text, found := strings.Cut(b.String(), "Conditions that differ:\n")
		require.Equal(t, len(c.want) > 0, found, name)
		if !found {
			require.Contains(t, b.String(), "The conditions are the same: ", name)
			continue
		}
		text, _, _ = strings.Cut(text, "\n\n")
		var got []string
		for line := range strings.Lines(text) {
			got = append(got, strings.TrimSpace(line))
		}
		require.Equal(t, c.want, got, name)
	}
}

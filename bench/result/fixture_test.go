package result

import (
	"time"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
)

func pointer[T any](x T) *T { return &x }

// sample is a run with one of everything: a completed, a faulted, an
// inconclusive and an omitted trial, and a cell that was omitted whole.
func sample() *Run {
	started := time.Date(2026, 11, 21, 10, 15, 0, 0, time.UTC)
	return &Run{
		Schema: Schema, Units: Units(),
		Run: Header{
			ID: "acks-and-crash-20261121T101500Z", Started: started, Finished: started.Add(time.Minute), Seed: 7,
			Command: []string{"deliverybench", "-profile", "acks-and-crash.yaml"}, Version: "v1.2.3",
			Profile: "acks-and-crash", About: "What acks cost <and hold>.", ProfileSHA256: "0123456789abcdef",
			Baseline: "all", Scenarios: []string{"saturated", "crash"}, TrialsPlanned: 4,
		},
		Environment: Environment{
			OS: "linux/amd64", Kernel: "6.1", CPU: "Some CPU @ 3.00GHz", Cores: 2, MemoryBytes: 8 << 30,
			Go: "go1.26.0", Client: "confluent-kafka-go v2.15.0", Librdkafka: "2.15.0",
			Broker: Broker{Kind: "embedded", Version: "kfake", Nodes: 1, SharesHost: true},
		},
		Cells: []Cell{
			{
				Name: "all/message.size=1KiB", Arm: "all", Guarantee: "at-least-once",
				Matrix:   map[string]string{"load.message.size": "1KiB"},
				Settings: map[string]string{"load.rate": "1000/s", "producer.acks": "all"},
				Latency:  map[string]map[string]latency.Summary{"crash": crashed(started).Latency, "saturated": saturated(started).Latency},
				Trials:   []Trial{crashed(started), saturated(started)},
			},
			{Name: "one/message.size=1KiB", Arm: "one", Guarantee: "none", Settings: map[string]string{"producer.acks": "1"},
				Omitted: "the embedded broker has one log: acks=1 and acks=all are the same to it"},
			{
				Name: "none/message.size=1KiB", Arm: "none", Guarantee: "at-most-once",
				Matrix:   map[string]string{"load.message.size": "1KiB"},
				Settings: map[string]string{"load.rate": "1000/s", "producer.acks": "0"},
				Trials: []Trial{
					{ID: "003-none-crash-1", Scenario: "crash", Repeat: 1, Status: Inconclusive, Promise: PromiseInconclusive,
						Reason:   "the fault never fired",
						Verdict:  &ledger.Verdict{Due: 10, Sent: 10, Effects: 10},
						Faults:   []Fault{{Name: "kill consumer at mid-batch", Armed: pointer(0.5), Predicted: &Predicted{Lost: pointer(int64(500)), Exact: true}}},
						Warnings: []string{"first", "second, with a comma"}},
					{ID: "004-none-saturated-1", Scenario: "saturated", Repeat: 1, Status: Omitted, Promise: NoPromise, Reason: "needs three nodes"},
				},
			},
		},
		Claims: []Claim{{Cell: "all/message.size=1KiB", Scenario: "crash", Expression: "lost == 0", Expected: "0", Observed: "0", Status: Met}},
		Capacity: &Capacity{
			SLO: []string{"end_to_end.p99 < 50ms"}, FromPerSecond: 1000, ToPerSecond: 8000, StepShare: 0.5, Repeats: 6, Over: "consumer.count",
			Rungs:  []Rung{{Cell: "all/message.size=1KiB", Scenario: "rate-1500", Phase: Measured, PerSecond: 1500, WindowSeconds: 6.7, Repeats: 6}},
			Target: &Target{PerSecond: 4000, MessageBytes: 1024, GrowthShare: 0.4, Years: 2, HeadroomShare: 0.3, Replication: 3, RetentionSeconds: 604800},
		},
	}
}

func saturated(started time.Time) Trial {
	return Trial{
		ID: "001-all-saturated-1", Scenario: "saturated", Repeat: 1, Status: Completed, Promise: Held,
		Started: started.Add(time.Second), TookSecond: 2.5, Settings: map[string]string{"load.rate": "max"},
		Verdict: &ledger.Verdict{Due: 424000, Acked: 424000, Executions: 424000, Effects: 424000,
			Table: map[string]int64{"acked/present/processed": 424000}},
		Throughput: Throughput{WindowSeconds: 2, ProducedPerSecond: 212000, ConsumedPerSecond: 212000, PipelinePerSecond: 212000, BytesPerSecond: 54272000},
		Latency: map[string]latency.Summary{
			EndToEnd: {Count: 424000, P50: 39000, P90: 60000, P99: 77000, P999: 81000, Max: 90111, Mean: 40000.5},
			Ack:      {Count: 424000, P50: 900, P90: 1800, P99: 4000, P999: 8000, Max: 9000, Mean: 1000},
		},
		Generator: Generator{Limited: true, Why: "processor time", Closed: true, CPU: 0.97},
		Workers:   []Worker{{Name: "producer-0.1", UserSeconds: 1.5, SystemSeconds: 0.25, MaxResidentBytes: 1 << 20, Exit: "ok"}},
	}
}

func crashed(started time.Time) Trial {
	return Trial{
		ID: "002-all-crash-1", Scenario: "crash", Repeat: 1, Status: Completed, Promise: Held,
		Started: started.Add(5 * time.Second), TookSecond: 4,
		Verdict: &ledger.Verdict{Due: 2000, Acked: 2000, Duplicates: ledger.Dups{Total: 500, Redelivered: 500}, Executions: 2500, Effects: 2500,
			Table: map[string]int64{"acked/present/processed": 2000, "acked/absent/unprocessed": 0}},
		Faults: []Fault{{Name: "kill consumer at mid-batch", Armed: pointer(1.0), Fired: pointer(1.25), Recovered: pointer(1.5),
			Predicted: &Predicted{Lost: pointer(int64(0)), Duplicates: pointer(int64(500)), Exact: true}}},
		Throughput: Throughput{WindowSeconds: 2, ProducedPerSecond: 1000, ConsumedPerSecond: 1250, PipelinePerSecond: 1000, BytesPerSecond: 256000},
		Latency:    map[string]latency.Summary{EndToEnd: {Count: 2000, P50: 1200, P90: 2000, P99: 4400, P999: 8800, Max: 9000, Mean: 1300}},
		Backlog:    &Backlog{Messages: 12000, DrainedPerSecond: 48000},
		Unrecorded: 3,
		Timeline:   []Interval{{StartSecond: 0, LengthSecond: 1, Produced: 1000, Effects: 1000, EndToEndP50: 1200, EndToEndP99: 4400, EndToEndMax: 9000}},
	}
}

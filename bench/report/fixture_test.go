package report

import (
	"fmt"
	"time"

	"deliverybench/bench/claim"
	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// build is a run in the making: each method adds one thing.
type build struct {
	run   result.Run
	count int
}

func newBuild(name string, scenarios ...string) *build {
	started := time.Date(2026, 11, 21, 10, 15, 0, 0, time.UTC)
	return &build{run: result.Run{
		Schema: result.Schema,
		Run: result.Header{
			ID: name + "-20261121T101500Z", Started: started, Finished: started.Add(118 * time.Second), Seed: 7,
			Command: []string{"deliverybench", "-profile", name + ".yaml"}, Version: "v0.1.0", Profile: name,
			About: "What each guarantee costs.", ProfileSHA256: "0123456789abcdef", Scenarios: scenarios,
		},
		Environment: result.Environment{
			OS: "linux/amd64", Kernel: "6.1", CPU: "Example CPU @ 3.00GHz", Cores: 2, MemoryBytes: 8 << 30, Go: "go1.26.0",
			Client: "confluent-kafka-go v2.15.0", Librdkafka: "2.15.0",
			Broker: result.Broker{Kind: "embedded", Version: "kfake", Nodes: 1, SharesHost: true},
		},
	}}
}

func (b *build) cell(arm, guarantee string, matrix ...string) *result.Cell {
	c := result.Cell{Name: arm, Arm: arm, Guarantee: guarantee, Settings: profile.Defaults().Dotted()}
	for i := 0; i+1 < len(matrix); i += 2 {
		if c.Matrix == nil {
			c.Matrix = map[string]string{}
		}
		c.Matrix[matrix[i]], c.Settings[matrix[i]] = matrix[i+1], matrix[i+1]
		c.Name += fmt.Sprintf("/%s=%s", matrix[i], matrix[i+1])
	}
	c.Settings["guarantee"] = guarantee
	b.run.Cells = append(b.run.Cells, c)
	return &b.run.Cells[len(b.run.Cells)-1]
}

// trial adds a completed trial with an empty verdict.
func (b *build) trial(c *result.Cell, scenario string) *result.Trial {
	b.count++
	repeat := len(c.InScenario(scenario)) + 1
	promise := result.Held
	if c.Guarantee == "none" {
		promise = result.NoPromise
	}
	c.Trials = append(c.Trials, result.Trial{
		ID:       fmt.Sprintf("%03d-%s-%s-%d", b.count, c.Arm, scenario, repeat),
		Scenario: scenario, Repeat: repeat, Status: result.Completed, Promise: promise, TookSecond: 3.2,
		Verdict: &ledger.Verdict{Due: 40000, Acked: 40000, Effects: 40000, Executions: 40000,
			Table: map[string]int64{"acked/present/processed": 40000, "acked/absent/unprocessed": 0}},
		Throughput: result.Throughput{WindowSeconds: 2, ProducedPerSecond: 20000, ConsumedPerSecond: 20000, PipelinePerSecond: 20000},
	})
	return &c.Trials[len(c.Trials)-1]
}

// saturate makes a trial a closed loop of this speed.
func saturate(t *result.Trial, perSecond float64) {
	t.Settings = map[string]string{"load.rate": "max"}
	t.Generator.Closed = true
	t.Throughput.PipelinePerSecond = perSecond
}

// pace makes a trial an open loop with these end-to-end percentiles, in microseconds.
func pace(t *result.Trial, p50, p99, p999 float64) {
	t.Settings = map[string]string{"load.rate": "20000/s"}
	t.Latency = map[string]latency.Summary{
		result.EndToEnd:        {Count: 40000, P50: p50, P90: p50 * 1.5, P99: p99, P999: p999, Max: p999 * 1.2, Mean: p50},
		result.EndToEndService: {Count: 40000, P50: p50 / 2, P90: p50, P99: p99 / 2, P999: p999 / 2, Max: p999, Mean: p50 / 2},
		result.Ack:             {Count: 40000, P50: 400, P90: 700, P99: 1500, P999: 3000, Max: 4000, Mean: 500},
	}
}

// strike gives a trial one fired fault with what it predicts and what came.
func strike(t *result.Trial, name string, exact bool, predictedLost, predictedDups, lost, dups int64) {
	armed, fired, recovered := 1.0, 1.25, 1.5
	t.Faults = append(t.Faults, result.Fault{Name: name, Armed: &armed, Fired: &fired, Recovered: &recovered,
		Predicted: &result.Predicted{Lost: &predictedLost, Duplicates: &predictedDups, Exact: exact}})
	t.Verdict.Lost = ledger.Lost{Total: lost, Skipped: lost}
	t.Verdict.Duplicates = ledger.Dups{Total: dups, Redelivered: dups}
	t.Verdict.Effects += dups - lost
	t.Verdict.Table["acked/present/processed"] -= lost
	t.Verdict.Table["acked/present/unprocessed"] = lost
}

// pool gives every cell the latencies of all its trials together. Trials of the
// fixtures are alike, so the first one's percentiles are theirs.
func (b *build) pool() {
	for i := range b.run.Cells {
		c := &b.run.Cells[i]
		c.Latency = map[string]map[string]latency.Summary{}
		for _, scenario := range c.Scenarios(&b.run) {
			for _, t := range c.Completed(scenario) {
				if c.Latency[scenario] == nil {
					c.Latency[scenario] = t.Latency
				}
			}
		}
	}
}

func (b *build) claims(globsAndExpressions ...string) *result.Run {
	b.pool()
	var claims []profile.Claim
	for i := 0; i+1 < len(globsAndExpressions); i += 2 {
		claims = append(claims, profile.Claim{Glob: globsAndExpressions[i], Expression: globsAndExpressions[i+1]})
	}
	b.run.Claims = claim.Evaluate(&b.run, claims)
	return &b.run
}

// semantics is the run of the first example: one relay, three guarantees.
func semantics() *result.Run {
	b := newBuild("semantics", "saturated", "paced", "crash")
	b.run.Run.Baseline, b.run.Run.TrialsPlanned = "at-least-once", 30
	for _, arm := range []struct {
		name, when     string
		speed          float64
		p50, p99, p999 float64
		lost, dups     int64
	}{
		{"at-most-once", "before-processing", 212e3, 39e3, 77e3, 81e3, 500, 0},
		{"at-least-once", "after-processing", 190e3, 1.2e3, 4.4e3, 8.8e3, 0, 500},
		{"exactly-once", "in-transaction", 114e3, 41e3, 84e3, 97e3, 0, 0},
	} {
		c := b.cell(arm.name, arm.name)
		c.Settings["consumer.commit.when"], c.Settings["pipeline"] = arm.when, "relay"
		for i := range 6 {
			saturate(b.trial(c, "saturated"), arm.speed*(0.97+float64(i)*0.012))
		}
		for i := range 3 {
			pace(b.trial(c, "paced"), arm.p50+float64(i), arm.p99, arm.p999)
		}
		t := b.trial(c, "crash")
		pace(t, arm.p50, arm.p99*10, arm.p999*10)
		strike(t, "kill consumer at mid-batch", true, arm.lost, arm.dups, arm.lost, arm.dups)
		t.Unrecorded = 12
	}
	return b.claims(
		"*/{saturated,paced}", "lost == 0", "*/{saturated,paced}", "duplicates == 0",
		"at-most-once/crash", "lost == consumer.commit.every", "at-most-once/crash", "duplicates == 0",
		"at-least-once/crash", "lost == 0", "at-least-once/crash", "duplicates == consumer.commit.every",
		"exactly-once/crash", "lost == 0", "exactly-once/crash", "duplicates == 0",
	)
}

// matrix is a run of 24 cells, with two scenarios and a frozen broker.
func matrix() *result.Run {
	b := newBuild("acks-matrix", "saturated", "paced", "freeze")
	b.run.Environment.Broker = result.Broker{Kind: "local3", Version: "4.3.1", Nodes: 3, SharesHost: true}
	n := 0.0
	for _, acks := range []string{"0", "1", "all"} {
		for _, linger := range []string{"0s", "5ms"} {
			for _, size := range []string{"16KiB", "1MiB"} {
				for _, codec := range []string{"none", "lz4"} {
					n++
					c := b.cell("plain", "at-least-once", "producer.acks", acks, "producer.linger", linger,
						"producer.batch_size", size, "producer.compression", codec)
					for i := range 3 {
						saturate(b.trial(c, "saturated"), 50e3*n+float64(i)*1e3)
					}
					b.run.Cells[len(b.run.Cells)-1].Trials[0].Generator.Limited = n > 20
					b.run.Cells[len(b.run.Cells)-1].Trials[0].Generator.Why = "processor time near the machine's"
					pace(b.trial(c, "paced"), 900+n, 12e3, 1.5e6)
					t := b.trial(c, "freeze")
					pace(t, 1000, 2.1e6, 2.4e6)
					strike(t, "freeze broker for 2s", false, 10000, 0, int64(9900+n), 0)
				}
			}
		}
	}
	return b.claims("*/freeze", "lost == predicted ± 15%", "*/paced", "end_to_end.p99 <= 50ms")
}

// trouble is a run in which a promise is violated, claims are not met, cells are
// omitted, trials are inconclusive and the command was interrupted.
func trouble() *result.Run {
	b := newBuild("trouble", "steady", "crash", "leader-kill")
	b.run.Run.Interrupted, b.run.Run.TrialsPlanned = true, 12
	good := b.cell("careful", "exactly-once")
	pace(b.trial(good, "steady"), 800, 2e3, 7e8)
	t := b.trial(good, "crash")
	strike(t, "kill consumer at mid-batch", true, 0, 0, 0, 3)
	t.Promise, t.Warnings = result.Violated, []string{"the group rebalanced twice"}
	bad := b.cell("hasty", "none")
	pace(b.trial(bad, "steady"), 600, 1.5e3, 4e3)
	t = b.trial(bad, "crash")
	strike(t, "kill consumer at mid-batch", true, 500, 0, 12345, 0)
	for range 2 {
		t = b.trial(b.named("careful"), "crash")
		t.Status, t.Promise, t.Verdict, t.Reason = result.Inconclusive, result.PromiseInconclusive, nil, "the fault never fired"
		t.Warnings = []string{"the group rebalanced twice"}
	}
	for _, name := range []string{"careful", "hasty"} {
		t = b.trial(b.named(name), "leader-kill")
		t.Status, t.Promise, t.Verdict, t.Reason = result.Omitted, result.NoPromise, nil, "the embedded broker has no replicas"
	}
	b.cell("replicated", "at-least-once").Omitted = "the embedded broker has no replicas"
	t = b.trial(b.named("hasty"), "steady")
	t.Status, t.Promise, t.Verdict, t.Reason = result.Failed, "", nil, "topic creation: the broker did not answer in 30s"
	return b.claims("*/*", "lost == 0", "*/crash", "duplicates == 0", "careful/*", "promise == held")
}

// hostile is a run whose every text tries to be markup.
func hostile() *result.Run {
	evil := `<script>alert("1")</script>|**x** [a](javascript:1)` + "\n\x1b[31m"
	b := newBuild("evil"+evil, "s"+evil)
	b.run.Run.About = evil
	c := b.cell("arm"+evil, "at-least-once", "load.rate", evil)
	t := b.trial(c, "s"+evil)
	pace(t, 1, 2, 3)
	t.Warnings = []string{evil}
	t.Settings["producer.librdkafka.x"] = evil
	strike(t, evil, true, 1, 1, 0, 0)
	b.cell("other"+evil, "none").Omitted = evil
	t = b.trial(&b.run.Cells[0], "s"+evil)
	t.Status, t.Reason, t.Verdict = result.Failed, evil, nil
	b.run.Environment.CPU, b.run.Environment.Broker.Kind = evil, evil
	b.run.Run.Command = []string{evil}
	b.run.Claims = []result.Claim{{Cell: evil, Scenario: evil, Expression: evil, Expected: evil, Observed: evil, Status: result.NotMet, Reason: evil}}
	return &b.run
}

// strikeBrokers gives a trial a broker fault: steps are what and when, in turn;
// the last is the recovery.
func strikeBrokers(t *result.Trial, name string, nodes []int32, steps ...any) {
	fired := 2.0
	f := result.Fault{Name: name, Armed: &fired, Fired: &fired, Nodes: nodes}
	for i := 0; i+1 < len(steps); i += 2 {
		f.Steps = append(f.Steps, result.Step{What: steps[i].(string), At: steps[i+1].(float64)})
	}
	if last := f.Steps[len(f.Steps)-1]; last.What == result.AckedAgain || last.What == result.ProcessedAgain {
		f.Recovered = &last.At
	}
	t.Faults = append(t.Faults, f)
}

// failover is acks against an isolated and a killed leader, on three nodes.
func failover() *result.Run {
	b := newBuild("acks-failover", "isolated", "killed")
	b.run.Environment.Broker = result.Broker{Kind: "local3", Version: "4.3.1", Nodes: 3, SharesHost: true}
	for i, arm := range []string{"none", "leader", "all", "all-idempotent"} {
		guarantee := []string{"none", "none", "at-least-once", "exactly-once"}[i]
		c := b.cell(arm, guarantee)
		c.Settings["producer.acks"], c.Settings["pipeline"], c.Settings["topic.replication"] = []string{"0", "1", "all", "all"}[i], "produce", "3"
		for repeat := range 2 {
			t := b.trial(c, "isolated")
			late, node := 0.4*float64(repeat)+0.1*float64(i), 2-repeat
			killed := fmt.Sprintf("node %d killed", node)
			strikeBrokers(t, "isolate leader for 2s", []int32{1, 2, 3}, "node 3 frozen", 2.0, killed, 4.01, "node 3 thawed", 4.02,
				fmt.Sprintf("node %d started again", node), 4.6, result.Elected, 12.9+late, result.AckedAgain, 13.02+late)
			lost := []int64{10_305, 9_981, 0, 0}[i] - int64(repeat)
			predicted, none := []int64{10_000, 10_000, 0, 0}[i], int64(0)
			t.Faults[0].Predicted = &result.Predicted{Lost: &predicted}
			if i == 3 {
				t.Faults[0].Predicted.Duplicates = &none
			}
			t.Verdict.Lost = ledger.Lost{Total: max(lost, 0), Log: max(lost, 0)}
		}
		t := b.trial(c, "killed")
		saturate(t, 300e3)
		strikeBrokers(t, "kill leader", []int32{2}, "node 2 killed", 2.01, "node 2 started again", 2.6, result.Elected, 11.2, result.AckedAgain, 11.31)
		t.Verdict.Lost = ledger.Lost{Total: []int64{275_163, 126_371, 0, 0}[i], Log: []int64{275_163, 126_371, 0, 0}[i]}
		t.Verdict.Duplicates = ledger.Dups{Total: []int64{0, 0, 9082, 0}[i], Retried: []int64{0, 0, 9082, 0}[i]}
	}
	return b.claims("{none,leader}/isolated", "lost == predicted ± 15%", "{all,all-idempotent}/*", "lost == 0", "all-idempotent/*", "duplicates == 0")
}

// coordinators is a run in which some brokers led nothing, some were only frozen,
// and one cell did not recover.
func coordinators() *result.Run {
	b := newBuild("coordinators", "coordinator", "frozen", "follower")
	b.run.Environment.Broker = result.Broker{Kind: "compose", Version: "4.3.1", Nodes: 3, SharesHost: true}
	for i, every := range []string{"50", "500"} {
		c := b.cell("relay", "at-least-once", "consumer.commit.every", every)
		t := b.trial(c, "coordinator")
		strikeBrokers(t, "kill group-coordinator", []int32{1}, "node 1 killed", 2.01, result.Elected, 2.4, result.AckedAgain, 2.5, result.ProcessedAgain, 5.52)
		t = b.trial(c, "coordinator")
		strikeBrokers(t, "kill group-coordinator", []int32{3}, "node 3 killed", 2.01, result.Elected, 2.8, result.AckedAgain, 2.81, result.ProcessedAgain, 6.1)
		if i == 1 {
			t.Faults[0].Steps, t.Faults[0].Recovered = t.Faults[0].Steps[:2], nil
			t.Status, t.Promise, t.Verdict, t.Reason = result.Inconclusive, result.PromiseInconclusive, nil, "waited 30 s for the group"
		}
		strikeBrokers(b.trial(c, "frozen"), "freeze leader for 2s", []int32{2}, "node 2 frozen", 2.0, "node 2 thawed", 4.0, result.AckedAgain, 4.21, result.ProcessedAgain, 4.3)
		strikeBrokers(b.trial(c, "follower"), "stop followers", []int32{1, 3}, "node 1 stopped", 2.7, "node 3 stopped", 3.1, result.AckedAgain, 2.05, result.ProcessedAgain, 2.06)
	}
	return b.claims("*/*", "lost == 0")
}

// omitted is a matrix of which the embedded broker shows only a part.
func omitted() *result.Run {
	b := newBuild("omitted", "paced", "leader-kill")
	for _, arm := range []string{"before", "after"} {
		for _, acks := range []string{"0", "1", "all"} {
			for _, every := range []string{"50", "500"} {
				c := b.cell(arm, "at-least-once", "producer.acks", acks, "consumer.commit.every", every)
				if acks == "1" {
					c.Omitted = "the embedded broker has one log per partition, so acks=1 and acks=all are the same to it; try -broker local3"
					continue
				}
				pace(b.trial(c, "paced"), 800, 2e3, 4e3)
				t := b.trial(c, "leader-kill")
				t.Status, t.Promise, t.Verdict = result.Omitted, result.NoPromise, nil
				t.Reason = "kill leader: the embedded broker keeps its log in memory, so nothing would survive; try -broker local"
			}
		}
	}
	return b.claims("*/*", "lost == 0")
}

func empty() *result.Run { return &newBuild("empty").run }

func fixtures() map[string]*result.Run {
	return map[string]*result.Run{
		"semantics": semantics(), "matrix": matrix(), "trouble": trouble(), "empty": empty(), "hostile": hostile(),
		"failover": failover(), "coordinators": coordinators(), "omitted": omitted(),
		"capacity-knees": knees(), "capacity-bounds": bounds(), "capacity-arms": severalArms(), "capacity-hostile": hostileCapacity(),
	}
}

func (b *build) named(cell string) *result.Cell {
	for i := range b.run.Cells {
		if b.run.Cells[i].Name == cell {
			return &b.run.Cells[i]
		}
	}
	panic("no cell " + cell)
}

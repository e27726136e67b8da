package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/capacity"
	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
)

// ladderOf adds a cell with a knee: each repeat keeps the SLO up to its own rate.
func (b *build) ladderOf(arm string, consumers int, rates []float64, knees ...float64) *result.Cell {
	c := b.cell(arm, "at-least-once", "consumer.count", fmt.Sprint(consumers))
	q := b.run.Capacity
	add := func(phase result.Phase, rate float64, repeats int) {
		name := map[result.Phase]string{result.Searched: "search-", result.Measured: "rate-"}[phase] + fmt.Sprint(rate)
		q.Rungs = append(q.Rungs, result.Rung{Cell: c.Name, Scenario: name, Phase: phase, PerSecond: rate, WindowSeconds: 2, Repeats: repeats})
		b.run.Run.TrialsPlanned += repeats
		b.run.Run.Scenarios = addNew(b.run.Run.Scenarios, name)
		for repeat := range repeats {
			p99 := 8e3
			if rate > knees[repeat] {
				p99 = 63e3 * rate / knees[repeat]
			}
			t := b.trial(c, name)
			t.Settings = map[string]string{"load.rate": fmt.Sprint(rate) + "/s"}
			t.Latency = map[string]latency.Summary{result.EndToEnd: {Count: 40000, P50: p99 / 4, P99: p99}}
		}
	}
	add(result.Searched, rates[0], 1)
	for _, rate := range rates {
		add(result.Measured, rate, len(knees))
	}
	return c
}

func capacityBuild(name string) *build {
	b := newBuild(name)
	b.run.Run.Command = []string{"bench", "capacity", "-profile", name + ".yaml"}
	b.run.Capacity = &result.Capacity{
		SLO: []string{"end_to_end.p99 < 50ms", "lost == 0"}, FromPerSecond: 4000, ToPerSecond: 64000, StepShare: 0.1, Repeats: 6, Over: "consumer.count",
		Target: &result.Target{PerSecond: 5000, MessageBytes: 1024, GrowthShare: 0.4, Years: 2, HeadroomShare: 0.3, Replication: 3, RetentionSeconds: 7 * 86400},
	}
	return b
}

// knees is a run that found what it was to find.
func knees() *result.Run {
	b := capacityBuild("knees")
	b.ladderOf("relay", 1, []float64{4840, 5320, 5860, 6440}, 5320, 5320, 5860, 5320, 5320, 5860)
	b.ladderOf("relay", 2, []float64{9000, 9900, 10900, 12000}, 9900, 9900, 9900, 10900, 9900, 9900)
	b.ladderOf("relay", 3, []float64{12000, 13200, 14500, 15900}, 13200, 13200, 13200, 14500, 14500, 13200)
	b.ladderOf("relay", 4, []float64{15900, 17500, 19300}, 17500, 17500, 15900, 17500, 17500, 17500)
	return &b.run
}

// bounds is one in which the generator was the limit, and a ladder's ends.
func bounds() *result.Run {
	b := capacityBuild("bounds")
	b.run.Environment.Broker = result.Broker{Kind: "external", Version: "4.3.1", Nodes: 3}
	b.run.Capacity.Target.PerSecond = 9000
	b.ladderOf("relay", 1, []float64{4000, 4400}, 1, 1, 1, 1, 1, 1)
	c := b.ladderOf("relay", 2, []float64{9000, 9900, 10900}, 9900, 9900, 9900, 9000, 9900, 9900)
	for i := range c.Trials {
		c.Trials[i].Generator = result.Generator{Limited: true, Why: "the processors were 99 % busy", CPU: 0.99}
	}
	b.ladderOf("relay", 3, []float64{57600, 64000}, 64000, 64000, 64000, 64000, 64000, 64000)
	lossy := b.ladderOf("relay", 4, []float64{4000, 4400}, 64000, 64000, 64000, 64000, 64000, 64000)
	for i := range lossy.Trials {
		lossy.Trials[i].Verdict.Lost = ledger.Lost{Total: 2, Log: 2}
		lossy.Trials[i].Promise = result.Violated
	}
	return &b.run
}

// severalArms has a scaling of each, fewer repeats, and no target.
func severalArms() *result.Run {
	b := capacityBuild("arms")
	b.run.Capacity.Target, b.run.Capacity.Repeats = nil, 3
	for _, arm := range []string{"at-least-once", "exactly-once"} {
		b.ladderOf(arm, 1, []float64{4840, 5320, 5860}, 4840, 5320, 5320)
		b.ladderOf(arm, 2, []float64{9000, 9900, 10900}, 9900, 9900, 9900)
		b.ladderOf(arm, 3, []float64{9000, 9900, 10900}, 9900, 9000, 9000)
	}
	b.run.Run.Interrupted = true
	return &b.run
}

// hostileCapacity is a capacity run whose every text tries to be markup.
func hostileCapacity() *result.Run {
	evil := `<script>alert("1")</script>|**x** [a](javascript:1)` + "\n\x1b[31m"
	b := capacityBuild("evil" + evil)
	q := b.run.Capacity
	q.SLO, q.Over = []string{evil, "end_to_end.p99 < 50ms", "lost == 0" + evil}, evil
	b.run.Environment.Broker.Kind = evil
	for n := range 3 {
		c := b.ladderOf("arm"+evil, n+1, []float64{4000, 4400}, 4000, 4000)
		c.Name += evil
		c.Matrix[evil], c.Settings[evil] = fmt.Sprint(n+1), fmt.Sprint(n+1)
		for i := range c.Trials {
			c.Trials[i].Scenario += evil
			c.Trials[i].Warnings = []string{evil}
		}
		for i := range q.Rungs {
			if r := &q.Rungs[i]; r.Cell+evil == c.Name {
				r.Cell, r.Scenario = c.Name, r.Scenario+evil
			}
		}
	}
	return &b.run
}

func TestCapacityFits(t *testing.T) {
	for _, run := range []*result.Run{knees(), bounds(), severalArms(), hostileCapacity()} {
		for _, columns := range []int{100, 60} {
			for line := range strings.Lines(tableOf(t, run, Options{Width: columns})) {
				require.LessOrEqual(t, width(strings.TrimRight(line, "\n")), columns, line)
			}
		}
	}
}

func TestEveryAnswerOfACapacityRun(t *testing.T) {
	text := func(perSecond float64) string {
		run := knees()
		run.Capacity.Target.PerSecond, run.Capacity.Target.Years, run.Capacity.Target.HeadroomShare = perSecond, 0, 0
		return strings.Join(strings.Fields(tableOf(t, run, Options{Width: 1000})), " ")
	}
	require.Contains(t, text(9000), "Carried by 2 consumers, as measured.")
	require.Contains(t, text(16_500), "Carried by 4 consumers, as measured, but its spread goes down to 15,900/s: more repeats and smaller steps make it sure.")
	require.Contains(t, text(17_800), "Not carried by what was measured, whose highest knee is 17,500/s; by the law 5 consumers would")
	require.Contains(t, text(18000), "by the law 5 consumers would, extrapolated from 4 consumers.")
	require.Contains(t, text(900_000), "Not reachable with this configuration")
	require.Contains(t, Verdict(knees()), "Knee of relay: 5320/s with 1 consumer, 9900/s with 2 consumers, 13,200/s with 3 consumers, 17,500/s with 4 consumers; the target of")
}

// Repeats that say nothing are told with their true reason, and what to do about it:
// trials that completed are not called unfinished.
func TestWhyAKneeWasNotReached(t *testing.T) {
	limit := func(t *result.Trial) {
		t.Generator.Limited, t.Latency = true, map[string]latency.Summary{result.EndToEnd: {Count: 40000, P99: 63e3}}
	}
	fail := func(t *result.Trial) { t.Status, t.Verdict, t.Latency = result.Inconclusive, nil, nil }
	text := func(limited, failed int) string {
		run := knees()
		run.Cells[3].Trials = slices.Clone(run.Cells[3].Trials)
		for i := range run.Cells[3].Trials {
			switch r := &run.Cells[3].Trials[i]; {
			case r.Scenario != "rate-15900":
			case r.Repeat <= limited:
				limit(r)
			case r.Repeat <= limited+failed:
				fail(r)
			}
		}
		return strings.Join(strings.Fields(tableOf(t, run, Options{Width: 1000})), " ")
	}
	all := text(6, 0)
	require.Contains(t, all, "Not reached: relay/consumer.count=4, since 6 of 6 repeats say nothing of it, for on the lowest rung the load generator was the limit: give the load a machine of its own.")
	require.NotContains(t, all, "did not complete")
	run := knees()
	for i := range run.Cells[3].Trials {
		run.Cells[3].Trials[i].Latency = map[string]latency.Summary{result.EndToEnd: {Count: 40000, P99: 63e3}}
	}
	require.Contains(t, strings.Join(strings.Fields(tableOf(t, run, Options{Width: 1000})), " "),
		"Not reached: relay/consumer.count=4, since its lowest rung broke, above which the one trial of the search had held: measure again for a ladder that begins lower")
	require.Contains(t, text(2, 0), "17,500/s (median of 4 of 6)")
	require.Contains(t, text(2, 0), "since 2 of 6 repeats say nothing of it, for on the lowest rung the load generator was the limit: give")
	require.Contains(t, text(0, 2), "since 2 of 6 repeats say nothing of it, for their trials on the lowest rung did not complete or cannot be judged: see why, and measure again.")
	require.Contains(t, text(1, 2), "since 3 of 6 repeats say nothing of it, for on the lowest rung the load generator was the limit of 1, and 2 did not complete or cannot be judged: give the load a machine of its own, see why, and measure again.")
}

// A knee of few repeats is called so, with what to do, and leaves its target in doubt.
func TestAKneeOfFewRepeats(t *testing.T) {
	run := knees()
	for i := range run.Cells[3].Trials {
		if r := &run.Cells[3].Trials[i]; r.Repeat > 1 {
			r.Status, r.Reason = result.Inconclusive, "1 of 2 brokers was away"
			r.Verdict, r.Latency = nil, nil
		}
	}
	run.Capacity.Target.PerSecond, run.Capacity.Target.Years, run.Capacity.Target.HeadroomShare = 15_000, 0, 0
	text := strings.Join(strings.Fields(tableOf(t, run, Options{Width: 1000})), " ")
	require.Contains(t, text, "17,500/s (median of 1 of 6)")
	require.Contains(t, text, "Not reached: relay/consumer.count=4, since 5 of 6 repeats say nothing of it")
	require.Contains(t, text, "Carried by 4 consumers, as measured, but by 1 of 6 repeats only.")
	require.Equal(t, capacity.Inconclusive, capacity.Analyse(run).Conclude())

	// With nothing varied, the partitions are told too.
	run = severalArms()
	run.Cells, run.Capacity.Over, run.Capacity.Target = run.Cells[:1], "", &result.Target{PerSecond: 1000, Replication: 1}
	text = strings.Join(strings.Fields(tableOf(t, run, Options{Width: 1000})), " ")
	require.Contains(t, text, "Carried by what was measured, but by 3 repeats only: 6 make it sure. Partitions: ")
}

package profile

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const sizedSource = `name: t
load: {rate: 1000/s, duration: 2s}
topic: {partitions: 4}
arms: {a: {}, b: {consumer.commit.every: 10}}
matrix: {producer.acks: [1, all]}
scenarios: {paced: {}, crash: {faults: [{kill: consumer, when: processed, at: 50%, restart: 100ms}]}}
claims: {"*/paced": lost == 0}
capacity:
  slo: [end_to_end.p99 < 50ms, lost == 0]
  rates: {from: 1k/s, to: 100k/s}
  arms: a
  over: {consumer: {count: [1, 2, 4]}}
  target.rate: 5000/s
`

func TestCapacityBlock(t *testing.T) {
	p := parse(t, sizedSource)
	c := p.Capacity
	require.Equal(t, []Objective{{"end_to_end.p99 < 50ms", 9, 9}, {"lost == 0", 9, 32}}, c.SLO)
	require.Equal(t, Sizing{
		Rates: Ladder{1000, 100_000, 0.1}, Repeats: 6,
		Target: Target{Rate: 5000, Years: 1, Headroom: 0.3, Replication: 3, Retention: Period(7 * 24 * time.Hour)},
	}, c.Sizing)
	require.True(t, c.HasTarget)
	require.Equal(t, []string{"a"}, c.Arms)
	require.Equal(t, "consumer.count", c.Over.Setting)
	require.Equal(t, []string{"1", "2", "4"}, c.Over.Values)

	// Without a word of it there is none, and nothing else changes.
	before, _, _ := strings.Cut(sizedSource, "capacity:")
	without := parse(t, before)
	require.Nil(t, without.Capacity)
	require.Equal(t, plan(t, without, Options{}).Trials, plan(t, p, Options{}).Trials)
}

func TestCapacityMistakes(t *testing.T) {
	block := func(lines string) string { return "name: t\narms: {a: {}}\ncapacity:\n" + lines }
	const fine = "  slo: [lost == 0]\n  rates: {from: 1/s, to: 2/s}\n"
	for _, c := range [][2]string{
		{"name: t\ncapacity: 5", `my.yaml:2:11: "capacity" takes a map of settings, not "5"`},
		{block("  slo: []\n"), `my.yaml:4:8: "capacity.slo" is an empty list; give it a value or remove it`},
		{block("  rates: {from: 1/s, to: 2/s}"), `my.yaml:4:3: "capacity" has no slo; write slo: [end_to_end.p99 < 50ms, lost == 0]`},
		{block("  slo: lost == 0\n  rates: {from: 1/s}"), `my.yaml:4:3: "capacity" has no rates.to; write rates: {from: 1000/s, to: 100000/s, step: 10%}`},
		{block("  slo: lost == 0\n  rates: {from: 2/s, to: 2/s}"), `my.yaml:5:26: "capacity.rates.to" 2/s is not over rates.from 2/s`},
		{block("  slo: lost == 0\n  rates: {from: 2/s, to: max}"), `my.yaml:5:26: "capacity.rates.to" is a number of messages per second, not max`},
		{block("  slo: lost == 0\n  rates: {from: 1/s, to: 2/s, step: 0%}"), `my.yaml:5:37: "capacity.rates.step": 0% is too little; the minimum is 1%`},
		{block("  slo: lost == 0\n  rates: {from: 1/s, to: 2/s, stop: 1%}"), `my.yaml:5:31: unknown key "rates.stop"; did you mean "rates.step"?`},
		{block(fine + "  rates.from: 3/s"), `my.yaml:6:3: "rates.from" is given twice; it stands in line 5 already`},
		{block(fine + "  repeat: 3"), `my.yaml:6:3: unknown key "repeat"; did you mean "repeats"?`},
		{block(fine + "  repeats: 0"), `my.yaml:6:12: "capacity.repeats": 0 is too little; the minimum is 1`},
		{block(fine + "  target: {years: 2}"), `my.yaml:4:3: "capacity.target" has no rate; write target: {rate: 5000/s}`},
		{block(fine + "  target: {rate: 1/s, retention: 7 days}"), `my.yaml:6:34: "capacity.target.retention": "7 days" is not a period; write 7d or 12h`},
		{block(fine + "  arms: [a, c]"), `my.yaml:6:13: "capacity.arms": "c" is no arm; it may be a`},
		{block(fine + "  over: {producer.acks: [1, all]}"), `my.yaml:6:10: "capacity.over" is producer.count, consumer.count or topic.partitions, not "producer.acks"`},
		{block(fine + "  over: {consumer.count: [1], producer.count: [1]}"), `my.yaml:6:9: "capacity.over" takes one setting, not 2`},
		{block(fine + "  over: {consumer.count: [1, 1]}"), `my.yaml:6:30: "consumer.count" lists 1 twice`},
		{block(fine+"  over: {consumer.count: [1]}") + "\nmatrix: {consumer.count: [1, 2]}", `my.yaml:6:27: "capacity.over": the matrix varies consumer.count already; remove it there or here`},
		// A value of over that contradicts the rest of the profile.
		{block(fine+"  over: {producer.count: [1, 2]}") + "\npipeline: outbox\nsink: {database: sqlite}\nconsumer: {commit: {when: in-transaction}}\nmatrix: {topic.min_insync_replicas: [3]}\ntopic: {replication: 2}",
			`my.yaml:10:38: topic.min_insync_replicas 3 is more than topic.replication 2; no acks: all write would succeed`},
	} {
		_, err := Parse([]byte(c[0]), "my.yaml")
		require.Error(t, err, c[0])
		require.Contains(t, err.Error(), c[1], c[0])
	}
}

// The cells are those of the arms, times the matrix, times what capacity is
// measured over; scenarios, faults and claims are no part of it.
func TestCapacityPlan(t *testing.T) {
	base, err := parse(t, sizedSource).CapacityPlan(Options{})
	require.NoError(t, err)
	require.Len(t, base.Cells, 6)
	require.Len(t, base.Trials, 6)
	require.Equal(t, "a/acks=1,consumer.count=1", base.Cells[0].Name)
	require.Empty(t, base.Profile.Claims)

	steps := []Step{
		{"a/acks=1,consumer.count=1", "rate-5", 2, 5, Duration(3 * time.Second)},
		{"a/acks=1,consumer.count=1", "rate-10", 2, 10, Duration(2 * time.Second)},
		{"a/acks=all,consumer.count=4", "rate-10", 2, 10, Duration(2 * time.Second)},
	}
	made := base.Steps(steps, 7)
	require.Len(t, made.Trials, 6)
	require.Equal(t, made.Trials, base.Steps(steps, 7).Trials, "the same every time")
	require.True(t, strings.HasPrefix(made.Trials[0].ID, "008-"), made.Trials[0].ID)
	for i, trial := range made.Trials {
		require.Equal(t, i/3+1, trial.Repeat, "in rounds")
		require.Equal(t, trial.Scenario, "rate-"+strings.TrimSuffix(trial.Settings.Load.Rate.String(), "/s"))
	}
	require.Equal(t, []string{"rate-5", "rate-10"}, []string{made.Profile.Scenarios[0].Name, made.Profile.Scenarios[1].Name})
}

func TestCapacityPlanRefuses(t *testing.T) {
	for _, c := range []struct{ body, set, want string }{
		{"", "load.rate=5/s", "-set load.rate=5/s: capacity steps through the rates; change capacity.rates in the profile"},
		{"", "consumer.count=2", "-set consumer.count=2: the matrix varies consumer.count; choose among its cells with -only"},
		{"", "producer.outstanding=1", " has no capacity to measure: producer.outstanding makes the load wait for the broker; leave it out"},
		{"faults: [{freeze: broker, at: 10%, for: 1s}]\n", "", "it has faults in every trial; move them into a scenario"},
		{"load.arrivals: ramp\nload.ramp_from: 1/s\n", "", "load.arrivals: ramp has no rate of its own; write constant, poisson or burst"},
	} {
		o := Options{}
		if c.set != "" {
			o.Set = []string{c.set}
		}
		_, err := parse(t, sizedSource+c.body).CapacityPlan(o)
		require.ErrorContains(t, err, c.want)
	}
}

func TestPeriod(t *testing.T) {
	for text, want := range map[string]string{"7d": "7d", "168h": "7d", "12h": "12h", "36h": "36h", "0d": "0s", "90m": "1h30m"} {
		var p Period
		require.NoError(t, p.UnmarshalText([]byte(text)))
		require.Equal(t, want, p.String())
	}
	for _, text := range []string{"7", "d", "-1d", "1.5d", "999999d", ""} {
		require.Error(t, new(Period).UnmarshalText([]byte(text)), text)
	}
}

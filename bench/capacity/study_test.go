package capacity

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

const source = `name: t
topic: {partitions: 4}
capacity:
  slo: [end_to_end.p99 < 50ms, lost == 0]
  rates: {from: 1000/s, to: 60000/s, step: 25%}
  over: {consumer.count: [1, 2, 4]}
  repeats: 6
`

func study(t require.TestingT, source string) (*Study, *result.Run) {
	p, err := profile.Parse([]byte(source), "my.yaml")
	require.NoError(t, err)
	base, err := p.CapacityPlan(profile.Options{})
	require.NoError(t, err)
	s, err := NewStudy(base)
	require.NoError(t, err)
	run := &result.Run{Run: result.Header{Profile: "t"}, Capacity: s.Question()}
	for _, c := range base.Cells {
		run.Cells = append(run.Cells, result.Cell{Name: c.Name, Arm: c.Arm, Matrix: c.Matrix, Settings: c.Settings.Dotted()})
	}
	return s, run
}

// behaviour is what a simulated trial comes to.
type behaviour func(t profile.Trial) result.Trial

// carries is a system with a known capacity per cell: it keeps the SLO up to it.
func carries(capacity func(consumers int) float64) behaviour {
	return func(t profile.Trial) result.Trial {
		p99 := 10e3
		if float64(t.Settings.Load.Rate) > capacity(t.Settings.Consumer.Count) {
			p99 = 900e3
		}
		return result.Trial{
			ID: t.ID, Scenario: t.Scenario, Repeat: t.Repeat, Status: result.Completed, Promise: result.Held,
			Verdict: &ledger.Verdict{}, Latency: map[string]latency.Summary{result.EndToEnd: {Count: 1000, P50: p99 / 4, P99: p99}},
		}
	}
}

// step runs up to most trials of what comes next; done says that nothing did.
func step(t require.TestingT, s *Study, run *result.Run, how behaviour, most int) (done bool) {
	plan := s.Next(run)
	if plan == nil {
		return true
	}
	for _, trial := range plan.Trials {
		if settled(run, trial.Cell, trial.Scenario, trial.Repeat) {
			continue
		}
		if most--; most < 0 {
			return false
		}
		require.NoError(t, run.Put(trial.Cell, how(trial)))
	}
	return false
}

func whole(t require.TestingT, s *Study, run *result.Run, how behaviour) {
	for range 100 {
		if step(t, s, run, how, 1000) {
			return
		}
	}
	require.FailNow(t, "the study does not end")
}

func TestStudyFindsAKnownCapacity(t *testing.T) {
	s, run := study(t, source)
	whole(t, s, run, carries(func(consumers int) float64 { return 5000 * float64(consumers) }))
	a := Analyse(run)
	require.Len(t, a.Scalings, 1)
	for i, want := range []float64{4770, 9310, 18200} { // the highest rungs up to 5000, 10,000, 20,000
		c := a.Scalings[0].Cells[i]
		require.Equal(t, Exact, c.Knee.Bound)
		require.Equal(t, want, c.Knee.PerSecond)
		require.Equal(t, []float64{want, want}, []float64{c.Knee.Lo, c.Knee.Hi})
		require.Len(t, c.Knee.Passes, 6)
		require.Equal(t, "end_to_end.p99", c.Metric)
		require.Equal(t, 50e3, c.Limit)
		require.Equal(t, 6, c.Break.Times)
		require.Equal(t, "end_to_end.p99 < 50ms", c.Break.Broken)
		require.Equal(t, fmt.Sprintf("end_to_end.p99 900 ms at %s (6 of 6)", perSecond(c.Break.PerSecond)), c.Break.String())
	}
	require.InDelta(t, 4770, a.Scalings[0].Law.Lambda, 200)
	require.Less(t, a.Scalings[0].Law.Sigma, 0.05)
	require.Equal(t, Found, a.Conclude())

	// What the search found is in no knee, and the ladder was fixed before it began.
	for i := range run.Cells {
		rates := map[float64]int{}
		for _, r := range run.Capacity.Rungs {
			if r.Cell == run.Cells[i].Name && r.Phase == result.Measured {
				rates[r.PerSecond] = r.Repeats
			}
		}
		require.Len(t, rates, 6, "the bracket of 3 steps, and a rung on either side")
	}
	require.Equal(t, run.Run.TrialsPlanned, len(run.Cells[0].Trials)+len(run.Cells[1].Trials)+len(run.Cells[2].Trials))
}

// However often a run is cut off, it measures what it would have measured.
func TestStudyGoesOn(t *testing.T) {
	// The search of one cell ends by bad luck, so that it has two ladders.
	how := unlucky(carries(func(consumers int) float64 { return 20_000 / float64(consumers) }), func(r *result.Trial) { r.Verdict = nil; r.Status = result.Inconclusive })
	coarse := strings.NewReplacer("25%", "90%", "repeats: 6", "repeats: 2").Replace(source)
	s, straight := study(t, coarse)
	whole(t, s, straight, how)
	text := func(run *result.Run) string {
		for i := range run.Cells {
			slices.SortFunc(run.Cells[i].Trials, func(a, b result.Trial) int { return strings.Compare(a.ID, b.ID) })
		}
		out, err := json.Marshal(run)
		require.NoError(t, err)
		return string(out)
	}
	want := text(straight)
	rapid.Check(t, func(t *rapid.T) {
		s, run := study(t, coarse)
		for done := false; !done; {
			// A trial that was under way is there, and is measured again.
			for i := range run.Cells {
				if n := len(run.Cells[i].Trials); n > 0 && rapid.IntRange(0, 3).Draw(t, "interrupted") == 0 {
					run.Cells[i].Trials[n-1].Status = result.Stopped
				}
			}
			done = step(t, s, run, how, rapid.IntRange(5, 60).Draw(t, "trials"))
		}
		require.Equal(t, want, text(run))
	})
}

// The knee is right whatever the capacity, and says which side it does not know.
func TestStudyAgainstTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, run := study(t, source)
		truth := map[int]float64{}
		for _, n := range []int{1, 2, 4} {
			truth[n] = rapid.Float64Range(500, 100_000).Draw(t, "capacity")
		}
		whole(t, s, run, carries(func(consumers int) float64 { return truth[consumers] }))
		for _, c := range Analyse(run).Scalings[0].Cells {
			switch k, is := c.Knee, truth[c.N]; {
			case is < 1000:
				require.Equal(t, Below, k.Bound)
				require.Equal(t, 1000.0, k.PerSecond)
			case is >= 60_000:
				require.Equal(t, AtLeast, k.Bound)
				require.Equal(t, 60_000.0, k.PerSecond)
				require.True(t, c.Reached())
			default:
				require.Equal(t, Exact, k.Bound)
				require.LessOrEqual(t, k.PerSecond, is)
				require.Greater(t, k.PerSecond*1.26, is)
			}
		}
	})
}

// A generator that is the limit, trials that do not complete, and losses.
func TestWhatTrialsSay(t *testing.T) {
	good := carries(func(int) float64 { return 1e9 })
	at := func(above float64, change func(*result.Trial)) behaviour {
		return func(p profile.Trial) result.Trial {
			r := good(p)
			if float64(p.Settings.Load.Rate) > above {
				change(&r)
			}
			return r
		}
	}
	slow := func(r *result.Trial) { r.Latency[result.EndToEnd] = latency.Summary{Count: 1000, P99: 900e3} }
	for _, c := range []struct {
		name   string
		how    behaviour
		want   string
		sum    Conclusion
		broken string
	}{
		{"nothing breaks", good, "at least 60,000/s", Found, ""},
		{"slow above", at(5000, slow), "4770/s", Found, "end_to_end.p99 900 ms at 5960/s (6 of 6)"},
		{"slow at once", at(0, slow), "below 1000/s", Inconclusive, "end_to_end.p99 900 ms at 1000/s (6 of 6)"},
		{"the generator is late, the SLO kept", at(0, func(r *result.Trial) { r.Generator.Limited = true }), "at least 60,000/s", Found, ""},
		{"slow by the generator", at(5000, func(r *result.Trial) { slow(r); r.Generator.Limited = true }), "at least 4770/s", Inconclusive, ""},
		{"losses count whoever was the limit", at(5000, func(r *result.Trial) {
			r.Verdict = &ledger.Verdict{Lost: ledger.Lost{Total: 3}}
			r.Generator.Limited = true
		}), "4770/s", Found, "lost 3 at 5960/s (6 of 6)"},
		{"inconclusive", at(5000, func(r *result.Trial) { r.Status, r.Verdict = result.Inconclusive, nil }), "at least 4770/s", Inconclusive, ""},
		{"inconclusive, and lost already", at(5000, func(r *result.Trial) {
			r.Status, r.Verdict = result.Inconclusive, &ledger.Verdict{Lost: ledger.Lost{Total: 1}}
		}), "4770/s", Found, "lost 1 at 5960/s (6 of 6)"},
		{"no latency", at(0, func(r *result.Trial) { r.Latency = nil }), "–", Inconclusive, ""},
	} {
		s, run := study(t, source)
		whole(t, s, run, c.how)
		a := Analyse(run)
		cell := a.Scalings[0].Cells[0]
		require.Equal(t, c.want, cell.Knee.String(), c.name)
		require.Equal(t, c.sum, a.Conclude(), c.name)
		broken := ""
		if cell.Break != nil {
			broken = cell.Break.String()
		}
		require.Equal(t, c.broken, broken, c.name)
	}
}

// A lucky search cannot make the knee too high: one trial of it held where six do not.
func TestALuckySearchIsNoKnee(t *testing.T) {
	honest := carries(func(int) float64 { return 5000 })
	s, run := study(t, source)
	whole(t, s, run, func(p profile.Trial) result.Trial {
		if strings.HasPrefix(p.Scenario, "search-") && p.Settings.Load.Rate < 8000 {
			return carries(func(int) float64 { return 1e9 })(p)
		}
		return honest(p)
	})
	for _, c := range Analyse(run).Scalings[0].Cells {
		require.NotEqual(t, None, c.Knee.Bound)
		require.LessOrEqual(t, c.Knee.PerSecond, 6000.0, c.Knee)
	}
}

// unlucky ends the search of one consumer in its second trial, three times below
// what it carries, by what the test makes of that trial.
func unlucky(honest behaviour, strike func(*result.Trial)) behaviour {
	return func(p profile.Trial) result.Trial {
		r := honest(p)
		if strings.HasPrefix(p.Scenario, "search-") && p.Settings.Consumer.Count == 1 && p.Settings.Load.Rate > 1000 && p.Settings.Load.Rate < 2500 {
			strike(&r)
		}
		return r
	}
}

// One trial of the search that broke, was inconclusive or limited by its
// generator costs time, not truth: the study goes on above a ladder that held.
func TestAnUnluckySearchIsNoKnee(t *testing.T) {
	for name, strike := range map[string]func(*result.Trial){
		"slow":         func(r *result.Trial) { r.Latency[result.EndToEnd] = latency.Summary{Count: 1000, P99: 900e3} },
		"inconclusive": func(r *result.Trial) { r.Status, r.Verdict = result.Inconclusive, nil },
		"limited": func(r *result.Trial) {
			r.Latency[result.EndToEnd] = latency.Summary{Count: 1000, P99: 900e3}
			r.Generator.Limited = true
		},
	} {
		for capacity, want := range map[float64]string{1e9: "at least 60,000/s", 24_000: "22,700/s", 3800: "3050/s"} {
			s, run := study(t, source)
			whole(t, s, run, unlucky(carries(func(int) float64 { return capacity }), strike))
			a := Analyse(run)
			cell := a.Scalings[0].Cells[0]
			require.Equal(t, want, cell.Knee.String(), name)
			require.True(t, cell.Reached(), name)
			require.Equal(t, Found, a.Conclude(), name)
			require.Len(t, cell.Knee.Passes, 6)
			rungs := map[float64]bool{}
			for _, r := range run.Capacity.Rungs {
				if r.Cell == cell.Cell.Name && r.Phase == result.Measured {
					require.False(t, rungs[r.PerSecond], "no rung is measured twice")
					rungs[r.PerSecond] = true
				}
			}
		}
	}
}

// Half the passes that hold a ladder's top are no reason to go on, and a top
// below what was asked is no knee that was reached.
func TestATopBelowWhatWasAskedIsNotReached(t *testing.T) {
	cell := func(at float64, stop State) Cell {
		return Cell{Asked: 60_000, Knee: newKnee([]Pass{{at, AtLeast, stop}, {at, AtLeast, Held}})}
	}
	require.False(t, cell(2440, Held).Reached())
	require.True(t, cell(60_000, Held).Reached())
	require.False(t, cell(60_000, Limited).Reached())
	require.Equal(t, Inconclusive, (&Analysis{Scalings: []Scaling{{Cells: []Cell{cell(2440, Held)}}}}).Conclude())
}

func TestStudyRefuses(t *testing.T) {
	// What no load can break, or no trial measures.
	for _, c := range [][3]string{
		{"lost == 0, duplicates == 0", "", "my.yaml:4:9: capacity.slo bounds no latency and no speed, so that more load need not break it: add for example end_to_end.p99 < 50ms"},
		{"end_to_end.p99 > 5ms", "", "my.yaml:4:9: capacity.slo bounds no latency"},
		{"lost == 0, end_to_end.p99 < 50ms", "pipeline: produce", "my.yaml:4:20: end_to_end.p99 is measured in no trial of t, since pipeline: produce has no consumer: write ack.p99"},
		{"consumed_per_second >= 0.9 x load.rate", "pipeline: produce", "my.yaml:4:9: consumed_per_second is measured in no trial of t, since pipeline: produce has no consumer: write produced_per_second"},
		{"durable.p99 < 50ms", "", "my.yaml:4:9: durable.p99 is measured in no trial of t, since there is no sink: write end_to_end.p99"},
		{"ack.p99 < 5ms, database.lost == 0", "", "my.yaml:4:24: database.lost is measured in no trial of t, since there is no sink: write end_to_end.p99"},
		{"output_per_second >= 0.9 x load.rate", "", "my.yaml:4:9: output_per_second is measured in no trial of t, since pipeline: consume writes no output: write pipeline_per_second"},
		{"transaction_visible.p99 < 50ms", "", "my.yaml:4:9: transaction_visible.p99 is measured in no trial of t, since no messages are sent in transactions: write end_to_end.p99"},
		{"lost == 0, transaction_visible.p99 < 50ms", "pipeline: produce", "my.yaml:4:20: transaction_visible.p99 is measured in no trial of t, since no messages are sent in transactions: write ack.p99"},
		{"commit.p99 < 50ms", "consumer.commit: {when: automatic, interval: 5s}", "my.yaml:4:9: commit.p99 is measured in no trial of t, since no worker makes a call to commit: write end_to_end.p99"},
		{"commit.p99 < 50ms", "pipeline: produce", "my.yaml:4:9: commit.p99 is measured in no trial of t, since no worker makes a call to commit: write ack.p99"},
		{"commit.p99 < 50ms", "", ""},
		{"commit.p99 < 50ms", "pipeline: produce\nproducer: {transaction: {every: 100}}", ""},
		{"transaction_visible.p99 < 50ms", "producer: {transaction: {every: 100}}", ""},
		{"transaction_visible.p99 < 50ms", "pipeline: relay\nconsumer.commit.when: in-transaction", ""},
		{"durable.p99 < 50ms, database.lost == 0", "sink: {database: sqlite}", ""},
		{"pipeline_per_second >= 0.9 x load.rate", "", ""},
		{"output_per_second >= 0.9 x load.rate", "pipeline: relay", ""},
		{"ack.p99 < 5ms, lost == 0", "pipeline: produce", ""},
		{"pipeline_per_second >= 0.9 x load.rate", "pipeline: produce", ""},
	} {
		p, err := profile.Parse([]byte("name: t\n"+c[1]+"\ncapacity:\n  slo: ["+c[0]+"]\n  rates: {from: 1000/s, to: 6000/s, step: 90%}\n"), "my.yaml")
		require.NoError(t, err)
		base, err := p.CapacityPlan(profile.Options{})
		require.NoError(t, err)
		if _, err = NewStudy(base); c[2] == "" {
			require.NoError(t, err, c[0])
			continue
		}
		require.ErrorContains(t, err, c[2])
	}
	// Of several arms the one is named that does not measure it.
	p, err := profile.Parse([]byte("name: t\npipeline: relay\narms: {plain: {}, exact: {consumer.commit.when: in-transaction}}\n"+
		"capacity:\n  slo: transaction_visible.p99 < 50ms\n  rates: {from: 1000/s, to: 6000/s, step: 90%}\n"), "my.yaml")
	require.NoError(t, err)
	base, err := p.CapacityPlan(profile.Options{})
	require.NoError(t, err)
	_, err = NewStudy(base)
	require.ErrorContains(t, err, "my.yaml:5:8: transaction_visible.p99 is measured in no trial of plain, since no messages are sent in transactions: write end_to_end.p99")
	for text, want := range map[string]string{
		"end_to_end.p98 < 5ms":             `my.yaml:4:9: claim "end_to_end.p98 < 5ms", column 1: no metric "end_to_end.p98": the nearest is`,
		"end_to_end.p99 <= 1.2x baseline":  `my.yaml:4:9: "end_to_end.p99 <= 1.2x baseline" compares with a baseline, and a service level stands by itself: write a number`,
		"end_to_end.p999 < 50ms":           `my.yaml:5:10: end_to_end.p999 < 50ms at 100/s needs a window of 16m40s`,
		"end_to_end.p50 < 1m, lost == 100": ``,
	} {
		list, _, _ := strings.Cut(text, ",")
		p, err := profile.Parse([]byte("name: t\n# \ncapacity:\n  slo: ["+list+"]\n  rates: {from: 100/s, to: 6000/s, step: 90%}\n"), "my.yaml")
		require.NoError(t, err)
		base, err := p.CapacityPlan(profile.Options{})
		require.NoError(t, err)
		_, err = NewStudy(base)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
	}
}

// The estimate's ends hold every course that a run can take.
func TestEstimate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, run := study(t, source)
		least, most := s.Estimate()
		truth := rapid.Float64Range(500, 100_000).Draw(t, "capacity")
		how, took := carries(func(int) float64 { return truth }), int64(0)
		whole(t, s, run, func(p profile.Trial) result.Trial {
			took += int64(p.Estimate())
			return how(p)
		})
		require.GreaterOrEqual(t, took, int64(least))
		require.LessOrEqual(t, took, int64(most))
	})
}

// Where an SLO bounds no latency, the one beside the rates is the pipeline's own.
func TestTheLatencyThatAPipelineHas(t *testing.T) {
	for pipeline, want := range map[string]string{"produce": "ack.p99", "consume": "end_to_end.p99", "relay": "end_to_end.p99"} {
		s, run := study(t, strings.ReplaceAll(strings.ReplaceAll(source, "end_to_end.p99 < 50ms", "pipeline_per_second >= 0.9 x load.rate"),
			"name: t", "name: t\npipeline: "+pipeline))
		whole(t, s, run, func(p profile.Trial) result.Trial {
			r := carries(func(int) float64 { return 5000 })(p)
			r.Latency[result.Ack] = latency.Summary{Count: 1000, P99: 2e3}
			if pipeline == "produce" {
				delete(r.Latency, result.EndToEnd)
			}
			return r
		})
		c := Analyse(run).Scalings[0].Cells[0]
		require.Equal(t, []any{want, 0.0}, []any{c.Metric, c.Limit})
		require.NotEmpty(t, c.Points)
		for _, p := range c.Points {
			require.Positive(t, p.Micros, pipeline)
		}
	}
}

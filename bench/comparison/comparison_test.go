package comparison_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/comparison"
	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
)

// trial is a completed one with a speed, a p99 in microseconds, and losses.
func trial(scenario string, repeat int, speed, p99 float64, lost int64) result.Trial {
	return result.Trial{
		ID: fmt.Sprintf("%s-%d", scenario, repeat), Scenario: scenario, Repeat: repeat, Status: result.Completed, Promise: result.Held,
		Verdict:    &ledger.Verdict{Lost: ledger.Lost{Total: lost}},
		Throughput: result.Throughput{PipelinePerSecond: speed, WindowSeconds: 1},
		Latency:    map[string]latency.Summary{result.EndToEnd: {Count: 1000, P50: p99 / 2, P99: p99, P999: p99 * 2}},
	}
}

// repeated is a cell with one trial a speed, in the scenario paced.
func repeated(name string, settings map[string]string, speeds ...float64) result.Cell {
	c := result.Cell{Name: name, Arm: name, Settings: settings}
	for i, s := range speeds {
		c.Trials = append(c.Trials, trial("paced", i+1, s, 1e6/s, 0))
	}
	return c
}

func run(cells ...result.Cell) *result.Run {
	return &result.Run{Run: result.Header{Scenarios: []string{"paced", "crash"}}, Cells: cells}
}

var (
	hundreds = []float64{98, 99, 100, 101, 102, 103}
	eighties = []float64{78, 79, 80, 81, 82, 83}
)

func change(t *testing.T, c *comparison.Comparison, metric string) comparison.Change {
	t.Helper()
	require.Len(t, c.Rows, 1)
	for _, change := range c.Rows[0].Changes {
		if change.Metric == metric {
			return change
		}
	}
	t.Fatalf("the row has no %s", metric)
	return comparison.Change{}
}

// A fifth slower is found, in the direction in which it is worse: less of a speed,
// more of a latency.
func TestASlowerRunIsWorse(t *testing.T) {
	c := comparison.Compare(run(repeated("a", nil, hundreds...)), run(repeated("a", nil, eighties...)))
	speed := change(t, c, "pipeline_per_second")
	require.Equal(t, comparison.Worse, speed.Finding)
	require.InDelta(t, 80.5/100.5, speed.Ratio.Ratio, 1e-9)
	require.Equal(t, comparison.Worse, change(t, c, "end_to_end.p99").Finding)
	require.Equal(t, comparison.Same, change(t, c, "lost").Finding)
	back := comparison.Compare(run(repeated("a", nil, eighties...)), run(repeated("a", nil, hundreds...)))
	require.Equal(t, comparison.Better, change(t, back, "pipeline_per_second").Finding)
	few := comparison.Compare(run(repeated("a", nil, 100, 101)), run(repeated("a", nil, 80, 81)))
	require.Equal(t, comparison.TooFew, change(t, few, "pipeline_per_second").Finding)
}

// Two runs of the same thing differ significantly in about 5 % of pairs.
func TestTheSameTwiceIsNoDifference(t *testing.T) {
	const runs = 20
	random := rand.New(rand.NewPCG(1, 2))
	var all []*result.Run
	for range runs {
		var speeds []float64
		for range 6 {
			speeds = append(speeds, 1000*(1+0.2*random.NormFloat64()))
		}
		all = append(all, run(repeated("a", nil, speeds...)))
	}
	pairs, different := 0, 0
	for i := range all {
		for j := range i {
			pairs++
			if change(t, comparison.Compare(all[j], all[i]), "pipeline_per_second").Finding != comparison.Same {
				different++
			}
		}
	}
	require.Equal(t, runs*(runs-1)/2, pairs)
	require.LessOrEqual(t, different*10, pairs)
}

// Of many comparisons some come out significant by chance. One that would be told
// of alone is not told of among many; where all differ, all are told of.
func TestManyComparisonsAreDiscounted(t *testing.T) {
	nearly := []float64{95, 96, 97, 98, 99, 100.5} // p = 0.026 beside the hundreds
	found := func(others []float64) (told int) {
		var base, now []result.Cell
		for i := range 12 {
			speeds := others
			if i == 0 {
				speeds = nearly
			}
			base = append(base, repeated(fmt.Sprint(i), nil, hundreds...))
			now = append(now, repeated(fmt.Sprint(i), nil, speeds...))
		}
		c := comparison.Compare(run(base...), run(now...))
		require.Equal(t, 12*4, c.Tests)
		return c.Count(comparison.Worse)
	}
	alone := comparison.Compare(run(repeated("a", nil, hundreds...)), run(repeated("a", nil, nearly...)))
	require.Equal(t, comparison.Worse, change(t, alone, "pipeline_per_second").Finding)
	require.Zero(t, found(hundreds))
	require.Equal(t, 12*4, found(eighties))
}

// Where so many metrics are compared that even the clearest difference of six
// repeats could be chance, it is not called none; and what has too few repeats for any
// difference to be found does not count among them.
func TestADifferenceAmongTooManyIsNotCalledNone(t *testing.T) {
	wide := func(first []float64, few bool) *result.Run {
		cells := []result.Cell{repeated("0", nil, first...)}
		for i := range 11 {
			speeds := hundreds
			if few {
				speeds = hundreds[:3]
			}
			cells = append(cells, repeated(fmt.Sprint(1+i), nil, speeds...))
		}
		return run(cells...)
	}
	many := comparison.Compare(wide(hundreds, false), wide([]float64{40, 41, 42, 43, 44, 45}, false))
	require.Equal(t, 48, many.Tests)
	first := many.Rows[0].Changes[0]
	require.InDelta(t, 2.0/924, first.Ratio.P, 1e-9)
	require.Equal(t, comparison.Worse, first.Finding, "four metrics of it are as clear as can be")
	lone := comparison.Compare(wide(hundreds, true), wide([]float64{40, 41, 42, 43, 44, 45}, true))
	require.Equal(t, 4, lone.Tests, "three repeats cannot find anything")
	require.Equal(t, comparison.Worse, lone.Rows[0].Changes[0].Finding)
	nearly := comparison.Compare(wide(hundreds, false), wide([]float64{95, 96, 97, 98, 99, 100.5}, false))
	require.Equal(t, comparison.Chance, nearly.Rows[0].Changes[0].Finding)
}

// A script reads of a comparison what a person does.
func TestEncode(t *testing.T) {
	gate, err := comparison.ParseGate("pipeline_per_second < -10%")
	require.NoError(t, err)
	c := comparison.Compare(run(repeated("a", nil, hundreds...)), run(repeated("a", nil, eighties...), repeated("b", nil, 1)))
	var text bytes.Buffer
	require.NoError(t, c.Encode(&text, c.Judge(gate)))
	var got struct {
		Schema string
		Tests  int
		Rows   []struct {
			Cell, Metric, Finding string
			Base, Run             float64
			Ratio, Lo, Hi         *float64
			P                     *float64 `json:"p_value"`
		}
		Alone []struct{ Cell, Has string }
		Gates []struct{ Gate, Outcome string }
	}
	require.NoError(t, json.Unmarshal(text.Bytes(), &got))
	require.Equal(t, comparison.Schema, got.Schema)
	require.Equal(t, 4, got.Tests)
	require.Len(t, got.Rows, 6)
	speed, lost := got.Rows[0], got.Rows[4]
	require.Equal(t, "pipeline_per_second", speed.Metric)
	require.Equal(t, 100.5, speed.Base)
	require.Equal(t, 80.5, speed.Run)
	require.InDelta(t, 80.5/100.5, *speed.Ratio, 1e-9)
	require.Less(t, *speed.Lo, *speed.Ratio)
	require.Greater(t, *speed.Hi, *speed.Ratio)
	require.InDelta(t, 2.0/924, *speed.P, 1e-9, "no overlap of 6 and 6: 2 of C(12, 6)")
	require.Equal(t, "worse", speed.Finding)
	require.Equal(t, "lost", lost.Metric)
	require.Nil(t, lost.Ratio, "of counts there is none")
	require.Nil(t, lost.P, "nothing to test")
	require.Equal(t, []struct{ Cell, Has string }{{"b", "only the run"}}, got.Alone)
	require.Equal(t, []struct{ Gate, Outcome string }{{"pipeline_per_second < -10%", "failed"}}, got.Gates)
}

// Cells are lined up by their settings, whatever they are called; else by name,
// and what differs is told. What one run has not is told too.
func TestLinedUp(t *testing.T) {
	one, two := map[string]string{"producer.acks": "1"}, map[string]string{"producer.acks": "all"}
	base := run(repeated("x", one, hundreds...), repeated("y", two, hundreds...), repeated("gone", map[string]string{"a": "1"}, hundreds...))
	now := run(repeated("y", one, hundreds...), repeated("z", two, hundreds...), repeated("new", map[string]string{"b": "1"}, hundreds...))
	c := comparison.Compare(base, now)
	require.Len(t, c.Rows, 2)
	require.Equal(t, "y", c.Rows[0].Cell)
	require.Equal(t, "x", c.Rows[0].BaseCell)
	require.Empty(t, c.Rows[0].Settings)
	require.Equal(t, "z", c.Rows[1].Cell)
	require.Equal(t, "y", c.Rows[1].BaseCell)
	require.Equal(t, []comparison.Alone{
		{Cell: "new", Scenario: "paced", Has: comparison.OnlyRun}, {Cell: "gone", Scenario: "paced", Has: comparison.OnlyBase},
	}, c.Alone)

	// What the older version did not know is at its default, and no difference.
	newer := maps.Clone(two)
	newer["consumer.processing_time"], newer["consumer.commit.when"] = "0s", "after-processing"
	grown := comparison.Compare(run(repeated("old name", two, hundreds...)), run(repeated("new name", newer, hundreds...)))
	require.Len(t, grown.Rows, 1)
	require.Empty(t, grown.Rows[0].Settings)
	require.Empty(t, grown.Alone)
	newer["consumer.commit.when"] = "before-processing"
	require.Equal(t, []comparison.Setting{{Name: "consumer.commit.when", Base: "after-processing", Run: "before-processing"}},
		comparison.Compare(run(repeated("a", two, hundreds...)), run(repeated("a", newer, hundreds...))).Rows[0].Settings)

	changed := comparison.Compare(run(repeated("a", one, hundreds...)), run(repeated("a", two, hundreds...)))
	require.Equal(t, []comparison.Setting{{Name: "producer.acks", Base: "1", Run: "all"}}, changed.Rows[0].Settings)
}

// Trials without a verdict are no numbers, and nothing is compared with them in silence.
func TestWhatHasNoNumbers(t *testing.T) {
	broken := repeated("a", nil, 100)
	broken.Trials[0].Status, broken.Trials[0].Reason = result.Inconclusive, "the disk was full"
	whole := repeated("a", nil, 100)
	reason := "inconclusive: the disk was full"
	require.Equal(t, []comparison.Alone{{Cell: "a", Scenario: "paced", Has: comparison.OnlyBase, Reason: reason}}, comparison.Compare(run(whole), run(broken)).Alone)
	require.Equal(t, []comparison.Alone{{Cell: "a", Scenario: "paced", Has: comparison.OnlyRun, Reason: reason}}, comparison.Compare(run(broken), run(whole)).Alone)
	require.Equal(t, []comparison.Alone{{Cell: "a", Scenario: "paced", Has: comparison.Neither, Reason: reason}}, comparison.Compare(run(broken), run(broken)).Alone)
}

// A closed loop's latencies are its queue.
func TestLatenciesOfAClosedLoop(t *testing.T) {
	closed := repeated("a", nil, hundreds...)
	for i := range closed.Trials {
		closed.Trials[i].Generator.Closed = true
	}
	for _, one := range comparison.Compare(run(closed), run(closed)).Rows[0].Changes {
		require.NotContains(t, one.Metric, "end_to_end")
	}
}

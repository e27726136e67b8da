package chart

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deliverybench/bench/latency"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

// TestSpread checks what spread promises: order, gap, range, and that nothing
// moves when nothing is in the way.
func TestSpread(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		wanted := rapid.SliceOfN(rapid.Map(rapid.IntRange(-50, 1050), func(i int) vg.Length { return vg.Length(i) }), 1, 40).Draw(rt, "wanted")
		gap := vg.Length(rapid.IntRange(1, 60).Draw(rt, "gap"))
		const lo, hi = 0, 1000
		placed := spread(wanted, gap, lo, hi)
		require.Len(rt, placed, len(wanted))
		if n := len(wanted); n > 1 {
			gap = min(gap, (hi-lo)/vg.Length(n-1))
		}
		for i, a := range placed {
			require.GreaterOrEqual(rt, a, vg.Length(lo)-1e-6)
			require.LessOrEqual(rt, a, vg.Length(hi)+1e-6)
			for j, b := range placed {
				if i != j {
					require.GreaterOrEqual(rt, math.Abs(float64(a-b)), float64(gap)-1e-6)
				}
				if wanted[i] < wanted[j] {
					require.Less(rt, a, b)
				}
			}
		}
		sorted := slices.Sorted(slices.Values(wanted))
		free := sorted[0] >= lo && sorted[len(sorted)-1] <= hi
		for i := 1; i < len(sorted); i++ {
			free = free && sorted[i]-sorted[i-1] >= gap
		}
		if free {
			for i := range wanted {
				require.InDelta(rt, float64(wanted[i]), float64(placed[i]), 1e-6)
			}
		}
	})
}

func TestTicks(t *testing.T) {
	require.Equal(t, []float64{0, 50e3, 100e3, 150e3, 200e3, 250e3}, linearTicks(212e3, 5))
	require.Equal(t, []float64{0, 1, 2, 3}, countTicks(3, 5), "no half messages")
	require.Equal(t, []float64{0, 1}, countTicks(0.5, 5))
	require.Equal(t, []float64{1000, 2000, 5000, 10000}, logTicks(1200, 8000))
	require.Equal(t, []float64{100, 200}, logTicks(100, 100))
	require.Equal(t, []float64{1000, 10000}, thin([]float64{1000, 2000, 5000, 10000}, 3))
	require.Equal(t, []string{"0", "50k", "2.5k", "1M", "950"}, []string{tickName(0), tickName(50e3), tickName(2500), tickName(1e6), tickName(950)})
	require.Equal(t, []string{"1 ms", "100 µs", "10 s"}, []string{tickMicros(1000), tickMicros(100), tickMicros(10e6)})
	rapid.Check(t, func(rt *rapid.T) {
		lo := rapid.Float64Range(0.5, 6e8).Draw(rt, "lo")
		hi := rapid.Float64Range(lo, 6e8).Draw(rt, "hi")
		ticks := logTicks(lo, hi)
		require.GreaterOrEqual(rt, len(ticks), 2)
		require.LessOrEqual(rt, ticks[0], lo)
		require.GreaterOrEqual(rt, ticks[len(ticks)-1], hi)
		require.LessOrEqual(rt, len(linearTicks(hi, 5)), 7)
	})
}

func TestPages(t *testing.T) {
	rows := make([]int, 49)
	cut, suffixes := pages(rows, 24)
	require.Equal(t, []string{"", "-2", "-3"}, suffixes)
	require.Equal(t, []int{16, 16, 17}, []int{len(cut[0]), len(cut[1]), len(cut[2])})
}

func TestPercentileName(t *testing.T) {
	require.Equal(t, []string{"90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"},
		[]string{percentileName(1), percentileName(2), percentileName(3), percentileName(4), percentileName(5)})
}

// TestCurveExactly checks percentiles of 1 to 1000 µs, one each: the p-th is p × 1000.
func TestCurveExactly(t *testing.T) {
	h := latency.NewHistogram()
	for v := range int64(1000) {
		require.NoError(t, h.RecordValue(v+1))
	}
	made := newPool(result.Pooled{Histogram: h})
	c := newCurve(made)
	require.Equal(t, 990.0, c.p99)
	require.InDelta(t, math.Log10(2), c.nines[0], 1e-12)
	require.Equal(t, 500.0, c.micros[0])
	require.InDelta(t, 3.0, c.nines[len(c.nines)-1], 1e-9)
	require.Equal(t, 1000.0, c.micros[len(c.micros)-1], "the curve ends at the maximum")
	require.True(t, slices.IsSorted(c.micros))

	// A fifth of all never arrived: the curve ends at the 80th percentile.
	made = newPool(result.Pooled{Histogram: h, Over: 250})
	c = newCurve(made)
	require.Equal(t, 625.0, c.micros[0], "the median of 1250 is the 625th")
	require.LessOrEqual(t, c.nines[len(c.nines)-1], math.Log10(5)+1e-9)
	require.Equal(t, float64(stats.OverRange), c.p99, "p99 lies among those that never arrived")
}

func TestHeadlineNeedsSignificance(t *testing.T) {
	title := func(repeats int, cells ...arm) string {
		_, run := fixture(t, cells, nil, repeats)
		return throughputTitle(run, "saturated", rateRows(run, "saturated"))
	}
	slow, alike := arms()[2], arms()[1]
	alike.name = "alike"
	require.Equal(t, "exactly-once carries 0.59× the messages of at-least-once", title(6, arms()[1], slow))
	require.Equal(t, "Throughput: too few repeats to tell the cells apart", title(3, arms()[1], slow))
	require.Equal(t, "Throughput: no difference to at-least-once detected", title(6, arms()[1], alike))
	require.Equal(t, "exactly-once carries 114k messages per second", title(6, slow))
}

func TestAmountNeverHidesALoss(t *testing.T) {
	require.Equal(t, []string{"0", "500", "0.17", "0.005", "1.5", "275,163", "12,346"},
		[]string{amount(0), amount(500), amount(1.0 / 6), amount(0.005), amount(1.5), amount(275163), amount(12345.6)})
}

func TestStandstill(t *testing.T) {
	trial := func(effects ...int64) *result.Trial {
		made := &result.Trial{}
		for i, n := range effects {
			made.Timeline = append(made.Timeline, result.Interval{StartSecond: float64(i), LengthSecond: 1, Effects: n})
		}
		return made
	}
	check := func(start, length float64, of *result.Trial, from float64) {
		t.Helper()
		gotStart, gotLength := standstill(of, from, func(i result.Interval) int64 { return i.Effects })
		require.Equal(t, []float64{start, length}, []float64{gotStart, gotLength})
	}
	check(2, 2, trial(5, 5, 0, 0, 9, 0), 1.5) // the silence at the end is not one
	check(0, 0, trial(5, 0, 5, 5), 2.5)       // a silence before the fault is not its doing
	check(1, 3, trial(5, 0, 0, 0), 1)         // nothing ever followed
	loaded := trial(5, 0, 5, 5, 0, 0, 5)
	loaded.Throughput.WindowSeconds = 4
	check(1, 1, loaded, 1)   // with the load over there is little to do
	check(4, 2, loaded, 3.5) // but a fault just before its end is answered after it
	check(0, 0, trial(5, 5), 1.5)
}

func TestWrapAndShortenFit(t *testing.T) {
	p := testPen(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.StringOfN(rapid.RuneFrom([]rune("abc WM-×…")), 0, 300, -1).Draw(rt, "text")
		width := vg.Length(rapid.IntRange(60, 800).Draw(rt, "width"))
		most := rapid.IntRange(1, 3).Draw(rt, "lines")
		lines := p.wrap(s, 20, width, most)
		require.LessOrEqual(rt, len(lines), most)
		for _, line := range append(lines, p.shortenMiddle(s, 20, width)) {
			require.LessOrEqual(rt, p.width(line, 20), width)
		}
	})
}

func TestLatencyTitleOwnsUpToWhatNeverArrived(t *testing.T) {
	curveOf := func(name string, micros float64, over int64) curve {
		return curve{cell: &result.Cell{Arm: name}, nines: []float64{0.3, 3}, micros: []float64{micros, micros}, over: over, total: 1000, p99: micros}
	}
	ends := func(name string, over int64) curve { // before the 99th percentile
		c := curveOf(name, 1000, over)
		c.nines[1], c.p99 = 1, stats.OverRange
		return c
	}
	require.Equal(t, "99 % of messages arrive within 4.4 ms with a, within 84 ms with b", latencyTitle("paced", []curve{curveOf("b", 84e3, 0), curveOf("a", 4400, 0)}))
	require.Equal(t, "99 % of messages arrive within 4.4 ms, scenario paced", latencyTitle("paced", []curve{curveOf("a", 4400, 0)}))
	require.Equal(t, "99 % of messages arrive within 4.4 ms with a; with b, 10 % never arrived", latencyTitle("paced", []curve{curveOf("a", 4400, 0), ends("b", 100)}))
	require.Equal(t, "b: 10 % of messages never arrived, scenario paced", latencyTitle("paced", []curve{ends("b", 100)}))
}

func TestLossTitleClaimsNoMoreThanThereIs(t *testing.T) {
	row := func(observed, predicted float64, exact bool) lossRow {
		return lossRow{cell: &result.Cell{Arm: "a"}, scenario: "crash", promise: "held", lost: tally{observed: observed, predicted: &predicted, exact: exact},
			duplicates: tally{predicted: pointer(0.0), exact: true}}
	}
	const what = "Lost and duplicated messages: "
	require.Equal(t, what+"exactly as many as predicted", lossTitle([]lossRow{row(500, 500, true)}))
	require.Equal(t, what+"not as many as predicted", lossTitle([]lossRow{row(499, 500, true), row(1, 2, false)}))
	require.Equal(t, what+"more than predicted", lossTitle([]lossRow{row(500, 500, true), row(3, 0, false)}))
	require.Equal(t, what+"as many as predicted where theory gives the number", lossTitle([]lossRow{row(500, 500, true), {cell: &result.Cell{}, lost: tally{observed: 3}}}))
	require.Equal(t, "Lost per trial in scenario crash: 9981 with a, predicted ≈ 10,000", lossTitle([]lossRow{row(500, 500, true), row(9981, 10_000, false), row(9000, 10_000, false)}))
}

// What was left out takes no row; a note names it with the reason. What ran and
// has no numbers keeps its row.
func TestOmittedCellsStandInANote(t *testing.T) {
	_, run := fixture(t, arms(), nil, 2)
	require.Empty(t, omitted(run, "saturated", "paced", "crash"))
	run.Cells[0].Omitted, run.Cells[0].Trials = "because", nil
	for i := range run.Cells[1].Trials {
		if trial := &run.Cells[1].Trials[i]; trial.Scenario == "crash" {
			trial.Status, trial.Reason = result.Omitted, "no brokers to strike"
		}
	}
	for i := range run.Cells[2].Trials {
		run.Cells[2].Trials[i].Status = result.Failed
	}
	require.Equal(t, "at-most-once: because", omitted(run, "paced"))
	require.Equal(t, "at-most-once: because; at-least-once/crash: no brokers to strike", omitted(run, "paced", "crash"))
	require.Len(t, pictured(run, "paced"), 2)
	require.Len(t, pictured(run, "crash"), 1)
	require.Equal(t, "failed", absence(pictured(run, "crash")[0], "crash"))

	// Where a claim stopped a cell, its first trial is shown.
	run.Cells[1].Trials[2].Status = result.Completed
	require.Equal(t, "at-most-once: because", omitted(run, "crash"))
	require.Len(t, pictured(run, "crash"), 2)
}

// Every step of a broker fault is marked; those that lie close together share a label.
func TestMarksOfABrokerFault(t *testing.T) {
	_, run := brokers(t)
	p := testPen(t)
	labels := func(scenario string, lo, hi float64) (labels []string) {
		for _, m := range faultMarks(p, run.Cells[1].InScenario(scenario)[0], scale{lo: lo, hi: hi, a: 134, b: 1430}, moments).marks {
			var words []string
			for _, w := range m.words {
				words = append(words, w.text)
			}
			labels = append(labels, strings.Join(words, " | "))
		}
		return labels
	}
	require.Equal(t, []string{"isolate leader for 2s: nodes 1, 3 frozen", "node 2 killed | nodes 1, 3 thawed", "node 2 started again",
		"new leader elected | acked again (recovered)"}, labels("isolated", 0, 14))
	require.Equal(t, []string{"stop leader", "new leader elected", "acked again; processed again (recovered)", "node 2 stopped", "node 2 started again"},
		labels("stopped", 0, 4))
	require.Equal(t, []string{"stop leader | new leader elected | acked again; processed again (recovered)", "node 2 stopped | node 2 started again"},
		labels("stopped", 0, 50))
	require.Equal(t, []string{"freeze leader for 2s: node 2 frozen", "node 2 thawed", "acked again (recovered)"}, labels("frozen", 0, 8))
	require.Equal(t, []string{"node 2 stopped", "node 2 started again"}, labels("stopped", 3.3, 8), "what lies outside the picture has no mark")
}

// The panels keep their room: faults that struck too often to tell all of each are
// told by their names, and if need be by their number.
func TestMarksOfManyFaults(t *testing.T) {
	p := testPen(t)
	x := scale{hi: 1200, a: 134, b: 1430}
	lanes := func(faults int) (set laneSet, labels []string) {
		trial := &result.Trial{}
		for i := range faults {
			fired := 1200 * float64(i) / float64(faults)
			recovered := fired + 5
			trial.Faults = append(trial.Faults, result.Fault{
				Name: "kill leader", Fired: &fired, Recovered: &recovered,
				Steps: []result.Step{{What: "node 1 killed", At: fired}, {What: "node 1 started again", At: fired + 70}, {What: result.InSyncAgain, At: fired + 100}},
			})
		}
		set = markLanes(p, trial, x)
		for _, m := range set.marks {
			for _, w := range m.words {
				labels = append(labels, w.text)
			}
		}
		require.LessOrEqual(t, set.count, mostLanes)
		require.Len(t, set.bands, faults)
		return set, labels
	}
	_, all := lanes(3)
	require.Contains(t, all, "node 1 started again")
	_, names := lanes(12)
	require.Len(t, names, 12)
	require.NotContains(t, names, "node 1 started again")
	set, number := lanes(150)
	require.Equal(t, []string{"150 faults", "shaded until recovered"}, number)
	require.Len(t, set.marks[0].lines, 150)
	require.True(t, set.marks[0].brief, "as many lines would hide the panels")
}

func TestTimelineTitleTellsTheKillFromTheIsolation(t *testing.T) {
	_, run := brokers(t)
	title := func(cell int, scenario string) string {
		return timelineTitle(&run.Cells[cell], run.Cells[cell].InScenario(scenario)[0])
	}
	require.Equal(t, `leader: no acknowledgements for about 8.9 s after the kill in "isolate leader for 2s"`, title(1, "isolated"))
	require.Equal(t, `leader: no acknowledgements for about 2.2 s after "freeze leader for 2s"`, title(1, "frozen"))
	waits := run.Cells[2].InScenario("isolated")[0] // for its followers
	for i := range waits.Timeline {
		if at := waits.Timeline[i].StartSecond; at >= 2.1 && at < 4.1 {
			waits.Timeline[i].Produced = 0
		}
	}
	require.Equal(t, `all: no acknowledgements for about 11 s after "isolate leader for 2s"`, title(2, "isolated"))
}

// A curve begins at the median: where half of the messages never arrived there is
// none, and its cell is named with the reason. The others are drawn.
func TestHalfOfTheMessagesNeverArrived(t *testing.T) {
	dir, run := fixture(t, arms()[:2], nil, 1)
	without := func(cell int) {
		for i := range run.Cells[cell].Trials {
			if trial := &run.Cells[cell].Trials[i]; trial.Scenario == "paced" {
				for _, role := range []string{result.EndToEnd, result.EndToEndService} {
					trial.Latency[role] = latency.Summary{Count: 20000, Over: 60000}
				}
			}
		}
	}
	without(0)
	curves, err := latencyCurves(dir, run, "paced")
	require.NoError(t, err)
	ends, absent := curveEnds(run, "paced", curves)
	require.Len(t, ends, 1)
	require.Equal(t, []string{"at-most-once, 75 % of messages never arrived"}, absent)
	_, err = Draw(dir, run)
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(dir, "charts", "latency-paced.svg"))

	without(1)
	_, err = Draw(dir, run)
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(dir, "charts", "latency-paced.svg"))
}

// The repeat that is drawn is the one that broke a promise, whatever its status, and a
// picture says how many others there are.
func TestTheTimelineIsOfTheTrialThatBroke(t *testing.T) {
	_, run := fixture(t, arms(), nil, 3)
	first, last := crashes(run, 2)[0], crashes(run, 2)[2]
	first.Status, first.Reason = result.Inconclusive, "because"
	require.Equal(t, 2, passages(run)[2].trial.Repeat, "the first that completed")
	last.Status, last.Promise = result.Inconclusive, result.Violated
	broke := passages(run)[2]
	require.Same(t, last, broke.trial)
	all := timelineFigures(run)
	require.Contains(t, all[2].conditions, "repeat 3 of 3, inconclusive, promise violated")
	require.Contains(t, all[0].conditions, "repeat 1 of 3")
	require.NotContains(t, all[0].conditions, "drawn")
	last.Timeline = nil
	require.Equal(t, 2, passages(run)[2].trial.Repeat, "without a timeline there is nothing to draw")

	_, run = wide(t)
	require.Contains(t, timelineFigures(run)[0].conditions, "12 of 38 timelines are drawn")
}

// Of many timelines those are drawn that broke a promise, and one of every arm.
func TestTellingTimelines(t *testing.T) {
	_, run := wide(t)
	last := len(run.Cells) - 1
	for i := range run.Cells[last].Trials {
		run.Cells[last].Trials[i].Promise = result.Violated
	}
	all := passages(run)
	require.Len(t, all, 38)
	chosen := telling(all)
	require.Len(t, chosen, mostTimelines)
	arms := map[string]bool{}
	for _, m := range chosen {
		arms[m.cell.Arm] = true
	}
	require.Len(t, arms, 4)
	require.Equal(t, run.Cells[last].Name, chosen[len(chosen)-1].cell.Name)
	require.Equal(t, all[:3], telling(all[:3]), "few are all drawn")
}

// A latency ends where the table says that it does: each pipeline's own end, where they differ.
func TestWhereLatenciesEnd(t *testing.T) {
	dir, run := fixture(t, arms(), nil, 1)
	conditions := func() string {
		all, err := latencyFigures(dir, run)
		require.NoError(t, err)
		require.Len(t, all, 1)
		return all[0].conditions
	}
	require.Contains(t, conditions(), "solid: intended send to effect, dashed: actual send to effect")
	for i := range run.Cells {
		run.Cells[i].Settings["pipeline"] = "relay"
	}
	require.Contains(t, conditions(), "solid: intended send to output visible, dashed: actual send to output visible")
	run.Cells[1].Settings["pipeline"] = "consume"
	require.Contains(t, conditions(), "solid: intended send to output visible (relay) or effect (consume), dashed")
	for i := range run.Cells[1].Trials {
		run.Cells[1].Trials[i].Database = &result.Database{}
	}
	require.Contains(t, conditions(), "message processed, before its row is committed (consume)")
	require.Equal(t, "message visible in the topic", (&result.Cell{Settings: map[string]string{"pipeline": "outbox"}}).LatencyEnd())
}

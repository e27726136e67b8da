package chart

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

func tradeoff(t *testing.T, run *result.Run) []bargain {
	t.Helper()
	of, ok := priced(run)
	require.True(t, ok)
	all, _ := bargains(run, of, "crash")
	return all
}

// The points are the saved numbers: medians of the closed loop's repeats, and
// what was counted in the crashes by the faults that fired in them.
func TestTradeoffPointsAreTheSavedNumbers(t *testing.T) {
	dir, run := fixture(t, arms(), nil, 6)
	run.Cells[1].Trials[2].Verdict.Duplicates = ledger.Dups{Total: 800, Redelivered: 800} // one crash of six
	f := tradeoffFigures(run)[0]
	require.Equal(t, "tradeoff-crash", f.name)
	require.Equal(t, "exactly-once lost and duplicated nothing in 6 faults of scenario crash, at 0.63× the throughput of at-least-once", f.title)
	columns := map[string]int{}
	for i, name := range f.header {
		columns[name] = i
	}
	require.Len(t, f.points, len(run.Cells))
	for i, point := range f.points {
		at := func(name string) float64 {
			v, err := strconv.ParseFloat(point[columns[name]], 64)
			require.NoError(t, err, name)
			return v
		}
		c := &run.Cells[i]
		require.Equal(t, c.Name, point[columns["cell"]])
		summary := stats.Summarise(rates(c.Completed("saturated")))
		require.Equal(t, []float64{summary.Median, summary.Lo, summary.Hi}, []float64{at("median"), at("lo"), at("hi")})
		var lost, duplicates int64
		for _, trial := range c.Completed("crash") {
			lost, duplicates = lost+trial.Verdict.Lost.Total, duplicates+trial.Verdict.Duplicates.Total
		}
		require.Equal(t, 6.0, at("faults_fired"))
		require.InDelta(t, float64(lost)/6, at("lost_per_fault"), 1e-9)
		require.InDelta(t, float64(duplicates)/6, at("duplicates_per_fault"), 1e-9)
	}
	require.Equal(t, []string{"550", "500", "800"}, f.points[1][columns["duplicates_per_fault"]:columns["strays_per_fault"]])
	_, err := Draw(dir, run)
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(dir, "charts", "tradeoff-crash-dark.svg"))
}

// What a headline says of safety and of its price, and no more.
func TestTradeoffTitles(t *testing.T) {
	title := func(repeats int, cells ...arm) string {
		_, run := fixture(t, cells, nil, repeats)
		return tradeoffFigures(run)[0].title
	}
	most, least, exactly := arms()[0], arms()[1], arms()[2]
	quick := exactly
	quick.rate = least.rate
	unhurt := least
	unhurt.redeliver = 0
	require.Equal(t, "exactly-once lost and duplicated nothing in 6 faults of scenario crash, at 0.59× the throughput of at-least-once", title(6, least, exactly))
	require.Equal(t, "exactly-once lost and duplicated nothing in 3 faults of scenario crash", title(3, least, exactly), "too few repeats for a ratio")
	require.Equal(t, "exactly-once lost and duplicated nothing in 6 faults of scenario crash; no difference in throughput to at-least-once detected", title(6, least, quick))
	require.Equal(t, "Every cell lost or duplicated messages in 1 fault of scenario crash", title(1, most, least), "a loss is not weighed against a duplicate")
	worse := least
	worse.name, worse.redeliver = "worse", 501
	require.Equal(t, "Every cell lost or duplicated messages in 1 fault of scenario crash; the least: at-least-once, duplicates 500 per fault", title(1, least, worse))
	worse.redeliver = 500
	require.Equal(t, "Every cell lost or duplicated messages in 1 fault of scenario crash", title(1, least, worse), "two are alike")
	require.Equal(t, "Nothing lost and nothing duplicated in 1 fault of scenario crash, by any of 2 cells", title(1, unhurt, exactly))
	_, run := wide(t)
	require.Equal(t, "10 of 38 cells lost and duplicated nothing in 5 faults of scenario crash", tradeoffFigures(run)[0].title, "no ratio of five repeats holds for all that were compared")
	require.Equal(t, "2 of 3 cells lost and duplicated nothing in 6 faults of scenario crash", title(6, most, unhurt, exactly))
}

// Without a closed loop the price is the p99 of a scenario without faults.
func TestTradeoffOfLatency(t *testing.T) {
	_, run := paced(t)
	of, ok := priced(run)
	require.True(t, ok)
	require.Equal(t, price{scenario: "paced"}, of)
	f := tradeoffFigures(run)[0]
	require.Equal(t, "exactly-once lost and duplicated nothing in 5 faults of scenario crash, at 34× the p99 latency of at-least-once", f.title)
	require.Equal(t, []string{"at-most-once", "paced", "p99_us", "3000"}, f.points[0][:4])
	require.Equal(t, "p99 3.0 ms", of.text(3000))
	require.True(t, of.better(1, 2))
}

// paced is a run without a closed loop.
func paced(t *testing.T) (string, *result.Run) {
	dir, run := fixture(t, arms(), nil, 5)
	for i := range run.Cells {
		c := &run.Cells[i]
		var kept []result.Trial
		for _, trial := range c.Trials {
			if trial.Scenario == "paced" {
				trial.Latency = map[string]latency.Summary{result.EndToEnd: {Count: 20000, P99: 3*arms()[i].median + float64(trial.Repeat-3)}}
			}
			if trial.Scenario != "saturated" {
				kept = append(kept, trial)
			}
		}
		c.Trials = kept
	}
	return dir, run
}

// A crash that nothing came of and a single cell leave nothing to choose between.
func TestNoTradeoffWithoutAChoice(t *testing.T) {
	_, run := fixture(t, arms()[:1], nil, 1)
	require.Empty(t, tradeoffFigures(run))
	_, run = fixture(t, arms(), nil, 1)
	for i := range run.Cells {
		for j := range run.Cells[i].Trials {
			for k := range run.Cells[i].Trials[j].Faults {
				run.Cells[i].Trials[j].Faults[k].Fired = nil
			}
		}
	}
	require.Empty(t, tradeoffFigures(run))
}

// Of many cells those are named that none beats in cost, losses and duplicates at once.
func TestWorthLabels(t *testing.T) {
	_, run := fixture(t, arms(), []string{"64B", "256B", "1KiB", "4KiB"}, 6)
	all := tradeoff(t, run)
	var names []string
	for _, i := range worthLabels(all, price{rate: true}) {
		names = append(names, all[i].cell.Name)
	}
	require.Equal(t, []string{"exactly-once/load.message.size=64B", "at-most-once/load.message.size=64B", "at-least-once/load.message.size=64B"}, names)
	require.Len(t, worthLabels(all[:6], price{rate: true}), 6, "few are all named")
}

// Whatever the tags, those that found a spot lie within the area and meet nothing.
func TestPlace(t *testing.T) {
	area := vg.Rectangle{Max: vg.Point{X: 1000, Y: 600}}
	length := func(lo, hi int) *rapid.Generator[vg.Length] {
		return rapid.Map(rapid.IntRange(lo, hi), func(i int) vg.Length { return vg.Length(i) })
	}
	rapid.Check(t, func(rt *rapid.T) {
		tags := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) tag {
			return tag{area: area, at: vg.Point{X: length(0, 1000).Draw(rt, "x"), Y: length(0, 600).Draw(rt, "y")}, away: 20, left: 20, right: 20,
				width: length(20, 400).Draw(rt, "width"), height: 50}
		}), 1, 12).Draw(rt, "tags")
		mark := vg.Rectangle{Min: vg.Point{X: 400, Y: 300}, Max: vg.Point{X: 600, Y: 320}}
		taken := []vg.Rectangle{mark}
		spots := place(tags, []vg.Rectangle{mark})
		require.Equal(rt, place(tags[:1], []vg.Rectangle{mark})[0].found, spots[0].found, "nothing is in the way of the first")
		for i, s := range spots {
			if s.found {
				require.True(rt, within(s.box, area))
				require.False(rt, meetsAny(s.box, taken))
				taken = append(taken, s.box)
				if s.tied {
					require.True(rt, within(vg.Rectangle{Min: s.end, Max: s.end}, s.box), "its line ends at it")
					for j, other := range spots {
						crossed := j != i && other.found && slices.ContainsFunc(stretch(tags[i].at, s.end), func(bit vg.Rectangle) bool { return meetsAny(bit, []vg.Rectangle{other.box}) })
						require.False(rt, crossed, "and crosses no other")
					}
				}
			}
		}
	})
	alone := place([]tag{{area: area, at: vg.Point{X: 500, Y: 300}, away: 10, left: 10, right: 10, width: 100, height: 40}}, nil)
	require.Equal(t, spot{box: vg.Rectangle{Min: vg.Point{X: 510, Y: 280}, Max: vg.Point{X: 610, Y: 320}}, found: true, end: vg.Point{X: 510, Y: 300}}, alone[0])
}

// Halfway to a latency over range is none, and there is no ratio of it.
func TestNoRatioOverRange(t *testing.T) {
	_, run := paced(t)
	over := func(cell, trials int) {
		for _, trial := range run.Cells[cell].InScenario("paced")[:trials] {
			trial.Latency[result.EndToEnd] = latency.Summary{Count: 20000, P99: stats.OverRange}
		}
	}
	over(2, 2)
	require.NotNil(t, tradeoff(t, run)[2].comparison, "two of five do not move the median")
	over(2, 3)
	all := tradeoff(t, run)
	require.Nil(t, all[2].comparison)
	require.Equal(t, float64(stats.OverRange), all[2].cost.Median)
	require.Equal(t, "loses and duplicates nothing  ·  p99 > 10 min", all[2].about(price{scenario: "paced"}))
	require.Equal(t, "exactly-once lost and duplicated nothing in 5 faults of scenario crash", tradeoffFigures(run)[0].title)

	_, run = paced(t)
	run.Cells[2].Trials = slices.DeleteFunc(run.Cells[2].Trials, func(t result.Trial) bool { return t.Scenario == "paced" && t.Repeat == 5 })
	over(2, 2)
	require.Equal(t, float64(stats.OverRange), tradeoff(t, run)[2].cost.Median, "of four, two are over range")
	over(1, 5)
	require.Equal(t, "baseline > 10 min", price{scenario: "paced"}.uncompared(run, &run.Cells[0]))
	require.Equal(t, "> 10 min", price{scenario: "paced"}.uncompared(run, &run.Cells[2]))
}

// A cell that completed and has no latency was run; a baseline of 0 compares with nothing.
func TestWhyThereIsNoCost(t *testing.T) {
	_, run := paced(t)
	run.Cells[2].InScenario("paced")[0].Latency = nil
	require.Equal(t, "exactly-once: no latency was recorded in paced", tradeoffFigures(run)[0].omitted)
	require.Equal(t, "no latency", price{scenario: "paced"}.uncompared(run, &run.Cells[2]))

	_, run = fixture(t, arms(), nil, 6)
	for _, trial := range run.Cells[1].InScenario("saturated") {
		trial.Throughput.PipelinePerSecond = 0
	}
	require.Nil(t, tradeoff(t, run)[2].comparison)
	require.Equal(t, "exactly-once lost and duplicated nothing in 6 faults of scenario crash", tradeoffFigures(run)[0].title)
	same := stats.Comparison{Ratio: 1}
	require.Contains(t, bargain{comparison: &same}.about(price{}), "no difference detected")
}

// What the ends of the lines are is said of every cell.
func TestEndsOfTheLines(t *testing.T) {
	_, run := fixture(t, arms(), nil, 6)
	run.Cells[0].Trials = slices.DeleteFunc(run.Cells[0].Trials, func(t result.Trial) bool { return t.Repeat > 2 })
	require.Contains(t, tradeoffFigures(run)[0].conditions, "median and 95 % interval or range of 2 to 6 repeats")
}

// However many cells are safe, the title's is named, and those that are not are counted.
func TestEveryCellIsNamedOrCounted(t *testing.T) {
	for _, count := range []int{2, 4, 6, 9, 12} {
		var cells []arm
		for i := range count {
			cells = append(cells, arm{name: "exactly-once-" + strconv.Itoa(i), guarantee: "exactly-once", rate: 100e3 + 20*float64(i), median: 1000})
		}
		hurt := arms()[0]
		hurt.rate = 90e3
		_, run := fixture(t, append(cells, hurt), nil, 1)
		of, _ := priced(run)
		all, _ := bargains(run, of, "crash")
		var safe []bargain
		for _, b := range all {
			if b.safe() {
				safe = append(safe, b)
			}
		}
		require.Len(t, safe, count)
		best := label(cheapest(safe, of).cell)
		f := tradeoffFigures(run)[0]
		named, note := 0, ""
		for _, text := range painted(t, run, f, height(fonts(t), run, f)) {
			for _, b := range all {
				if text.text == label(b.cell) {
					named++
				}
			}
			if text.text == best {
				best = "found"
			}
			if strings.HasSuffix(text.text, "cells not named") {
				note = text.text
			}
		}
		require.Equal(t, "found", best)
		if named == count+1 {
			require.Empty(t, note)
			continue
		}
		require.Greater(t, count, 2, "few are all named")
		require.Equal(t, strconv.Itoa(count+1-named)+" of "+strconv.Itoa(count+1)+" cells not named", note)
	}
}

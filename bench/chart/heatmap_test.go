package chart

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestGrid(t *testing.T) {
	_, run := fixture(t, arms(), []string{"64B", "1KiB"}, 1)
	_, ok := newGrid(run)
	require.False(t, ok, "the arms and one setting are in the bars")

	_, run = wide(t)
	g, ok := newGrid(run)
	require.True(t, ok)
	require.Equal(t, []string{"at-most-once", "at-least-once", "exactly-once", "at-least-once-by-a-timer"}, g.rows.values)
	require.Equal(t, dimension{"producer.acks", "acks", []string{"0", "1", "all"}}, g.columns)
	var titles []string
	tiles, cells := 0, map[*result.Cell]bool{}
	for _, made := range g.panels {
		titles = append(titles, made.title)
		for i, row := range made.cells {
			for j, c := range row {
				if tiles++; c != nil {
					cells[c] = true
					require.Equal(t, g.rows.values[i], c.Arm)
					require.Equal(t, g.columns.values[j], c.Matrix["producer.acks"])
				}
			}
		}
	}
	require.Equal(t, []string{"idempotence=false, retries=0", "idempotence=false, retries=3", "idempotence=true, retries=0", "idempotence=true, retries=3"}, titles)
	require.Equal(t, 48, tiles)
	require.Len(t, cells, 47, "each cell has one tile, and one was excluded")

	for i := range run.Cells { // one arm: two settings face each other
		run.Cells[i].Arm = "alone"
	}
	g, ok = newGrid(run)
	require.True(t, ok)
	require.Equal(t, []string{"producer.acks", "producer.idempotence"}, []string{g.rows.setting, g.columns.setting})
}

// Every number in the files is the saved one, and the tiles have a value for each
// cell that has trials.
func TestHeatPointsAreTheSavedNumbers(t *testing.T) {
	_, run := wide(t)
	all := heatFigures(run)
	require.Len(t, all, 2)
	require.Equal(t, []string{"heatmap-saturated", "heatmap-crash"}, []string{all[0].name, all[1].name})
	require.Equal(t, "Throughput of all combinations", all[0].title, "no ratio of five repeats holds for all that were compared")
	require.Equal(t, "10 of 38 combinations lost and duplicated nothing in 5 faults of scenario crash", all[1].title)
	byName := map[string]*result.Cell{}
	for i := range run.Cells {
		byName[run.Cells[i].Name] = &run.Cells[i]
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err)
		return v
	}
	for _, f := range all {
		require.Len(t, f.points, 38, "8 were omitted, 1 excluded, 1 failed")
	}
	for _, point := range all[0].points {
		c := byName[point[0]]
		rate := stats.Summarise(rates(c.Completed("saturated"))).Median
		require.Equal(t, rate, number(point[3]))
		if b := baselineOf(run, c); b != nil && len(b.Completed("saturated")) > 0 {
			require.InDelta(t, rate/stats.Summarise(rates(b.Completed("saturated"))).Median, number(point[4]), 1e-9)
		}
	}
	for _, point := range all[1].points {
		verdict := byName[point[0]].Completed("crash")[0].Verdict
		require.Equal(t, []float64{float64(verdict.Lost.Total), float64(verdict.Duplicates.Total)}, []float64{number(point[6]), number(point[7])})
	}
}

// A difference that was not found has the baseline's colour, whatever the medians.
func TestNoDifferenceHasNoColour(t *testing.T) {
	_, run := wide(t)
	of, _ := priced(run)
	compared, _ := costComparisons(run, of)
	h, _, ok := costHeat(run, of, compared)
	require.True(t, ok)
	same := 0
	for c, comparison := range compared {
		value, text := h.of(c)
		if text == "~" {
			same++
			require.NotEqual(t, 1.0, comparison.Ratio)
			require.Equal(t, 1.0, value)
		}
	}
	require.NotZero(t, same)
}

// A tile without a number says why, and one without damage is of no colour of the ramp.
func TestTiles(t *testing.T) {
	h := heat{scale: scale{lo: 1, hi: 100, a: 1, b: 0, log: true}, none: true, scenario: "crash"}
	require.Equal(t, []shade{tint(green, 0.85), ramp(1), ramp(0.5), ramp(0)}, []shade{h.shade(0), h.shade(1), h.shade(10), h.shade(100)})
	_, run := wide(t)
	require.Equal(t, []string{"excluded", "omitted", "failed"}, []string{h.missing(nil), h.missing(&run.Cells[1]), h.missing(&run.Cells[6])})
	lost, twice := damage{mean: 3}, damage{mean: 80}
	require.Equal(t, []string{"3 lost", "80 twice", "≥ 3 lost, ≥ 80 twice", "3 stray"},
		[]string{tileDamage(harm{lost: lost}), tileDamage(harm{duplicates: twice}), tileDamage(harm{lost: lost, duplicates: twice, bound: true}), tileDamage(harm{strays: lost})})
}

// Where its baseline failed a cell has no ratio, and no colour among those that have
// one; a run without a baseline is coloured by the cost itself.
func TestHeatWithoutABaseline(t *testing.T) {
	_, run := wide(t)
	base := slices.IndexFunc(run.Cells, func(c result.Cell) bool { return c.Arm == "at-least-once" && c.Omitted == "" })
	for i := range run.Cells[base].Trials {
		run.Cells[base].Trials[i].Status = result.Failed
	}
	of, _ := priced(run)
	alike := slices.IndexFunc(run.Cells, func(c result.Cell) bool {
		return c.Arm == "exactly-once" && maps.Equal(c.Matrix, run.Cells[base].Matrix)
	})
	require.Nil(t, of.compare(run, &run.Cells[alike]))
	texts := func() []string {
		g, _ := newGrid(run)
		f, h, ok := costFigure(run, of)
		require.True(t, ok)
		f = heatPages(run, g, h, f)[0]
		var all []string
		for _, text := range painted(t, run, f, Height) {
			all = append(all, text.text)
		}
		return all
	}
	require.Contains(t, texts(), "no baseline")
	run.Run.Baseline = ""
	require.NotContains(t, texts(), "no baseline")
	require.Contains(t, texts(), stats.Rate(stats.Summarise(rates(run.Cells[alike].Completed("saturated"))).Median))
}

// However large a matrix is, every tile is in one figure and can be read.
func TestHeatPages(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := grid{rows: dimension{setting: "r", short: "r"}, columns: dimension{setting: "c", short: "c"}}
		count := func(name string, most int) int { return rapid.IntRange(1, most).Draw(rt, name) }
		rows, columns, panels := count("rows", 40), count("columns", 45), count("panels", 30)
		name := func(i int) string { return strconv.Itoa(i) }
		for i := range rows {
			g.rows.values = append(g.rows.values, name(i))
		}
		for i := range columns {
			g.columns.values = append(g.columns.values, name(i))
		}
		for i := range panels {
			made := panel{title: name(i)}
			for j := range rows {
				var row []*result.Cell
				for k := range columns {
					row = append(row, &result.Cell{Name: name(i) + "/" + name(j) + "/" + name(k)})
				}
				made.cells = append(made.cells, row)
			}
			g.panels = append(g.panels, made)
		}
		seen := map[string]bool{}
		for _, part := range g.parts() {
			high := float64(heatRoom)/float64(part.down()) - panelHead - panelGap
			require.GreaterOrEqual(rt, high/float64(len(part.rows.values)), float64(leastTile))
			require.LessOrEqual(rt, part.across()*len(part.columns.values), mostTilesAside)
			for _, made := range part.panels {
				for j, row := range made.cells {
					for k, c := range row {
						require.Equal(rt, made.title+"/"+part.rows.values[j]+"/"+part.columns.values[k], c.Name)
						require.False(rt, seen[c.Name])
						seen[c.Name] = true
					}
				}
			}
		}
		require.Len(rt, seen, rows*columns*panels)
	})
	_, run := wide(t)
	require.Equal(t, "heatmap-saturated", heatFigures(run)[0].name)
	require.NotContains(t, heatFigures(run)[0].conditions, "Part")
}

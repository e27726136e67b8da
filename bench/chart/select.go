package chart

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// scenarios are those of the run's trials, in the order of the profile.
func scenarios(run *result.Run) []string {
	names := slices.Clone(run.Run.Scenarios)
	for i := range run.Cells {
		for _, s := range run.Cells[i].Scenarios(run) {
			if !slices.Contains(names, s) {
				names = append(names, s)
			}
		}
	}
	return names
}

// completed are the cell's trials of a scenario that have numbers to show, by repeat.
func completed(c *result.Cell, scenario string) []*result.Trial { return c.Completed(scenario) }

// pictured are the cells that a scenario's chart has rows for: all but those
// that were left out on purpose, which a note names.
func pictured(run *result.Run, scenario string) (cells []*result.Cell) {
	for i := range run.Cells {
		if !leftOut(&run.Cells[i], scenario) {
			cells = append(cells, &run.Cells[i])
		}
	}
	return cells
}

// leftOut reports whether a cell was omitted, altogether or in a scenario.
func leftOut(c *result.Cell, scenario string) bool {
	trials := c.InScenario(scenario)
	ran := slices.ContainsFunc(trials, func(t *result.Trial) bool { return t.Status != result.Omitted })
	return c.Omitted != "" || len(trials) > 0 && !ran
}

// omitted says what charts of the scenarios do not show, and why:
// "acks=1 (5 cells): the embedded broker has one log per partition".
func omitted(run *result.Run, scenarios ...string) string {
	var all []string
	for _, o := range result.Omissions(run, func(c *result.Cell, scenario string) bool {
		return scenario == "" || slices.Contains(scenarios, scenario) && leftOut(c, scenario)
	}) {
		all = append(all, o.What+": "+o.Reason)
	}
	return strings.Join(all, "; ")
}

// absence says why a cell that was not left out has no numbers in a scenario:
// "failed: …".
func absence(c *result.Cell, scenario string) string {
	for _, t := range c.InScenario(scenario) {
		if t.Status != result.Completed {
			return strings.TrimSuffix(string(t.Status)+": "+t.Reason, ": ")
		}
	}
	return "not run"
}

// baselineOf is the cell that c is compared with: the baseline arm under the
// same matrix combination; nil when there is none or c is that cell.
func baselineOf(run *result.Run, c *result.Cell) *result.Cell {
	for i := range run.Cells {
		b := &run.Cells[i]
		if run.Run.Baseline != "" && b.Arm == run.Run.Baseline && b.Name != c.Name && maps.Equal(b.Matrix, c.Matrix) {
			return b
		}
	}
	return nil
}

// producesOnly says that a cell's pipeline has no consumer: its messages are done
// when they are acknowledged.
func producesOnly(c *result.Cell) bool { return c.Settings["pipeline"] == "produce" }

func isBaseline(run *result.Run, c *result.Cell) bool {
	return run.Run.Baseline != "" && c.Arm == run.Run.Baseline
}

// colours gives every arm its colour.
func colours(run *result.Run) map[string]int {
	index := map[string]int{}
	for i := range run.Cells {
		if _, ok := index[run.Cells[i].Arm]; !ok {
			index[run.Cells[i].Arm] = len(index)
		}
	}
	return index
}

// cellColour is the colour of the cell's arm, lighter with every further cell of the arm.
func cellColour(run *result.Run, c *result.Cell) shade {
	count, index := 0, 0
	for i := range run.Cells {
		if run.Cells[i].Arm != c.Arm {
			continue
		}
		if &run.Cells[i] == c {
			index = count
		}
		count++
	}
	palette := armColours()
	return tint(palette[colours(run)[c.Arm]%len(palette)], 0.55*float64(index)/float64(max(count, 2)))
}

// rates are the messages per second of the trials.
func rates(trials []*result.Trial) []float64 {
	var all []float64
	for _, t := range trials {
		all = append(all, t.Throughput.PipelinePerSecond)
	}
	return all
}

// anyTrial reports whether one of the run's completed trials of the scenario is such.
func anyTrial(run *result.Run, scenario string, is func(*result.Trial) bool) bool {
	for i := range run.Cells {
		if slices.ContainsFunc(completed(&run.Cells[i], scenario), is) {
			return true
		}
	}
	return false
}

// anyJudged is anyTrial of the inconclusive trials too that have a verdict.
func anyJudged(run *result.Run, scenario string, is func(*result.Trial) bool) bool {
	for i := range run.Cells {
		if slices.ContainsFunc(judgedTrials(&run.Cells[i], scenario), is) {
			return true
		}
	}
	return false
}

func limited(t *result.Trial) bool { return t.Generator.Limited }

func closedLoop(t *result.Trial) bool { return t.Generator.Closed }

// setting is what a dotted setting was in a scenario, when it was the same in
// all its completed trials; "" when not.
func setting(run *result.Run, scenario, name string) string {
	value := ""
	for i := range run.Cells {
		c := &run.Cells[i]
		for _, t := range completed(c, scenario) {
			is, ok := t.Settings[name]
			if !ok {
				is = c.Settings[name]
			}
			if value != "" && is != value {
				return ""
			}
			value = is
		}
	}
	return value
}

// load describes a scenario's load, as far as all its trials share it:
// "20000/s, 256B messages, 3 partitions".
func load(run *result.Run, scenario string) string {
	var parts []string
	if rate := setting(run, scenario, "load.rate"); rate != "" {
		if rate == "max" {
			rate = "as fast as the client takes them (closed loop)"
		}
		parts = append(parts, "load "+rate)
	}
	if size := setting(run, scenario, "load.message.size"); size != "" {
		parts = append(parts, "messages of "+size)
	}
	if n, err := strconv.Atoi(setting(run, scenario, "topic.partitions")); err == nil {
		parts = append(parts, stats.Plural(n, "partition"))
	}
	return strings.Join(parts, ", ")
}

// repeats says how many repeats the cells have: "6 repeats", "3 to 6 repeats".
func repeats(run *result.Run, scenario string) string {
	var counts []int
	for i := range run.Cells {
		if n := len(completed(&run.Cells[i], scenario)); n > 0 {
			counts = append(counts, n)
		}
	}
	return repeatsOf(counts)
}

// repeatsOf words how many there are of each; "" of nothing.
func repeatsOf(counts []int) string {
	if len(counts) == 0 {
		return ""
	}
	least, most := slices.Min(counts), slices.Max(counts)
	if least == most {
		return stats.Plural(least, "repeat")
	}
	return fmt.Sprintf("%d to %d repeats", least, most)
}

// sentence joins what is not empty: "a; b; c".
func sentence(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// significant is the largest difference to the baseline that can stand in a
// headline. Because it is picked from several, its p-value has to hold for all
// of them together (Bonferroni): a chart of 24 cells would otherwise have a
// headline by chance. nil when there is none.
func significant(compared map[*result.Cell]stats.Comparison, order []*result.Cell) *result.Cell {
	var most *result.Cell
	for _, c := range order {
		cmp, ok := compared[c]
		if !ok || !cmp.Significant || cmp.P*float64(len(compared)) >= 1-stats.Confidence || cmp.Ratio <= 0 {
			continue
		}
		if most == nil || farther(cmp.Ratio, compared[most].Ratio) {
			most = c
		}
	}
	return most
}

// farther reports whether the ratio a is farther from 1 than b.
func farther(a, b float64) bool { return max(a, 1/a) > max(b, 1/b) }

// label names a cell briefly: its arm and, without the settings' prefixes,
// what the matrix made of it ("exactly-once (size=1KiB)").
func label(c *result.Cell) string {
	var settings []string
	axes := slices.Sorted(maps.Keys(c.Matrix))
	for _, name := range axes {
		settings = append(settings, result.ShortSetting(name, axes)+"="+c.Matrix[name])
	}
	if len(settings) == 0 {
		return c.Arm
	}
	return c.Arm + " (" + strings.Join(settings, ", ") + ")"
}

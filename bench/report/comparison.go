package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"deliverybench/bench/comparison"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// Comparison writes two runs side by side: what differs in their conditions
// first, since numbers under other conditions compare these; then the numbers, a
// table for each scenario; then what the gates found. The error is the writer's.
func Comparison(w io.Writer, c *comparison.Comparison, judged []comparison.Judged, o Options) error {
	if o.Width == 0 {
		o.Width = defaultWidth
	}
	p := &printer{w: bufio.NewWriter(w), Options: o}
	p.Width = max(p.Width, leastWidth)
	p.line("base: "+runLine(c.Base), "")
	p.line("run:  "+runLine(c.Run), "")
	p.blank()
	p.conditions(c)
	for _, scenario := range scenariosOf(c) {
		p.blank()
		p.changes(c, scenario)
	}
	p.blank()
	p.differingSettings(c)
	p.alone(c)
	p.line(howCompared(c), "")
	for _, j := range judged {
		p.judged(j)
	}
	p.line(comparedVerdict(c, judged), comparedColor(c, judged))
	return p.w.Flush()
}

func runLine(run *result.Run) string {
	text := plain(run.Run.ID)
	if run.Run.Interrupted || run.Run.Unfinished != "" {
		text += " (not finished)"
	}
	return text
}

// sameRun are the conditions that differ between any two runs and mean nothing.
var sameRun = []string{"Run", "Started", "Seed", "Profile"}

func (p *printer) conditions(c *comparison.Comparison) {
	before, after := conditions(c.Base), conditions(c.Run)
	value := func(list []condition, name string) string {
		if at := slices.IndexFunc(list, func(c condition) bool { return c.Name == name }); at >= 0 {
			return list[at].Value
		}
		return stats.None
	}
	name, was, is := column{left: true}, column{header: "base", left: true}, column{header: "run", left: true}
	for _, one := range slices.Concat(after, before) {
		a, b := value(before, one.Name), value(after, one.Name)
		if a == b || slices.Contains(sameRun, one.Name) || slices.Contains(name.cells, one.Name) {
			continue
		}
		if one.Name == "SHA-256 of the profile" {
			a, b = truncate(a, 12), truncate(b, 12)
		}
		name.cells, was.cells, is.cells = append(name.cells, one.Name), append(was.cells, a), append(is.cells, b)
	}
	if len(name.cells) == 0 {
		p.line("The conditions are the same: "+c.Run.Environment.Broker.Description()+"; "+machineText(c.Run.Environment)+".", "")
		return
	}
	p.line("Conditions that differ:", yellow)
	for i := range name.cells {
		p.line(fmt.Sprintf("  %s: %s → %s", name.cells[i], was.cells[i], is.cells[i]), yellow)
	}
}

// scenariosOf are those of the rows, in the run's order.
func scenariosOf(c *comparison.Comparison) []string {
	var out []string
	for _, r := range c.Rows {
		if !slices.Contains(out, r.Scenario) {
			out = append(out, r.Scenario)
		}
	}
	return out
}

func (p *printer) changes(c *comparison.Comparison, scenario string) {
	cell, metric := column{header: scenario, left: true}, column{left: true}
	base, run := column{header: "base"}, column{header: "run"}
	ratio, interval, finding := column{header: "×"}, column{header: "95 % CI"}, column{left: true}
	for _, r := range c.Rows {
		if r.Scenario != scenario {
			continue
		}
		name := plain(r.Cell)
		if r.BaseCell != r.Cell {
			name += " (base: " + plain(r.BaseCell) + ")"
		}
		for _, change := range r.Changes {
			was, is := change.Sides()
			cell.cells, metric.cells = append(cell.cells, name), append(metric.cells, change.Metric)
			base.cells, run.cells = append(base.cells, was), append(run.cells, is)
			times, around := ratioTexts(change)
			ratio.cells, interval.cells = append(ratio.cells, times), append(interval.cells, around)
			finding.cells = append(finding.cells, findingText(change))
			name = ""
		}
	}
	columns := []column{cell, metric, base, run, ratio, interval, finding}
	widths := columnWidths(columns)
	if over := span(widths) - p.Width; over > 0 { // the name gives way
		widths[0] = max(8, widths[0]-over)
		for i, text := range cell.cells {
			columns[0].cells[i] = truncate(text, widths[0])
		}
	}
	p.w.WriteString(p.rows(columns, widths) + "\n")
}

// findingText says what a change comes to, and of counts what that rests on.
func findingText(c comparison.Change) string {
	if c.Basis == "" {
		return string(c.Finding)
	}
	return string(c.Finding) + ", " + string(c.Basis)
}

func ratioTexts(c comparison.Change) (ratio, interval string) {
	if !c.Ratio.HasRatio {
		return "", ""
	}
	ratio = stats.Ratio(c.Ratio.Ratio)
	if c.Ratio.HasInterval {
		interval = stats.Between(stats.Ratio(c.Ratio.Lo), stats.Ratio(c.Ratio.Hi))
	}
	return ratio, interval
}

func (p *printer) differingSettings(c *comparison.Comparison) {
	told := map[string]bool{}
	for _, r := range c.Rows {
		for _, s := range r.Settings {
			line := fmt.Sprintf("! %s: %s is %s, was %s", plain(r.Cell), s.Name, orUnset(s.Run), orUnset(s.Base))
			if !told[line] {
				p.line(line, yellow)
			}
			told[line] = true
		}
	}
}

func orUnset(value string) string {
	if value = plain(value); value == "" {
		return "not set"
	}
	return value
}

func (p *printer) alone(c *comparison.Comparison) {
	for _, a := range c.Alone {
		line := fmt.Sprintf("! %s has numbers of %s in %s", a.Has, plain(a.Cell), plain(a.Scenario))
		if a.Reason != "" {
			line += " (" + plain(a.Reason) + ")"
		}
		p.line(line, yellow)
	}
}

// howCompared says how the numbers were made.
func howCompared(c *comparison.Comparison) string {
	text := "Medians of the repeats, of counts all that came out; ×: run ÷ base. Better and worse: more than the noise between repeats (Mann-Whitney U test; "
	if text += "at most 5 % of the differences told are expected to be chance"; c.Tests > 1 {
		text += fmt.Sprintf(", by Benjamini and Hochberg over %d tests", c.Tests)
	}
	if c.Count(comparison.Chance) > 0 {
		text += "; may be chance: would be a difference if it were the only test"
	}
	text += ")."
	if rests(c, comparison.Exact) {
		text += " Exact: a count as predicted to the message, or the same in every repeat of either side."
	}
	if rests(c, comparison.Broken) {
		text += " Promise broken: what the base has none of breaks the run's guarantee, which is never noise."
	}
	if c.Count(comparison.TooFew) > 0 {
		text += fmt.Sprintf(" Too few repeats: no test could find a difference; set repeats: %d.", stats.IntervalSamples)
	}
	return text
}

// rests reports whether a difference rests on this.
func rests(c *comparison.Comparison, on comparison.Basis) bool {
	return slices.ContainsFunc(c.Rows, func(r comparison.Row) bool {
		return slices.ContainsFunc(r.Changes, func(c comparison.Change) bool { return c.Basis == on })
	})
}

func (p *printer) judged(j comparison.Judged) {
	mark, color := "✓", ""
	switch j.Outcome {
	case comparison.Failed:
		mark, color = "✗", red
	case comparison.Inconclusive:
		mark, color = "?", yellow
	}
	where := ""
	if j.Where != "" {
		where = plain(j.Where) + ": "
	}
	p.line(fmt.Sprintf("%s fail if %s: %s%s", mark, j.Gate, where, plain(j.Found)), color)
}

// comparedVerdict is the last line.
func comparedVerdict(c *comparison.Comparison, judged []comparison.Judged) string {
	var parts []string
	for _, f := range []comparison.Finding{comparison.Worse, comparison.Better, comparison.Chance, comparison.Same, comparison.TooFew} {
		if n := c.Count(f); n > 0 {
			parts = append(parts, stats.Count(int64(n))+" "+string(f))
		}
	}
	text := "Nothing to compare: the runs have no cell in common."
	if len(parts) > 0 {
		text = strings.Join(parts, ", ") + "."
	}
	if len(judged) == 0 {
		return text
	}
	return text + " " + gatesText(judged)
}

func gatesText(judged []comparison.Judged) string {
	n := map[comparison.Outcome]int{}
	for _, j := range judged {
		n[j.Outcome]++
	}
	switch {
	case n[comparison.Failed] > 0:
		return fmt.Sprintf("Gates: %d failed, %d inconclusive, %d passed.", n[comparison.Failed], n[comparison.Inconclusive], n[comparison.Passed])
	case n[comparison.Inconclusive] > 0:
		return fmt.Sprintf("Gates: %d inconclusive, %d passed.", n[comparison.Inconclusive], n[comparison.Passed])
	}
	return fmt.Sprintf("Gates: all %d passed.", len(judged))
}

func comparedColor(c *comparison.Comparison, judged []comparison.Judged) string {
	failed := func(j comparison.Judged) bool { return j.Outcome == comparison.Failed }
	unsure := func(j comparison.Judged) bool { return j.Outcome == comparison.Inconclusive }
	switch {
	case slices.ContainsFunc(judged, failed):
		return red
	case slices.ContainsFunc(judged, unsure), len(judged) == 0 && c.Count(comparison.Worse) > 0:
		return yellow
	}
	return green
}

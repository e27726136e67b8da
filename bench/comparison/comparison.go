package comparison

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"deliverybench/bench/claim"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// Comparison is a run beside an earlier one, its base.
type Comparison struct {
	Base, Run *result.Run
	Rows      []Row
	// Alone are the cells in scenarios that have numbers in one run only, or in none.
	Alone []Alone
	// Tests is how many metrics were compared by a test; at most 5 % of the differences
	// that are told of are expected to be noise (stats.Discoveries).
	Tests int
}

// Row is one cell in one scenario, which both runs have.
type Row struct {
	Cell, Scenario string
	// BaseCell is what the base calls the cell.
	BaseCell string
	// Settings are those that differ though the cell bears the same name.
	Settings []Setting
	Changes  []Change

	before, after []*result.Trial // completed
	// unsettled are the run's trials that came to no verdict, with what they prove all
	// the same; short says how many there are on either side, "" for none.
	unsettled []*result.Trial
	short     string
}

// Setting is one that differs; "" is not set.
type Setting struct{ Name, Base, Run string }

// Alone is a cell in a scenario that cannot be compared.
type Alone struct {
	Cell, Scenario string
	Has            Side
	Reason         string // why a run has no numbers; "" where it has no such cell
	// Omitted says that neither run was to have any: there is nothing to judge.
	Omitted bool
}

// Side says which runs have numbers.
type Side string

const (
	OnlyBase Side = "only the base"
	OnlyRun  Side = "only the run"
	Neither  Side = "neither run"
)

// Compare lines up the cells of two runs: those with the same settings, or else
// the same name.
func Compare(base, run *result.Run) *Comparison {
	c := &Comparison{Base: base, Run: run}
	partners := pair(base, run)
	matched := map[*result.Cell]bool{}
	for i := range run.Cells {
		cell := &run.Cells[i]
		was := partners[cell]
		if was == nil {
			c.alone(cell, nil, run, OnlyRun)
			continue
		}
		matched[was] = true
		c.rows(was, cell)
	}
	for i := range base.Cells {
		if cell := &base.Cells[i]; !matched[cell] {
			c.alone(cell, nil, base, OnlyBase)
		}
	}
	c.discount()
	return c
}

// discount takes back findings that so many comparisons would bring forth by chance.
// Tests that could find nothing are none.
func (c *Comparison) discount() {
	var tested []*Change
	var ps []float64
	for i := range c.Rows {
		for j := range c.Rows[i].Changes {
			if change := &c.Rows[i].Changes[j]; !change.Counted && change.Ratio.Missing == 0 && change.Ratio.Ratio > 0 {
				tested, ps = append(tested, change), append(ps, change.Ratio.P)
			}
		}
	}
	c.Tests = len(tested)
	for i, found := range stats.Discoveries(ps, 1-stats.Confidence) {
		if change := tested[i]; !found && change.Finding != Same {
			change.Finding = Chance
		}
	}
}

// pair finds each cell's partner in the base.
func pair(base, run *result.Run) map[*result.Cell]*result.Cell {
	partners, taken := map[*result.Cell]*result.Cell{}, map[*result.Cell]bool{}
	for _, same := range []func(a, b *result.Cell) bool{
		func(a, b *result.Cell) bool { return a.Name == b.Name && maps.Equal(a.Settings, b.Settings) },
		func(a, b *result.Cell) bool { return len(a.Settings) > 0 && maps.Equal(a.Settings, b.Settings) },
		func(a, b *result.Cell) bool { return a.Name == b.Name },
	} {
		for i := range run.Cells {
			cell := &run.Cells[i]
			for j := range base.Cells {
				if was := &base.Cells[j]; partners[cell] == nil && !taken[was] && same(was, cell) {
					partners[cell], taken[was] = was, true
				}
			}
		}
	}
	return partners
}

// rows adds the scenarios of a pair.
func (c *Comparison) rows(was, cell *result.Cell) {
	for _, scenario := range cell.Scenarios(c.Run) {
		before, after := was.Completed(scenario), cell.Completed(scenario)
		switch {
		case len(before) > 0 && len(after) > 0:
			c.Rows = append(c.Rows, Row{
				Cell: cell.Name, BaseCell: was.Name, Scenario: scenario,
				Settings: settings(was, cell, before[0], after[0]), Changes: changes(before, after),
				before: before, after: after, unsettled: unsettled(cell, scenario),
				short: cmp.Or(short("the run", cell, scenario), short("the base", was, scenario)),
			})
		case len(after) > 0:
			c.Alone = append(c.Alone, Alone{Cell: cell.Name, Scenario: scenario, Has: OnlyRun, Reason: why(was, scenario)})
		case len(before) > 0:
			c.Alone = append(c.Alone, Alone{Cell: was.Name, Scenario: scenario, Has: OnlyBase, Reason: why(cell, scenario)})
		default:
			c.Alone = append(c.Alone, Alone{
				Cell: cell.Name, Scenario: scenario, Has: Neither, Reason: why(cell, scenario),
				Omitted: len(unsettled(was, scenario))+len(unsettled(cell, scenario)) == 0,
			})
		}
	}
	c.alone(was, cell, c.Base, OnlyBase)
}

// unsettled are the trials that are neither completed nor were to be left out.
func unsettled(c *result.Cell, scenario string) []*result.Trial {
	return slices.DeleteFunc(c.InScenario(scenario), func(t *result.Trial) bool {
		return t.Status == result.Omitted || t.Status == result.Completed && t.Verdict != nil
	})
}

// short says how many of the planned trials have no numbers, "" for none.
func short(whose string, c *result.Cell, scenario string) string {
	completed := len(c.Completed(scenario))
	planned := max(c.Planned[scenario], completed+len(unsettled(c, scenario)))
	if completed == planned {
		return ""
	}
	return fmt.Sprintf("%d of %d trials of %s have no verdict", planned-completed, planned, whose)
}

// alone adds the scenarios of a cell that its partner, nil where there is none,
// has no trials in.
func (c *Comparison) alone(cell, partner *result.Cell, of *result.Run, has Side) {
	for _, scenario := range cell.Scenarios(of) {
		if len(cell.Completed(scenario)) == 0 || partner != nil && len(partner.InScenario(scenario)) > 0 {
			continue
		}
		c.Alone = append(c.Alone, Alone{Cell: cell.Name, Scenario: scenario, Has: has})
	}
}

// why a cell has no numbers in a scenario.
func why(cell *result.Cell, scenario string) string {
	for _, t := range cell.InScenario(scenario) {
		if t.Reason != "" {
			return string(t.Status) + ": " + t.Reason
		}
	}
	return cell.Omitted
}

// settings are those in which a pair differs in a scenario.
func settings(was, cell *result.Cell, before, after *result.Trial) []Setting {
	all := func(c *result.Cell, t *result.Trial) map[string]string {
		out := maps.Clone(c.Settings)
		if out == nil {
			out = map[string]string{}
		}
		maps.Copy(out, t.Settings)
		return out
	}
	a, b := all(was, before), all(cell, after)
	var out []Setting
	for _, name := range slices.Sorted(maps.Keys(union(a, b))) {
		if a[name] != b[name] {
			out = append(out, Setting{name, a[name], b[name]})
		}
	}
	return out
}

func union(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// Finding is what a change comes to.
type Finding string

const (
	// Same is no difference beyond the noise between repeats.
	Same Finding = "no difference detected"
	// Chance is a difference that would be one by itself, but may be chance among so
	// many that were looked for.
	Chance Finding = "may be chance"
	// Better and Worse are differences that are more than the noise.
	Better Finding = "better"
	Worse  Finding = "worse"
	// TooFew is too few repeats for any difference to be found.
	TooFew Finding = "too few repeats"
)

// Change is one metric of a row in both runs.
type Change struct {
	Metric string
	// Counted metrics are exact in every trial; others are compared by medians.
	Counted   bool
	Base, Run []float64 // of every trial, in the metric's unit
	// Ratio is the run's median ÷ the base's, with its interval; of counted metrics it says nothing.
	Ratio   stats.Comparison
	Finding Finding
}

// shown are the metrics of a comparison, where trials have them. Latencies of a
// closed loop are left out: they are the client's queue.
var (
	speeds  = []string{"pipeline_per_second", "backlog.drained_per_second", "database.commits_per_second"}
	delays  = []string{"end_to_end.p50", "end_to_end.p99", "end_to_end.p999", "durable.p99"}
	produce = []string{"ack.p50", "ack.p99", "ack.p999"}
	counted = []string{
		"lost", "duplicates", "aborted_delivered", "reordered", "corrupt", "multiple_effects", "undrained", "dead_lettered",
		"database.lost", "database.duplicates", "database.difference_cents", "database.wrong_status",
		"database.rows_without_message", "database.messages_without_row",
	}
)

// changes are the metrics that both sides have: counts where either is not 0, and
// losses and duplicates always.
func changes(before, after []*result.Trial) []Change {
	names := slices.Clone(speeds)
	if !closed(before) && !closed(after) {
		latencies := delays
		if _, _, ok := values(before, after, delays[0]); !ok {
			latencies = produce
		}
		names = append(names, latencies...)
	}
	var out []Change
	for _, name := range append(names, counted...) {
		if c, ok := change(before, after, name); ok && (!c.Counted || c.some() || name == "lost" || name == "duplicates") {
			out = append(out, c)
		}
	}
	return out
}

func closed(trials []*result.Trial) bool {
	return slices.ContainsFunc(trials, func(t *result.Trial) bool { return t.Generator.Closed })
}

// values are a metric's in all trials; ok is false where one has none.
func values(before, after []*result.Trial, metric string) (a, b []float64, ok bool) {
	a, b = read(before, metric), read(after, metric)
	return a, b, len(a) == len(before) && len(b) == len(after)
}

// read are a metric's values of the trials that have it.
func read(trials []*result.Trial, metric string) (out []float64) {
	for _, t := range trials {
		if v, has := claim.Read(t, metric); has {
			out = append(out, v)
		}
	}
	return out
}

func change(before, after []*result.Trial, metric string) (Change, bool) {
	a, b, ok := values(before, after, metric)
	if !ok {
		return Change{}, false
	}
	c := Change{Metric: metric, Base: a, Run: b, Finding: Same}
	if c.Counted = claim.Counted(metric); c.Counted {
		c.Finding = countFinding(a, b)
		return c, true
	}
	c.Ratio = stats.Compare(b, a)
	switch {
	case c.Ratio.Significant && (c.Ratio.Ratio > 1) == claim.MoreIsBetter(metric):
		c.Finding = Better
	case c.Ratio.Significant:
		c.Finding = Worse
	case c.Ratio.Missing > 0:
		c.Finding = TooFew
	}
	return c, true
}

// countFinding tells counts apart that differ in every trial, by how far they are from 0.
func countFinding(a, b []float64) Finding {
	switch as, bs := sizes(a), sizes(b); {
	case slices.Min(bs) > slices.Max(as):
		return Worse
	case slices.Max(bs) < slices.Min(as):
		return Better
	}
	return Same
}

func sizes(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = max(v, -v)
	}
	return out
}

func (c Change) some() bool {
	return slices.ContainsFunc(slices.Concat(c.Base, c.Run), func(v float64) bool { return v != 0 })
}

// Sides writes both sides: the medians, and of counts the least and the most.
func (c Change) Sides() (base, run string) {
	return c.side(c.Base), c.side(c.Run)
}

func (c Change) side(values []float64) string {
	if c.Counted {
		return stats.Between(claim.Text(c.Metric, slices.Min(values)), claim.Text(c.Metric, slices.Max(values)))
	}
	return claim.Text(c.Metric, claim.Median(c.Metric, values))
}

// Count is how many changes of all rows have the finding.
func (c *Comparison) Count(f Finding) int {
	n := 0
	for _, r := range c.Rows {
		for _, change := range r.Changes {
			if change.Finding == f {
				n++
			}
		}
	}
	return n
}

// Name is how a row is called where it stands alone.
func (r Row) Name() string { return cmp.Or(r.Cell, r.BaseCell) + " in " + r.Scenario }

package comparison

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"deliverybench/bench/profile"
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

	defaults map[string]string
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
	c := &Comparison{Base: base, Run: run, defaults: profile.Defaults().Dotted()}
	partners := c.pair()
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
			if change := &c.Rows[i].Changes[j]; change.Ratio.Tested {
				tested, ps = append(tested, change), append(ps, change.Ratio.P)
			}
		}
	}
	c.Tests = len(tested)
	for i, found := range stats.Discoveries(ps, 1-stats.Confidence) {
		if change := tested[i]; !found && (change.Finding == Better || change.Finding == Worse) {
			change.Finding, change.Basis = Chance, ""
		}
	}
}

// pair finds each cell's partner in the base.
func (c *Comparison) pair() map[*result.Cell]*result.Cell {
	partners, taken := map[*result.Cell]*result.Cell{}, map[*result.Cell]bool{}
	settings := map[*result.Cell]map[string]string{}
	for _, run := range []*result.Run{c.Base, c.Run} {
		for i := range run.Cells {
			settings[&run.Cells[i]] = c.settings(&run.Cells[i], nil)
		}
	}
	alike := func(a, b *result.Cell) bool { return maps.Equal(settings[a], settings[b]) }
	for _, same := range []func(a, b *result.Cell) bool{
		func(a, b *result.Cell) bool { return a.Name == b.Name && alike(a, b) },
		func(a, b *result.Cell) bool { return len(a.Settings) > 0 && len(b.Settings) > 0 && alike(a, b) },
		func(a, b *result.Cell) bool { return a.Name == b.Name },
	} {
		for i := range c.Run.Cells {
			cell := &c.Run.Cells[i]
			for j := range c.Base.Cells {
				if was := &c.Base.Cells[j]; partners[cell] == nil && !taken[was] && same(was, cell) {
					partners[cell], taken[was] = was, true
				}
			}
		}
	}
	return partners
}

// settings are a cell's, and of a trial where there is one its scenario's. What the
// program that saved the run did not know yet is at its default: that is how it did
// without.
func (c *Comparison) settings(cell *result.Cell, t *result.Trial) map[string]string {
	out := maps.Clone(c.defaults)
	maps.Copy(out, cell.Settings)
	if t != nil {
		maps.Copy(out, t.Settings)
	}
	return out
}

// guarantee is what a cell promises in a trial's scenario.
func guarantee(c *result.Cell, t *result.Trial) profile.Guarantee {
	return profile.Guarantee(cmp.Or(t.Settings["guarantee"], c.Settings["guarantee"], c.Guarantee))
}

// rows adds the scenarios of a pair.
func (c *Comparison) rows(was, cell *result.Cell) {
	for _, scenario := range cell.Scenarios(c.Run) {
		before, after := was.Completed(scenario), cell.Completed(scenario)
		switch {
		case len(before) > 0 && len(after) > 0:
			c.Rows = append(c.Rows, Row{
				Cell: cell.Name, BaseCell: was.Name, Scenario: scenario,
				Settings: differing(c.settings(was, before[0]), c.settings(cell, after[0])),
				Changes:  pairOf{before, after, guarantee(cell, after[0])}.changes(),
				before:   before, after: after, unsettled: unsettled(cell, scenario),
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

// differing are the settings in which two differ.
func differing(a, b map[string]string) []Setting {
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

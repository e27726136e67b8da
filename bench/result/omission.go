package result

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Omission is a reason for which something was not run, with everything that
// it is the reason for.
type Omission struct {
	Reason string
	// What is the omitted in few words: "acks=1 (20 cells)", "leader/crash".
	What string
	// Names are all of it: cells, and scenarios of cells as "cell/scenario".
	Names []string
}

// Omissions lists what of the run was omitted and is wanted (nil wants all),
// each reason once, in the order of the cells. A cell that was omitted whole
// has the scenario "".
func Omissions(run *Run, wanted func(c *Cell, scenario string) bool) []Omission {
	var all []*omitted
	add := func(reason string, c *Cell, scenario string) {
		if wanted != nil && !wanted(c, scenario) {
			return
		}
		at := slices.IndexFunc(all, func(o *omitted) bool { return o.reason == reason })
		if at < 0 {
			at, all = len(all), append(all, &omitted{reason: reason, cells: map[string][]*Cell{}})
		}
		all[at].add(c, scenario)
	}
	for i := range run.Cells {
		c := &run.Cells[i]
		if c.Omitted != "" {
			add(c.Omitted, c, "")
			continue
		}
		for _, scenario := range c.Scenarios(run) {
			for _, t := range c.InScenario(scenario) {
				if t.Status == Omitted {
					add(t.Reason, c, scenario)
				}
			}
		}
	}
	var out []Omission
	for _, o := range all {
		out = append(out, Omission{Reason: o.reason, What: o.inShort(run), Names: o.names()})
	}
	return out
}

// omitted is an Omission in the making: the cells by scenario, in order.
type omitted struct {
	reason    string
	scenarios []string
	cells     map[string][]*Cell
}

func (o *omitted) add(c *Cell, scenario string) {
	switch {
	case slices.Contains(o.scenarios, scenario):
	case scenario == "": // what is left out whole is told first
		o.scenarios = slices.Insert(o.scenarios, 0, scenario)
	default:
		o.scenarios = append(o.scenarios, scenario)
	}
	if !slices.Contains(o.cells[scenario], c) { // of several repeats once
		o.cells[scenario] = append(o.cells[scenario], c)
	}
}

func (o *omitted) names() []string {
	var names []string
	for _, scenario := range o.scenarios {
		for _, c := range o.cells[scenario] {
			names = append(names, strings.TrimSuffix(c.Name+"/"+scenario, "/"))
		}
	}
	return names
}

// inShort tells scenarios that lack the same cells together.
func (o *omitted) inShort(run *Run) string {
	var parts []string
	told := map[string]bool{}
	for i, scenario := range o.scenarios {
		if told[scenario] {
			continue
		}
		var same []string
		for _, other := range o.scenarios[i:] {
			if slices.Equal(o.cells[scenario], o.cells[other]) {
				same, told[other] = append(same, other), true
			}
		}
		parts = append(parts, few(run, strings.Join(same, " and "), o.cells[scenario]))
	}
	return strings.Join(parts, "; ")
}

// few names the cells of a scenario; "" is of all their scenarios.
func few(run *Run, scenario string, cells []*Cell) string {
	others := 0 // not left out whole
	for _, c := range run.Cells {
		if c.Omitted == "" {
			others++
		}
	}
	switch {
	case len(cells) == 1 && scenario != "":
		return cells[0].Name + "/" + scenario
	case len(cells) == 1:
		return cells[0].Name
	case len(cells) == len(run.Cells) && scenario != "":
		return scenario + " (every cell)"
	case len(cells) == len(run.Cells):
		return fmt.Sprintf("every cell (%d)", len(cells))
	case len(cells) == others && scenario != "":
		return scenario + " (every other cell)"
	case scenario != "":
		return scenario + " of " + inCommon(run, cells)
	}
	return inCommon(run, cells)
}

// listed is how many cells are named where they have nothing in common.
const listed = 3

// inCommon names cells by the arm or the settings that they and no others have,
// else that they have and no cell that ran.
func inCommon(run *Run, cells []*Cell) string {
	shared := traits(cells[0])
	for _, c := range cells[1:] {
		its := traits(c)
		shared = slices.DeleteFunc(shared, func(t string) bool { return !slices.Contains(its, t) })
	}
	var candidates [][]string
	for _, t := range shared {
		candidates = append(candidates, []string{t})
	}
	candidates = append(candidates, shared)
	for _, omittedToo := range []bool{false, true} {
		for _, candidate := range candidates {
			others := func(c Cell) bool {
				its := traits(&c)
				lacks := slices.ContainsFunc(candidate, func(t string) bool { return !slices.Contains(its, t) })
				among := slices.ContainsFunc(cells, func(of *Cell) bool { return of.Name == c.Name })
				return !lacks && !among && !(omittedToo && c.Omitted != "")
			}
			if len(candidate) > 0 && !slices.ContainsFunc(run.Cells, others) {
				return fmt.Sprintf("%s (%d cells)", strings.Join(candidate, ", "), len(cells))
			}
		}
	}
	var names []string
	for _, c := range cells[:min(listed, len(cells))] {
		names = append(names, c.Name)
	}
	text := strings.Join(names, ", ")
	if more := len(cells) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// traits are a cell's arm and what the matrix made of it: "acks=1".
func traits(c *Cell) []string {
	all := []string{c.Arm}
	axes := slices.Sorted(maps.Keys(c.Matrix))
	for _, name := range axes {
		all = append(all, ShortSetting(name, axes)+"="+c.Matrix[name])
	}
	return all
}

// ShortSetting returns the shortest dotted end of a setting's name that no other
// of names has: "commit.every" beside "transaction.every".
func ShortSetting(name string, names []string) string {
	parts := strings.Split(name, ".")
	for i := len(parts) - 1; i > 0; i-- {
		end := strings.Join(parts[i:], ".")
		if !slices.ContainsFunc(names, func(n string) bool { return n != name && strings.HasSuffix("."+n, "."+end) }) {
			return end
		}
	}
	return name
}

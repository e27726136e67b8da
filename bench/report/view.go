package report

import (
	"maps"
	"math"
	"slices"
	"strings"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// view is a run as it is shown: rows of cells, groups of columns.
type view struct {
	run    *result.Run
	cells  []*result.Cell // the rows: every cell that was not omitted
	labels []column       // what names a row: the arm, then the varied settings
	groups []group
	all    *column // the promise over all the row's trials; nil is not shown
	pooled bool    // latencies are over all repeats together, not the repeats' median
}

// group is one scenario's columns.
type group struct {
	scenario string
	fault    string // of a group about the recovery from it
	kind     kind
	title    string
	short    string // the scenario alone, when there is little room
	role     string // the latency shown, a result role
	service  string // its service time
	repeats  []int  // completed trials per row that has any
	columns  []column
	trials   [][]*result.Trial // per row, all statuses
	widened  int               // the width that the layout gave it; 0 is its columns'
}

// column is one column, a text per row.
type column struct {
	header string
	cells  []string
	values []float64 // what the cells were rounded from, NaN where there is nothing; of columns of numbers
	left   bool      // aligned left: names; numbers are aligned right
	timed  bool      // a late load makes its numbers worse: speeds and latencies, not counts
	traced bool      // told by trials, to which a page leads
}

// add appends a cell and the number that its text tells.
func (c *column) add(text string, value float64) {
	c.cells, c.values = append(c.cells, text), append(c.values, value)
}

// none appends a cell without a number.
func (c *column) none() { c.add(stats.None, math.NaN()) }

// kind is what a scenario shows, decided by what happened in it.
type kind int

const (
	paced      kind = iota // an open loop: latency
	closed                 // a closed loop: speed
	faulted                // something went wrong on purpose: lost and duplicated
	recovering             // how soon brokers and clients got over it
)

// newView lays a run out. It only reads the run.
func newView(run *result.Run) *view {
	v := &view{run: run}
	for i := range run.Cells {
		if run.Cells[i].Omitted == "" {
			v.cells = append(v.cells, &run.Cells[i])
		}
	}
	v.labels, v.pooled = v.labelColumns(), v.allPooled()
	for _, scenario := range v.scenarios() {
		if run.Capacity != nil {
			break // its rungs are no columns: capacity.go shows them
		}
		if g, any := v.group(scenario); any {
			v.groups = append(v.groups, g)
		}
	}
	v.all = &column{header: "promise", left: true}
	for _, c := range v.cells {
		v.all.cells = append(v.all.cells, promiseText(c))
	}
	return v
}

// allPooled is false when one of the latencies is not pooled: a table does not
// mix two ways to make a number.
func (v *view) allPooled() bool {
	for _, c := range v.cells {
		for _, s := range c.Scenarios(v.run) {
			for _, t := range c.Completed(s) {
				if len(t.Latency) > 0 && c.Latency[s] == nil {
					return false
				}
			}
		}
	}
	return true
}

func (v *view) scenarios() []string {
	names := slices.Clone(v.run.Run.Scenarios)
	for _, c := range v.cells {
		for _, s := range c.Scenarios(v.run) {
			if !slices.Contains(names, s) {
				names = append(names, s)
			}
		}
	}
	return names
}

// labelColumns names the rows. With a matrix each varied setting has a column
// of its own, headed by the end of its name that tells it from the others.
func (v *view) labelColumns() []column {
	axes := map[string]bool{}
	arms := map[string]bool{}
	for _, c := range v.cells {
		arms[c.Arm] = true
		for name := range c.Matrix {
			axes[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(axes))
	arm := column{left: true}
	for _, c := range v.cells {
		name := c.Arm
		if len(names) == 0 {
			name = c.Name
		}
		arm.cells = append(arm.cells, plain(name))
	}
	if len(names) == 0 {
		return []column{arm}
	}
	var columns []column
	if arm.header = "arm"; len(arms) > 1 {
		columns = append(columns, arm)
	}
	for _, name := range names {
		col := column{header: plain(result.ShortSetting(name, names)), left: true}
		for _, c := range v.cells {
			col.cells = append(col.cells, plain(c.Matrix[name]))
		}
		columns = append(columns, col)
	}
	return columns
}

// group lays out one scenario; any is false when no cell ran a trial of it.
func (v *view) group(scenario string) (g group, any bool) {
	var rows [][]*result.Trial
	for _, c := range v.cells {
		trials := c.InScenario(scenario)
		rows = append(rows, trials)
		any = any || slices.ContainsFunc(trials, func(t *result.Trial) bool { return t.Status != result.Omitted })
	}
	if !any {
		return group{}, false
	}
	return v.lay(scenario, rows), true
}

// lay makes the columns of a scenario from the trials of each row.
func (v *view) lay(scenario string, rows [][]*result.Trial) group {
	g := group{scenario: scenario, trials: rows}
	for _, trials := range rows {
		if n := len(completed(trials)); n > 0 {
			g.repeats = append(g.repeats, n)
		}
	}
	g.kind = v.kindOf(g)
	g.role, g.service = roles(g.trials)
	g.title, g.short = v.titles(g)
	switch g.kind {
	case closed:
		g.columns = v.speedColumns(g)
	case paced:
		g.columns = v.latencyColumns(g)
	}
	g.columns = append(g.columns, countColumns(g, verdictCounts()...)...)
	if g.kind == faulted && freezes(g) {
		g.columns = append(g.columns, v.serviceColumns(g)...)
	}
	g.columns = append(g.columns, v.databaseColumns(g)...)
	markLimited(g)
	return g
}

// kindOf decides what a scenario shows by its content, never by its name.
func (v *view) kindOf(g group) kind {
	answer := paced
	for i, trials := range g.trials {
		for _, t := range trials {
			switch {
			case len(t.Faults) > 0:
				return faulted
			case t.Generator.Closed || setting(v.cells[i], t, "load.rate") == "max":
				answer = closed
			}
		}
	}
	return answer
}

// roles picks the latency that ends at the effect; a pipeline without a
// consumer has only the acknowledgement.
func roles(rows [][]*result.Trial) (role, service string) {
	for _, trials := range rows {
		for _, t := range trials {
			if s := t.Latency[result.EndToEnd]; s.Count+s.Over > 0 {
				return result.EndToEnd, result.EndToEndService
			}
		}
	}
	return result.Ack, result.AckService
}

// titles are what stands over a group, long and short.
func (v *view) titles(g group) (title, short string) {
	name := plain(g.scenario)
	rates := map[string]bool{}
	for i, trials := range g.trials {
		for _, t := range trials {
			if len(t.Faults) > 0 {
				return name + ": " + plain(faultNames(t)), name
			}
			rates[setting(v.cells[i], t, "load.rate")] = true
		}
	}
	if g.kind == paced && len(rates) == 1 {
		for text := range rates {
			var rate profile.Rate
			if err := rate.UnmarshalText([]byte(text)); err == nil && rate > 0 {
				return name + " " + stats.Count(int64(rate)) + "/s", name
			}
		}
	}
	return name, name
}

// heading is what stands over a group on a page, where a note tells the fault.
func (g group) heading() string {
	if g.kind == faulted {
		return g.short
	}
	return g.title
}

// faultNames says what strikes in a trial: one by name, several counted.
func faultNames(t *result.Trial) string {
	if len(t.Faults) == 1 {
		return t.Faults[0].Name
	}
	names := map[string]bool{}
	for _, f := range t.Faults {
		names[f.Name] = true
	}
	if len(names) == 1 {
		return stats.Count(int64(len(t.Faults))) + " × " + t.Faults[0].Name
	}
	return plural(len(t.Faults), "fault")
}

func freezes(g group) bool {
	for _, trials := range g.trials {
		for _, t := range trials {
			for _, f := range t.Faults {
				if strings.HasPrefix(f.Name, "freeze") && !t.Generator.Closed {
					return true
				}
			}
		}
	}
	return false
}

// setting is what a trial ran with: the scenario's value, else its cell's.
func setting(c *result.Cell, t *result.Trial, name string) string {
	if v, ok := t.Settings[name]; ok {
		return v
	}
	return c.Settings[name]
}

// completed are the trials that have a verdict, the only ones whose numbers
// are shown in the table.
func completed(trials []*result.Trial) []*result.Trial {
	var out []*result.Trial
	for _, t := range trials {
		if t.Status == result.Completed && t.Verdict != nil {
			out = append(out, t)
		}
	}
	return out
}

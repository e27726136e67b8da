package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// recoveryView lays out how soon the run's broker faults were got over: a row
// per cell, a group of columns per scenario and fault. It is nil when no broker
// was struck.
func recoveryView(run *result.Run) *view {
	v := &view{run: run}
	for i := range run.Cells {
		if c := &run.Cells[i]; len(hits(c, "", hit{})) > 0 {
			v.cells = append(v.cells, c)
		}
	}
	if len(v.cells) == 0 {
		return nil
	}
	v.labels = v.labelColumns()
	for _, scenario := range v.scenarios() {
		var told []hit
		for _, c := range v.cells {
			for _, s := range hits(c, scenario, hit{}) {
				if alike := (hit{place: s.place, fault: result.Fault{Name: s.fault.Name}}); !slices.ContainsFunc(told, alike.is) {
					told = append(told, alike)
					v.groups = append(v.groups, v.recoveryGroup(scenario, alike))
				}
			}
		}
	}
	return v
}

// within is the view in the form that reads best of those that fit the width: a
// row per cell, scenario and fault; without the fault, which a note names; or as
// it is, with the scenarios side by side.
func (v *view) within(columns int) *view {
	var scenarios []string
	for _, g := range v.groups {
		scenarios = addNew(scenarios, g.scenario)
	}
	whole, brief := v.long(), v.long()
	brief.labels = brief.labels[:len(brief.labels)-1]
	switch {
	case whole.width() <= columns:
		return whole
	case brief.width() <= columns && len(scenarios) == len(v.groups):
		return brief
	}
	return v
}

// width is that of all columns side by side.
func (v *view) width() int {
	widths := columnWidths(v.labels)
	for _, g := range v.groups {
		widths = append(widths, columnWidths(g.columns)...)
	}
	return span(widths)
}

// long has a row per cell, scenario and fault.
func (v *view) long() *view {
	out := &view{run: v.run}
	for _, c := range v.labels {
		out.labels = append(out.labels, column{header: c.header, left: true})
	}
	scenarios, faults := column{header: "scenario", left: true}, column{header: "fault", left: true}
	var numbers []column
	headers := []string{"node"}
	for _, step := range recoverySteps() {
		headers = append(headers, step.header)
	}
	for _, header := range headers {
		if slices.ContainsFunc(v.groups, func(g group) bool { return g.column(header) != nil }) {
			numbers = append(numbers, column{header: header, traced: true})
		}
	}
	var trials [][]*result.Trial
	for _, g := range v.groups {
		for i, node := range g.column("node").cells {
			if node == stats.None {
				continue // this fault was none of the cell's
			}
			out.cells, trials = append(out.cells, v.cells[i]), append(trials, g.trials[i])
			for j, c := range v.labels {
				out.labels[j].cells = append(out.labels[j].cells, c.cells[i])
			}
			scenarios.cells, faults.cells = append(scenarios.cells, plain(g.scenario)), append(faults.cells, g.fault)
			for j := range numbers {
				switch c := g.column(numbers[j].header); {
				case c == nil:
					numbers[j].none()
				case c.values == nil: // nodes, by their names
					numbers[j].cells = append(numbers[j].cells, c.cells[i])
				default:
					numbers[j].add(c.cells[i], c.values[i])
				}
			}
		}
	}
	out.labels = append(out.labels, scenarios, faults)
	out.groups = []group{{kind: recovering, columns: numbers, trials: trials}}
	return out
}

func (g group) column(header string) *column {
	for i := range g.columns {
		if g.columns[i].header == header {
			return &g.columns[i]
		}
	}
	return nil
}

// hit is a fault that struck brokers in one trial.
type hit struct {
	place    int // among the trial's faults; 0 for all of a storm
	fault    result.Fault
	consumed bool // somebody processed the messages
	trial    *result.Trial
}

// is reports whether two hits are repeats of one.
func (s hit) is(other hit) bool {
	return s.place == other.place && s.fault.Name == other.fault.Name
}

// hits are the repeats of one fault in a cell's scenario: "" is all scenarios,
// an unnamed fault all faults. A trial that is inconclusive counts: it may be so
// because it did not recover.
func hits(c *result.Cell, scenario string, of hit) []hit {
	var all []hit
	for i := range c.Trials {
		t := &c.Trials[i]
		if scenario != "" && t.Scenario != scenario || t.Status != result.Completed && t.Status != result.Inconclusive {
			continue
		}
		for place, f := range t.Faults {
			if stormy := setting(c, t, "storm_every"); stormy != "" && stormy != "0s" {
				place = 0 // drawn again and again: strikes of one name are repeats
			}
			s := hit{place, f, setting(c, t, "pipeline") != string(profile.Produce), t}
			if len(f.Nodes) > 0 && f.Fired != nil && (of.fault.Name == "" || s.is(of)) {
				all = append(all, s)
			}
		}
	}
	return all
}

// struckTrials are the trials of a row, each once.
func struckTrials(row []hit) []*result.Trial {
	var trials []*result.Trial
	for _, s := range row {
		if !slices.Contains(trials, s.trial) { // a storm strikes one again and again
			trials = append(trials, s.trial)
		}
	}
	return trials
}

func (v *view) recoveryGroup(scenario string, of hit) group {
	g := group{scenario: scenario, fault: plain(of.fault.Name), kind: recovering}
	g.title = plain(scenario) + ": " + g.fault
	g.short = g.title
	var rows [][]hit
	for _, c := range v.cells {
		row := hits(c, scenario, of)
		rows, g.trials = append(rows, row), append(g.trials, struckTrials(row))
	}
	node := column{header: "node"}
	for _, row := range rows {
		node.cells = append(node.cells, nodesText(row))
	}
	g.columns = append(g.columns, node)
	consumed := false
	for _, step := range recoverySteps() {
		c := column{header: step.header}
		applies := false
		for _, row := range rows {
			text, median := timesText(row, step.after)
			c.add(text, median)
			applies = applies || text != stats.None
		}
		if step.header == "first processed" {
			consumed = applies
		}
		// Without a consumer the first acknowledgement is the recovery.
		if applies && (consumed || step.header != "recovered") {
			g.columns = append(g.columns, c)
		}
	}
	return g
}

// recoveryStep is a column of seconds.
type recoveryStep struct {
	header string
	after  func(hit) float64
}

// recoverySteps are those columns in their order, in every form of the table.
func recoverySteps() []recoveryStep {
	return []recoveryStep{
		{"new leader", hit.elected},
		{"first ack", func(s hit) float64 { return s.after(s.fault.StepAt(result.AckedAgain)) }},
		{"first processed", hit.processed},
		{"recovered", func(s hit) float64 { return s.after(s.fault.Recovered) }},
		{"in sync", hit.inSync},
	}
}

// Besides a number of seconds a step can have come never, or be none of the fault's.
var (
	never        = math.Inf(1)
	doesNotApply = math.NaN()
)

// inSync is when every replica was in sync again; a trial that ended before does
// not have it.
func (s hit) inSync() float64 {
	if at := s.fault.StepAt(result.InSyncAgain); at != nil {
		return s.after(at)
	}
	return doesNotApply
}

// after is the time from the start of the recovery's clock.
func (s hit) after(at *float64) float64 {
	switch start := s.fault.RecoveryStart(); {
	case start == nil:
		return doesNotApply
	case at == nil:
		return never
	default:
		return *at - *start
	}
}

// elected does not apply to brokers that led nothing, nor to a freeze: who is
// thawed soon enough leads on.
func (s hit) elected() float64 {
	at := s.fault.StepAt(result.Elected)
	verb, of, _ := strings.Cut(s.fault.Name, " ")
	role, _, _ := strings.Cut(of, " ")
	if at == nil && (verb == "freeze" || !slices.Contains(leading(), profile.Role(role))) {
		return doesNotApply
	}
	return s.after(at)
}

// leading are the roles that somebody else is elected to.
func leading() []profile.Role {
	return []profile.Role{profile.LeaderRole, profile.ControllerRole, profile.GroupCoordinatorRole, profile.TransactionCoordinatorRole}
}

func (s hit) processed() float64 {
	if !s.consumed {
		return doesNotApply
	}
	return s.after(s.fault.StepAt(result.ProcessedAgain))
}

// timesText is the median over the repeats with the lowest and the highest:
// "9.12 (8.90–9.31)", and the median by itself. Never is longer than every time.
func timesText(row []hit, after func(hit) float64) (text string, median float64) {
	var times []float64
	for _, s := range row {
		if t := after(s); !math.IsNaN(t) {
			times = append(times, t)
		}
	}
	if len(times) == 0 {
		return stats.None, math.NaN()
	}
	slices.Sort(times)
	n := len(times)
	median = (times[(n-1)/2] + times[n/2]) / 2
	text = secondsText(median)
	if ends := stats.Between(secondsText(times[0]), secondsText(times[n-1])); ends != text {
		text += " (" + ends + ")"
	}
	return text, median
}

func secondsText(s float64) string {
	switch {
	case math.IsInf(s, 1):
		return "never"
	case s < 9.995:
		return fmt.Sprintf("%.2f", s)
	case s < 99.95:
		return fmt.Sprintf("%.1f", s)
	}
	return fmt.Sprintf("%.0f", s)
}

// nodesText is which brokers were struck: "2", "1+3", "2 / 3" where repeats differ,
// "various" where they differ much.
// Of an isolation it is the leader; the others were its followers.
func nodesText(row []hit) string {
	var all []string
	for _, s := range row {
		var ended []string
		for _, step := range s.fault.Steps {
			var id int
			var deed string
			if n, _ := fmt.Sscanf(step.What, "node %d %s", &id, &deed); n == 2 && (deed == "killed" || deed == "stopped") {
				ended = append(ended, fmt.Sprint(id))
			}
		}
		if len(ended) == 0 {
			for _, id := range s.fault.Nodes {
				ended = append(ended, fmt.Sprint(id))
			}
		}
		all = addNew(all, strings.Join(ended, "+"))
	}
	switch {
	case len(all) == 0:
		return stats.None
	case len(all) > 3:
		return "various"
	}
	slices.Sort(all)
	return strings.Join(all, " / ")
}

// recoveryTable is the section's table on the page; its numbers lead to the trials
// that were struck.
func recoveryTable(v *view) pageTable {
	return sectionTable(v, "recovery", "Recovery", func(row int, _ column) string {
		struck := v.groups[0].trials[row]
		return trialsAnchor(cellRow(v.run, v.cells[row]), struck[0].Scenario, struck)
	})
}

// recoveryTitle stands over the table: from when its seconds count.
func (v *view) recoveryTitle() string {
	if v.isolates() {
		return "Recovery from broker faults, in seconds after the fault; of isolate, after the leader was killed"
	}
	return "Recovery from broker faults, in seconds after the fault"
}

func (v *view) isolates() bool {
	return slices.ContainsFunc(v.groups, func(g group) bool { return strings.HasPrefix(g.fault, "isolate ") })
}

// howRecovery says how the table's numbers were made.
func (v *view) howRecovery() string {
	var repeats []int
	all := ""
	for _, g := range v.groups {
		for _, c := range v.cells {
			for _, f := range hits(c, g.scenario, hit{}) {
				if n := len(hits(c, g.scenario, f)); !slices.Contains(repeats, n) {
					repeats = append(repeats, n)
				}
			}
		}
		for _, c := range g.columns {
			all += c.header + " " + strings.Join(c.cells, " ") + " "
		}
	}
	line := "Recovery: " + medianOf(repeats)
	if slices.Max(repeats) > 1 {
		line += " repeats (lowest–highest)"
	}
	var parts []string
	if strings.Contains(all, "new leader") {
		parts = append(parts, "new leader: looked for every 20 ms")
	}
	parts = append(parts, "first ack and first processed: to 0.1 s")
	if !strings.Contains(all, "first processed") {
		parts[len(parts)-1] = "first ack: to 0.1 s"
	}
	if strings.Contains(all, " / ") {
		parts = append(parts, "node 1 / 2: in different repeats")
	}
	if strings.Contains(all, "never") {
		parts = append(parts, "never: not before the trial ended")
	}
	return line + "; " + strings.Join(parts, "; ") + "."
}

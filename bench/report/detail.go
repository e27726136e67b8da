package report

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// pageCellDetail is a cell with all that is known of it.
type pageCellDetail struct {
	Anchor, Name, Guarantee, Promise, Class, Command string
	Settings                                         [][2]string // those that differ from the defaults
	Scenarios                                        []pageScenario
}

// pageScenario is a cell's scenario: its repeats in a table, then each by itself.
type pageScenario struct {
	Anchor, Name, Command string
	Settings              [][2]string // those that the scenario changed
	Repeats               pageTable
	Trials                []pageTrial
}

// pageTrial is one trial.
type pageTrial struct {
	Anchor, ID, State, Class, Reason, Speed, Generator string
	Faults                                             *pageFaults
	Steps                                              []string // of broker faults
	Counts                                             [][2]string
	Latency                                            pageTable
	Warnings                                           []string
}

// pageFaults sets what the faults of a trial were predicted to cost beside what
// came: the predictions fault by fault, what came for all of them together.
type pageFaults struct {
	Kinds    []string // "lost", "duplicates"
	Faults   []pageFault
	Observed []string
}

type pageFault struct {
	Name, Armed, Fired, Recovered string
	Predicted                     []string
}

// Anchors are where links within the page lead. The anchor of a trial is its ID, so
// that a link from elsewhere still finds it when the page is drawn again.
func trialAnchor(id string) string { return "trial-" + result.FileName(plain(id)) }

func cellAnchor(row int) string { return "cell-" + strconv.Itoa(row+1) }

func scenarioAnchor(row int, scenario string) string {
	return cellAnchor(row) + "-" + result.FileName(scenario)
}

// countAnchor is where a number comes from: its trial, or the table of its repeats.
func countAnchor(row int, scenario string, trials []*result.Trial) string {
	return trialsAnchor(row, scenario, completed(trials))
}

// trialsAnchor is the one trial, or the table of repeats that has them all.
func trialsAnchor(row int, scenario string, trials []*result.Trial) string {
	if len(trials) == 1 {
		return trialAnchor(trials[0].ID)
	}
	return scenarioAnchor(row, scenario)
}

// ran reports whether a trial was tried.
func ran(t *result.Trial) bool { return t.Status != result.Omitted }

func cellDetail(run *result.Run, c *result.Cell, row int) pageCellDetail {
	promise := promiseText(c)
	d := pageCellDetail{
		Anchor: cellAnchor(row), Name: plain(c.Name), Guarantee: plain(c.Guarantee), Promise: promise, Class: promiseClass(promise),
		Command: again(run, "^"+regexp.QuoteMeta(c.Name)+"/"),
	}
	defaults := profile.Defaults().Dotted()
	for _, name := range sortedKeys(c.Settings) {
		if c.Settings[name] != defaults[name] {
			d.Settings = append(d.Settings, [2]string{plain(name), plain(c.Settings[name])})
		}
	}
	for _, scenario := range c.Scenarios(run) {
		trials := slices.DeleteFunc(slices.Clone(c.InScenario(scenario)), func(t *result.Trial) bool { return !ran(t) })
		if len(trials) > 0 {
			d.Scenarios = append(d.Scenarios, scenarioDetail(run, c, row, scenario, trials))
		}
	}
	return d
}

func scenarioDetail(run *result.Run, c *result.Cell, row int, scenario string, trials []*result.Trial) pageScenario {
	s := pageScenario{
		Anchor: scenarioAnchor(row, scenario), Name: plain(scenario), Repeats: repeatTable(run, c, scenario, trials),
	}
	if run.Capacity == nil { // its rungs are no scenarios that -only could choose
		s.Command = again(run, "^"+regexp.QuoteMeta(c.Name+"/"+scenario)+"$")
	}
	for _, name := range sortedKeys(trials[0].Settings) {
		s.Settings = append(s.Settings, [2]string{plain(name), plain(trials[0].Settings[name])})
	}
	for _, t := range trials {
		s.Trials = append(s.Trials, trialDetail(t))
	}
	return s
}

// again is the command that runs a part of a run again, with the same seed. Of
// flags that are given twice the last counts; -resume would go on with the old run.
func again(run *result.Run, only string) string {
	words := run.Run.Command
	if len(words) == 0 {
		words = []string{"bench", "-profile", run.Run.Profile}
	}
	var kept []string
	for i := 0; i < len(words); i++ {
		switch name := strings.TrimLeft(words[i], "-"); {
		case name == words[i]:
			kept = append(kept, words[i])
		case name == "resume", name == "only", name == "seed":
			i++ // with its value
		case strings.HasPrefix(name, "resume="), strings.HasPrefix(name, "only="), strings.HasPrefix(name, "seed="):
		default:
			kept = append(kept, words[i])
		}
	}
	return quoted(append(kept, "-only", only, "-seed", strconv.FormatUint(run.Run.Seed, 10)))
}

// repeatTable has a row per trial, in the columns that the scenario has in the
// main table: there they are summed up.
func repeatTable(run *result.Run, c *result.Cell, scenario string, trials []*result.Trial) pageTable {
	v := &view{run: run}
	repeats, promise := column{header: "repeat"}, []pageCell(nil)
	var rows [][]*result.Trial
	for _, t := range trials {
		v.cells = append(v.cells, c)
		rows = append(rows, []*result.Trial{t})
		repeats.cells = append(repeats.cells, strconv.Itoa(t.Repeat))
		state, class := stateOf(t)
		promise = append(promise, pageCell{Text: state, Class: class})
	}
	t := pageTable{Label: "Repeats of " + plain(c.Name) + ", " + plain(scenario)}
	t.name([]column{repeats})
	trial := func(row int, _ column) string { return trialAnchor(trials[row].ID) }
	for i := range t.Rows {
		t.Rows[i].Cells[0].Link = "#" + trial(i, repeats)
	}
	t.add(pageHeader{Text: "promise", Class: "text"}, promise)
	t.Names++
	g := v.lay(scenario, rows)
	g.short, g.title = "", "" // the heading says it
	t.group(g, trial)
	var took []pageCell
	for _, each := range trials {
		took = append(took, pageCell{Text: stats.Seconds(each.TookSecond)})
	}
	t.add(pageHeader{Text: "took"}, took)
	t.fix()
	return t
}

// stateOf is what became of a trial, and its style.
func stateOf(t *result.Trial) (state, class string) {
	if t.Status != result.Completed {
		return string(t.Status), string(result.PromiseInconclusive)
	}
	return string(t.Promise), promiseClass(string(t.Promise))
}

func trialDetail(t *result.Trial) pageTrial {
	d := pageTrial{
		Anchor: trialAnchor(t.ID), ID: plain(t.ID), Reason: plain(t.Reason), Generator: plain(t.Generator.Why),
		Faults: faultsOf(t), Steps: stepLines(t), Counts: verdictRows(t), Latency: latencyTable(t),
	}
	d.State, d.Class = stateOf(t)
	if v, ok := speedOf(t); ok {
		d.Speed = stats.Rate(v) + " msg/s over " + stats.Seconds(t.Throughput.WindowSeconds)
	}
	for _, w := range t.Warnings {
		d.Warnings = append(d.Warnings, plain(w))
	}
	if t.Unrecorded > 0 {
		d.Warnings = append(d.Warnings, "the latency of "+plural(t.Unrecorded, "effect")+" is not recorded")
	}
	return d
}

// faultsOf is nil of a trial in which nothing was to go wrong.
func faultsOf(t *result.Trial) *pageFaults {
	if len(t.Faults) == 0 {
		return nil
	}
	when := func(s *float64) string {
		if s == nil {
			return "never"
		}
		return stats.Seconds(*s)
	}
	var table pageFaults
	for _, f := range t.Faults {
		table.Faults = append(table.Faults, pageFault{Name: plain(f.Name), Armed: when(f.Armed), Fired: when(f.Fired), Recovered: when(f.Recovered)})
	}
	for _, kind := range slices.Concat(verdictCounts(), databaseCounts(false, true)) {
		foreseen := kind.forecast != nil && slices.ContainsFunc(t.Faults, func(f result.Fault) bool {
			return f.Predicted != nil && kind.forecast(f.Predicted) != nil
		})
		if !foreseen && kind.header != "lost" && kind.header != "duplicates" {
			continue
		}
		table.Kinds = append(table.Kinds, kind.header)
		observed := stats.None
		if t.Verdict != nil {
			if n, known := kind.observed(t); known {
				observed = stats.Count(n)
			}
		}
		table.Observed = append(table.Observed, observed)
		for i, f := range t.Faults {
			table.Faults[i].Predicted = append(table.Faults[i].Predicted, forecastText(f.Predicted, kind))
		}
	}
	return &table
}

func forecastText(p *result.Predicted, kind count) string {
	if p == nil || kind.forecast(p) == nil {
		return stats.None
	}
	text := stats.Count(*kind.forecast(p))
	if !p.Exact {
		text = "≈ " + text
	}
	return text
}

// stepLines tell each broker fault: "isolate leader for 2s: 2.00 s node 1 frozen, 4.01 s node 2 killed".
func stepLines(t *result.Trial) []string {
	var lines []string
	for _, f := range t.Faults {
		var steps []string
		for _, s := range f.Steps {
			steps = append(steps, fmt.Sprintf("%.2f s %s", s.At, plain(s.What)))
		}
		if len(steps) > 0 {
			lines = append(lines, plain(f.Name)+": "+strings.Join(steps, ", "))
		}
	}
	return lines
}

// verdictRows are the counts that are not 0, and every cell of the table that is not.
func verdictRows(t *result.Trial) [][2]string {
	v := t.Verdict
	if v == nil {
		return nil
	}
	rows := [][2]string{{"due", stats.Count(v.Due)}, {"acked", stats.Count(v.Acked)}, {"lost", stats.Count(v.Lost.Total)}, {"duplicates", stats.Count(v.Duplicates.Total)}}
	for _, r := range []struct {
		name string
		n    int64
	}{
		{"not sent", v.NotSent}, {"sent, no answer expected", v.Sent}, {"rejected", v.Rejected}, {"unknown", v.Unknown},
		{"unknown and absent", v.UnknownAbsent}, {"aborted", v.Aborted}, {"aborted but delivered", v.AbortedDelivered},
		{"lost: absent from the log", v.Lost.Log}, {"lost: in the log, skipped", v.Lost.Skipped},
		{"duplicates: retried by the client", v.Duplicates.Retried}, {"duplicates: resent by the application", v.Duplicates.Resent},
		{"duplicates: redelivered", v.Duplicates.Redelivered}, {"returned twice by the client library", t.PolledAgain()}, {"with more than one effect", v.MultipleEffects}, {"reordered", v.Reordered}, {"corrupt", v.Corrupt}, {"foreign", v.Foreign},
		{"undrained", v.Undrained}, {"dead-lettered", v.DeadLettered}, {"effects", v.Effects}, {"effects begun", v.Executions}, {"counters at 255", v.Saturated},
	} {
		if r.n != 0 {
			rows = append(rows, [2]string{r.name, stats.Count(r.n)})
		}
	}
	rows = append(rows, databaseRows(t)...)
	for _, name := range slices.Sorted(maps.Keys(v.Table)) {
		if n := v.Table[name]; n != 0 {
			rows = append(rows, [2]string{strings.ReplaceAll(plain(name), "/", ", "), stats.Count(n)})
		}
	}
	return rows
}

// latencyTable has role, percentiles, count and, where there are any, values over
// range. Service time stands right below the same latency from the intended send.
func latencyTable(t *result.Trial) pageTable {
	roles := []struct{ role, name string }{
		{result.EndToEnd, "end to end"}, {result.EndToEndService, "end to end, service time"}, {result.Durable, "durable in the database"},
		{result.Ack, "acknowledgement"}, {result.AckService, "acknowledgement, service time"},
		{result.TransactionVisible, "transaction visible"}, {result.CommitLatency, "commit"}, {result.SendLag, "send lag"},
	}
	table := pageTable{Label: "Latency"}
	anyOver := false
	for _, r := range roles {
		s, ok := t.Latency[r.role]
		if !ok || s.Count+s.Over == 0 {
			continue
		}
		anyOver = anyOver || s.Over > 0
		row := pageRow{Cells: []pageCell{{Text: r.name, Class: "name"}}}
		for _, micros := range []float64{s.P50, s.P90, s.P99, s.P999, s.Max} {
			row.Cells = append(row.Cells, pageCell{Text: stats.Micros(micros)})
		}
		row.Cells = append(row.Cells, pageCell{Text: stats.Count(s.Count)}, pageCell{Text: stats.Count(s.Over)})
		table.Rows = append(table.Rows, row)
	}
	table.Headers = append(table.Headers, pageHeader{Text: "latency", Class: "name"})
	for _, text := range []string{"p50", "p90", "p99", "p99.9", "max", "values", "over range"} {
		table.Headers = append(table.Headers, pageHeader{Text: text})
	}
	if last := len(table.Headers) - 1; !anyOver {
		table.Headers = table.Headers[:last]
		for i := range table.Rows {
			table.Rows[i].Cells = table.Rows[i].Cells[:last]
		}
	}
	return table
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

package report

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

//go:embed page.gohtml
var pageText string

// HTML writes report.html: one page with its charts, style and text inside, for
// a browser without a network. Charts are the SVG files of charts/ in folder; a
// nil folder has none. The error is the writer's or the folder's.
func HTML(w io.Writer, run *result.Run, folder fs.FS) error {
	charts, fonts, err := pageCharts(run, folder)
	if err != nil {
		return err
	}
	t, err := template.New("report").Parse(pageText + capacityPage)
	if err != nil {
		return fmt.Errorf("the page's template: %w", err)
	}
	p := newPage(run, charts)
	p.Fonts = template.CSS(strings.Join(fonts, "\n"))
	return t.Execute(w, p)
}

// page is what the template draws; every field is text that it escapes, but for
// the charts and their fonts.
type page struct {
	Name, About, Verdict, State string
	Fonts                       template.CSS // of our own charts, checked
	Table                       pageTable
	How                         []string
	Recovery                    *pageRecovery
	Capacity                    *pageCapacity
	Omitted                     []result.Omission
	Claims                      string
	ClaimRows                   []result.Claim
	ClaimReasons                bool        // one of them has a reason
	First, Charts               []pageChart // the first chart is shown beside the table
	Cells                       []pageCellDetail
	Reasons                     []pageReasons
	Warnings                    []string
	Conditions                  []condition
	Command                     string
}

// pageTable is a view: what names a row, perhaps the promise, then the groups.
type pageTable struct {
	Label   string // for those who do not see it
	Names   []pageCell
	Groups  []pageGroup
	Headers []string
	Rows    [][]pageCell
}

type pageGroup struct {
	Title string
	Span  int
}

type pageRecovery struct {
	Title, How string
	Table      pageTable
}

// pageCell is one cell of a table. Class is "", "text", or a promise.
type pageCell struct{ Text, Class string }

// pageChart is a drawing of ours or an image of anybody's.
type pageChart struct {
	Title, Alt string
	Drawing    template.HTML // checked
	Image      template.URL  // a data URI
}

type pageReasons struct {
	What string
	All  byReason
}

type pageCellDetail struct {
	Name, Guarantee, Promise string
	Settings                 [][2]string // those that differ from the defaults
	Trials                   []pageTrial
}

type pageTrial struct {
	ID, Scenario, Status, Reason, Promise, Took, Speed, Generator string
	Settings                                                      [][2]string // those that the scenario changed
	Faults                                                        [][]string
	Steps                                                         []string // of broker faults
	Verdict                                                       [][2]string
	LatencyHeaders                                                []string
	Latency                                                       [][]string
	Warnings                                                      []string
}

func newPage(run *result.Run, charts []pageChart) page {
	v := newView(run)
	p := page{
		Name: plain(run.Run.Profile), About: plain(run.Run.About), Verdict: Verdict(run), State: string(outcomeOf(run)),
		How: v.how(), ClaimRows: claimsWorstFirst(run.Claims),
		First: charts[:min(1, len(charts))], Charts: charts[min(1, len(charts)):],
		Conditions: conditions(run), Command: command(run),
	}
	p.ClaimReasons = slices.ContainsFunc(p.ClaimRows, func(c result.Claim) bool { return c.Reason != "" })
	if lines := claimLines(run, 0); len(lines) > 0 {
		p.Claims = lines[0]
	}
	p.Omitted = omissions(run)
	for _, r := range []pageReasons{
		{"Inconclusive", unfinished(run, result.Inconclusive)},
		{"Failed", unfinished(run, result.Failed)},
		{"Interrupted", unfinished(run, result.Stopped)},
	} {
		if len(r.All) > 0 {
			p.Reasons = append(p.Reasons, r)
		}
	}
	for _, w := range Warnings(run) {
		p.Warnings = append(p.Warnings, warningLine(w))
	}
	p.Table, p.Capacity = newPageTable(v, "Results"), newPageCapacity(run)
	if r := recoveryView(run); r != nil {
		p.Recovery = &pageRecovery{r.recoveryTitle(), r.howRecovery(), newPageTable(r.long(), "Recovery")}
	}
	for _, c := range v.cells {
		p.Cells = append(p.Cells, cellDetail(run, c))
	}
	return p
}

// newPageTable has the promise before the numbers: a wide table goes on behind the
// right edge of the window.
func newPageTable(v *view, label string) pageTable {
	t := pageTable{Label: label}
	if len(v.groups) == 0 {
		return t
	}
	class := "name" // stays in sight
	for _, c := range v.labels {
		t.Names, class = append(t.Names, pageCell{c.header, class}), "text"
	}
	if v.all != nil {
		t.Names = append(t.Names, pageCell{v.all.header, "text"})
	}
	for _, g := range v.groups {
		t.Groups = append(t.Groups, pageGroup{g.heading(), len(g.columns)})
		for _, c := range g.columns {
			t.Headers = append(t.Headers, c.header)
		}
	}
	for i := range v.cells {
		var row []pageCell
		for j, c := range v.labels {
			row = append(row, pageCell{c.cells[i], t.Names[j].Class})
		}
		if v.all != nil {
			row = append(row, pageCell{v.all.cells[i], promiseClass(v.all.cells[i])})
		}
		for _, g := range v.groups {
			for _, c := range g.columns {
				row = append(row, pageCell{Text: c.cells[i]})
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// promiseClass is the style of a promise.
func promiseClass(promise string) string {
	if promise == stats.None {
		return string(result.NoPromise)
	}
	return promise
}

// claimsWorstFirst orders what needs reading before what is as expected.
func claimsWorstFirst(claims []result.Claim) []result.Claim {
	rank := map[result.ClaimStatus]int{result.NotMet: 0, result.ClaimInconclusive: 1, result.Met: 2}
	var out []result.Claim
	for _, c := range claims {
		out = append(out, result.Claim{
			Cell: plain(c.Cell), Scenario: plain(c.Scenario), Expression: plain(c.Expression),
			Expected: plain(c.Expected), Observed: plain(c.Observed), Status: c.Status, Reason: plain(c.Reason),
		})
	}
	slices.SortStableFunc(out, func(a, b result.Claim) int { return rank[a.Status] - rank[b.Status] })
	return out
}

// pageCharts are the figures and, each once, the fonts of those that are drawn
// into the page.
func pageCharts(run *result.Run, folder fs.FS) (charts []pageChart, fonts []string, err error) {
	figures, err := figures(run, folder)
	for _, f := range figures {
		c := pageChart{Title: f.title, Alt: f.alt()}
		if d, ok := inline(f.svg, f.alt()); ok {
			c.Drawing = template.HTML(d.svg)
			for _, font := range d.fonts {
				fonts = addNew(fonts, font)
			}
		} else {
			// Base64 has no character that could end an attribute.
			c.Image = template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(f.svg))
		}
		charts = append(charts, c)
	}
	return charts, fonts, err
}

func cellDetail(run *result.Run, c *result.Cell) pageCellDetail {
	d := pageCellDetail{Name: plain(c.Name), Guarantee: plain(c.Guarantee), Promise: promiseText(c)}
	defaults := profile.Defaults().Dotted()
	for _, name := range slices.Sorted(maps.Keys(c.Settings)) {
		if c.Settings[name] != defaults[name] {
			d.Settings = append(d.Settings, [2]string{plain(name), plain(c.Settings[name])})
		}
	}
	for _, scenario := range c.Scenarios(run) {
		for _, t := range c.InScenario(scenario) {
			if t.Status != result.Omitted {
				d.Trials = append(d.Trials, trialDetail(t))
			}
		}
	}
	return d
}

func trialDetail(t *result.Trial) pageTrial {
	d := pageTrial{
		ID: plain(t.ID), Scenario: plain(t.Scenario), Status: string(t.Status), Reason: plain(t.Reason), Promise: string(t.Promise),
		Took: stats.Seconds(t.TookSecond), Generator: plain(t.Generator.Why), Faults: faultRows(t), Steps: stepLines(t),
	}
	d.LatencyHeaders, d.Latency = latencyRows(t)
	for _, name := range slices.Sorted(maps.Keys(t.Settings)) {
		d.Settings = append(d.Settings, [2]string{plain(name), plain(t.Settings[name])})
	}
	if v, ok := speedOf(t); ok {
		d.Speed = stats.Rate(v) + " msg/s over " + stats.Seconds(t.Throughput.WindowSeconds)
	}
	for _, w := range t.Warnings {
		d.Warnings = append(d.Warnings, plain(w))
	}
	if t.Unrecorded > 0 {
		d.Warnings = append(d.Warnings, "the latency of "+plural64(t.Unrecorded, "effect")+" is not recorded")
	}
	d.Verdict = verdictRows(t)
	return d
}

// faultRows are name, armed, fired, recovered, and per kind of damage predicted and observed.
func faultRows(t *result.Trial) [][]string {
	when := func(s *float64) string {
		if s == nil {
			return "never"
		}
		return stats.Seconds(*s)
	}
	forecast := func(p *result.Predicted, n func(*result.Predicted) *int64) string {
		if p == nil || n(p) == nil {
			return stats.None
		}
		text := stats.Count(*n(p))
		if !p.Exact {
			text = "≈ " + text
		}
		return text
	}
	var rows [][]string
	for _, f := range t.Faults {
		rows = append(rows, []string{
			plain(f.Name), when(f.Armed), when(f.Fired), when(f.Recovered),
			forecast(f.Predicted, func(p *result.Predicted) *int64 { return p.Lost }),
			forecast(f.Predicted, func(p *result.Predicted) *int64 { return p.Duplicates }),
		})
	}
	if len(rows) > 0 && t.Verdict != nil {
		rows = append(rows, []string{"observed in the trial", "", "", "", stats.Count(t.Verdict.Lost.Total), stats.Count(t.Verdict.Duplicates.Total)})
	}
	return rows
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
		{"duplicates: redelivered", v.Duplicates.Redelivered}, {"with more than one effect", v.MultipleEffects}, {"reordered", v.Reordered}, {"corrupt", v.Corrupt}, {"foreign", v.Foreign},
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

// latencyRows are role, percentiles, count and, where there are any, values over
// range. Service time stands right below the same latency from the intended send.
func latencyRows(t *result.Trial) (headers []string, rows [][]string) {
	names := []struct{ role, name string }{
		{result.EndToEnd, "end to end"}, {result.EndToEndService, "end to end, service time"}, {result.Durable, "durable in the database"},
		{result.Ack, "acknowledgement"}, {result.AckService, "acknowledgement, service time"},
		{result.TransactionVisible, "transaction visible"}, {result.CommitLatency, "commit"}, {result.SendLag, "send lag"},
	}
	headers = []string{"p50", "p90", "p99", "p99.9", "max", "values", "over range"}
	anyOver := false
	for _, n := range names {
		s, ok := t.Latency[n.role]
		if !ok || s.Count+s.Over == 0 {
			continue
		}
		anyOver = anyOver || s.Over > 0
		rows = append(rows, []string{
			n.name, stats.Micros(s.P50), stats.Micros(s.P90), stats.Micros(s.P99), stats.Micros(s.P999), stats.Micros(s.Max),
			stats.Count(s.Count), stats.Count(s.Over),
		})
	}
	if !anyOver {
		headers = headers[:len(headers)-1]
		for i := range rows {
			rows[i] = rows[i][:len(rows[i])-1]
		}
	}
	return headers, rows
}

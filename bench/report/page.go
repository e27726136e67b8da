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
// nil folder has none. They stand as images, in which a browser runs nothing.
// The error is the writer's or the folder's.
func HTML(w io.Writer, run *result.Run, folder fs.FS) error {
	charts, err := pageCharts(run, folder)
	if err != nil {
		return err
	}
	t, err := template.New("report").Parse(pageText)
	if err != nil {
		return fmt.Errorf("the page's template: %w", err)
	}
	return t.Execute(w, newPage(run, charts))
}

// page is what the template draws; every field is text that it escapes.
type page struct {
	Name, About, Verdict, State string
	Labels                      []string
	Groups                      []pageGroup
	Headers                     []pageCell
	Rows                        [][]pageCell
	How                         []string
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

type pageGroup struct {
	Title string
	Span  int
}

// pageCell is one cell of a table. Class is "", "text", or a promise.
type pageCell struct{ Text, Class string }

type pageChart struct {
	Title, Alt string
	Image      template.URL // a data URI made here of our own bytes
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
	for _, r := range []pageReasons{
		{"Omitted", omissionsOf(run)},
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
	p.addTable(v)
	for _, c := range v.cells {
		p.Cells = append(p.Cells, cellDetail(run, c))
	}
	return p
}

func (p *page) addTable(v *view) {
	if len(v.groups) == 0 {
		return
	}
	columns := slices.Clone(v.labels)
	for _, c := range v.labels {
		p.Labels = append(p.Labels, c.header)
	}
	for _, g := range v.groups {
		p.Groups = append(p.Groups, pageGroup{g.title, len(g.columns)})
		columns = append(columns, g.columns...)
		for _, c := range g.columns {
			p.Headers = append(p.Headers, pageCell{Text: c.header})
		}
	}
	for i := range v.cells {
		var row []pageCell
		for _, c := range columns {
			class := ""
			if c.left {
				class = "text"
			}
			row = append(row, pageCell{c.cells[i], class})
		}
		p.Rows = append(p.Rows, append(row, pageCell{v.all.cells[i], promiseClass(v.all.cells[i])}))
	}
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

func pageCharts(run *result.Run, folder fs.FS) ([]pageChart, error) {
	figures, err := figures(run, folder)
	var out []pageChart
	for _, f := range figures {
		// Base64 has no character that could end an attribute.
		image := template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(f.svg))
		out = append(out, pageChart{f.title, f.alt(), image})
	}
	return out, err
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
		Took: stats.Seconds(t.TookSecond), Generator: plain(t.Generator.Why), Faults: faultRows(t),
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
			text = "about " + text
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
		{"undrained", v.Undrained}, {"effects", v.Effects}, {"effects begun", v.Executions}, {"counters at 255", v.Saturated},
	} {
		if r.n != 0 {
			rows = append(rows, [2]string{r.name, stats.Count(r.n)})
		}
	}
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
		{result.EndToEnd, "end to end"}, {result.EndToEndService, "end to end, service time"},
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

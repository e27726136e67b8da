package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"slices"
	"strings"

	"deliverybench/bench/chart"
	"deliverybench/bench/result"
)

// The page's own parts: what stands where, how it looks, and what a reader can do
// beyond reading. Nothing else of it is ever run.
var (
	//go:embed page.gohtml
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string
)

// HTML writes report.html: one page with its charts, style, text and script inside,
// for a browser without a network. Charts are the SVG files of charts/ in folder; a
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
	style := strings.Join(append(fonts, pageStyle, darkStyle(chart.DarkColours())), "\n")
	p.Style, p.Script, p.Policy = template.CSS(style), template.JS(pageScript), policy(style, pageScript)
	return t.Execute(w, p)
}

// policy is the page's Content-Security-Policy: this style and this script by
// their hashes, pictures that are in the page, and nothing else. What a profile
// smuggled into the page could not run, not even if it were not escaped.
func policy(style, script string) string {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; script-src " + hash(script) + "; style-src " + hash(style) +
		"; img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
}

// page is what the template draws; every field is text that it escapes, but for
// the charts, and the style and script that are ours.
type page struct {
	Policy                      string
	Style                       template.CSS
	Script                      template.JS
	Name, About, Verdict, State string
	Limits                      []pageLink // what the first look must not miss
	Table                       pageTable
	How                         []string
	Recovery                    *pageRecovery
	Capacity                    *pageCapacity
	Omitted                     []result.Omission
	Claims                      string
	ClaimTable                  pageTable
	First, Charts               []pageChart // the first chart is shown beside the table
	Cells                       []pageCellDetail
	Reasons                     []pageReasons
	Warnings                    []string
	Conditions                  []condition
	Command                     string
}

type pageRecovery struct {
	Title, How string
	Table      pageTable
}

// pageReasons are the trials that did not complete, by the reasons.
type pageReasons struct {
	What string
	All  []pageReason
}

type pageReason struct {
	Reason string
	Trials []pageLink
}

type pageLink struct{ Text, Link string }

func newPage(run *result.Run, charts []pageChart) page {
	v := newView(run)
	first := min(1, len(charts))
	p := page{
		Name: plain(run.Run.Profile), About: plain(run.Run.About), Verdict: Verdict(run), State: string(outcomeOf(run)),
		Table: mainTable(v), Capacity: newPageCapacity(run), How: v.how(), ClaimTable: claimTableOf(v), First: charts[:first], Charts: charts[first:],
		Omitted: omissions(run), Conditions: conditions(run), Command: command(run),
	}
	if p.Capacity != nil {
		p.How = slices.Concat(p.Capacity.How, p.How)
	}
	if lines := claimLines(run, 0); len(lines) > 0 {
		p.Claims = lines[0]
	}
	for _, status := range []result.Status{result.Inconclusive, result.Failed, result.Stopped} {
		if all := unfinished(run, status); len(all) > 0 {
			p.Reasons = append(p.Reasons, pageReasons{sentence(string(status)), linked(all)})
		}
	}
	for _, w := range Warnings(run) {
		p.Warnings = append(p.Warnings, warningLine(w))
	}
	p.Limits = limits(run, len(p.Warnings))
	if r := recoveryView(run); r != nil {
		p.Recovery = &pageRecovery{r.recoveryTitle(), r.howRecovery(), recoveryTable(r.long())}
	}
	for i, c := range v.cells {
		p.Cells = append(p.Cells, cellDetail(run, c, i))
	}
	return p
}

// limits lead from the first screen to what a number must not be read without.
func limits(run *result.Run, warnings int) []pageLink {
	var out []pageLink
	switch {
	case warnings == 1:
		out = append(out, pageLink{"1 warning limits these numbers", "#warnings"})
	case warnings > 1:
		out = append(out, pageLink{plural(warnings, "warning") + " limit these numbers", "#warnings"})
	}
	omitted := 0
	for _, c := range run.Cells {
		if c.Omitted != "" {
			omitted++
		}
	}
	if omitted > 0 {
		out = append(out, pageLink{plural(omitted, "cell") + " omitted", "#omitted"})
	}
	return out
}

func linked(all byReason) []pageReason {
	var out []pageReason
	for _, g := range all {
		r := pageReason{Reason: g.Reason}
		for _, name := range g.Names {
			r.Trials = append(r.Trials, pageLink{name, "#" + trialAnchor(name)})
		}
		out = append(out, r)
	}
	return out
}

// pageChart is a drawing of ours or an image of anybody's.
type pageChart struct {
	Title, Alt string
	Drawing    template.HTML // checked
	Image      template.URL  // a data URI
	Snippet    string        // Markdown, to take it along into a text
}

// pageCharts are the figures and, each once, the fonts of those that are drawn
// into the page.
func pageCharts(run *result.Run, folder fs.FS) (charts []pageChart, fonts []string, err error) {
	figures, err := figures(run, folder)
	for _, f := range figures {
		c := pageChart{Title: f.title, Alt: f.alt(), Snippet: snippet(run, f)}
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

// snippet is a chart with all that a reader needs to judge it: for whom does not
// see it, its finding, its conditions, and how to run it again.
func snippet(run *result.Run, f figure) string {
	var told []string
	for _, c := range conditions(run) {
		if slices.Contains([]string{"Broker", "Database", "Client", "Machine", "Started", "Seed"}, c.Name) {
			told = append(told, c.Name+": "+c.Value)
		}
	}
	lines := []string{fmt.Sprintf("![%s](%s)", md(f.alt()), mdLink(f.file)), "", "**" + md(f.title) + "**"}
	if f.about != "" {
		lines[2] += "  \n" + md(f.about)
	}
	return strings.Join(append(lines, "", md(strings.Join(told, "; "))+".", "", "    "+command(run), ""), "\n")
}

// darkStyle gives drawings on dark paper their dark colours. A drawing says its
// light ones in attributes, and any style is stronger than those. Printed, and
// where nobody asks for dark, it keeps what it says.
func darkStyle(darker map[string]string) string {
	var b strings.Builder
	for _, light := range sortedKeys(darker) {
		for _, property := range []string{"fill", "stroke"} {
			fmt.Fprintf(&b, "svg [%s=\"%s\"]{%s:%s}\n", property, light, property, darker[light])
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "@media screen and (prefers-color-scheme: dark) {\n.picture:has(svg){background:var(--paper)}\n" + b.String() + "}\n"
}

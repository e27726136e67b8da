package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"deliverybench/bench/catalogue"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// ClaimTable writes what a suite run made of each row, as the terminal shows it.
func ClaimTable(w io.Writer, r *catalogue.Record, o Options) error {
	if o.Width == 0 {
		o.Width = defaultWidth
	}
	p := &printer{w: bufio.NewWriter(w), Options: o}
	p.Width = max(p.Width, leastWidth)
	for _, row := range r.Rows {
		if row.Outcome != catalogue.NotRun {
			p.row(row)
		}
	}
	for _, l := range notRun(r) {
		p.line(l, "")
	}
	p.blank()
	p.line(ClaimVerdict(r), p.outcomeColor(worst(r)))
	return p.w.Flush()
}

// notRun tells the rows of which there is nothing, by why.
func notRun(r *catalogue.Record) []string {
	var all byReason
	for _, row := range r.Rows {
		if row.Outcome == catalogue.NotRun {
			all.add(orElse(row.Reason, "not yet"), fmt.Sprint(row.Row))
		}
	}
	var lines []string
	for _, g := range all {
		lines = append(lines, "Not run: "+reasonLine(g, len(g.Names)))
	}
	return lines
}

// row is the outcome and the claim, and below them what each side measured.
func (p *printer) row(j catalogue.Judgement) {
	const number, outcome = 2, 12
	indent := number + gap + outcome + gap
	head := fmt.Sprintf("%*d", number, j.Row) + strings.Repeat(" ", gap) +
		p.paint(fmt.Sprintf("%-*s", outcome, j.Outcome), p.outcomeColor(j.Outcome)) + strings.Repeat(" ", gap)
	for _, l := range wrap(plain(j.Claim), p.Width-indent) {
		p.w.WriteString(head + strings.TrimPrefix(l, "  ") + "\n")
		head = strings.Repeat(" ", indent)
	}
	inset := func(s string) {
		for _, l := range wrap(plain(s), p.Width-indent) {
			p.w.WriteString(strings.Repeat(" ", indent) + l + "\n")
		}
	}
	for _, s := range j.Sides {
		inset(sideLine(s))
	}
	if j.Reason != "" {
		inset(string(j.Outcome) + ": " + j.Reason)
	}
	if len(j.Sides) > 0 {
		inset("run: " + j.Profile)
	}
}

// sideLine is "breaks committed-first/crash: lost 250, duplicates 0 (3 trials)".
func sideLine(s catalogue.Side) string {
	return fmt.Sprintf("%s %s: %s (%s)", s.Side, s.Glob, factsLine(s), plural(s.Trials, "trial"))
}

func factsLine(s catalogue.Side) string {
	if len(s.Facts) == 0 {
		return stats.None
	}
	var facts []string
	for _, f := range s.Facts {
		facts = append(facts, f.String())
	}
	return strings.Join(facts, "; ")
}

func (p *printer) outcomeColor(o catalogue.Outcome) string {
	switch o {
	case catalogue.NotMet:
		return red
	case catalogue.Confirmed, catalogue.MoreSubtle, catalogue.Refuted:
		return green
	}
	return yellow
}

// outcomes are all that a row can come to, those that a suite states first.
var outcomes = []catalogue.Outcome{
	catalogue.Confirmed, catalogue.MoreSubtle, catalogue.Refuted,
	catalogue.NotMet, catalogue.Inconclusive, catalogue.Omitted, catalogue.NotRun,
}

// ClaimVerdict is a suite run in one sentence.
func ClaimVerdict(r *catalogue.Record) string {
	count := map[catalogue.Outcome]int{}
	for _, row := range r.Rows {
		count[row.Outcome]++
	}
	var parts []string
	for _, o := range outcomes {
		if count[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[o], o))
		}
	}
	prefix := ""
	if r.Suite.Interrupted {
		prefix = "Interrupted. "
	}
	return prefix + plural(len(r.Rows), "claim") + ": " + strings.Join(parts, ", ") + "."
}

// worst is what the whole comes to: the first of these that a row came to.
func worst(r *catalogue.Record) catalogue.Outcome {
	for _, o := range []catalogue.Outcome{catalogue.NotMet, catalogue.Inconclusive, catalogue.NotRun} {
		for _, row := range r.Rows {
			if row.Outcome == o {
				return o
			}
		}
	}
	return catalogue.Confirmed
}

// ClaimMarkdown writes claims.md: the conditions, a table of all rows, and of each
// the experiment, what was measured and what to conclude. Runs are those whose
// folders stand beside it, by their profiles: each row leads to its trials in their
// pages. Of the record alone there is nothing to lead to.
func ClaimMarkdown(w io.Writer, r *catalogue.Record, runs map[string]*result.Run) error {
	m := &markdown{bufio.NewWriter(w)}
	m.line("# The claims of the articles, measured")
	m.line("\n<!-- Written by `bench report` from a saved run of the suite; do not edit. -->")
	m.paragraph(md(r.Suite.About))
	m.paragraph("**" + md(ClaimVerdict(r)) + "**")
	m.claimConditions(r)
	m.line("\n| # | Claim | Came out |")
	m.line("|---:|---|---|")
	for _, j := range r.Rows {
		m.line(fmt.Sprintf("| [%d](#%s) | %s | %s |", j.Row, anchor(j), md(j.Claim), outcomeLink(j, runs[j.Profile])))
	}
	for _, j := range r.Rows {
		m.judgement(j, runs[j.Profile])
	}
	m.line("\n## Run it again\n")
	m.line("    " + quoted(r.Suite.Command))
	return m.w.Flush()
}

func anchor(j catalogue.Judgement) string { return fmt.Sprintf("claim-%d", j.Row) }

func (m *markdown) claimConditions(r *catalogue.Record) {
	h := r.Suite
	run := result.Run{Environment: r.Environment, Run: result.Header{
		ID: h.ID, Started: h.Started, Finished: h.Finished, Version: h.Version, Profile: h.Name, ProfileSHA256: h.SuiteSHA256,
	}}
	m.line("\n## Conditions\n")
	for _, c := range conditions(&run) {
		switch c.Name {
		case "Broker": // each row's own
		case "Seed":
			m.line("- Seed: " + md(orElse(h.Seed, "each profile's own")))
		default:
			m.line("- " + md(strings.Replace(strings.Replace(c.Name, "the profile", "the suite", 1), "Profile", "Suite", 1)) + ": " + md(c.Value))
		}
	}
	if h.Scale != 1 {
		m.line("- Scale: " + md(stats.Ratio(h.Scale)))
	}
	trials, limited := 0, 0
	for _, e := range r.Profiles {
		trials, limited = trials+e.Trials, limited+e.Limited
	}
	if limited > 0 {
		m.line(fmt.Sprintf("- In %d of %s the load was late or the processors were busy: counts are as good, speeds and latencies are the machine's.", limited, plural(trials, "trial")))
	}
	embedded := slices.IndexFunc(r.Rows, func(j catalogue.Judgement) bool { return j.Setup.Broker.Kind == "embedded" })
	if embedded >= 0 {
		caveat := result.Environment{Broker: r.Rows[embedded].Setup.Broker}.BrokerCaveat()
		m.line("- " + md(caveat) + ". Compare the sides of a row with each other.")
	}
	m.line("- A rate is given with its 95 % interval by Clopper and Pearson. Exact numbers are predicted to the message.")
	m.line("- SIGKILL leaves the operating system's page cache alone: power failures are not part of this.")
}

// judgement is one row in full.
func (m *markdown) judgement(j catalogue.Judgement, run *result.Run) {
	m.line(fmt.Sprintf("\n<a id=\"%s\"></a>", anchor(j)))
	m.line(fmt.Sprintf("\n## %d. %s", j.Row, md(j.Claim)))
	switch j.Outcome {
	case catalogue.Confirmed, catalogue.MoreSubtle, catalogue.Refuted:
		m.paragraph("**" + sentence(string(j.Outcome)) + ".** " + md(j.Conclude))
	default:
		m.paragraph("**" + sentence(string(j.Outcome)) + ":** " + md(orElse(j.Reason, "not yet")))
	}
	if len(j.Sides) == 0 {
		return
	}
	m.paragraph(md(j.Setup.About))
	m.line("\n- Profile: `" + plain(j.Profile) + ".yaml`")
	m.line("- Broker: " + md(j.Setup.Broker.Description()))
	for _, l := range commonFaults(j.Sides) {
		m.line("- Fault: `" + plain(l) + "`")
	}
	m.line("\n| Side | Where | Settings that differ | Measured | Claimed | Trials |")
	m.line("|---|---|---|---|---|---:|")
	for _, s := range j.Sides {
		settings := s.Settings
		if len(commonFaults(j.Sides)) == 0 {
			for _, f := range s.Faults {
				settings = append(settings[:len(settings):len(settings)], "fault: "+f)
			}
		}
		m.line(fmt.Sprintf("| %s | %s | %s | %s | %s | %d |", s.Side, whereLinks(j, s, run), cells(settings), cells(factTexts(s)), cells(claimTexts(s)), s.Trials))
	}
}

// outcomeLink is what a row came to, which leads to the first of its trials.
func outcomeLink(j catalogue.Judgement, run *result.Run) string {
	text := md(string(j.Outcome))
	for _, s := range j.Sides {
		for _, where := range s.Where {
			if link := trialsLink(j.Profile, run, where); link != "" {
				return "[" + text + "](" + link + ")"
			}
		}
	}
	return text
}

// whereLinks is a side's glob; each of its places leads to its trials.
func whereLinks(j catalogue.Judgement, s catalogue.Side, run *result.Run) string {
	var links []string
	for _, where := range s.Where {
		if link := trialsLink(j.Profile, run, where); link != "" {
			links = append(links, "["+md(where)+"]("+link+")")
		}
	}
	if len(s.Where) != 1 || s.Where[0] != s.Glob || len(links) == 0 {
		links = slices.Insert(links, 0, md(s.Glob))
	}
	return strings.Join(links, "<br>")
}

// trialsLink leads to the trials of a cell in a scenario ("cell/scenario"), in the
// page of their run; "" when none was tried.
func trialsLink(profile string, run *result.Run, where string) string {
	if run == nil {
		return ""
	}
	for i := range run.Cells {
		c := &run.Cells[i]
		for _, scenario := range c.Scenarios(run) {
			if anchor := placeAnchor(run, c, scenario); anchor != "" && c.Name+"/"+scenario == where {
				return mdLink(profile+"/"+result.PageFile) + "#" + anchor
			}
		}
	}
	return ""
}

// cells joins what stands in one cell of a table.
func cells(texts []string) string {
	var out []string
	for _, t := range texts {
		out = append(out, md(t))
	}
	return strings.Join(out, "<br>")
}

func factTexts(s catalogue.Side) []string {
	var out []string
	for _, f := range s.Facts {
		out = append(out, f.String())
	}
	return out
}

func claimTexts(s catalogue.Side) []string {
	if s.Side == catalogue.Counted {
		return nil
	}
	var out []string
	for _, f := range s.Facts {
		out = append(out, f.Claims...)
	}
	return out
}

// commonFaults are those of all sides, when they are the same.
func commonFaults(sides []catalogue.Side) []string {
	for _, s := range sides {
		if strings.Join(s.Faults, "\n") != strings.Join(sides[0].Faults, "\n") {
			return nil
		}
	}
	return sides[0].Faults
}

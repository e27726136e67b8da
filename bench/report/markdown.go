package report

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"

	"deliverybench/bench/result"
)

// Markdown writes report.md: the verdict, the table, claims, conditions, charts
// and how to run it again, for a pull request or a wiki. Charts are the SVG
// files of charts/ in folder, linked relatively; a nil folder has none. The
// error is the writer's or the folder's.
func Markdown(w io.Writer, run *result.Run, folder fs.FS) error {
	figures, err := figures(run, folder)
	if err != nil {
		return err
	}
	m := &markdown{bufio.NewWriter(w)}
	v := newView(run)
	m.line("# " + md(run.Run.Profile))
	m.paragraph("**" + md(Verdict(run)) + "**")
	m.paragraph(md(run.Run.About))
	m.table(v)
	if c := newCapacityView(run); c != nil {
		m.capacity(c)
	}
	m.list(v.how())
	if r := recoveryView(run); r != nil {
		m.line("\n## Recovery")
		m.paragraph(md(r.recoveryTitle()) + ":")
		m.table(r.long())
		m.list([]string{r.howRecovery()})
	}
	m.claims(run)
	m.omissions(omissions(run))
	m.reasons("Inconclusive", unfinished(run, result.Inconclusive))
	m.reasons("Failed", unfinished(run, result.Failed))
	m.reasons("Interrupted", unfinished(run, result.Stopped))
	if warnings := Warnings(run); len(warnings) > 0 {
		m.line("\n## Warnings\n")
		for _, w := range warnings {
			m.line("- " + md(warningLine(w)))
		}
	}
	if len(figures) > 0 {
		m.line("\n## Charts")
		for _, f := range figures {
			m.paragraph(fmt.Sprintf("![%s](%s)", md(f.alt()), mdLink(f.file)))
		}
	}
	m.line("\n## Conditions\n")
	for _, c := range conditions(run) {
		m.line("- " + md(c.Name) + ": " + md(c.Value))
	}
	m.line("\n## Run it again\n")
	m.line("    " + command(run))
	return m.w.Flush()
}

type markdown struct{ w *bufio.Writer }

func (m *markdown) line(s string) { m.w.WriteString(s + "\n") }

func (m *markdown) paragraph(s string) {
	if s != "" {
		m.line("\n" + s)
	}
}

func (m *markdown) list(lines []string) {
	if len(lines) == 0 {
		return
	}
	m.line("")
	for _, l := range lines {
		m.line("- " + md(l))
	}
}

// table is one Markdown table: every column's header bears its scenario.
func (m *markdown) table(v *view) {
	if len(v.cells) == 0 || len(v.groups) == 0 {
		return
	}
	columns := append([]column(nil), v.labels...)
	if v.all != nil { // first of the numbers: a wide table is cut off at its right
		columns = append(columns, *v.all)
	}
	for _, g := range v.groups {
		for _, c := range g.columns {
			columns = append(columns, column{header: strings.TrimPrefix(g.heading()+"\n"+c.header, "\n"), cells: c.cells})
		}
	}
	m.line("")
	head, rule := "|", "|"
	for _, c := range columns {
		scenario, name, found := strings.Cut(c.header, "\n")
		head += " " + md(scenario)
		if found {
			head += "<br>" + md(name)
		}
		head += " |"
		if rule += " ---"; !c.left {
			rule += ":"
		}
		rule += " |"
	}
	m.line(head)
	m.line(rule)
	for i := range v.cells {
		row := "|"
		for _, c := range columns {
			row += " " + md(c.cells[i]) + " |"
		}
		m.line(row)
	}
}

func (m *markdown) claims(run *result.Run) {
	lines := claimLines(run, len(run.Claims))
	if len(lines) == 0 {
		return
	}
	m.line("\n## Claims\n")
	m.line(md(lines[0]))
	for i, l := range lines[1:] {
		if i == 0 {
			m.line("")
		}
		m.line("- " + md(l))
	}
}

func (m *markdown) omissions(all []result.Omission) {
	if len(all) == 0 {
		return
	}
	m.line("\n## Omitted\n")
	for _, o := range all {
		m.line("- " + md(omissionLine(o)))
	}
}

func (m *markdown) reasons(what string, all byReason) {
	if len(all) == 0 {
		return
	}
	m.line("\n## " + what + "\n")
	for _, g := range all {
		m.line("- " + md(sentence(reasonLine(g, len(g.Names)))))
	}
}

// md escapes what Markdown and the HTML within it would read as markup: also what
// begins a list, and what calls somebody by name.
func md(s string) string {
	s = strings.NewReplacer(
		`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "$", `\$`,
		"<", "&lt;", ">", "&gt;", "&", "&amp;", "#", `\#`, "~", `\~`, "!", `\!`,
	).Replace(plain(s))
	s = numbered.ReplaceAllString(s, `$1\$2`)
	s = bulleted.ReplaceAllString(s, `\$1`)
	return mention.ReplaceAllString(s, "@<!-- -->$1")
}

var (
	numbered = regexp.MustCompile(`^(\d+)([.)](?: |$))`)
	bulleted = regexp.MustCompile(`^([-+](?:[-+ ]|$))`)
	mention  = regexp.MustCompile(`@(\w)`)
)

// mdLink escapes what ends a link's address, and what would be no part of its path.
func mdLink(s string) string {
	return strings.NewReplacer("%", "%25", "#", "%23", "?", "%3F", " ", "%20", "(", "%28", ")", "%29", "<", "%3C", ">", "%3E").Replace(s)
}

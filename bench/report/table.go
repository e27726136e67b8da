package report

import (
	"bufio"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"deliverybench/bench/result"
)

// Options say how the terminal's table is drawn.
type Options struct {
	// Width is the number of columns that no line exceeds; 0 is 100, and less
	// than 40 is taken as 40.
	Width int
	// Color marks what held and what did not with ANSI colours. Whether the
	// writer is a terminal and NO_COLOR is unset is for the caller to find out.
	Color bool
	// Heading prints the line that names profile, trials and broker first.
	Heading bool
}

const (
	defaultWidth = 100
	leastWidth   = 40
	gap          = 2  // between two columns
	listed       = 12 // claims, omissions and the like that the terminal lists
)

// Table writes the run as the terminal shows it: the table, how its numbers
// were made, claims, omissions, warnings, and the verdict last. The error is
// the writer's.
func Table(w io.Writer, run *result.Run, o Options) error {
	if o.Width == 0 {
		o.Width = defaultWidth
	}
	p := &printer{w: bufio.NewWriter(w), Options: o}
	p.Width = max(p.Width, leastWidth)
	v := newView(run)
	if o.Heading {
		p.line(heading(run), "")
		p.blank()
	}
	if len(v.cells) > 0 && len(v.groups) > 0 {
		p.blocks(v)
	}
	if r := recoveryView(run); r != nil {
		p.line(r.recoveryTitle()+":", "")
		p.blank()
		p.blocks(r.within(p.Width))
	}
	if c := newCapacityView(run); c != nil {
		p.capacity(c)
	}
	p.notes(v)
	p.line(Verdict(run), p.verdictColor(run))
	return p.w.Flush()
}

// printer writes lines of at most Width columns.
type printer struct {
	w *bufio.Writer
	Options
}

// ANSI colours, of the terminal's own palette.
const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

func (p *printer) blank() { p.w.WriteByte('\n') }

func (p *printer) line(s, color string) {
	for _, l := range wrap(s, p.Width) {
		p.w.WriteString(p.paint(l, color) + "\n")
	}
}

func (p *printer) paint(s, color string) string {
	if !p.Color || color == "" || s == "" {
		return s
	}
	return color + s + reset
}

func (p *printer) blocks(v *view) {
	for _, block := range v.blocks(p.Width) {
		p.block(block)
		p.blank()
	}
}

func (p *printer) notes(v *view) {
	for _, l := range v.how() {
		p.line(l, "")
	}
	if r := recoveryView(v.run); r != nil {
		p.line(r.howRecovery(), "")
	}
	for i, l := range claimLines(v.run, listed) {
		switch {
		case i == 0, strings.HasPrefix(l, "~"):
			p.line(l, "")
		case strings.HasPrefix(l, "✗"):
			p.line(l, red)
		default:
			p.line(l, yellow)
		}
	}
	p.omissions(omissions(v.run))
	p.reasons("Inconclusive", unfinished(v.run, result.Inconclusive))
	p.reasons("Failed", unfinished(v.run, result.Failed))
	p.reasons("Interrupted", unfinished(v.run, result.Stopped))
	for _, w := range Warnings(v.run) {
		p.line("! "+warningLine(w), yellow)
	}
}

func (p *printer) omissions(all []result.Omission) {
	for i, o := range all {
		if i == listed {
			p.line("Omitted: … and "+plural(len(all)-listed, "more reason")+", all in the report", "")
			return
		}
		p.line("Omitted: "+omissionLine(o), "")
	}
}

func (p *printer) reasons(what string, all byReason) {
	for i, g := range all {
		if i == listed {
			p.line(what+": … and "+plural(len(all)-listed, "more reason")+", all in the report", "")
			return
		}
		p.line(what+", "+plural(len(g.Names), "time")+": "+reasonLine(g, 3), "")
	}
}

// reasonLine is a reason with up to limit of what it is the reason for.
func reasonLine(g *grouped, limit int) string {
	return strings.TrimRight(g.Reason, ".") + " (" + list(g.Names, limit) + ")."
}

func (p *printer) verdictColor(run *result.Run) string {
	switch outcomeOf(run) {
	case result.Violated:
		return red
	case result.PromiseInconclusive:
		return yellow
	}
	return green
}

// block is one table: what of the view fits side by side.
type block struct {
	labels []column
	groups []group
	last   *column // the promise; nil in all but the last block
}

// block draws the group titles, the headers and the rows.
func (p *printer) block(b block) {
	columns := slices.Clone(b.labels)
	widths := columnWidths(b.labels)
	var titles strings.Builder
	titles.WriteString(strings.Repeat(" ", sum(widths)+gap*len(widths)))
	for _, g := range b.groups {
		w := columnWidths(g.columns)
		if missing := g.widened - span(w); missing > 0 {
			w[0] += missing // room that the layout has set aside for the title
		}
		titles.WriteString(titleLine(g, span(w)) + strings.Repeat(" ", gap))
		columns = append(columns, g.columns...)
		widths = append(widths, w...)
	}
	if b.last != nil {
		columns = append(columns, *b.last)
		widths = append(widths, b.last.width())
	}
	if slices.ContainsFunc(b.groups, func(g group) bool { return g.title != "" }) {
		p.w.WriteString(strings.TrimRight(titles.String(), " ") + "\n")
	}
	p.w.WriteString(p.rows(columns, widths) + "\n")
}

func (p *printer) rows(columns []column, widths []int) string {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box = table.BoxStyle{PaddingRight: strings.Repeat(" ", gap)}
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	var configs []table.ColumnConfig
	for i, c := range columns {
		align := text.AlignRight
		if c.left {
			align = text.AlignLeft
		}
		configs = append(configs, table.ColumnConfig{
			Number: i + 1, Align: align, AlignHeader: align, WidthMin: widths[i],
			WidthMax: widths[i], WidthMaxEnforcer: truncate,
		})
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(row(columns, func(c column) string { return c.header }))
	for i := range columns[0].cells {
		t.AppendRow(row(columns, func(c column) string { return p.cell(c, i) }))
	}
	return t.Render()
}

func (p *printer) cell(c column, i int) string {
	if c.header != "promise" {
		return c.cells[i]
	}
	colors := map[string]string{string(result.Held): green, string(result.Violated): red, string(result.PromiseInconclusive): yellow}
	return p.paint(c.cells[i], colors[c.cells[i]])
}

func row(columns []column, of func(column) string) table.Row {
	var r table.Row
	for _, c := range columns {
		r = append(r, of(c))
	}
	return r
}

// titleLine is "── saturated ─────" over a group's columns.
func titleLine(g group, columns int) string {
	if columns <= titleFrame {
		return strings.Repeat("─", columns)
	}
	title := g.title
	if width(title)+titleFrame > columns {
		title = g.short
	}
	line := "── " + truncate(title, columns-titleFrame) + " "
	return line + strings.Repeat("─", max(0, columns-width(line)))
}

// titleFrame is what a title takes beside its text: "── ", " " and "─".
const titleFrame = 5

func (c column) width() int {
	w := width(c.header)
	for _, cell := range c.cells {
		w = max(w, width(cell))
	}
	return w
}

func columnWidths(columns []column) []int {
	var w []int
	for _, c := range columns {
		w = append(w, c.width())
	}
	return w
}

func sum(widths []int) int {
	total := 0
	for _, w := range widths {
		total += w
	}
	return total
}

// span is the width of columns side by side.
func span(widths []int) int { return sum(widths) + gap*max(0, len(widths)-1) }

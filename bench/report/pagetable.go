package report

import (
	"math"
	"slices"
	"strconv"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// pageTable is a table of the page. Sorting and filtering are the script's; without
// it the table stands as it is here.
type pageTable struct {
	ID      string // of a table that is sorted and filtered
	Label   string // for those who do not see it
	Names   int    // columns that name a row, over which no group stands
	Groups  []pageGroup
	Headers []pageHeader
	Rows    []pageRow
	Choice  string   // what rows can be chosen by: "promise"
	States  []string // what there is of it
}

type pageGroup struct {
	Title string
	Span  int
}

// pageHeader heads a column. Sort is how the script puts its rows in order: by
// their numbers, by their texts, or, empty, not at all.
type pageHeader struct{ Text, Class, Sort string }

const (
	byNumber = "number"
	byText   = "text"
)

type pageRow struct {
	State string
	Cells []pageCell
}

// pageCell is one cell of a table. Class is "", "text", "code", or a promise; Value
// the number that the text was rounded from; Link where it comes from.
type pageCell struct{ Text, Class, Value, Link string }

// Rest is how many columns besides the first name a row.
func (t pageTable) Rest() int { return t.Names - 1 }

// add appends a column of these cells.
func (t *pageTable) add(h pageHeader, cells []pageCell) {
	t.Headers = append(t.Headers, h)
	for i, c := range cells {
		if i == len(t.Rows) {
			t.Rows = append(t.Rows, pageRow{})
		}
		t.Rows[i].Cells = append(t.Rows[i].Cells, c)
	}
}

// name appends the columns that name the rows; the first stays in sight.
func (t *pageTable) name(labels []column) {
	for j, label := range labels {
		h := pageHeader{label.header, "text", byText}
		if h.Text == "" {
			h.Text = "arm"
		}
		if j == 0 {
			h.Class = "name"
		}
		var cells []pageCell
		for _, text := range label.cells {
			cells = append(cells, pageCell{Text: text, Class: h.Class})
		}
		t.add(h, cells)
	}
	t.Names = len(t.Headers)
}

// origin is where a number comes from: the trials that it was made of.
type origin func(row int, c column) (anchor string)

// group appends the columns of a group.
func (t *pageTable) group(g group, of origin) {
	t.Groups = append(t.Groups, pageGroup{g.heading(), len(g.columns)})
	for _, c := range g.columns {
		h := pageHeader{Text: c.header}
		if c.left {
			h.Class = "text"
		}
		if c.values != nil {
			h.Sort = byNumber
		}
		var cells []pageCell
		for i, text := range c.cells {
			cell := pageCell{Text: text, Class: h.Class}
			if c.values != nil {
				cell.Value = exact(c.values[i])
			}
			if c.traced && text != stats.None {
				cell.Link = "#" + of(i, c)
			}
			cells = append(cells, cell)
		}
		t.add(h, cells)
	}
}

// exact writes a number with all of its digits; nothing of one that is none.
func exact(value float64) string {
	if math.IsNaN(value) {
		return ""
	}
	if math.IsInf(value, 1) {
		return "Infinity" // as the script reads it
	}
	return strconv.FormatFloat(value, 'f', -1, 64)
}

// single takes sorting and finding from a table in which there is nothing to sort or find.
func (t *pageTable) single() {
	if len(t.Rows) < 2 {
		t.ID, t.Choice, t.States = "", "", nil
		t.fix()
	}
}

// fix keeps the rows as they are, in a table too short to be sorted.
func (t *pageTable) fix() {
	for i := range t.Headers {
		t.Headers[i].Sort = ""
	}
	for _, row := range t.Rows {
		for i := range row.Cells {
			row.Cells[i].Value = ""
		}
	}
}

// choose lets rows be chosen by a column's texts, which become their states.
func (t *pageTable) choose(what string, texts []string) {
	t.Choice = what
	for i, text := range texts {
		t.Rows[i].State = text
		t.States = addNew(t.States, text)
	}
	slices.Sort(t.States)
}

// mainTable has the promise before the numbers: a wide table goes on behind the
// right edge of the window.
func mainTable(v *view) pageTable {
	t := pageTable{ID: "results", Label: "Results"}
	if len(v.groups) == 0 {
		return pageTable{}
	}
	t.name(v.labels)
	t.leadToCells(v)
	for j := range v.labels {
		if j > 0 || v.labels[j].header != "" {
			t.placed(j)
		}
	}
	var promises []pageCell
	for _, text := range v.all.cells {
		promises = append(promises, pageCell{Text: text, Class: promiseClass(text)})
	}
	t.add(pageHeader{v.all.header, "text", byText}, promises)
	t.Names++
	for _, g := range v.groups {
		t.group(g, func(row int, _ column) string { return countAnchor(row, g.scenario, g.trials[row]) })
	}
	t.choose("promise", v.all.cells)
	t.single()
	return t
}

// placed puts a column of settings in the profile's order: by when each value
// first appears.
func (t *pageTable) placed(column int) {
	var seen []string
	t.Headers[column].Sort = byNumber
	for _, row := range t.Rows {
		c := &row.Cells[column]
		seen = addNew(seen, c.Text)
		c.Value = strconv.Itoa(slices.Index(seen, c.Text))
	}
}

// leadToCells leads from the name of each row to its cell.
func (t *pageTable) leadToCells(v *view) {
	for i := range t.Rows {
		t.Rows[i].Cells[0].Link = "#" + cellAnchor(cellRow(v.run, v.cells[i]))
	}
}

// cellRow is the row that a cell has in the main table, by which its anchors go.
func cellRow(run *result.Run, of *result.Cell) int {
	row := 0
	for i := range run.Cells {
		switch c := &run.Cells[i]; {
		case c == of:
			return row
		case c.Omitted == "":
			row++
		}
	}
	return row
}

// sectionTable is a view of its own section.
func sectionTable(v *view, id, label string, of origin) pageTable {
	t := pageTable{ID: id, Label: label}
	t.name(v.labels)
	t.leadToCells(v)
	for _, g := range v.groups {
		t.group(g, of)
	}
	t.single()
	return t
}

// claimTableOf lists what needs reading before what is as expected.
func claimTableOf(v *view) pageTable {
	t := pageTable{ID: "claims", Label: "Claims"}
	claims := claimsWorstFirst(v.run.Claims)
	text := func(header, class string, of func(result.Claim) pageCell) {
		var cells []pageCell
		for _, c := range claims {
			cell := of(c)
			if cell.Class == "" {
				cell.Class = class
			}
			cells = append(cells, cell)
		}
		sort := byText
		if header == "expected" || header == "observed" { // numbers of any unit, rounded
			sort = ""
		}
		t.add(pageHeader{header, "text", sort}, cells)
	}
	text("status", "", func(c result.Claim) pageCell { return pageCell{Text: string(c.Status), Class: claimClass(c.Status)} })
	text("cell", "wide", func(c result.Claim) pageCell { return pageCell{Text: plain(c.Cell)} })
	text("scenario", "text", func(c result.Claim) pageCell { return pageCell{Text: plain(c.Scenario)} })
	text("claim", "code", func(c result.Claim) pageCell { return pageCell{Text: plain(c.Expression)} })
	text("expected", "text", func(c result.Claim) pageCell { return pageCell{Text: plain(c.Expected)} })
	text("observed", "text", func(c result.Claim) pageCell {
		return pageCell{Text: plain(c.Observed), Link: v.claimLink(c)}
	})
	if slices.ContainsFunc(claims, func(c result.Claim) bool { return c.Reason != "" }) {
		text("reason", "wide", func(c result.Claim) pageCell { return pageCell{Text: plain(c.Reason)} })
	}
	var states []string
	for _, c := range claims {
		states = append(states, string(c.Status))
	}
	t.choose("status", states)
	t.single()
	return t
}

// claimLink leads to the trials that a claim is about.
func (v *view) claimLink(c result.Claim) string {
	row := slices.IndexFunc(v.cells, func(cell *result.Cell) bool { return cell.Name == c.Cell })
	if row < 0 {
		return ""
	}
	if anchor := placeAnchor(v.run, v.cells[row], c.Scenario); anchor != "" {
		return "#" + anchor
	}
	return ""
}

// placeAnchor is where the trials of a cell in a scenario are; "" when none was tried.
func placeAnchor(run *result.Run, c *result.Cell, scenario string) string {
	trials := c.InScenario(scenario)
	if c.Omitted != "" || !slices.ContainsFunc(trials, ran) {
		return ""
	}
	return countAnchor(cellRow(run, c), scenario, trials)
}

// claimsWorstFirst orders what needs reading before what is as expected.
func claimsWorstFirst(claims []result.Claim) []result.Claim {
	rank := map[result.ClaimStatus]int{result.NotMet: 0, result.ClaimInconclusive: 1, result.Met: 2}
	out := slices.Clone(claims)
	slices.SortStableFunc(out, func(a, b result.Claim) int { return rank[a.Status] - rank[b.Status] })
	return out
}

// promiseClass is the style of a promise.
func promiseClass(promise string) string {
	if promise == stats.None {
		return string(result.NoPromise)
	}
	return promise
}

// claimClass is the style of a claim's status.
func claimClass(s result.ClaimStatus) string {
	switch s {
	case result.Met:
		return string(result.Held)
	case result.NotMet:
		return string(result.Violated)
	}
	return string(result.PromiseInconclusive)
}

package report

import (
	"fmt"
	"slices"
	"strings"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// databaseColumns show what the effects outside Kafka came to and, where nothing
// went wrong on purpose, what they cost: nothing where no trial has a database.
// Lost and duplicated rows have columns of their own only where they are not the
// verdict's: in a relay, whose verdict is about its output, and where some are
// beside an outbox, whose verdict is about its topic.
func (v *view) databaseColumns(g group) []column {
	if !slices.ContainsFunc(slices.Concat(g.trials...), func(t *result.Trial) bool { return t.Database != nil }) {
		return nil
	}
	outbox := v.runs(g, "outbox")
	columns := countColumns(g, databaseCounts(v.runs(g, "relay"), outbox)...)
	if g.kind == faulted {
		return columns
	}
	durable := v.microsColumn("durable p99", g, result.Durable, p99)
	if outbox { // a message is acknowledged when its row is committed
		durable = v.microsColumn("row p99", g, result.Ack, p99)
	}
	return append(columns,
		databaseMedian("commits/s", g, func(d *result.Database) float64 { return d.CommitsPerSecond }, stats.Rate),
		databaseMedian("rows/commit", g, func(d *result.Database) float64 { return d.RowsPerCommit }, func(x float64) string { return fmt.Sprintf("%.0f", x) }),
		durable)
}

// databaseCounts are what goes wrong in a database.
func databaseCounts(relay, outbox bool) []count {
	rows := func(read func(*result.Database) int64) func(*result.Trial) (int64, bool) {
		return func(t *result.Trial) (int64, bool) {
			if t.Database == nil {
				return 0, false
			}
			return read(t.Database), true
		}
	}
	alone := func(read func(*result.Outbox) int64) func(*result.Trial) (int64, bool) {
		return func(t *result.Trial) (int64, bool) {
			if t.Database == nil || t.Database.Outbox == nil {
				return 0, false
			}
			return read(t.Database.Outbox), true
		}
	}
	var counts []count
	if relay || outbox {
		counts = append(counts,
			count{"rows lost", rows(func(d *result.Database) int64 { return d.Lost }), nil, relay},
			count{"rows twice", rows(func(d *result.Database) int64 { return d.Duplicates }), nil, relay})
	}
	if outbox {
		counts = append(counts,
			count{"rows alone", alone(func(o *result.Outbox) int64 { return o.RowsWithoutMessage }), func(p *result.Predicted) *int64 { return p.RowsWithoutMessage }, true},
			count{"messages alone", alone(func(o *result.Outbox) int64 { return o.MessagesWithoutRow }), func(p *result.Predicted) *int64 { return p.MessagesWithoutRow }, true})
	}
	return append(counts,
		count{"cents off", rows(func(d *result.Database) int64 { return d.DifferenceCents }), nil, !outbox},
		count{"status wrong", rows(func(d *result.Database) int64 { return d.WrongStatus }), nil, false})
}

// runs reports whether a pipeline is among the rows.
func (v *view) runs(g group, pipeline string) bool {
	for i, trials := range g.trials {
		for _, t := range trials {
			if setting(v.cells[i], t, "pipeline") == pipeline {
				return true
			}
		}
	}
	return false
}

func databaseMedian(header string, g group, of func(*result.Database) float64, text func(float64) string) column {
	c := column{header: header}
	for _, trials := range g.trials {
		all := values(trials, func(t *result.Trial) (float64, bool) {
			if t.Database == nil {
				return 0, false
			}
			return of(t.Database), true
		})
		if len(all) == 0 {
			c.none()
			continue
		}
		median := stats.Summarise(all).Median
		c.add(text(median), median)
	}
	return c
}

// howDatabase explains the columns of a database.
func (v *view) howDatabase() string {
	explained := map[string]string{
		"rows lost":    "messages without a row (a relay's lost and duplicates are its output topic's)",
		"rows twice":   "rows beyond a message's first",
		"cents off":    "by how much the balances are wrong, negative where effects are missing",
		"status wrong": "accounts whose status is not what their messages say",
		"commits/s":    "the transactions that wrote rows, without those of an outbox's publisher",
		"rows/commit":  "by these transactions",
		"durable p99":  "intended send → its row is committed",
		"row p99":      "intended send → its row is committed",
	}
	var told []string
	for _, g := range v.groups {
		for _, c := range g.columns {
			if text := explained[c.header]; text != "" {
				told = append(told, c.header+": "+text)
				delete(explained, c.header)
			}
		}
	}
	if len(told) == 0 {
		return ""
	}
	return strings.Join(told, "; ") + "."
}

// databases are the versions of those that a run wrote to.
func databases(run *result.Run) []string {
	var versions []string
	for _, c := range run.Cells {
		for _, t := range c.Trials {
			if t.Database != nil && t.Database.Version != "" && !slices.Contains(versions, t.Database.Version) {
				versions = append(versions, t.Database.Version)
			}
		}
	}
	return versions
}

// databaseRows are for the detail of a trial: what the database has, and why its
// balances are not what they should be.
func databaseRows(t *result.Trial) [][2]string {
	d := t.Database
	if d == nil {
		return nil
	}
	rows := [][2]string{
		{"database: rows", stats.Count(d.Effects)}, {"database: messages without a row", stats.Count(d.Lost)},
		{"database: rows beyond a message's first", stats.Count(d.Duplicates)},
	}
	if d.ExpectedCents != 0 || d.ActualCents != 0 {
		rows = append(rows, [2]string{"balances should be, cents", stats.Count(d.ExpectedCents)}, [2]string{"balances are, cents", stats.Count(d.ActualCents)})
	}
	for _, r := range []struct {
		name string
		n    int64
	}{
		{"balances: missing with lost effects, cents", d.DifferenceByCause.Lost}, {"balances: added by repeated effects, cents", d.DifferenceByCause.Redelivered},
		{"accounts whose status is wrong", d.WrongStatus},
	} {
		if r.n != 0 {
			rows = append(rows, [2]string{r.name, stats.Count(r.n)})
		}
	}
	if d.Outbox != nil {
		rows = append(rows, agreementRows(t)...)
	}
	return rows
}

// agreementRows are for the detail of a trial of pipeline outbox: the messages on
// both sides, and those that stand alone with what was predicted of them.
func agreementRows(t *result.Trial) [][2]string {
	o := t.Database.Outbox
	told := func(n int64, forecast func(*result.Predicted) *int64) string {
		text := stats.Count(n)
		if p := t.Predicted(forecast); p != nil {
			text += " (predicted " + stats.Count(*p) + ")"
		}
		return text
	}
	rows := [][2]string{
		{"rows with their message", stats.Count(o.Agreed)},
		{"rows without a message", told(o.RowsWithoutMessage, func(p *result.Predicted) *int64 { return p.RowsWithoutMessage })},
		{"messages without a row", told(o.MessagesWithoutRow, func(p *result.Predicted) *int64 { return p.MessagesWithoutRow })},
	}
	if o.Waiting != 0 {
		rows = append(rows, [2]string{"rows whose message was not published yet", stats.Count(o.Waiting)})
	}
	return rows
}

package report

import (
	"fmt"
	"slices"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// databaseColumns show what the effects outside Kafka came to and, where nothing
// went wrong on purpose, what they cost: nothing where no trial has a database.
// Lost and duplicated rows have columns of their own only where they are not the
// verdict's: in a relay, whose verdict is about its output.
func (v *view) databaseColumns(g group) []column {
	if !slices.ContainsFunc(slices.Concat(g.trials...), func(t *result.Trial) bool { return t.Database != nil }) {
		return nil
	}
	var columns []column
	if v.relays(g) {
		columns = append(columns,
			databaseCounts("rows lost", g, func(d *result.Database) int64 { return d.Lost }),
			databaseCounts("rows twice", g, func(d *result.Database) int64 { return d.Duplicates }))
	}
	off := databaseCounts("cents off", g, func(d *result.Database) int64 { return d.DifferenceCents })
	wrong := databaseCounts("status wrong", g, func(d *result.Database) int64 { return d.WrongStatus })
	for _, c := range []column{off, wrong} {
		if g.kind == faulted && c.header == off.header || slices.ContainsFunc(c.cells, func(s string) bool { return s != "0" && s != stats.None }) {
			columns = append(columns, c)
		}
	}
	if g.kind == faulted {
		return columns
	}
	return append(columns,
		databaseMedian("commits/s", g, func(d *result.Database) float64 { return d.CommitsPerSecond }, stats.Rate),
		databaseMedian("rows/commit", g, func(d *result.Database) float64 { return d.RowsPerCommit }, func(x float64) string { return fmt.Sprintf("%.0f", x) }),
		v.microsColumn("durable p99", g, result.Durable, p99))
}

// relays reports whether a relay is among the rows.
func (v *view) relays(g group) bool {
	for i, trials := range g.trials {
		for _, t := range trials {
			if setting(v.cells[i], t, "pipeline") == "relay" {
				return true
			}
		}
	}
	return false
}

func databaseCounts(header string, g group, of func(*result.Database) int64) column {
	c := column{header: header}
	for _, trials := range g.trials {
		var seen []int64
		for _, t := range completed(trials) {
			if t.Database != nil {
				seen = append(seen, of(t.Database))
			}
		}
		c.cells = append(c.cells, countRange(seen, tableCount))
	}
	return c
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
		cell := stats.None
		if len(all) > 0 {
			cell = text(stats.Summarise(all).Median)
		}
		c.cells = append(c.cells, cell)
	}
	return c
}

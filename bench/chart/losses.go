package chart

import (
	"fmt"
	"slices"
	"strconv"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"

	"gonum.org/v1/plot/vg"
)

// share is one cause's part of a bar, as the mean per trial.
type share struct {
	cause  string
	colour shade
	mean   float64
}

// tally is what was lost or duplicated in the trials of one row, as means per trial.
type tally struct {
	shares    []share
	observed  float64
	predicted *float64
	exact     bool // theory gives the number to the message
	bound     bool // an inconclusive trial is in it: observed is a lower bound
	// rows are the mean in the database, where they are not what the verdict
	// counts: a relay's is about its output topic.
	rows *float64
}

// lossRow is one cell in one scenario.
type lossRow struct {
	cell       *result.Cell
	scenario   string
	trials     int
	bounds     int // of the trials: those that are inconclusive
	lost       tally
	duplicates tally
	// messagesAlone is the mean of the messages without a row, of pipeline outbox.
	messagesAlone float64
	promise       string
	absent        string
	unfinished    string // which trials were not finished, and why
}

// lossFigures draws what faults cost: every scenario with faults, and any
// other in which something was lost or duplicated all the same.
func lossFigures(run *result.Run) []figure {
	var rows []lossRow
	for _, scenario := range scenarios(run) {
		rows = append(rows, lossRows(run, scenario)...)
	}
	if !slices.ContainsFunc(rows, func(r lossRow) bool { return r.absent == "" }) {
		return nil
	}
	var figures []figure
	title, only := lossTitle(rows)+rowsTitle(rows), ""
	if rows[0].scenario == rows[len(rows)-1].scenario {
		only = "Scenario " + rows[0].scenario
	}
	var shown []string
	bounds := ""
	for _, r := range rows {
		shown = append(shown, r.scenario)
		if r.bounds > 0 {
			bounds = boundMark
		}
	}
	cut, suffixes := pages(rows, mostRows)
	for i, page := range cut {
		figures = append(figures, figure{
			name: "losses" + suffixes[i], title: title, omitted: omitted(run, shown...), unfinished: lossesUnfinished(page),
			room:       lossHead + lossAxis + mostHeight*vg.Length(len(page)),
			conditions: sentence(only, lossRepeats(rows), "mean per trial, by cause", bounds, "hollow mark: predicted from the profile and the fault, not from the workers' own records"),
			header:     []string{"cell", "scenario", "trials", "inconclusive_trials", "kind", "cause", "observed_mean_per_trial", "predicted_mean_per_trial", "prediction"},
			points:     lossPoints(page),
			paint:      func(p *pen, body vg.Rectangle) { paintLosses(p, body, page, only == "") },
		})
	}
	return figures
}

func lossRows(run *result.Run, scenario string) []lossRow {
	if !anyJudged(run, scenario, func(t *result.Trial) bool { return len(t.Faults) > 0 || proves(t) }) {
		return nil
	}
	var rows []lossRow
	for _, c := range pictured(run, scenario) {
		trials := tellingTrials(c, scenario)
		row := lossRow{cell: c, scenario: scenario, trials: len(trials), absent: untold(c, scenario)}
		if row.absent != "" {
			rows = append(rows, row)
			continue
		}
		for _, t := range trials {
			if t.Status == result.Inconclusive {
				row.bounds++
			}
		}
		mean := func(cause string, colour shade, count func(*result.Trial) int64) share {
			var sum int64
			for _, t := range trials {
				sum += count(t)
			}
			return share{cause, colour, float64(sum) / float64(len(trials))}
		}
		row.lost = newTally(trials, func(p *result.Predicted) *int64 { return p.Lost },
			mean("log", vermillion, func(t *result.Trial) int64 { return t.Verdict.Lost.Log }),
			mean("skipped", orange, func(t *result.Trial) int64 { return t.Verdict.Lost.Skipped }))
		row.duplicates = newTally(trials, func(p *result.Predicted) *int64 { return p.Duplicates },
			mean("retried", sky, func(t *result.Trial) int64 { return t.Verdict.Duplicates.Retried }),
			mean("resent", purple, func(t *result.Trial) int64 { return t.Verdict.Duplicates.Resent }),
			mean("redelivered", blue, func(t *result.Trial) int64 { return t.Verdict.Duplicates.Redelivered }))
		row.lost.inRows(trials, func(d *result.Database) int64 { return d.Lost })
		row.duplicates.inRows(trials, func(d *result.Database) int64 { return d.Duplicates })
		row.messagesAlone = mean("", purple, messagesAlone).mean
		row.promise = string(c.PromiseOf(c.InScenario(scenario)))
		row.unfinished = harmOf(c, scenario).left(c)
		rows = append(rows, row)
	}
	return rows
}

func newTally(trials []*result.Trial, field func(*result.Predicted) *int64, shares ...share) tally {
	made := tally{shares: shares, exact: true, bound: slices.ContainsFunc(trials, func(t *result.Trial) bool { return t.Status == result.Inconclusive })}
	for _, s := range shares {
		made.observed += s.mean
	}
	var sum int64
	for _, t := range trials {
		predicted := t.Predicted(field)
		if predicted == nil {
			return made
		}
		sum += *predicted
		for _, f := range t.Faults {
			made.exact = made.exact && f.Predicted.Exact
		}
	}
	mean := float64(sum) / float64(len(trials))
	made.predicted = &mean
	return made
}

// inRows takes what a database has of it where that is something else.
func (t *tally) inRows(trials []*result.Trial, of func(*result.Database) int64) {
	var sum int64
	for _, trial := range trials {
		if trial.Database == nil || trial.Database.Outbox != nil {
			return
		}
		sum += of(trial.Database)
	}
	if mean := float64(sum) / float64(len(trials)); mean != t.observed {
		t.rows = &mean
	}
}

// lossRepeats says of how many trials the means are.
func lossRepeats(rows []lossRow) string {
	var counts []int
	for _, r := range rows {
		if r.absent == "" {
			counts = append(counts, r.trials)
		}
	}
	return repeatsOf(counts)
}

// lossesUnfinished names what is shown although not all of it is known.
func lossesUnfinished(rows []lossRow) string {
	var parts []string
	for _, r := range rows {
		parts = append(parts, r.unfinished)
	}
	return sentence(parts...)
}

// lossTitle is a violation when there is one, else how the predictions did.
func lossTitle(rows []lossRow) string {
	exactly, equal, otherwise, beyond, open := 0, true, false, false, false
	for _, r := range rows {
		if r.promise == string(result.Violated) {
			title := fmt.Sprintf("%s broke its promise in scenario %s: %s lost, %s duplicated", label(r.cell), r.scenario, r.lost.count(), r.duplicates.count())
			if r.messagesAlone > 0 {
				title += fmt.Sprintf(", %s messages without a row", atLeast(r.bounds > 0)+amount(r.messagesAlone))
			}
			return title + " per trial"
		}
		for _, t := range []tally{r.lost, r.duplicates} {
			switch {
			case r.absent != "":
			case t.bound && t.predicted != nil && t.observed <= *t.predicted: // it may yet be as many, or more
				open = true
			case t.predicted != nil && t.exact:
				exactly++
				equal = equal && t.observed == *t.predicted
			case t.predicted != nil && *t.predicted == 0:
				beyond = beyond || t.observed > 0
			case t.predicted != nil: // aboutTitle has it
			default:
				otherwise = otherwise || t.observed > 0
			}
		}
	}
	const what = "Lost and duplicated messages: "
	switch {
	case exactly > 0 && !equal:
		return what + "not as many as predicted"
	case beyond:
		return what + "more than predicted"
	case aboutTitle(rows) != "":
		return aboutTitle(rows)
	case exactly > 0 && otherwise:
		return what + "as many as predicted where theory gives the number"
	case exactly > 0 && open:
		return what + "as many as predicted in the trials that completed"
	case exactly > 0:
		return what + "exactly as many as predicted"
	}
	return "Lost and duplicated messages by cause"
}

// rowsTitle tells the most rows twice that are not among a verdict's duplicates.
func rowsTitle(rows []lossRow) string {
	most, title := 0.0, ""
	for _, r := range rows {
		if twice := r.duplicates.rows; twice != nil && *twice > most {
			most, title = *twice, fmt.Sprintf("; %s has %s rows twice", label(r.cell), atLeast(r.duplicates.bound)+amount(*twice))
		}
	}
	return title
}

// aboutTitle sets the most that was lost, else duplicated, beside a prediction
// that is not to the message.
func aboutTitle(rows []lossRow) string {
	for _, kind := range []struct {
		name string
		of   func(lossRow) tally
	}{
		{"Lost", func(r lossRow) tally { return r.lost }},
		{"Duplicated", func(r lossRow) tally { return r.duplicates }},
	} {
		most, title := -1.0, ""
		for _, r := range rows {
			t := kind.of(r)
			if t.predicted != nil && !t.exact && *t.predicted > 0 && t.observed > most {
				most = t.observed
				title = fmt.Sprintf("%s per trial in scenario %s: %s with %s, predicted ≈ %s", kind.name, r.scenario, t.count(), label(r.cell), amount(*t.predicted))
			}
		}
		if title != "" {
			return title
		}
	}
	return ""
}

func lossPoints(rows []lossRow) [][]string {
	var points [][]string
	for _, r := range rows {
		if r.absent != "" {
			continue
		}
		points = append(points, tallyPoints(r, "lost", r.lost)...)
		points = append(points, tallyPoints(r, "duplicates", r.duplicates)...)
	}
	return points
}

func tallyPoints(r lossRow, kind string, t tally) [][]string {
	predicted, how := "", ""
	if t.predicted != nil {
		predicted, how = exact(*t.predicted), "about"
		if t.exact {
			how = "exact"
		}
	}
	var points [][]string
	for _, s := range append(t.shares, share{cause: "total", mean: t.observed}) {
		row := r.point(kind, s.cause, s.mean)
		if s.cause == "total" {
			row[7], row[8] = predicted, how
		}
		points = append(points, row)
	}
	if t.rows != nil {
		points = append(points, r.point(kind, "rows in the database", *t.rows))
	}
	return points
}

func (r lossRow) point(kind, cause string, mean float64) []string {
	return []string{r.cell.Name, r.scenario, strconv.Itoa(r.trials), strconv.Itoa(r.bounds), kind, cause, exact(mean), "", ""}
}

// amount writes a mean count: whole numbers as such, others so that what is not 0 never reads "0".
func amount(mean float64) string {
	if mean == float64(int64(mean)) {
		return stats.Count(int64(mean))
	}
	if mean < 100 {
		return strconv.FormatFloat(mean, 'g', 2, 64)
	}
	return stats.Count(int64(mean + 0.5))
}

// text is what stands beside a bar: "0 = predicted, in rows 200".
func (t tally) text() string {
	text := t.compared()
	if t.rows != nil {
		text += ", in rows " + atLeast(t.bound) + amount(*t.rows)
	}
	return text
}

// count is what was observed: "500", "≥ 80".
func (t tally) count() string { return atLeast(t.bound) + amount(t.observed) }

// compared is "500 = predicted", "480, predicted ≈ 500", "0, as predicted", "3",
// "≥ 80, predicted 500": a lower bound equals nothing.
func (t tally) compared() string {
	same := t.predicted != nil && t.observed == *t.predicted && !t.bound
	switch {
	case t.predicted == nil:
		return t.count()
	case t.exact && same:
		return t.count() + " = predicted"
	case t.exact:
		return t.count() + ", predicted " + amount(*t.predicted)
	case same:
		return t.count() + ", as predicted"
	}
	return t.count() + ", predicted ≈ " + amount(*t.predicted)
}

// What stands over and under the rows, and the width of the last column, in points.
const (
	lossHead      = 64
	lossAxis      = 34
	promiseColumn = 130
)

func paintLosses(p *pen, body vg.Rectangle, rows []lossRow, nameScenarios bool) {
	height := min((body.Size().Y-lossHead-lossAxis)/vg.Length(len(rows)), mostHeight)
	size := textIn(height)
	top := body.Max.Y - lossHead
	low := top - height*vg.Length(len(rows))
	var names []string
	for _, r := range rows {
		name := label(r.cell)
		if nameScenarios {
			name += "  ·  " + r.scenario
		}
		names = append(names, name)
	}
	for i := range names {
		names[i] = p.shortenMiddle(names[i], size, namesShare*body.Size().X)
	}
	width := p.widest(names, size)
	x0 := body.Min.X + width + 16
	x1 := body.Max.X - promiseColumn
	middle := (x0 + x1) / 2
	paintTallies(p, rows, "lost messages", func(r lossRow) tally { return r.lost }, scale{a: x0, b: middle - 24}, top, height, size)
	paintTallies(p, rows, "duplicate effects", func(r lossRow) tally { return r.duplicates }, scale{a: middle + 8, b: x1 - 16}, top, height, size)
	p.text(body.Max.X, top+48, "promise", textSize, ink, right)
	for _, x := range []vg.Length{x0, middle + 8} {
		p.line(x, low, x, top, 1.5, axis)
	}
	for i, r := range rows {
		y := top - height*(vg.Length(i)+0.5)
		if i > 0 && r.scenario != rows[i-1].scenario {
			p.line(body.Min.X, y+height/2, body.Max.X, y+height/2, 1, rule)
		}
		p.text(x0-16, y, names[i], size, ink, right)
		if r.absent != "" {
			p.note(x0+8, y, p.shorten(r.absent, min(size, textSize), body.Max.X-x0-8), min(size, textSize), faded)
			continue
		}
		p.text(body.Max.X, y, r.promise, size, promiseColour(r.promise), right)
	}
}

func promiseColour(promise string) shade {
	switch promise {
	case string(result.Held):
		return good
	case string(result.Violated):
		return bad
	}
	return faded
}

// paintTallies paints one panel: a stacked bar per row, the prediction as a
// hollow mark around the bar's end, and the numbers beside it. The scale is
// linear, so that lengths compare; what is too short to see is written.
func paintTallies(p *pen, rows []lossRow, title string, of func(lossRow) tally, s scale, top, height, size vg.Length) {
	paintCauses(p, rows, title, of, s.a, top)
	var texts []string
	most := 0.0
	for _, r := range rows {
		if r.absent != "" {
			continue
		}
		t := of(r)
		texts = append(texts, t.text())
		most = max(most, t.observed)
		if t.predicted != nil {
			most = max(most, *t.predicted)
		}
	}
	if len(texts) == 0 {
		return
	}
	fitted := p.fit(texts, size, 0.62*(s.b-s.a))
	end := s.b - p.widest(texts, fitted) - 20
	axis := scale{hi: max(most, 1), a: s.a, b: end}
	if most > 0 {
		low := top - height*vg.Length(len(rows))
		ticks := countTicks(most, 5)
		for _, v := range ticks {
			if v <= axis.hi {
				p.line(axis.at(v), low, axis.at(v), top, 1, rule)
				p.text(axis.at(v), low-18, tickName(v), tickSize, faded, centre)
			}
		}
	}
	for i, r := range rows {
		if r.absent == "" {
			paintTally(p, of(r), axis, top-height*(vg.Length(i)+0.5), height, fitted)
		}
	}
}

func paintTally(p *pen, t tally, s scale, y, height, size vg.Length) {
	half := min(0.28*height, 32)
	x, before := s.a, 0.0
	for _, part := range t.shares {
		if part.mean == 0 {
			continue
		}
		before += part.mean
		end := max(s.at(before), x+3) // however few, they are seen
		p.box(x, y-half, end, y+half, part.colour)
		x = end
	}
	beside := x
	if t.predicted != nil {
		mark := s.at(*t.predicted)
		reach := min(half+5, 0.46*height)
		p.outline(mark-4, y-reach, mark+4, y+reach, 2, ink)
		beside = max(beside, mark+4)
	}
	p.note(beside+10, y, t.text(), size, ink)
}

// paintCauses writes the panel's title with a patch of colour for every cause that occurred.
func paintCauses(p *pen, rows []lossRow, title string, of func(lossRow) tally, x, top vg.Length) {
	p.text(x, top+48, title, textSize, ink, left)
	seen := map[string]bool{}
	for _, r := range rows {
		for _, s := range of(r).shares {
			if s.mean == 0 || seen[s.cause] {
				continue
			}
			seen[s.cause] = true
			p.box(x, top+12, x+14, top+26, s.colour)
			p.text(x+20, top+19, s.cause, tickSize, faded, left)
			x += 20 + p.width(s.cause, tickSize) + 26
		}
	}
	if len(seen) == 0 {
		p.text(x, top+19, "none", tickSize, faded, left)
	}
}

package claim

import (
	"cmp"
	"fmt"
	"maps"
	"math"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// expected returns the number that the metric is compared with in trial t, in
// the metric's unit.
func (g group) expected(t *result.Trial) (float64, error) {
	e := g.expr
	switch e.source {
	case fromDue:
		if t.Verdict == nil {
			return 0, fmt.Errorf("it has no verdict")
		}
		return e.quantity * float64(t.Verdict.Due), nil
	case fromSetting:
		return g.setting(t)
	case fromPredicted:
		n, err := e.predicted(t)
		return e.factor * float64(n), err
	case fromBaseline:
		return g.baseline(t.Scenario)
	case fromCount:
		n, found := e.other.read(t)
		if !found {
			return 0, fmt.Errorf("it has no %s", e.other.name)
		}
		return e.factor * n, nil
	}
	return e.quantity, nil
}

func (g group) setting(t *result.Trial) (float64, error) {
	e := g.expr
	text, ok := settingOf(g.cell, t, e.setting)
	if !ok {
		return 0, fmt.Errorf("there is no setting %s", e.setting)
	}
	v, isShare, err := quantity(text, e.metric.unit)
	if err == nil && isShare != (e.metric.unit == share) {
		err = fmt.Errorf("%s is a share, %s is not", text, e.metric.name)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", e.setting, err)
	}
	return e.factor * v, nil
}

// foretold are the metrics of which faults predict a number.
var foretold = map[string]func(*result.Predicted) *int64{
	"lost":       func(p *result.Predicted) *int64 { return p.Lost },
	"duplicates": func(p *result.Predicted) *int64 { return p.Duplicates },
	// Faults that set nothing aside do not say so.
	"dead_lettered":                 func(p *result.Predicted) *int64 { return cmp.Or(p.DeadLettered, new(int64)) },
	"database.rows_without_message": func(p *result.Predicted) *int64 { return p.RowsWithoutMessage },
	"database.messages_without_row": func(p *result.Predicted) *int64 { return p.MessagesWithoutRow },
}

// predicted sums what a trial's faults predict for the metric: several faults
// add up. Without faults nothing is predicted to go wrong: 0. Equality to the
// message is asked only of a number that theory gives to the message.
func (e Expr) predicted(t *result.Trial) (int64, error) {
	var sum int64
	equality := (e.op == "==" || e.op == "!=") && !e.tolerance.given
	for _, f := range t.Faults {
		var n *int64
		if f.Predicted != nil {
			n = foretold[e.metric.name](f.Predicted)
		}
		switch {
		case n == nil:
			return 0, fmt.Errorf("%q predicts no number of %s", f.Name, e.metric.name)
		case equality && !f.Predicted.Exact:
			return 0, fmt.Errorf("%q predicts about %s, not to the message: write %s %s predicted ± 15%%", f.Name, stats.Count(*n), e.metric.name, e.op)
		}
		sum += *n
	}
	return sum, nil
}

// Foretold returns how many of a metric a trial's faults cost by theory, to the message
// and in every trial of these settings. Without faults nothing is to go wrong: 0.
func Foretold(t *result.Trial, metric string) (n float64, ok bool) {
	get, known := foretold[metric]
	for _, f := range t.Faults {
		if !known || f.Predicted == nil || !f.Predicted.Exact || get(f.Predicted) == nil {
			return 0, false
		}
		one := *get(f.Predicted)
		if one != 0 && f.Predicted.Seen {
			return 0, false
		}
		n += float64(one)
	}
	return n, known
}

// baseline returns factor × the median of the baseline arm.
func (g group) baseline(scenario string) (float64, error) {
	values, err := g.baselineValues(scenario)
	if err != nil {
		return 0, err
	}
	return g.expr.factor * g.median(values), nil
}

// baselineValues are the baseline arm's in the same scenario, in the cell with
// the same matrix values.
func (g group) baselineValues(scenario string) ([]float64, error) {
	name := g.run.Run.Baseline
	if name == "" {
		return nil, fmt.Errorf("the profile names no baseline")
	}
	for i := range g.run.Cells {
		cell := &g.run.Cells[i]
		if cell.Arm != name || !maps.Equal(cell.Matrix, g.cell.Matrix) {
			continue
		}
		base := group{g.run, cell, scenario, cell.InScenario(scenario), g.over, g.expr}
		if reason := base.incomplete(); reason != "" {
			return nil, fmt.Errorf("baseline %s: %s", name, reason)
		}
		var values []float64
		for _, t := range base.trials {
			v, ok := g.expr.metric.read(t)
			if !ok {
				return nil, fmt.Errorf("baseline %s has no %s", name, g.expr.metric.name)
			}
			values = append(values, v)
		}
		return values, nil
	}
	return nil, fmt.Errorf("the baseline %s has no such cell", name)
}

// holdsWithin asks whether the claim holds everywhere between two bounds of what
// was observed, and whether it holds somewhere.
func (e Expr) holdsWithin(lo, hi, want float64) (everywhere, somewhere bool) {
	atLo, atHi := e.holds(lo, want), e.holds(hi, want)
	around := lo < want && want < hi
	return atLo && atHi && !(around && e.op == "!="), atLo || atHi || around && e.op == "=="
}

// median is over range as soon as a latency in its middle is.
func (g group) median(values []float64) float64 {
	if g.expr.metric.unit == micros {
		return stats.MedianLatency(values)
	}
	return stats.Summarise(values).Median
}

// holds compares the observed value with the expected one.
func (e Expr) holds(observed, want float64) bool {
	width := e.width(want)
	switch e.op {
	case "==":
		return near(observed, want, width)
	case "!=":
		return !near(observed, want, width)
	case "<":
		return observed < want && !near(observed, want, 0)
	case "<=":
		return observed < want || near(observed, want, 0)
	case ">":
		return observed > want && !near(observed, want, 0)
	}
	return observed > want || near(observed, want, 0)
}

// refuted reports that the claim does not hold, nor would for any more than was
// observed. Another count may become more as well.
func (e Expr) refuted(observed, want float64) bool {
	upward := e.op == "==" || e.op == "<" || e.op == "<="
	return e.metric.grows && upward && e.source != fromCount && observed >= want && !e.holds(observed, want)
}

// undecided reports that what is over range on either side, of which only the
// bound is known, could turn the answer.
func (e Expr) undecided(observed, want float64) bool {
	if e.metric.unit != micros {
		return false
	}
	over := observed == stats.OverRange
	baseOver := e.source == fromBaseline && want == e.factor*stats.OverRange
	return over && (baseOver || want >= stats.OverRange) || baseOver && observed >= want
}

func (e Expr) width(want float64) float64 {
	if e.tolerance.relative {
		return e.tolerance.size * math.Abs(want)
	}
	return e.tolerance.size
}

// near forgives the last bits of a product such as 1.1 × 500. It keeps whole
// counts apart up to 10¹¹, far more than a trial's messages.
func near(observed, want, width float64) bool {
	const bits = 1e-12
	return math.Abs(observed-want) <= width+bits*max(math.Abs(observed), math.Abs(want))
}

// describe writes what was expected, with where it comes from.
func (e Expr) describe(want float64) string {
	u := e.metric.unit
	text := write(want, u)
	if e.tolerance.given {
		width := e.width(want)
		text = write(max(0, want-width), u) + "–" + write(want+width, u)
	}
	if e.op != "==" {
		text = e.op + " " + text
	}
	if from := e.from(); from != "" {
		text += " (" + from + ")"
	}
	return text
}

func (e Expr) from() string {
	name := ""
	switch e.source {
	case fromDue:
		return fmt.Sprintf("%s of the messages due", stats.Percent(e.quantity))
	case fromSetting:
		name = e.setting
	case fromPredicted:
		name = "predicted"
	case fromBaseline:
		name = "baseline"
	case fromCount:
		name = e.other.name
	default:
		return ""
	}
	if e.factor != 1 {
		return fmt.Sprintf("%g× %s", e.factor, name)
	}
	return name
}

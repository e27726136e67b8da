package claim

import (
	"fmt"
	"slices"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// Evaluate judges every claim in every cell and scenario that it matches, in the
// order of the claims, then of the cells, then of the scenarios. It reads the
// run only. An expression that does not parse gives an inconclusive claim:
// Check finds it before anything runs.
func Evaluate(run *result.Run, claims []profile.Claim) []result.Claim {
	var out []result.Claim
	for _, c := range claims {
		for i := range run.Cells {
			cell := &run.Cells[i]
			for _, scenario := range scenarios(run, cell) {
				if !c.Matches(cell.Arm, cell.Name, scenario) {
					continue
				}
				trials := cell.InScenario(scenario)
				if omitted(run, cell, trials) {
					continue
				}
				out = append(out, judge(run, cell, scenario, trials, c.Expression))
			}
		}
	}
	return out
}

// EvaluateTrial judges the claims with abort: true on one trial, as soon as it is
// done: a speed or latency by this trial alone. The cell is to be stopped when
// one of the answers is NotMet. trial need not be in the run yet.
func EvaluateTrial(run *result.Run, cell *result.Cell, trial *result.Trial, claims []profile.Claim) []result.Claim {
	var out []result.Claim
	for _, c := range claims {
		if c.Abort && c.Matches(cell.Arm, cell.Name, trial.Scenario) && trial.Status != result.Omitted {
			out = append(out, judge(run, cell, trial.Scenario, []*result.Trial{trial}, c.Expression))
		}
	}
	return out
}

// Check parses the claims of a profile and returns every error, with its line.
func Check(p *profile.Profile) []error {
	var errs []error
	for _, c := range p.Claims {
		e, err := Parse(c.Expression)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("line %d: %w", c.Line, err))
		case e.NeedsBaseline() && p.Baseline == "":
			errs = append(errs, fmt.Errorf("line %d: claim %q needs a baseline: set baseline to an arm's name", c.Line, c.Expression))
		}
	}
	return errs
}

// group is what one claim is judged on.
type group struct {
	run    *result.Run
	cell   *result.Cell
	trials []*result.Trial
	expr   Expr
}

func judge(run *result.Run, cell *result.Cell, scenario string, trials []*result.Trial, expression string) result.Claim {
	c := result.Claim{Cell: cell.Name, Scenario: scenario, Expression: expression, Status: result.ClaimInconclusive}
	expr, err := Parse(expression)
	if err != nil {
		c.Reason = err.Error()
		return c
	}
	g := group{run, cell, trials, expr}
	switch {
	case expr.metric.unit == outcome:
		g.judgePromise(&c)
	case expr.metric.unit.perTrial():
		g.judgeEach(&c)
	default:
		g.judgeMedian(&c)
	}
	if c.Status == result.Met {
		if reason := g.incomplete(); reason != "" {
			c.Status, c.Reason = result.ClaimInconclusive, reason
		}
	}
	return c
}

// incomplete says why the trials cannot carry a claim that holds in all that
// completed; "" when every one of them completed.
func (g group) incomplete() string {
	missing, reason := 0, ""
	for _, t := range g.trials {
		if t.Status == result.Completed {
			continue
		}
		missing++
		if reason == "" {
			reason = fmt.Sprintf("%s is %s", t.ID, t.Status)
			if t.Reason != "" {
				reason += ": " + t.Reason
			}
		}
	}
	switch {
	case len(g.trials) == 0:
		return "no trial ran"
	case missing == 0:
		return ""
	case missing == 1:
		return reason
	}
	return fmt.Sprintf("%d of %d trials did not complete; %s", missing, len(g.trials), reason)
}

func (g group) completed() []*result.Trial {
	return slices.DeleteFunc(slices.Clone(g.trials), func(t *result.Trial) bool { return t.Status != result.Completed })
}

// scenarios returns the run's scenarios in the profile's order, and after them
// those that only the cell's trials know.
func scenarios(run *result.Run, cell *result.Cell) []string {
	names := slices.Clone(run.Run.Scenarios)
	for _, t := range cell.Trials {
		if !slices.Contains(names, t.Scenario) {
			names = append(names, t.Scenario)
		}
	}
	return names
}

// omitted reports whether there is nothing to claim: the cell or the scenario
// was left out. An interrupted run is different: its trials were due.
func omitted(run *result.Run, cell *result.Cell, trials []*result.Trial) bool {
	if cell.Omitted != "" {
		return true
	}
	if len(trials) == 0 {
		return !run.Run.Interrupted
	}
	return !slices.ContainsFunc(trials, func(t *result.Trial) bool { return t.Status != result.Omitted })
}

// judgePromise compares the promise of every completed trial.
func (g group) judgePromise(c *result.Claim) {
	c.Expected = string(g.expr.promise)
	if g.expr.op == "!=" {
		c.Expected = "not " + c.Expected
	}
	trials := g.completed()
	if len(trials) == 0 {
		c.Reason = g.incomplete()
		return
	}
	var differ, unsure []*result.Trial
	for _, t := range trials {
		c.Observed = string(t.Promise)
		wanted := (t.Promise == g.expr.promise) == (g.expr.op == "==")
		switch {
		case wanted:
		case t.Promise == result.PromiseInconclusive:
			unsure = append(unsure, t)
		default:
			differ = append(differ, t)
		}
	}
	switch {
	case len(differ) > 0:
		c.Status, c.Observed, c.Trials = result.NotMet, string(differ[0].Promise), ids(differ)
		c.Reason = fmt.Sprintf("in %d of %d trials", len(differ), len(trials))
	case len(unsure) > 0:
		c.Observed, c.Trials = string(result.PromiseInconclusive), ids(unsure)
		c.Reason = fmt.Sprintf("in %d of %d trials", len(unsure), len(trials))
	default:
		c.Status, c.Trials = result.Met, ids(trials)
	}
}

// judgeEach compares a count in every completed trial. Those that differ decide.
func (g group) judgeEach(c *result.Claim) {
	trials := g.completed()
	if len(trials) == 0 {
		c.Reason = g.incomplete()
		return
	}
	var agree, differ tally
	unsure := ""
	for _, t := range trials {
		value, found := g.expr.metric.read(t)
		want, err := g.expected(t)
		if !found {
			err = fmt.Errorf("it has no %s", g.expr.metric.name)
		}
		switch {
		case err != nil && unsure == "":
			unsure = fmt.Sprintf("%s: %v", t.ID, err)
		case err != nil:
		case g.expr.holds(value, want):
			agree.add(t, value, want)
		default:
			differ.add(t, value, want)
		}
	}
	switch {
	case len(differ.trials) > 0:
		differ.write(c, g.expr)
		c.Status, c.Reason = result.NotMet, fmt.Sprintf("in %d of %d trials", len(differ.trials), len(trials))
	case unsure != "":
		agree.write(c, g.expr)
		c.Reason = unsure
	default:
		agree.write(c, g.expr)
		c.Status = result.Met
	}
}

// tally is what trials that agree with a claim, or differ from it, observed.
type tally struct {
	trials   []*result.Trial
	observed []float64
	want     float64 // of the first of them
}

func (a *tally) add(t *result.Trial, value, want float64) {
	if len(a.trials) == 0 {
		a.want = want
	}
	a.trials, a.observed = append(a.trials, t), append(a.observed, value)
}

func (a *tally) write(c *result.Claim, e Expr) {
	if len(a.trials) == 0 {
		return
	}
	c.Expected, c.Trials = e.describe(a.want), ids(a.trials)
	c.Observed = stats.Between(write(slices.Min(a.observed), counts), write(slices.Max(a.observed), counts))
}

// judgeMedian compares the median over the completed repeats. A trial that is
// missing could move it, so nothing is refuted before all are there.
func (g group) judgeMedian(c *result.Claim) {
	trials := g.completed()
	var values []float64
	for _, t := range trials {
		if v, ok := g.expr.metric.read(t); ok {
			values = append(values, v)
		}
	}
	if len(trials) == 0 {
		c.Reason = g.incomplete()
		return
	}
	if len(values) < len(trials) {
		c.Reason = fmt.Sprintf("%s was not measured in %d of %d trials", g.expr.metric.name, len(trials)-len(values), len(trials))
		return
	}
	median := g.median(values)
	c.Observed, c.Trials = write(median, g.expr.metric.unit), ids(trials)
	want, err := g.expected(trials[0])
	if err != nil {
		c.Reason = err.Error()
		return
	}
	c.Expected = g.expr.describe(want)
	switch {
	case g.expr.holds(median, want):
		c.Status = result.Met
	case g.incomplete() == "":
		c.Status = result.NotMet
		if len(trials) > 1 {
			c.Reason = fmt.Sprintf("the median of %d trials", len(trials))
		}
	default:
		c.Reason = g.incomplete()
	}
}

// ids names the trials that decided.
func ids(trials []*result.Trial) []string {
	var names []string
	for _, t := range trials {
		names = append(names, t.ID)
	}
	return names
}

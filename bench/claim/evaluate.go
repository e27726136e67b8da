package claim

import (
	"cmp"
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
				g := group{run: run, cell: cell, scenario: scenario, trials: cell.InScenario(scenario), over: true}
				switch {
				case g.omitted():
				case c.Sometimes:
					out = append(out, g.judgeSometimes(c.Expression))
				default:
					out = append(out, g.judge(c.Expression))
				}
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
			g := group{run: run, cell: cell, scenario: trial.Scenario, trials: []*result.Trial{trial}}
			out = append(out, g.judge(c.Expression))
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
		case c.Sometimes && !e.metric.unit.perTrial():
			errs = append(errs, fmt.Errorf("line %d: claim %q is about the median of the repeats, which is not a draw: leave sometimes out", c.Line, c.Expression))
		}
	}
	return errs
}

// group is what one claim is judged on.
type group struct {
	run      *result.Run
	cell     *result.Cell
	scenario string
	trials   []*result.Trial
	// over says that the run has ended: trials that it does not have are missing.
	over bool
	expr Expr
}

func (g group) judge(expression string) result.Claim {
	c := result.Claim{Cell: g.cell.Name, Scenario: g.scenario, Expression: expression, Status: result.ClaimInconclusive}
	var err error
	if g.expr, err = Parse(expression); err != nil {
		c.Reason = err.Error()
		return c
	}
	switch unit := g.expr.metric.unit; {
	case unit == outcome:
		g.judgePromise(&c)
	case unit.perTrial():
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
	unrun := g.unrun()
	missing, all := unrun, len(g.trials)+unrun
	reason := ""
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
	case missing == 0 && all > 0:
		return ""
	case len(g.trials) == 0:
		return "no trial ran" + g.ended()
	case missing == unrun:
		return fmt.Sprintf("%d of %d trials did not run%s", unrun, all, g.ended())
	case missing == 1:
		return reason
	}
	return fmt.Sprintf("%d of %d trials did not complete; %s", missing, all, reason)
}

// unrun is how many of the planned trials the run does not have.
func (g group) unrun() int {
	if !g.over {
		return 0
	}
	return max(0, g.cell.Planned[g.scenario]-len(g.trials))
}

// ended says why the run does not have all of its trials.
func (g group) ended() string {
	switch header := &g.run.Run; {
	case header.Interrupted:
		return ": the run was interrupted"
	case header.Unfinished != "":
		return ": " + header.Unfinished
	}
	return ""
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
// was left out. What was planned and never ran is different: it was due.
func (g group) omitted() bool {
	switch {
	case g.cell.Omitted != "":
		return true
	case len(g.trials) > 0:
		return !slices.ContainsFunc(g.trials, func(t *result.Trial) bool { return t.Status != result.Omitted })
	case g.cell.Planned == nil: // saved before runs said what they had planned
		return !g.run.Run.Interrupted
	}
	return g.unrun() == 0
}

// judgePromise compares the promise of every completed trial. A trial that did
// not complete may have broken it before.
func (g group) judgePromise(c *result.Claim) {
	c.Expected = string(g.expr.promise)
	if g.expr.op == "!=" {
		c.Expected = "not " + c.Expected
	}
	var agree, differ, unsure []*result.Trial
	for _, t := range g.trials {
		wanted := (t.Promise == g.expr.promise) == (g.expr.op == "==")
		switch {
		case t.Status != result.Completed && (wanted || t.Promise != result.Violated):
		case wanted:
			agree = append(agree, t)
		case t.Promise == result.PromiseInconclusive:
			unsure = append(unsure, t)
		default:
			differ = append(differ, t)
		}
	}
	judged := len(agree) + len(differ) + len(unsure)
	switch {
	case judged == 0:
		c.Reason = g.incomplete()
	case len(differ) > 0:
		c.Status, c.Observed, c.Trials = result.NotMet, string(differ[0].Promise), ids(differ)
		c.Reason = inSome(differ, judged)
	case len(unsure) > 0:
		c.Observed, c.Trials = string(result.PromiseInconclusive), ids(unsure)
		c.Reason = inSome(unsure, judged)
	default:
		c.Status, c.Observed, c.Trials = result.Met, string(agree[0].Promise), ids(agree)
	}
}

// judgeEach compares a count in every completed trial. Those that differ decide,
// and with them every other whose count refutes the claim whatever is unsure of it.
func (g group) judgeEach(c *result.Claim) {
	var agree, differ tally
	judged, unsure := 0, ""
	for _, t := range g.trials {
		value, found := g.expr.metric.read(t)
		want, err := g.expected(t)
		if !found {
			err = fmt.Errorf("it has no %s", g.expr.metric.name)
		}
		if t.Status != result.Completed && (err != nil || !g.expr.refuted(value, want)) {
			continue
		}
		judged++
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
	case judged == 0:
		c.Reason = g.incomplete()
	case len(differ.trials) > 0:
		differ.write(c, g.expr)
		c.Status, c.Reason = result.NotMet, inSome(differ.trials, judged)
	case unsure != "":
		agree.write(c, g.expr)
		c.Reason = unsure
	default:
		agree.write(c, g.expr)
		c.Status = result.Met
	}
}

// inSome says how many of the trials that were judged these are, and which of
// them decided although they did not complete.
func inSome(trials []*result.Trial, judged int) string {
	text := fmt.Sprintf("in %d of %d trials", len(trials), judged)
	for _, t := range trials {
		if t.Status != result.Completed {
			return fmt.Sprintf("%s; what is unsure of %s, which is %s, can only make it worse", text, t.ID, t.Status)
		}
	}
	return text
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
	if g.expr.undecided(median, want) {
		c.Reason = fmt.Sprintf("a latency over %s has no number to compare", write(stats.OverRange-1, micros))
		return
	}
	c.Status = result.NotMet
	if g.expr.holds(median, want) {
		c.Status = result.Met
	}
	switch {
	case g.expr.source == fromBaseline:
		g.weigh(c, values)
	case c.Status == result.NotMet && len(trials) > 1:
		c.Reason = fmt.Sprintf("the median of %d trials", len(trials))
	}
	if reason := g.incomplete(); c.Status == result.NotMet && reason != "" {
		c.Status, c.Reason = result.ClaimInconclusive, reason
	}
}

// weigh judges a comparison with the baseline by the interval of the ratio, in
// place of the medians: these always differ, and repeats do too. Where there is
// no interval the medians' answer stands, and the reason says so.
func (g group) weigh(c *result.Claim, values []float64) {
	base, err := g.baselineValues(g.scenario)
	if err != nil {
		c.Status, c.Reason = result.ClaimInconclusive, err.Error()
		return
	}
	ratio := g.expr.metric.compare(values, base)
	switch {
	case min(ratio.N, ratio.BaselineN) < stats.IntervalSamples:
		c.Reason = fmt.Sprintf("by the medians of %d and %d trials; from %d of each on an interval decides", ratio.N, ratio.BaselineN, stats.IntervalSamples)
		return
	case !ratio.HasInterval:
		c.Reason = "by the medians: there is no interval"
		return
	}
	c.Observed += ", " + ratio.Interval()
	of := g.median(base) // tolerances may be in the metric's unit
	everywhere, somewhere := g.expr.holdsWithin(ratio.Lo*of, ratio.Hi*of, g.expr.factor*of)
	switch {
	case everywhere:
		c.Status = result.Met
	case somewhere:
		c.Status, c.Reason = result.ClaimInconclusive, "the interval leaves it open; more repeats make it narrower"
	default:
		c.Status = result.NotMet
	}
}

// judgeSometimes asks for one trial that meets the claim. What has not come out
// may have in the trials that are missing or cannot be judged.
func (g group) judgeSometimes(expression string) result.Claim {
	c := result.Claim{Cell: g.cell.Name, Scenario: g.scenario, Expression: expression, Status: result.ClaimInconclusive,
		Expected: "in some trials", Sometimes: &result.Frequency{}}
	unsure := ""
	for _, t := range g.completed() {
		one := group{run: g.run, cell: g.cell, scenario: g.scenario, trials: []*result.Trial{t}}
		switch got := one.judge(expression); got.Status {
		case result.Met:
			c.Sometimes.Times++
			c.Trials = append(c.Trials, t.ID)
			fallthrough
		case result.NotMet:
			c.Sometimes.Of++
		default:
			if got.Observed == string(result.PromiseInconclusive) {
				got.Reason = t.ID + ": its promise is inconclusive"
			}
			unsure = cmp.Or(unsure, got.Reason)
		}
	}
	c.Observed = fmt.Sprintf("in %d of %d trials", c.Sometimes.Times, c.Sometimes.Of)
	switch reason := cmp.Or(g.incomplete(), unsure); {
	case c.Sometimes.Times > 0:
		c.Status = result.Met
	case reason != "":
		c.Reason = reason
	default:
		c.Status = result.NotMet
	}
	return c
}

// ids names the trials that decided.
func ids(trials []*result.Trial) []string {
	var names []string
	for _, t := range trials {
		names = append(names, t.ID)
	}
	return names
}

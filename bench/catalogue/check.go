package catalogue

import (
	"errors"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"deliverybench/bench/claim"
	"deliverybench/bench/profile"
	"deliverybench/bench/stats"
)

// check sets the rows beside their profiles.
func (s *Suite) check(d *profile.Document, rows []placed, open func(string) (*profile.Profile, error)) {
	plans := map[string]*profile.Plan{}
	for _, r := range rows {
		if _, tried := plans[r.Profile]; !tried {
			plans[r.Profile] = s.plan(d, r, open)
		}
		if plan := plans[r.Profile]; plan != nil {
			r.check(d, plan)
		}
	}
	for i, r := range rows {
		first := !slices.ContainsFunc(rows[:i], func(o placed) bool { return o.Profile == r.Profile })
		if plan := plans[r.Profile]; first && plan != nil {
			s.checkAllUsed(d, r.profile, plan)
		}
	}
}

// plan opens the profile of a row, the first that names it; nil is a mistake.
func (s *Suite) plan(d *profile.Document, r placed, open func(string) (*profile.Profile, error)) *profile.Plan {
	p, err := open(r.Profile)
	switch {
	case err != nil:
	case p.Name != r.Profile:
		err = fmt.Errorf("the profile in %s is called %s; name it like its file", p.Path, p.Name)
	default:
		err = errors.Join(claim.Check(p)...)
	}
	var plan *profile.Plan
	if err == nil {
		plan, err = planOf(p)
	}
	if err != nil {
		d.Fail(r.profile, "profile %s: %v", r.Profile, err)
		return nil
	}
	s.Profiles = append(s.Profiles, p)
	return plan
}

// check wants what the row's sides name to be there and claimed of, and a
// breaking side to be able to fail.
func (r placed) check(d *profile.Document, plan *profile.Plan) {
	for i, at := range r.breaks {
		checkSide(d, at, plan, r.Breaks[i], true)
	}
	for i, at := range r.holds {
		checkSide(d, at, plan, r.Holds[i], false)
		for _, c := range casesOf(plan, r.Holds[i]) {
			if slices.ContainsFunc(r.Breaks, func(glob string) bool { return matches(glob, c) }) {
				d.Fail(at, "%s/%s is to break and to hold; leave it out of one of them", c.cell, c.scenario)
			}
		}
	}
	for i, at := range r.counts {
		r.checkCount(d, at, plan, r.Counts[i])
	}
}

func (r placed) checkCount(d *profile.Document, at *yaml.Node, plan *profile.Plan, c Count) {
	if len(casesOf(plan, c.Glob)) == 0 {
		d.Fail(at, "%q matches no cell and scenario that %s runs", c.Glob, r.Profile)
	}
	e, err := claim.Parse(c.Expression)
	switch {
	case err != nil:
		d.Fail(at, "%v", err)
	case e.NeedsBaseline() && plan.Profile.Baseline == "":
		d.Fail(at, "%q needs a baseline; %s names none", c.Expression, r.Profile)
	}
}

// checkAllUsed wants every claim of a profile to decide some row: what comes out
// otherwise would go unnoticed.
func (s *Suite) checkAllUsed(d *profile.Document, at *yaml.Node, plan *profile.Plan) {
	for _, c := range casesOf(plan, "*/*") {
		claimed := slices.ContainsFunc(plan.Profile.Claims, func(k profile.Claim) bool { return k.Matches(c.arm, c.cell, c.scenario) })
		used := slices.ContainsFunc(s.Rows, func(r Row) bool {
			return r.Profile == plan.Profile.Name && slices.ContainsFunc(slices.Concat(r.Breaks, r.Holds), func(glob string) bool { return matches(glob, c) })
		})
		if claimed && !used {
			d.Fail(at, "what %s claims of %s/%s decides no row; name it in breaks or holds of one", plan.Profile.Name, c.cell, c.scenario)
		}
	}
}

// planOf is the profile on the broker that it is meant for.
func planOf(p *profile.Profile) (*profile.Plan, error) {
	cluster, err := profile.ClusterOf(BrokerOf(p))
	if err != nil {
		return nil, err
	}
	return p.Plan(profile.Options{Cluster: cluster})
}

// BrokerOf is the broker that a profile is meant for.
func BrokerOf(p *profile.Profile) string {
	if p.Broker == "" {
		return profile.DefaultBroker
	}
	return p.Broker
}

// Unfit says why a broker cannot show what the profile is about; "" when it
// can, as far as is known before it is asked.
func Unfit(p *profile.Profile, broker string) string {
	meant, err := profile.ClusterOf(BrokerOf(p))
	given, other := profile.ClusterOf(broker)
	if err != nil || other != nil || meant.Kind == given.Kind {
		return ""
	}
	switch {
	case meant.OneLog, given.Foreign && given.Nodes == 0:
		return "" // any will do, or its plan says what it cannot
	case given.OneLog, given.Nodes < meant.Nodes:
		return fmt.Sprintf("it needs -broker %s, and this is %s", meant.Kind, given.Kind)
	}
	return ""
}

// place is one cell in one scenario.
type place struct{ arm, cell, scenario string }

// leftOut are what the glob matches and the plan cannot run, each with its reason.
func leftOut(plan *profile.Plan, glob string) []string {
	var all []string
	for _, o := range plan.Omissions {
		i := slices.IndexFunc(plan.Cells, func(c profile.Cell) bool { return c.Name == o.Cell })
		for _, s := range plan.Profile.Scenarios {
			at := place{plan.Cells[i].Arm, o.Cell, s.Name}
			if (o.Scenario == "" || o.Scenario == s.Name) && matches(glob, at) {
				all = append(all, fmt.Sprintf("%s/%s is left out of %s (%s)", at.cell, at.scenario, plan.Profile.Name, o.Reason))
			}
		}
	}
	return all
}

// casesOf are what the glob matches, each once.
func casesOf(plan *profile.Plan, glob string) []place {
	var all []place
	for _, t := range plan.Trials {
		if at := (place{t.Arm, t.Cell, t.Scenario}); !slices.Contains(all, at) {
			all = append(all, at)
		}
	}
	return slices.DeleteFunc(all, func(at place) bool { return !matches(glob, at) })
}

func matches(glob string, at place) bool {
	return profile.Claim{Glob: glob}.Matches(at.arm, at.cell, at.scenario)
}

// checkSide wants every case of a side to be run and claimed of, and of the side
// that breaks a claim that a trial without any damage fails.
func checkSide(d *profile.Document, at *yaml.Node, plan *profile.Plan, glob string, breaks bool) {
	cases := casesOf(plan, glob)
	if len(cases) == 0 {
		d.Fail(at, `%q matches no cell and scenario that %s runs; "check %s" lists them`, glob, plan.Profile.Name, plan.Profile.Name)
	}
	for _, out := range leftOut(plan, glob) {
		d.Fail(at, "%s, and a row stands for all that it names; write a glob without it", out)
	}
	for _, c := range cases {
		checkRepeats(d, at, plan, c)
		claimed, demands := false, false
		for _, k := range plan.Profile.Claims {
			if !k.Matches(c.arm, c.cell, c.scenario) {
				continue
			}
			claimed = true
			if e, err := claim.Parse(k.Expression); err == nil && e.Demands() {
				demands = true
			}
		}
		switch {
		case !claimed:
			d.Fail(at, "nothing is claimed of %s/%s in %s; claim what has to come out there", c.cell, c.scenario, plan.Profile.Name)
		case breaks && !demands:
			d.Fail(at, "%s/%s is to break, and every claim of %s on it holds when nothing does; claim for example lost > 0", c.cell, c.scenario, plan.Profile.Name)
		}
	}
}

// checkRepeats wants a comparison with the baseline to be judged by an interval.
func checkRepeats(d *profile.Document, at *yaml.Node, plan *profile.Plan, c place) {
	repeats := 0
	for _, t := range plan.Trials {
		if t.Cell == c.cell && t.Scenario == c.scenario {
			repeats++
		}
	}
	for _, k := range plan.Profile.Claims {
		e, err := claim.Parse(k.Expression)
		if err == nil && e.NeedsBaseline() && k.Matches(c.arm, c.cell, c.scenario) && repeats < stats.IntervalSamples {
			d.Fail(at, "%s compares %s/%s with the baseline in %d repeats (%s), too few for an interval; write repeats: %d",
				plan.Profile.Name, c.cell, c.scenario, repeats, k.Expression, stats.IntervalSamples)
		}
	}
}

package catalogue

import (
	"maps"
	"slices"
	"strings"

	"deliverybench/bench/claim"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// measurement reads what one run says of a glob.
type measurement struct{ run *result.Run }

// at is a cell and scenario of the run.
type at struct {
	cell     *result.Cell
	scenario string
}

func (m measurement) places(glob string) []at {
	var found []at
	for i := range m.run.Cells {
		c := &m.run.Cells[i]
		for _, scenario := range m.run.Run.Scenarios {
			if matches(glob, place{c.Arm, c.Name, scenario}) {
				found = append(found, at{c, scenario})
			}
		}
	}
	return found
}

func (a at) name() string { return a.cell.Name + "/" + a.scenario }

// side tells of each metric that is claimed of a glob what was observed, over
// the cells and trials that it is claimed of.
func (m measurement) side(kind Kind, glob string) Side {
	s := Side{Side: kind, Glob: glob}
	places := m.places(glob)
	m.describe(&s, places)
	for _, c := range m.run.Claims {
		i := slices.IndexFunc(places, func(a at) bool { return a.cell.Name == c.Cell && a.scenario == c.Scenario })
		e, err := claim.Parse(c.Expression)
		if i < 0 || err != nil {
			continue
		}
		f := s.fact(e.Metric(), c)
		f.add(c)
		f.ratio = f.ratio || e.NeedsBaseline() && !claim.Counted(e.Metric()) // counts are told as they are
		if !slices.Contains(f.places, places[i]) {                           // another cell may claim nothing of this metric
			f.places = append(f.places, places[i])
		}
	}
	for i := range s.Facts {
		m.observe(&s.Facts[i])
		s.Facts[i].Of = part(s.Facts[i].places, places)
	}
	if kind == Breaks {
		s.clean = m.clean(places)
	}
	return s
}

// describe says where the side was measured and how often, and why not.
func (m measurement) describe(s *Side, places []at) {
	for _, a := range places {
		s.Where = append(s.Where, a.name())
		s.Trials += len(a.cell.Completed(a.scenario))
		if why := a.omitted(); why != "" {
			s.omitted = orElse(s.omitted, a.name()+": "+why)
			s.Reason = orElse(s.Reason, why)
		}
		for _, t := range a.cell.InScenario(a.scenario) {
			if t.Reason != "" && s.Reason == "" {
				s.Reason, _, _ = strings.Cut(t.Reason, "\n")
			}
		}
	}
}

// omitted says why the broker or the client cannot show a place, "" when they can.
func (a at) omitted() string {
	trials := a.cell.InScenario(a.scenario)
	ran := func(t *result.Trial) bool { return t.Status != result.Omitted }
	if a.cell.Omitted != "" || len(trials) == 0 || slices.ContainsFunc(trials, ran) {
		return a.cell.Omitted
	}
	return trials[0].Reason
}

// clean is a trial that met what is claimed of its place, and would have met it
// had nothing gone wrong: what it was to show was predicted to be none. "" is none.
func (m measurement) clean(places []at) string {
	for _, a := range places {
		var claims []claim.Expr
		for _, c := range m.run.Claims {
			if e, err := claim.Parse(c.Expression); err == nil && c.Cell == a.cell.Name && c.Scenario == a.scenario {
				claims = append(claims, e)
			}
		}
		for _, t := range a.cell.Completed(a.scenario) {
			if len(claims) > 0 && !slices.ContainsFunc(claims, func(e claim.Expr) bool { return e.DemandsOf(t) }) {
				return t.ID
			}
		}
	}
	return ""
}

// part names those of a side's places that a fact is about; nil is all of them.
// A cell stands for its scenarios where they are all meant.
func part(of, all []at) []string {
	if len(of) == len(all) {
		return nil
	}
	var names []string
	for _, a := range of {
		elsewhere := func(other at) bool { return other.cell == a.cell && !slices.Contains(of, other) }
		name := a.cell.Name
		if slices.ContainsFunc(all, elsewhere) {
			name = a.name()
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// fact is the side's fact that a claim belongs to, a new one when it has none. A
// draw has its own, whose frequency is that of no other claim.
func (s *Side) fact(metric string, c result.Claim) *Fact {
	for i := range s.Facts {
		f := &s.Facts[i]
		draws := f.Sometimes != nil
		if f.Metric == metric && draws == (c.Sometimes != nil) && (!draws || f.Claims[0] == c.Expression) {
			return f
		}
	}
	s.Facts = append(s.Facts, Fact{Metric: metric, Status: result.Met})
	return &s.Facts[len(s.Facts)-1]
}

// add takes a claim's answer: the worst of all decides.
func (f *Fact) add(c result.Claim) {
	if !slices.Contains(f.Claims, c.Expression) {
		f.Claims = append(f.Claims, c.Expression)
	}
	if c.Sometimes != nil {
		if f.Sometimes == nil {
			f.Sometimes = &result.Frequency{}
		}
		f.Sometimes.Times += c.Sometimes.Times
		f.Sometimes.Of += c.Sometimes.Of
	}
	if rank(c.Status) > rank(f.Status) || f.Expected == "" {
		f.Status, f.Expected, f.Reason = c.Status, c.Expected, c.Reason
	}
	f.decided = append(f.decided, c.Trials...)
}

func rank(s result.ClaimStatus) int {
	return map[result.ClaimStatus]int{result.Met: 0, result.ClaimInconclusive: 1, result.NotMet: 2}[s]
}

// observe writes what the trials say of a fact's metric: those that completed,
// and those that decided although they did not.
func (m measurement) observe(f *Fact) {
	if f.ratio {
		f.Observed = m.ratio(f.Metric, f.places)
		return
	}
	var trials []*result.Trial
	for _, a := range f.places {
		for _, t := range a.cell.InScenario(a.scenario) {
			if t.Status == result.Completed || slices.Contains(f.decided, t.ID) {
				trials = append(trials, t)
			}
		}
	}
	f.Observed = claim.Observed(trials, f.Metric)
}

// ratio is each place's median over the baseline's, with the interval of one.
func (m measurement) ratio(metric string, places []at) string {
	var texts []string
	for _, a := range places {
		base := m.baseline(a)
		if base == nil {
			continue
		}
		if c := claim.Compare(metric, values(a, metric), values(*base, metric)); c.HasRatio {
			texts = append(texts, c.Interval())
		}
	}
	if len(texts) == 0 {
		return ""
	}
	return strings.Join(texts, ", ") + " the baseline's"
}

func (m measurement) baseline(of at) *at {
	for i := range m.run.Cells {
		c := &m.run.Cells[i]
		if c.Arm == m.run.Run.Baseline && maps.Equal(c.Matrix, of.cell.Matrix) {
			return &at{c, of.scenario}
		}
	}
	return nil
}

func values(a at, metric string) []float64 {
	return claim.Values(a.cell.Completed(a.scenario), metric)
}

// count tells in how many trials something came out, whatever it means.
func (m measurement) count(c Count) Side {
	s := Side{Side: Counted, Glob: c.Glob}
	places := m.places(c.Glob)
	m.describe(&s, places)
	e, err := claim.Parse(c.Expression)
	if err != nil {
		return s
	}
	for _, got := range claim.Evaluate(m.run, []profile.Claim{{Glob: c.Glob, Expression: c.Expression, Sometimes: true}}) {
		got.Status = result.Met // it decides nothing
		f := s.fact(e.Metric(), got)
		f.add(got)
		f.places = places
	}
	for i := range s.Facts {
		m.observe(&s.Facts[i])
	}
	return s
}

package catalogue

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"deliverybench/bench/claim"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// Judge makes a row of a saved run of its profile.
func (row Row) Judge(run *result.Run) Judgement {
	j := row.judgement()
	j.Setup = Setup{About: run.Run.About, Broker: run.Environment.Broker}
	m := measurement{run}
	for _, glob := range row.Breaks {
		j.Sides = append(j.Sides, m.side(Breaks, glob))
	}
	for _, glob := range row.Holds {
		j.Sides = append(j.Sides, m.side(Holds, glob))
	}
	for _, c := range row.Counts {
		j.Sides = append(j.Sides, m.count(c))
	}
	m.compareSettings(j.Sides)
	j.Outcome, j.Reason = outcome(row, j.Sides)
	return j
}

// judgement is a row of which nothing is known yet.
func (row Row) judgement() Judgement {
	return Judgement{Row: row.Number, Claim: row.Claim, Profile: row.Profile, Shows: row.Shows, Conclude: row.Conclude, Outcome: NotRun}
}

// Omit is a row that the broker cannot show.
func (row Row) Omit(reason string) Judgement {
	j := row.judgement()
	j.Outcome, j.Reason = Omitted, reason
	return j
}

// NotRun is a row of which nothing was run, or nothing yet.
func (row Row) NotRun(reason string) Judgement {
	j := row.judgement()
	j.Reason = reason
	return j
}

// outcome is the worst that the claims on the row's sides came to.
func outcome(row Row, sides []Side) (Outcome, string) {
	unsure := ""
	for _, s := range sides {
		if s.Side == Counted {
			continue
		}
		if len(s.Facts) == 0 && unsure == "" {
			unsure = s.Glob + ": " + orElse(s.Reason, "nothing was measured")
		}
		for _, f := range s.Facts {
			switch f.Status {
			case result.NotMet:
				return NotMet, fmt.Sprintf("%s: %s: expected %s, observed %s", s.Glob, strings.Join(f.Claims, ", "), f.Expected, f.Observed)
			case result.ClaimInconclusive:
				if unsure == "" {
					unsure = s.Glob + ": " + strings.Join(f.Claims, ", ") + ": " + f.Reason
				}
			}
		}
	}
	if unsure != "" {
		return Inconclusive, unsure
	}
	return row.Shows, ""
}

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
		f := s.fact(e.Metric())
		f.add(c)
		f.ratio = f.ratio || e.NeedsBaseline()
		if !slices.Contains(f.places, places[i]) { // another cell may claim nothing of this metric
			f.places = append(f.places, places[i])
		}
	}
	for i := range s.Facts {
		m.observe(&s.Facts[i])
	}
	return s
}

// describe says where the side was measured and how often, and why not.
func (m measurement) describe(s *Side, places []at) {
	for _, a := range places {
		s.Where = append(s.Where, a.name())
		s.Trials += len(a.cell.Completed(a.scenario))
		if a.cell.Omitted != "" {
			s.Reason = a.cell.Omitted
		}
		for _, t := range a.cell.InScenario(a.scenario) {
			if t.Reason != "" && s.Reason == "" {
				s.Reason, _, _ = strings.Cut(t.Reason, "\n")
			}
		}
	}
}

// fact is the side's fact about a metric, a new one when it has none.
func (s *Side) fact(metric string) *Fact {
	for i := range s.Facts {
		if s.Facts[i].Metric == metric {
			return &s.Facts[i]
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
	f.Observed = c.Observed
}

func rank(s result.ClaimStatus) int {
	return map[result.ClaimStatus]int{result.Met: 0, result.ClaimInconclusive: 1, result.NotMet: 2}[s]
}

// observe writes what the trials say of a fact's metric.
func (m measurement) observe(f *Fact) {
	if f.ratio {
		f.Observed = m.ratio(f.Metric, f.places)
		return
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, a := range f.places {
		for _, t := range a.cell.Completed(a.scenario) {
			if v, ok := claim.Read(t, f.Metric); ok {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	if lo <= hi {
		f.Observed = stats.Between(claim.Write(lo, f.Metric), claim.Write(hi, f.Metric))
	}
}

// ratio is each place's median over the baseline's, with the interval of one.
func (m measurement) ratio(metric string, places []at) string {
	var texts []string
	for _, a := range places {
		base := m.baseline(a)
		if base == nil {
			continue
		}
		c := stats.Compare(values(a, metric), values(*base, metric))
		text := stats.Ratio(c.Ratio) + "×"
		if c.HasInterval {
			text += fmt.Sprintf(" (95 %% CI %s)", stats.Between(stats.Ratio(c.Lo), stats.Ratio(c.Hi)))
		}
		texts = append(texts, text)
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
	var all []float64
	for _, t := range a.cell.Completed(a.scenario) {
		if v, ok := claim.Read(t, metric); ok {
			all = append(all, v)
		}
	}
	return all
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
	f := s.fact(e.Metric())
	for _, got := range claim.Evaluate(m.run, []profile.Claim{{Glob: c.Glob, Expression: c.Expression, Sometimes: true}}) {
		got.Status = result.Met // it decides nothing
		f.add(got)
	}
	f.places = places
	m.observe(f)
	return s
}

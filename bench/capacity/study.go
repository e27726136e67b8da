package capacity

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"deliverybench/bench/claim"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// Study is what a capacity run measures: which trials come next follows from its
// profile and from what the run has. So a run that was cut off goes on as if it
// had not been.
type Study struct {
	base  *profile.Plan // each cell's settings
	block *profile.Capacity
	slo   []claim.Expr
	grid  []float64
}

// Check parses the SLO of a profile and returns every error, with its place.
func Check(p *profile.Profile) []error {
	if p.Capacity == nil {
		return nil
	}
	var errs []error
	breakable := false
	for _, o := range p.Capacity.SLO {
		e, err := claim.Parse(o.Expression)
		if err == nil && e.NeedsBaseline() {
			err = fmt.Errorf("%q compares with a baseline, and a service level stands by itself: write a number", o.Expression)
		}
		if err != nil {
			errs = append(errs, fault(p, o, err.Error()))
			continue
		}
		breakable = breakable || breaksUnderLoad(e)
	}
	if len(errs) == 0 && !breakable && len(p.Capacity.SLO) > 0 {
		errs = append(errs, fault(p, p.Capacity.SLO[0], "capacity.slo bounds no latency and no speed, so that more load need not break it: add for example end_to_end.p99 < 50ms"))
	}
	return errs
}

// breaksUnderLoad reports whether an expression fails sooner or later as the rate
// grows: a latency that has to stay below something, or a speed above it. Counts,
// such as lost == 0, may hold however late everything is.
func breaksUnderLoad(e claim.Expr) bool {
	comparison := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(e.String()), e.Metric()))
	if claim.IsLatency(e.Metric()) {
		return strings.HasPrefix(comparison, "<")
	}
	return claim.MoreIsBetter(e.Metric()) && strings.HasPrefix(comparison, ">")
}

// measurable says why the trials of a cell never have a metric, and which they
// have; "" of one that they have.
func measurable(metric, cell string, s profile.Settings) string {
	role, _, _ := strings.Cut(metric, ".")
	why, instead := "", "end_to_end.p99"
	if s.Pipeline == profile.Produce {
		instead = "ack.p99"
	}
	when := s.Consumer.Commit.When
	transactions := s.Producer.Transaction.Enabled() || s.Pipeline == profile.RelayTo && when == profile.InTransaction
	byClient := when == profile.Automatic || when == profile.AutomaticStored
	switch {
	case s.Pipeline == profile.Produce && (role == result.EndToEnd || role == result.EndToEndService ||
		metric == "consumed_per_second" || metric == "output_per_second"):
		why = "pipeline: produce has no consumer"
		if claim.MoreIsBetter(metric) {
			instead = "produced_per_second"
		}
	case (role == result.Durable || role == "database") && !s.Sink.Enabled():
		why = "there is no sink"
	case role == result.TransactionVisible && !transactions:
		why = "no messages are sent in transactions"
	case role == result.CommitLatency && !transactions && (byClient || !s.Pipeline.Consumes()):
		why = "no worker makes a call to commit"
	case metric == "output_per_second" && s.Pipeline == profile.Consume:
		why, instead = fmt.Sprintf("pipeline: %s writes no output", s.Pipeline), "pipeline_per_second"
	default:
		return ""
	}
	return fmt.Sprintf("%s is measured in no trial of %s, since %s: write %s", metric, cell, why, instead)
}

func fault(p *profile.Profile, o profile.Objective, text string) error {
	return &profile.Error{Path: p.Path, Line: o.Line, Column: o.Column, Text: text}
}

// NewStudy makes one of a plan that profile.CapacityPlan made. The error says
// which part of its SLO, or which of its rungs, cannot be measured.
func NewStudy(base *profile.Plan) (*Study, error) {
	block := base.Profile.Capacity
	s := &Study{base: base, block: block, grid: Grid(block.Rates.From, block.Rates.To, block.Rates.Step)}
	if errs := Check(base.Profile); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	for _, o := range block.SLO {
		e, err := claim.Parse(o.Expression)
		if err != nil {
			return nil, err
		}
		s.slo = append(s.slo, e)
	}
	for _, t := range base.Trials {
		for i, e := range s.slo {
			if why := measurable(e.Metric(), t.Cell, t.Settings); why != "" {
				return nil, fault(base.Profile, block.SLO[i], why)
			}
		}
		if _, err := Window(s.slo, t.Settings.Load, s.grid[0], block.Rates.Step); err != nil {
			return nil, &profile.Error{Path: base.Profile.Path, Line: block.Line, Column: block.Column, Text: err.Error()}
		}
	}
	return s, nil
}

// Question is what is saved with the run, so that it can be told from that alone.
func (s *Study) Question() *result.Capacity {
	c := &result.Capacity{
		FromPerSecond: float64(s.block.Rates.From), ToPerSecond: float64(s.block.Rates.To), StepShare: float64(s.block.Rates.Step),
		Repeats: s.block.Repeats, Rungs: []result.Rung{},
	}
	for _, o := range s.block.SLO {
		c.SLO = append(c.SLO, o.Expression)
	}
	if s.block.Over != nil {
		c.Over = s.block.Over.Setting
	}
	if t := s.block.Target; s.block.HasTarget {
		c.Target = &result.Target{
			PerSecond: float64(t.Rate), MessageBytes: int64(t.MessageSize), GrowthShare: float64(t.GrowthPerYear), Years: t.Years,
			HeadroomShare: float64(t.Headroom), Replication: t.Replication, RetentionSeconds: time.Duration(t.Retention).Seconds(),
		}
	}
	return c
}

// Next returns the trials that come next, nil when the run has all of them: a
// search and the ladder that follows from it, and where bad luck ended the search
// too early, so that most passes held a ladder's top, the same again above it.
func (s *Study) Next(run *result.Run) *profile.Plan {
	above, before := map[string]int{}, 0
	for _, t := range s.base.Trials {
		above[t.Cell] = -1
	}
	for len(above) > 0 {
		round, searched := s.search(run, above)
		if before += searched; len(round) > 0 {
			return s.plan(run, result.Searched, round, before)
		}
		plan := s.plan(run, result.Measured, s.ladders(run, above), before)
		for _, t := range plan.Trials {
			if !settled(run, t.Cell, t.Scenario, t.Repeat) {
				return plan
			}
		}
		before += len(plan.Trials)
		above = s.topped(run, above)
	}
	return nil
}

// topped are the cells most of whose passes held the top of the ladder that was
// measured above these places, with the place of that top; those for which there
// is nothing above are none.
func (s *Study) topped(run *result.Run, above map[string]int) map[string]int {
	tops := map[string]int{}
	for cell, from := range above {
		_, last := s.ladder(run, cell, from)
		if last == len(s.grid)-1 {
			continue
		}
		held := 0
		for _, p := range (&Analysis{Question: run.Capacity}).passes(run, cellOf(run, cell), s.grid[last]) {
			if p.Stop == Held {
				held++
			}
		}
		if 2*held > s.block.Repeats {
			tops[cell] = last
		}
	}
	return tops
}

// settled reports whether the run has a trial and need not repeat it.
func settled(run *result.Run, cell, scenario string, repeat int) bool {
	t := trialOf(run, cell, scenario, repeat)
	return t != nil && (t.Status == result.Completed || t.Status == result.Inconclusive)
}

// search is the round that is under way above these places: every cell that held
// at all places before, at its next one. None: every cell has its bracket. before
// is how many trials the rounds before had.
func (s *Study) search(run *result.Run, above map[string]int) (round []profile.Step, before int) {
	held := map[string]int{}
	for cell, from := range above {
		held[cell] = s.bracket(run, cell, from).Held
	}
	earlier := -1 // the place that a cell has to have held at
	for _, place := range Doublings(len(s.grid), s.block.Rates.Step) {
		round = round[:0]
		missing := false
		for _, t := range s.base.Trials {
			from, looks := above[t.Cell]
			if !looks || place <= from || held[t.Cell] < earlier {
				continue
			}
			step := s.step(t, searchName(s.grid[place]), s.grid[place], 1)
			round = append(round, step)
			missing = missing || !settled(run, step.Cell, step.Scenario, 1)
		}
		if missing {
			return round, before
		}
		before, earlier = before+len(round), place
	}
	return nil, before
}

// bracket is what the search above a place has found out of a cell so far.
func (s *Study) bracket(run *result.Run, cell string, above int) Bracket {
	b := Bracket{Held: above, Broke: len(s.grid)}
	for _, place := range Doublings(len(s.grid), s.block.Rates.Step) {
		if place <= above {
			continue
		}
		t := trialOf(run, cell, searchName(s.grid[place]), 1)
		if t == nil {
			return b
		}
		if judge(run, cellOf(run, cell), t, run.Capacity.SLO).State != Held {
			b.Broke = place
			return b
		}
		b.Held = place
	}
	return b
}

// ladder is between which places a cell is measured after the search above a place.
func (s *Study) ladder(run *result.Run, cell string, above int) (first, last int) {
	first, last = s.bracket(run, cell, above).Ladder(len(s.grid))
	return max(first, above+1), last
}

// ladders are the rungs of every cell that looks above a place, fixed by its search.
func (s *Study) ladders(run *result.Run, above map[string]int) []profile.Step {
	var steps []profile.Step
	for _, t := range s.base.Trials {
		from, looks := above[t.Cell]
		if !looks {
			continue
		}
		first, last := s.ladder(run, t.Cell, from)
		for _, rate := range s.grid[first : last+1] {
			steps = append(steps, s.step(t, measureName(rate), rate, s.block.Repeats))
		}
	}
	return steps
}

func (s *Study) step(t profile.Trial, scenario string, rate float64, repeats int) profile.Step {
	// Higher rates need no longer windows than the lowest, which was checked.
	window, _ := Window(s.slo, t.Settings.Load, rate, s.block.Rates.Step)
	return profile.Step{Cell: t.Cell, Scenario: scenario, Repeats: repeats, Rate: profile.Rate(rate), Duration: window}
}

// plan makes the trials, and notes in the run what is planned.
func (s *Study) plan(run *result.Run, phase result.Phase, steps []profile.Step, before int) *profile.Plan {
	for _, step := range steps {
		rung := result.Rung{
			Cell: step.Cell, Scenario: step.Scenario, Phase: phase, PerSecond: float64(step.Rate),
			WindowSeconds: time.Duration(step.Duration).Seconds(), Repeats: step.Repeats,
		}
		if !slices.Contains(run.Capacity.Rungs, rung) {
			run.Capacity.Rungs = append(run.Capacity.Rungs, rung)
		}
	}
	note(run)
	return s.base.Steps(steps, before)
}

// note has the run's header and cells say what its rungs plan.
func note(run *result.Run) {
	rungs := slices.Clone(run.Capacity.Rungs)
	slices.SortStableFunc(rungs, func(a, b result.Rung) int {
		return cmp.Or(cmp.Compare(b.Phase, a.Phase), cmp.Compare(a.PerSecond, b.PerSecond)) // search, measure
	})
	run.Run.Scenarios, run.Run.TrialsPlanned = nil, 0
	for i := range run.Cells {
		run.Cells[i].Planned = map[string]int{}
	}
	for _, r := range rungs {
		if !slices.Contains(run.Run.Scenarios, r.Scenario) {
			run.Run.Scenarios = append(run.Run.Scenarios, r.Scenario)
		}
		run.Run.TrialsPlanned += r.Repeats
		cellOf(run, r.Cell).Planned[r.Scenario] = r.Repeats
	}
}

func searchName(rate float64) string  { return "search-" + rateName(rate) }
func measureName(rate float64) string { return "rate-" + rateName(rate) }

func cellOf(run *result.Run, name string) *result.Cell {
	for i := range run.Cells {
		if run.Cells[i].Name == name {
			return &run.Cells[i]
		}
	}
	return &result.Cell{Planned: map[string]int{}}
}

func trialOf(run *result.Run, cell, scenario string, repeat int) *result.Trial {
	c := cellOf(run, cell)
	for i := range c.Trials {
		if t := &c.Trials[i]; t.Scenario == scenario && t.Repeat == repeat {
			return t
		}
	}
	return nil
}

// Estimate is how long the run will take at least and at most: where the knees
// are decides, since low rates need long windows and high ones many doublings. A
// search that bad luck ends too early costs another and its ladder beside.
func (s *Study) Estimate() (least, most time.Duration) {
	places := Doublings(len(s.grid), s.block.Rates.Step)
	for i := 0; i <= len(places); i++ {
		b := Bracket{Held: -1, Broke: len(s.grid)}
		if i > 0 {
			b.Held = places[i-1]
		}
		if i < len(places) {
			b.Broke = places[i]
		}
		var steps []profile.Step
		for _, t := range s.base.Trials {
			for _, place := range places[:min(i+1, len(places))] {
				steps = append(steps, s.step(t, searchName(s.grid[place]), s.grid[place], 1))
			}
			first, last := b.Ladder(len(s.grid))
			for _, rate := range s.grid[first : last+1] {
				steps = append(steps, s.step(t, measureName(rate), rate, s.block.Repeats))
			}
		}
		took := s.base.Steps(steps, 0).Estimate()
		if i == 0 || took < least {
			least = took
		}
		most = max(most, took)
	}
	return least, most
}

// Rungs is how many rates the grid has.
func (s *Study) Rungs() int { return len(s.grid) }

// Searches is how many trials of a cell the search has at the most.
func (s *Study) Searches() int { return len(Doublings(len(s.grid), s.block.Rates.Step)) }

// MostRungs is how many rungs of a cell are measured at the most.
func (s *Study) MostRungs() int {
	most := 0
	places := Doublings(len(s.grid), s.block.Rates.Step)
	for i, place := range places {
		b := Bracket{Held: -1, Broke: place}
		if i > 0 {
			b.Held = places[i-1]
		}
		first, last := b.Ladder(len(s.grid))
		most = max(most, last-first+1)
	}
	return most
}

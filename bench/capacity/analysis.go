package capacity

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"deliverybench/bench/claim"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// Analysis is what a capacity run found, computed from what it saved.
type Analysis struct {
	Question *result.Capacity
	Scalings []Scaling
}

// Scaling is the cells that differ only in the setting that was varied.
type Scaling struct {
	Name  string // of the arm, and what else its matrix varies
	Over  string // the varied setting, "" where there is none
	Cells []Cell // by N
	// Law is nil where there is none, and Why then says so.
	Law  *Law
	Why  string
	Plan *Plan // nil without a target
}

// Cell is what was found out of one.
type Cell struct {
	Cell *result.Cell
	N    int // the varied setting, 0 without one
	// Metric is the latency that is looked at beside the rate: the SLO's first, or
	// the one that the pipeline has. Limit is its bound in microseconds, 0 without one.
	Metric string
	Limit  float64
	// Asked is the rate up to which was asked, in messages per second.
	Asked  float64
	Knee   Knee
	Break  *Break // nil where nothing broke
	Points []Point
}

// Point is one trial.
type Point struct {
	Phase     result.Phase
	PerSecond float64
	Repeat    int
	Micros    float64 // of Cell.Metric, 0 where it has none
	State     State
	Broken    string // the expression, "" when nothing broke

	trial *result.Trial
}

// Break is what broke at the first rung above the knee.
type Break struct {
	PerSecond float64
	Broken    string // the expression that broke most often
	Metric    string
	Observed  float64 // the median of the metric, in its unit, where it broke
	Times, Of int     // repeats in which it broke, of those that were judged
}

// String tells it: "end_to_end.p99 63 ms at 52,800/s (6 of 6)".
func (b Break) String() string {
	value := claim.Text(b.Metric, b.Observed)
	if claim.IsLatency(b.Metric) {
		value = stats.Micros(b.Observed)
	}
	return fmt.Sprintf("%s %s at %s (%d of %d)", b.Metric, value, perSecond(b.PerSecond), b.Times, b.Of)
}

// Analyse computes it; nil of a run that asked nothing.
func Analyse(run *result.Run) *Analysis {
	q := run.Capacity
	if q == nil {
		return nil
	}
	a := &Analysis{Question: q}
	for i := range run.Cells {
		c := &run.Cells[i]
		if c.Omitted != "" {
			continue
		}
		name := scalingName(c, q.Over)
		at := slices.IndexFunc(a.Scalings, func(s Scaling) bool { return s.Name == name })
		if at < 0 {
			at, a.Scalings = len(a.Scalings), append(a.Scalings, Scaling{Name: name, Over: q.Over})
		}
		a.Scalings[at].Cells = append(a.Scalings[at].Cells, a.cell(run, c))
	}
	for i := range a.Scalings {
		s := &a.Scalings[i]
		slices.SortStableFunc(s.Cells, func(x, y Cell) int { return cmp.Compare(x.N, y.N) })
		s.fit()
		if q.Target != nil {
			target := a.Target(*s)
			plan := NewPlan(NewLoad(target, s.Cells[0].Cell.Settings["pipeline"]), *s)
			s.Plan = &plan
		}
	}
	return a
}

// Target is the target for a scaling: messages without a size are as measured.
func (a *Analysis) Target(s Scaling) result.Target {
	t := *a.Question.Target
	t.MessageBytes = cmp.Or(t.MessageBytes, int64(s.Cells[0].messageBytes()))
	return t
}

// scalingName is the cell's name without the varied setting.
func scalingName(c *result.Cell, over string) string {
	axes := slices.Sorted(maps.Keys(c.Matrix))
	var parts []string
	for _, axis := range axes {
		if axis != over {
			parts = append(parts, result.ShortSetting(axis, axes)+"="+c.Matrix[axis])
		}
	}
	if len(parts) == 0 {
		return c.Arm
	}
	return c.Arm + "/" + strings.Join(parts, ",")
}

func (a *Analysis) cell(run *result.Run, c *result.Cell) Cell {
	made := Cell{Cell: c}
	if over := a.Question.Over; over != "" {
		made.N = made.setting(over)
	}
	made.Asked = a.Question.ToPerSecond
	made.Metric, made.Limit = latencyOf(c, a.Question.SLO)
	made.Points = a.points(run, c)
	made.Knee = newKnee(a.passes(run, c, math.Inf(1)))
	made.Break = made.broken()
	return made
}

// latencyOf is the first latency of an SLO with its bound; where it has none, the one
// that the cell's pipeline is about: without a consumer messages end acknowledged.
func latencyOf(c *result.Cell, slo []string) (metric string, limit float64) {
	for _, text := range slo {
		if e, err := claim.Parse(text); err == nil && claim.IsLatency(e.Metric()) {
			if bound, known := e.Bound(); known {
				limit = bound
			}
			return e.Metric(), limit
		}
	}
	if c.Settings["pipeline"] == string(profile.Produce) {
		return result.Ack + ".p99", 0
	}
	return result.EndToEnd + ".p99", 0
}

// points are a cell's trials, in the order of its rungs, each with its latency.
func (a *Analysis) points(run *result.Run, c *result.Cell) []Point {
	metric, _ := latencyOf(c, a.Question.SLO)
	var points []Point
	for _, r := range a.Question.Rungs {
		for repeat := 1; r.Cell == c.Name && repeat <= r.Repeats; repeat++ {
			t := trialOf(run, c.Name, r.Scenario, repeat)
			if t == nil {
				continue
			}
			o := judge(run, c, t, a.Question.SLO)
			micros, _ := claim.Read(t, metric)
			points = append(points, Point{r.Phase, r.PerSecond, repeat, micros, o.State, o.Broken, t})
		}
	}
	return points
}

// passes are the repeats' ways up a cell's ladder, as far as to top. A trial that
// is missing says nothing.
func (a *Analysis) passes(run *result.Run, c *result.Cell, top float64) []Pass {
	var rates []float64
	for _, r := range a.Question.Rungs {
		if r.Cell == c.Name && r.Phase == result.Measured && r.PerSecond <= top {
			rates = append(rates, r.PerSecond)
		}
	}
	if len(rates) == 0 {
		return nil
	}
	slices.Sort(rates)
	points := a.points(run, c)
	var passes []Pass
	for repeat := 1; repeat <= a.Question.Repeats; repeat++ {
		states := make([]State, len(rates))
		for i, rate := range rates {
			states[i] = Unknown
			for _, p := range points {
				if p.Phase == result.Measured && p.PerSecond == rate && p.Repeat == repeat {
					states[i] = p.State
				}
			}
		}
		passes = append(passes, climb(rates, states))
	}
	return passes
}

// broken is what broke first: at the lowest rung above the knee where anything
// did, or the lowest at all, the expression that did so in most repeats.
func (c Cell) broken() *Break {
	var rates []float64
	for _, p := range c.Points {
		if p.Phase == result.Measured && p.State == Broke {
			rates = append(rates, p.PerSecond)
		}
	}
	if len(rates) == 0 {
		return nil
	}
	slices.Sort(rates)
	at := rates[0]
	above := slices.IndexFunc(rates, func(rate float64) bool { return rate > c.Knee.PerSecond })
	if above >= 0 && c.Knee.Bound != Below {
		at = rates[above]
	}
	b := &Break{PerSecond: at}
	times, values := map[string]int{}, map[string][]float64{}
	for _, p := range c.Points {
		if p.Phase != result.Measured || p.PerSecond != at || p.State != Held && p.State != Broke {
			continue
		}
		b.Of++
		if p.State == Broke {
			times[p.Broken]++
			if v, ok := claim.Read(p.trial, metricOf(p.Broken)); ok {
				values[p.Broken] = append(values[p.Broken], v)
			}
		}
	}
	for _, expression := range slices.Sorted(maps.Keys(times)) {
		if times[expression] > b.Times {
			b.Broken, b.Times = expression, times[expression]
		}
	}
	b.Metric = metricOf(b.Broken)
	b.Observed = claim.Median(b.Metric, values[b.Broken])
	return b
}

// fit is the law through the knees that are no bounds and have every repeat. A
// law that contradicts a bound is none.
func (s *Scaling) fit() {
	if s.Over == "" {
		return
	}
	var samples []Sample
	left := 0
	for _, c := range s.Cells {
		if c.Knee.Bound == Exact && c.Knee.Missing == 0 {
			samples = append(samples, Sample{float64(c.N), c.Knee.PerSecond})
		} else {
			left++
		}
	}
	law, err := Fit(samples)
	if err != nil {
		s.Why = err.Error()
		if left > 0 {
			s.Why += fmt.Sprintf(" (of %d, %d have no exact knee from every repeat)", len(s.Cells), left)
		}
		return
	}
	for _, c := range s.Cells {
		at := law.At(float64(c.N))
		if k := c.Knee; k.Bound == AtLeast && at < k.PerSecond || k.Bound == Below && at > k.PerSecond {
			s.Why = fmt.Sprintf("that of the exact knees gives %s at N = %d, where %s was measured", perSecond(at), c.N, k)
			return
		}
	}
	s.Law = &law
}

func (c Cell) setting(name string) int {
	n, _ := strconv.Atoi(c.Cell.Settings[name])
	return n
}

func (c Cell) partitions() int { return c.setting("topic.partitions") }

// messageBytes is the size of the messages that were measured.
func (c Cell) messageBytes() int {
	var size profile.Size
	if err := size.UnmarshalText([]byte(c.Cell.Settings["load.message.size"])); err != nil {
		return 0
	}
	return int(size)
}

// Conclusion is what a script decides by.
type Conclusion int

const (
	Found        Conclusion = iota // every knee, and the target is carried or none was set
	Missed                         // the target is not carried
	Inconclusive                   // a knee was not reached, or nothing tells whether the target is carried
)

// Conclude sums up. An SLO that holds at the ladder's top is found to hold as far
// as was asked; one that breaks at its lowest rung, or where the generator was
// the limit before the SLO broke, is not. A target that is not carried weighs more
// than either; one that is carried is the question answered, unless the interval
// of its knee leaves that open.
func (a *Analysis) Conclude() Conclusion {
	answer := Found
	for _, s := range a.Scalings {
		if s.Plan != nil {
			switch s.Plan.Answer {
			case Carried:
				if s.Plan.Doubtful {
					answer = Inconclusive
				}
				continue
			case Open:
				answer = Inconclusive
				continue
			}
			return Missed
		}
		for _, c := range s.Cells {
			if !c.Reached() {
				answer = Inconclusive
			}
		}
	}
	if len(a.Scalings) == 0 {
		return Inconclusive
	}
	return answer
}

// Reached reports whether every repeat says where the knee is, or that it lies at
// all that was asked for.
func (c Cell) Reached() bool {
	if c.Knee.Missing > 0 {
		return false
	}
	return c.Knee.Bound == Exact || c.Knee.Bound == AtLeast && c.Knee.PerSecond >= c.Asked && !c.Ended(Limited) && !c.Ended(Unknown)
}

// Ended reports whether a repeat's way up ended by this state.
func (c Cell) Ended(by State) bool {
	return slices.ContainsFunc(c.Knee.Passes, func(p Pass) bool { return p.Stop == by })
}

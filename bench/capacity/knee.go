package capacity

import (
	"fmt"
	"math"
	"slices"

	"deliverybench/bench/claim"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// State is what one trial says of its rate.
type State string

const (
	Held    State = "held"    // every expression of the SLO was met
	Broke   State = "broke"   // one was not
	Limited State = "limited" // one was not, and the load generator was the limit: no evidence against the broker
	Unknown State = "unknown" // it did not complete, or cannot be judged
)

// outcome is a trial's state with what broke, "" when nothing did.
type outcome struct {
	State  State
	Broken string
}

// judge tells what a trial says. A latency that is kept is kept also where the
// generator was late, since it counts from the intended time. Lost messages are
// lost whoever was the limit.
func judge(run *result.Run, cell *result.Cell, t *result.Trial, slo []string) outcome {
	if t.Status != result.Completed && t.Status != result.Inconclusive {
		return outcome{State: Unknown}
	}
	answer := outcome{State: Held}
	for _, expression := range slo {
		switch c := claim.Judge(run, cell, t, expression); c.Status {
		case result.NotMet:
			metric := metricOf(expression)
			if !t.Generator.Limited || claim.Counted(metric) {
				return outcome{Broke, expression}
			}
			answer = outcome{Limited, expression}
		case result.ClaimInconclusive:
			if answer.State == Held {
				answer = outcome{State: Unknown}
			}
		}
	}
	return answer
}

func metricOf(expression string) string {
	e, err := claim.Parse(expression)
	if err != nil {
		return ""
	}
	return e.Metric()
}

// Bound says what a rate is to a knee.
type Bound int

const (
	None    Bound = iota // there is no evidence
	Exact                // the knee lies between this rung and the next
	AtLeast              // the knee is this rung or a higher one
	Below                // the knee is under this rung, the ladder's lowest
)

// Pass is one repeat's way up the ladder: the highest rung up to which every
// rung held.
type Pass struct {
	PerSecond float64
	Bound     Bound
	// Stop is what ended it: Broke, Limited, Unknown, or Held at the ladder's top.
	Stop State
}

// climb is a pass over the states of a ladder's rungs, the lowest first. What
// holds above a rung that broke is luck and does not count.
func climb(rates []float64, states []State) Pass {
	p := Pass{Stop: Held}
	for i, s := range states {
		if s != Held {
			p.Stop = s
			break
		}
		p.PerSecond, p.Bound = rates[i], AtLeast
	}
	switch {
	case p.Stop != Broke:
	case p.Bound == AtLeast:
		p.Bound = Exact
	default:
		p.PerSecond, p.Bound = rates[0], Below
	}
	return p
}

// Knee is the highest rate, in messages per second, that keeps the SLO: the
// median over the repeats, of an even number the lower of the two in the middle,
// so that it is a rung that was measured. Lo and Hi are the ends of Spread; Lo is 0 where it
// lies under the ladder, Hi infinite where it lies above it.
type Knee struct {
	PerSecond float64
	Bound     Bound
	Lo, Hi    float64
	Spread    stats.Spread
	Passes    []Pass // of every repeat
	Missing   int    // passes without evidence
}

// open stands for a knee of which only a lower bound is known: over every rate
// that is paced.
const open = 1e12

// newKnee takes the median of the passes. A pass that gives a bound counts once
// as low and once as high as it can be: where the two medians differ the knee
// itself is a bound.
func newKnee(passes []Pass) Knee {
	k := Knee{Passes: passes}
	var low, high []float64
	for _, p := range passes {
		switch p.Bound {
		case None:
			k.Missing++
		case Exact:
			low, high = append(low, p.PerSecond), append(high, p.PerSecond)
		case AtLeast:
			low, high = append(low, p.PerSecond), append(high, open)
		case Below:
			low, high = append(low, 0), append(high, p.PerSecond)
		}
	}
	if len(low) == 0 {
		return k
	}
	least, most := stats.Summarise(low), stats.Summarise(high)
	k.Lo, k.Hi, k.Spread = least.Lo, most.Hi, least.Spread
	if k.Hi >= open {
		k.Hi = math.Inf(1)
	}
	slices.Sort(low)
	slices.Sort(high)
	from, to := low[(len(low)-1)/2], high[(len(high)-1)/2]
	switch {
	case from == 0:
		k.PerSecond, k.Bound = to, Below
	case to > from:
		k.PerSecond, k.Bound = from, AtLeast
	default:
		k.PerSecond, k.Bound = from, Exact
	}
	return k
}

// Known is how many repeats have evidence.
func (k Knee) Known() int { return len(k.Passes) - k.Missing }

// MissingBy is how many repeats say nothing since their lowest rung came to this.
func (k Knee) MissingBy(stop State) (count int) {
	for _, p := range k.Passes {
		if p.Bound == None && p.Stop == stop {
			count++
		}
	}
	return count
}

// String is the knee in few words: "48,000/s", "at least 48,000/s"; where some
// repeats say nothing, of how many it is.
func (k Knee) String() string {
	var text string
	switch k.Bound {
	case Exact:
		text = perSecond(k.PerSecond)
	case AtLeast:
		text = "at least " + perSecond(k.PerSecond)
	case Below:
		text = "below " + perSecond(k.PerSecond)
	default:
		return stats.None
	}
	if k.Missing > 0 {
		text += fmt.Sprintf(" (median of %d of %d)", k.Known(), len(k.Passes))
	}
	return text
}

// Interval writes the spread over the repeats: "95 % CI 44,000–52,800"; "" of
// what has none.
func (k Knee) Interval() string {
	name := "95 % CI "
	switch {
	case k.Spread == stats.NoSpread || k.Bound == None:
		return ""
	case k.Spread == stats.Range:
		name = fmt.Sprintf("range of %d: ", k.Known())
	}
	lo, hi := rate(k.Lo), rate(k.Hi)
	switch {
	case k.Lo == 0 && math.IsInf(k.Hi, 1):
		return name + "open on both sides"
	case k.Lo == 0:
		return name + "up to " + hi
	case math.IsInf(k.Hi, 1):
		return name + "from " + lo
	}
	return name + stats.Between(lo, hi)
}

func rate(v float64) string {
	if v < 100 && v != math.Trunc(v) {
		return rateName(math.Round(v*100) / 100)
	}
	return stats.Count(int64(math.Round(v)))
}

func perSecond(v float64) string { return rate(v) + "/s" }

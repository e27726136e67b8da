package comparison

import (
	"slices"

	"deliverybench/bench/claim"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// Finding is what a change comes to.
type Finding string

const (
	// Same is no difference beyond the noise between repeats.
	Same Finding = "no difference detected"
	// Chance is a difference that would be one by itself, but may be chance among so
	// many that were looked for.
	Chance Finding = "may be chance"
	// Better and Worse are differences that are more than the noise.
	Better Finding = "better"
	Worse  Finding = "worse"
	// TooFew is too few repeats for any difference to be found.
	TooFew Finding = "too few repeats"
)

// Basis is what a difference of counts rests on; "" is the test between draws, as
// of everything measured.
type Basis string

const (
	// Exact counts are no draws: in every trial as predicted to the message, or the
	// same in every repeat of either side, of which there are enough.
	Exact Basis = "exact"
	// Broken is a promise that the run broke and the base did not. One proof is
	// enough, and no test takes it back.
	Broken Basis = "promise broken"
)

// Change is one metric of a row in both runs.
type Change struct {
	Metric string
	// Counted metrics are told as they are in every trial; others by their medians.
	Counted   bool
	Base, Run []float64 // of every trial, in the metric's unit
	// Ratio is the run's median ÷ the base's, with its interval and its test; of counted
	// metrics the test alone, where it is one that is needed.
	Ratio   stats.Comparison
	Finding Finding
	Basis   Basis
}

// shown are the metrics of a comparison, where trials have them. Latencies of a
// closed loop are left out: they are the client's queue.
var (
	speeds  = []string{"pipeline_per_second", "backlog.drained_per_second", "database.commits_per_second"}
	delays  = []string{"end_to_end.p50", "end_to_end.p99", "end_to_end.p999", "durable.p99"}
	produce = []string{"ack.p50", "ack.p99", "ack.p999"}
	counted = []string{
		"lost", "duplicates", "aborted_delivered", "reordered", "corrupt", "multiple_effects", "undrained", "dead_lettered",
		"database.lost", "database.duplicates", "database.difference_cents", "database.wrong_status",
		"database.rows_without_message", "database.messages_without_row",
	}
)

// broken are the counts of which any breaks a guarantee (ledger.Verdict.Judge).
var broken = map[profile.Guarantee][]string{
	profile.AtMostOnce:  {"duplicates", "multiple_effects", "database.duplicates"},
	profile.AtLeastOnce: {"lost", "database.rows_without_message", "database.messages_without_row"},
	profile.ExactlyOnce: {
		"duplicates", "multiple_effects", "database.duplicates",
		"lost", "database.rows_without_message", "database.messages_without_row", "aborted_delivered",
	},
}

// pairOf are the trials of a row, and what the run's promise.
type pairOf struct {
	before, after []*result.Trial
	guarantee     profile.Guarantee
}

// changes are the metrics that both sides have: counts where either is not 0, and
// losses and duplicates always.
func (p pairOf) changes() []Change {
	names := slices.Clone(speeds)
	if !closed(p.before) && !closed(p.after) {
		latencies := delays
		if _, _, ok := p.values(delays[0]); !ok {
			latencies = produce
		}
		names = append(names, latencies...)
	}
	var out []Change
	for _, name := range append(names, counted...) {
		if c, ok := p.change(name); ok && (!c.Counted || c.some() || name == "lost" || name == "duplicates") {
			out = append(out, c)
		}
	}
	return out
}

func closed(trials []*result.Trial) bool {
	return slices.ContainsFunc(trials, func(t *result.Trial) bool { return t.Generator.Closed })
}

// values are a metric's in all trials; ok is false where one has none.
func (p pairOf) values(metric string) (before, after []float64, ok bool) {
	before, after = claim.Values(p.before, metric), claim.Values(p.after, metric)
	return before, after, len(before) == len(p.before) && len(after) == len(p.after)
}

func (p pairOf) change(metric string) (Change, bool) {
	before, after, ok := p.values(metric)
	if !ok {
		return Change{}, false
	}
	c := Change{Metric: metric, Counted: claim.Counted(metric), Base: before, Run: after, Finding: Same}
	if c.Counted {
		p.count(&c)
		return c, true
	}
	c.Ratio = claim.Compare(metric, after, before)
	switch {
	case c.Ratio.Significant:
		c.Finding = direction(metric, c.Ratio)
	case c.Ratio.Missing > 0:
		c.Finding = TooFew
	}
	return c, true
}

// count tells counts apart by how far they are from 0. What a broken promise or theory
// decides is no draw; everything else may be one, and is tested as speeds are.
func (p pairOf) count(c *Change) {
	before, after := sizes(c.Base), sizes(c.Run)
	ratio := claim.Compare(c.Metric, after, before)
	differ := !stats.Constant(slices.Concat(before, after))
	switch {
	case !differ:
	case p.breaks(c):
		c.Finding, c.Basis = Worse, Broken
	case stats.Constant(before) && stats.Constant(after) && foretold(p.before, c.Metric) && foretold(p.after, c.Metric):
		c.Finding, c.Basis = direction(c.Metric, ratio), Exact
	default:
		c.Ratio = ratio
		switch {
		case ratio.Significant:
			c.Finding = direction(c.Metric, ratio)
			if stats.Constant(before) && stats.Constant(after) {
				c.Basis = Exact
			}
		case ratio.Missing > 0:
			c.Finding = TooFew
		}
	}
}

// breaks reports whether the run breaks a promise by what the base has none of.
func (p pairOf) breaks(c *Change) bool {
	nothing := !slices.ContainsFunc(c.Base, func(v float64) bool { return v != 0 })
	return nothing && slices.Contains(broken[p.guarantee], c.Metric) && slices.ContainsFunc(p.after, func(t *result.Trial) bool {
		n, _ := claim.Read(t, c.Metric)
		return n != 0 && t.Promise == result.Violated
	})
}

// foretold reports whether all trials have as many of a metric as theory says.
func foretold(trials []*result.Trial, metric string) bool {
	return !slices.ContainsFunc(trials, func(t *result.Trial) bool {
		n, _ := claim.Read(t, metric)
		due, said := claim.Foretold(t, metric)
		return !said || n != due
	})
}

func sizes(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = max(v, -v)
	}
	return out
}

// direction says which way a difference goes: of speeds more is better, of all else less.
func direction(metric string, of stats.Comparison) Finding {
	if (of.Direction > 0) == claim.MoreIsBetter(metric) {
		return Better
	}
	return Worse
}

func (c Change) some() bool {
	return slices.ContainsFunc(slices.Concat(c.Base, c.Run), func(v float64) bool { return v != 0 })
}

// Sides writes both sides: the medians, and of counts the least and the most.
func (c Change) Sides() (base, run string) {
	return c.side(c.Base), c.side(c.Run)
}

func (c Change) side(values []float64) string {
	if c.Counted {
		return stats.Between(claim.Text(c.Metric, slices.Min(values)), claim.Text(c.Metric, slices.Max(values)))
	}
	return claim.Text(c.Metric, claim.Median(c.Metric, values))
}

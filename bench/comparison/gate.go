package comparison

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"deliverybench/bench/claim"
	"deliverybench/bench/stats"
)

// Gate is by how much the run may not differ from its base: "end_to_end.p99 > +10%"
// fails where the run's p99 is more than 10 % above the base's, "lost > +0" where
// any of its trials lost more than any of the base's.
type Gate struct {
	text   string
	metric string
	above  bool    // > and not <
	by     float64 // a share of the base, or a count
}

func (g Gate) String() string { return g.text }

var gateForm = regexp.MustCompile(`^\s*([a-z0-9_.]+)\s*([<>])\s*([+-])\s*([0-9.]+)\s*(%?)\s*$`)

// ParseGate reads a gate.
func ParseGate(text string) (Gate, error) {
	const like = "write for example 'end_to_end.p99 > +10%%', 'pipeline_per_second < -10%%' or 'lost > +0'"
	parts := gateForm.FindStringSubmatch(text)
	if parts == nil {
		return Gate{}, fmt.Errorf("%q is no gate; "+like, text)
	}
	g := Gate{text: strings.TrimSpace(text), metric: parts[1], above: parts[2] == ">"}
	if err := claim.Known(g.metric); err != nil {
		return Gate{}, fmt.Errorf("%q: %w", text, err)
	}
	by, err := strconv.ParseFloat(parts[4], 64)
	if err != nil {
		return Gate{}, fmt.Errorf("%q: %s is no number", text, parts[4])
	}
	counted, share := claim.Counted(g.metric), parts[5] == "%"
	switch {
	case g.above != (parts[3] == "+"):
		return Gate{}, fmt.Errorf("%q: a rise is written > +, a fall < -; "+like, text)
	case counted && (share || by != math.Trunc(by)):
		return Gate{}, fmt.Errorf("%q: %s is counted: write by how many it may change, such as '%s > +0'", text, g.metric, g.metric)
	case !counted && !share:
		return Gate{}, fmt.Errorf("%q: write by how much in percent, such as +10%%", text)
	case share:
		by /= 100
	}
	if !g.above && share && by >= 1 {
		return Gate{}, fmt.Errorf("%q: nothing falls by more than all of it", text)
	}
	g.by = by
	return g, nil
}

// Outcome is what became of a gate in one row.
type Outcome string

const (
	Passed       Outcome = "passed"
	Failed       Outcome = "failed"
	Inconclusive Outcome = "inconclusive"
)

// Judged is a gate in one row, or in none where no row has its metric.
type Judged struct {
	Gate    Gate
	Where   string
	Outcome Outcome
	Found   string // what was found, or the reason of an inconclusive one
}

// Judge holds every row against a gate. What the base has and the run has not
// cannot be judged, nor a metric that no row has: a gate never passes unseen.
func (c *Comparison) Judge(g Gate) []Judged {
	var out []Judged
	for _, r := range c.Rows {
		if outcome, found, has := g.row(r); has {
			out = append(out, Judged{g, r.Name(), outcome, found})
		}
	}
	for _, a := range c.Alone {
		if a.Has != OnlyRun && !a.Omitted {
			out = append(out, Judged{g, a.Cell + " in " + a.Scenario, Inconclusive, strings.TrimSuffix(string(a.Has)+" has numbers; "+a.Reason, "; ")})
		}
	}
	if len(out) == 0 {
		out = append(out, Judged{Gate: g, Outcome: Inconclusive, Found: "no cell of both runs has " + g.metric})
	}
	return out
}

// row judges one row; has is false where neither run has the metric there.
// Latencies of a closed loop are the client's queue, and are no more judged than
// they are shown.
func (g Gate) row(r Row) (outcome Outcome, found string, has bool) {
	before, after := claim.Values(r.before, g.metric), claim.Values(r.after, g.metric)
	switch {
	case len(before) == 0 && len(after) == 0, claim.IsLatency(g.metric) && (closed(r.before) || closed(r.after)):
		return "", "", false
	case len(before) < len(r.before):
		return Inconclusive, fmt.Sprintf("%d of %d trials of the base have %s", len(before), len(r.before), g.metric), true
	case len(after) < len(r.after):
		return Inconclusive, fmt.Sprintf("%d of %d trials of the run have %s", len(after), len(r.after), g.metric), true
	}
	if g.above && claim.Grows(g.metric) { // what they prove stands, whatever else is unsure of them
		after = append(after, claim.Values(r.unsettled, g.metric)...)
	}
	outcome, found = g.judge(before, after)
	if outcome != Failed && r.short != "" {
		return Inconclusive, found + "; " + r.short, true
	}
	return outcome, found, true
}

// judge compares counts as they are, and medians of what is measured.
func (g Gate) judge(before, after []float64) (Outcome, string) {
	if !claim.Counted(g.metric) {
		return g.weigh(before, after)
	}
	most, was := slices.Max(after), slices.Max(before)
	found := fmt.Sprintf("at most %s, was %s", claim.Text(g.metric, most), claim.Text(g.metric, was))
	if !g.above {
		most, was = slices.Min(after), slices.Min(before)
		found = fmt.Sprintf("at least %s, was %s", claim.Text(g.metric, most), claim.Text(g.metric, was))
	}
	if g.above && most > was+g.by || !g.above && most < was-g.by {
		return Failed, found
	}
	return Passed, found
}

// weigh compares medians. A bound is passed where the whole interval of the ratio
// lies beyond it; where only the median does, that is not known. Of a median over
// range one end of the ratio is known, which may be enough.
func (g Gate) weigh(before, after []float64) (Outcome, string) {
	was := claim.Median(g.metric, before)
	if was == 0 {
		return Inconclusive, "its median was 0, of which nothing is a share"
	}
	ratio := claim.Compare(g.metric, after, before)
	found := fmt.Sprintf("%s, was %s", claim.Text(g.metric, claim.Median(g.metric, after)), claim.Text(g.metric, was))
	if ratio.HasRatio {
		found += ": " + ratio.Interval()
	}
	least, most := g.beyond(ratio.Least), g.beyond(ratio.Most)
	switch {
	case !least && !most:
		return Passed, found
	case !least || !most:
		return Inconclusive, found + ", of which no ratio is known"
	case g.beyond(ratio.Lo) && g.beyond(ratio.Hi) && ratio.Hi > 0, ratio.Hi == 0 && ratio.Significant:
		return Failed, found
	case ratio.Hi > 0:
		return Inconclusive, found + ", which reaches to within the bound; raise repeats"
	}
	return Inconclusive, fmt.Sprintf("%s; %d and %d repeats cannot tell it from noise, set repeats: %d", found, ratio.BaselineN, ratio.N, stats.IntervalSamples)
}

// beyond reports whether a ratio passes the bound.
func (g Gate) beyond(ratio float64) bool {
	if g.above {
		return ratio > 1+g.by
	}
	return ratio < 1-g.by
}

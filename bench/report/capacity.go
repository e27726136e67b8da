package report

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"deliverybench/bench/capacity"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

//go:embed capacity.gohtml
var capacityPage string

// capacityView is a capacity run as every form shows it; its fields are plain text.
type capacityView struct {
	SLO      string
	Table    view // a row per cell
	How      []string
	Scalings []scalingView
}

// scalingView is the cells that differ in one setting: their law and their plan.
type scalingView struct {
	Name    string // "" where there is only one
	Law     []string
	Plan    []string
	Assumed []string
	Caution string // what machine the plan is of; "" without one
}

// newCapacityView is nil of a run that asked nothing.
func newCapacityView(run *result.Run) *capacityView {
	a := capacity.Analyse(run)
	if a == nil {
		return nil
	}
	v := &capacityView{SLO: plain(strings.Join(a.Question.SLO, ", ")), Table: capacityTable(run, a), How: howCapacity(a)}
	for _, s := range a.Scalings {
		one := scalingView{Law: lawLines(s)}
		if len(a.Scalings) > 1 {
			one.Name = plain(s.Name)
		}
		if s.Plan != nil {
			one.Plan = planLines(a, s)
			for _, text := range s.Plan.Assumptions(a.Target(s), s) {
				one.Assumed = append(one.Assumed, plain(text))
			}
			one.Caution = capacityCaution(run)
		}
		v.Scalings = append(v.Scalings, one)
	}
	return v
}

// capacityTable is a table of one group: what each cell's knee is, and what
// broke above it.
func capacityTable(run *result.Run, a *capacity.Analysis) view {
	t := *newView(run)
	cells := map[*result.Cell]capacity.Cell{}
	intervals, ranges := false, false
	for _, s := range a.Scalings {
		for _, c := range s.Cells {
			cells[c.Cell] = c
			intervals = intervals || c.Knee.Spread == stats.Interval
			ranges = ranges || c.Knee.Spread == stats.Range
		}
	}
	knee, spread, first := column{header: "knee", traced: true}, column{header: "95 % CI"}, column{header: "breaks first", left: true, traced: true}
	switch {
	case ranges && intervals:
		spread.header = "CI or range"
	case ranges:
		spread.header = "range"
	}
	for _, row := range t.cells {
		c := cells[row]
		knee.cells = append(knee.cells, c.Knee.String())
		_, interval, _ := strings.Cut(strings.TrimPrefix(c.Knee.Interval(), "95 % CI "), ": ")
		spread.cells = append(spread.cells, orElse(orElse(interval, strings.TrimPrefix(c.Knee.Interval(), "95 % CI ")), stats.None))
		broke := "nothing up to the top rung"
		switch {
		case c.Break != nil:
			broke = plain(c.Break.String())
		case !c.Reached():
			broke = stopText(c)
		}
		first.cells = append(first.cells, broke)
	}
	t.groups = []group{{columns: []column{knee, spread, first}}}
	return t
}

// stopText is what ended the ways up that ended without evidence.
func stopText(c capacity.Cell) string {
	switch {
	case c.Ended(capacity.Limited):
		return "the load generator was the limit"
	case c.Ended(capacity.Unknown):
		return "trials did not complete or cannot be judged"
	}
	return "nothing, and no higher rate was measured"
}

// remedies say of every knee that was not reached what to do about it.
func remedies(a *capacity.Analysis) []string {
	var lines []string
	for _, s := range a.Scalings {
		for _, c := range s.Cells {
			if !c.Reached() {
				lines = append(lines, fmt.Sprintf("Not reached: %s, since %s.", plain(c.Cell.Name), remedy(a, c)))
			}
		}
	}
	return lines
}

// remedy is why a knee was not reached, and what to do about it.
func remedy(a *capacity.Analysis, c capacity.Cell) string {
	const ownMachine = "give the load a machine of its own"
	k := c.Knee
	switch {
	case k.Missing > 0:
		says := fmt.Sprintf("%d of %s say nothing of it", k.Missing, plural(len(k.Passes), "repeat"))
		limited := k.MissingBy(capacity.Limited)
		switch limited {
		case k.Missing:
			return says + ", for on the lowest rung the load generator was the limit: " + ownMachine
		case 0:
			return says + ", for their trials on the lowest rung did not complete or cannot be judged: see why, and measure again"
		}
		return fmt.Sprintf("%s, for on the lowest rung the load generator was the limit of %d, and %d did not complete or cannot be judged: %s, see why, and measure again",
			says, limited, k.Missing-limited, ownMachine)
	case k.Bound == capacity.Below && k.PerSecond > a.Question.FromPerSecond:
		return "its lowest rung broke, above which the one trial of the search had held: measure again for a ladder that begins lower"
	case k.Bound == capacity.Below:
		return "its lowest rung broke: lower capacity.rates.from, or loosen the SLO"
	case c.Ended(capacity.Limited):
		return "the load generator was the limit: " + ownMachine
	case c.Ended(capacity.Unknown):
		return "trials above did not complete or cannot be judged: see why, and measure again"
	}
	return fmt.Sprintf("up to %s was asked for: go on with -resume, or measure again with more repeats", countPerSecond(c.Asked))
}

func howCapacity(a *capacity.Analysis) []string {
	q := a.Question
	lines := []string{
		fmt.Sprintf("knee: highest rate up to which every rung of the ladder kept the SLO; median of %s; rungs are up to %s apart. The trials that searched for the ladder are in none.",
			plural(q.Repeats, "repeat"), stats.Percent(q.StepShare)),
	}
	limited, unknown := 0, 0
	for _, s := range a.Scalings {
		for _, c := range s.Cells {
			for _, p := range c.Points {
				switch {
				case p.Phase != result.Measured:
				case p.State == capacity.Limited:
					limited++
				case p.State == capacity.Unknown:
					unknown++
				}
			}
		}
	}
	if limited > 0 {
		lines = append(lines, fmt.Sprintf("In %s the SLO broke while the load generator was the limit: no evidence against the broker, so such a knee is \"at least\", or on the lowest rung none.", plural(limited, "trial")))
	}
	if unknown > 0 {
		lines = append(lines, fmt.Sprintf("%s cannot be judged and say nothing.", sentence(plural(unknown, "trial"))))
	}
	return append(lines, remedies(a)...)
}

// lawLines tell the law of scaling, or why there is none.
func lawLines(s capacity.Scaling) []string {
	if s.Over == "" {
		return nil
	}
	over := plain(s.Over)
	if s.Law == nil {
		return []string{fmt.Sprintf("No law of scaling over %s: %s.", over, plain(s.Why))}
	}
	l := s.Law
	line := fmt.Sprintf("Universal Scalability Law over N = %s: λ %s, σ %s (contention), κ %s (coherency), R² %s",
		over, countPerSecond(l.Lambda), coefficient(l.Sigma), coefficient(l.Kappa), fit(l.R2))
	n, most := l.Best()
	switch _, peak := l.Peak(); {
	case peak:
		line += fmt.Sprintf("; peak %s at N = %s", countPerSecond(most), stats.Count(int64(n)))
	case l.Sigma > 0:
		line += fmt.Sprintf("; no peak, never more than %s", countPerSecond(most))
	default:
		line += "; no peak: linear"
	}
	lines := []string{line + "."}
	if l.Spare() == 0 {
		lines = append(lines, "3 values of N determine the law's 3 coefficients: nothing is left to test it, and it says nothing of any N but those measured and what lies between.")
	}
	return lines
}

func coefficient(v float64) string {
	if v == 0 {
		return "0"
	}
	return fmt.Sprintf("%.2g", v)
}

func fit(r2 float64) string {
	if r2 != r2 {
		return stats.None
	}
	return fmt.Sprintf("%.3f", r2)
}

func countPerSecond(v float64) string { return stats.Count(int64(v+0.5)) + "/s" }

// planLines tell what the target needs.
func planLines(a *capacity.Analysis, s capacity.Scaling) []string {
	t, p := a.Target(s), s.Plan
	grown := ""
	if t.GrowthShare > 0 && t.Years > 0 {
		grown = fmt.Sprintf(" growing %s a year for %s to %s", stats.Percent(t.GrowthShare), plural(t.Years, "year"), countPerSecond(p.Load.Design))
	}
	lines := []string{fmt.Sprintf("Target: %s%s, with %s free: %s needed. %s.", countPerSecond(t.PerSecond), grown,
		stats.Percent(t.HeadroomShare), countPerSecond(p.Load.Needed), sentence(answerText(s)))}
	if p.Answer == capacity.Carried && p.Partitions > 0 {
		lines = append(lines, fmt.Sprintf("Partitions: %d of each topic.", p.Partitions))
	}
	l := p.Load
	return append(lines, fmt.Sprintf("Network of each broker at %s: %s/s in, %s/s out. Disk of all brokers: %s a day, %s for %s.",
		countPerSecond(l.Design), stats.Bytes(l.InPerBroker), stats.Bytes(l.OutPerBroker), stats.Bytes(l.PerDay), stats.Bytes(l.Retained), days(t.RetentionSeconds)))
}

func days(seconds float64) string {
	if n := int(seconds / 86400); n > 0 && float64(n)*86400 == seconds {
		return plural(n, "day")
	}
	return stats.Seconds(seconds)
}

// workers are what the varied setting counts.
func workers(over string, n int) string {
	nouns := map[string]string{"consumer.count": "consumer", "producer.count": "producer", "topic.partitions": "partition"}
	return plural(n, orElse(nouns[over], plain(over)))
}

// answerText says whether a target is carried, and by what.
func answerText(s capacity.Scaling) string {
	p := s.Plan
	highest := "whose highest knee is " + countPerSecond(p.Most)
	switch p.Answer {
	case capacity.Carried:
		switch {
		case s.Over == "":
			return "carried by what was measured" + doubt(s)
		case p.Measured:
			return "carried by " + workers(s.Over, p.N) + ", as measured" + doubt(s)
		}
		return fmt.Sprintf("carried by %s by the law alone (it gives %s): measure that to be sure", workers(s.Over, p.N), countPerSecond(s.Law.At(float64(p.N))))
	case capacity.Extrapolated:
		return fmt.Sprintf("not carried by what was measured, %s; by the law %s would, extrapolated from %s", highest,
			workers(s.Over, p.N), workers(s.Over, int(s.Law.Largest)))
	case capacity.Unreachable:
		n, peak := s.Law.Best()
		if _, has := s.Law.Peak(); !has {
			return fmt.Sprintf("not reachable with this configuration: by the law it never carries %s", countPerSecond(peak))
		}
		return fmt.Sprintf("not reachable with this configuration: the law's peak is %s at %s", countPerSecond(peak), workers(s.Over, int(n)))
	case capacity.Open:
		return "open: some knees are only bounds or not of every repeat" + orNothing(p.Most > 0, ", and the highest is "+countPerSecond(p.Most)+" or more")
	}
	if p.Most == 0 {
		return "not carried: nothing that was measured kept the SLO"
	}
	return "not carried by what was measured, " + highest
}

func orNothing(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

// doubt says why the knee that carries a target perhaps does not.
func doubt(s capacity.Scaling) string {
	p := s.Plan
	if !p.Doubtful {
		return ""
	}
	at := slices.IndexFunc(s.Cells, func(c capacity.Cell) bool { return c.N == p.N })
	switch k := s.Cells[at].Knee; {
	case k.Missing > 0:
		return fmt.Sprintf(", but by %d of %s only", k.Known(), plural(len(k.Passes), "repeat"))
	case p.Low == 0:
		return ", but its spread goes down below the ladder: more repeats and smaller steps make it sure"
	case p.Low < p.Load.Needed:
		return fmt.Sprintf(", but its spread goes down to %s: more repeats and smaller steps make it sure", countPerSecond(p.Low))
	}
	return fmt.Sprintf(", but by %s only: %d make it sure", plural(s.Cells[at].Knee.Known(), "repeat"), stats.IntervalSamples)
}

// capacityCaution is about numbers of a machine that broker and load share.
func capacityCaution(run *result.Run) string {
	if b := run.Environment.Broker; b.Kind != "embedded" && !b.SharesHost {
		return ""
	}
	return fmt.Sprintf("Broker and load share %s of one machine: the capacities bound nothing but this machine. Measure on the cluster that is to carry the target.",
		plural(run.Environment.Cores, "core"))
}

// capacityVerdict is the run in one sentence.
func capacityVerdict(run *result.Run, a *capacity.Analysis) string {
	var parts []string
	for _, s := range a.Scalings {
		text := "Knee of " + plain(s.Name) + ": "
		var knees []string
		for _, c := range s.Cells {
			knee := c.Knee.String()
			if c.Knee.Bound == capacity.None {
				knee = "none found"
			}
			if s.Over != "" {
				knee += " with " + workers(s.Over, c.N)
			}
			knees = append(knees, knee)
		}
		text += strings.Join(knees, ", ")
		if s.Plan != nil {
			text += "; the target of " + countPerSecond(s.Plan.Load.Needed) + " is " + answerText(s)
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return "Nothing was measured."
	}
	text := strings.Join(parts, ". ") + "."
	var broken []string
	for i := range run.Cells {
		if promiseOf(&run.Cells[i]) == result.Violated {
			broken = append(broken, plain(run.Cells[i].Name))
		}
	}
	if len(broken) > 0 {
		text += fmt.Sprintf(" The promise was violated (%s).", list(broken, 3))
	}
	return text
}

// capacity writes the section of the terminal.
func (p *printer) capacity(v *capacityView) {
	p.line("Capacity: the load that keeps "+v.SLO, "")
	p.blank()
	if last := &v.Table.groups[0].columns[2]; last.width() > p.Width/2 { // the one column that words fill
		for i, text := range last.cells {
			last.cells[i] = truncate(text, p.Width/2)
		}
	}
	p.blocks(&v.Table)
	for _, l := range v.How {
		p.line(l, "")
	}
	for _, s := range v.Scalings {
		if s.Name != "" {
			p.blank()
			p.line(s.Name, "")
		}
		for _, l := range slices.Concat(s.Law, s.Plan) {
			p.line(l, "")
		}
		for i, l := range s.Assumed {
			if i == 0 {
				p.line("Assumed:", "")
			}
			p.line("- "+l, "")
		}
		if s.Caution != "" {
			p.line("! "+s.Caution, yellow)
		}
	}
}

// capacity writes the section of the Markdown.
func (m *markdown) capacity(v *capacityView) {
	m.line("\n## Capacity")
	m.paragraph(md("The load that keeps " + v.SLO + ":"))
	m.table(&v.Table)
	m.list(v.How)
	for _, s := range v.Scalings {
		if s.Name != "" {
			m.line("\n### " + md(s.Name))
		}
		for _, l := range slices.Concat(s.Law, s.Plan) {
			m.paragraph(md(l))
		}
		if s.Caution != "" {
			m.paragraph("**" + md(s.Caution) + "**")
		}
		if len(s.Assumed) > 0 {
			m.paragraph("Assumed:")
			m.list(s.Assumed)
		}
	}
}

// capacityOrigin is where the page tells more: of a knee, the cell with all of its
// rungs; of what broke first, the trials of its rung.
func capacityOrigin(v *view) origin {
	broke := map[*result.Cell]string{}
	for _, s := range capacity.Analyse(v.run).Scalings {
		for _, c := range s.Cells {
			for _, r := range v.run.Capacity.Rungs {
				if c.Break != nil && r.Cell == c.Cell.Name && r.Phase == result.Measured && r.PerSecond == c.Break.PerSecond {
					broke[c.Cell] = r.Scenario
				}
			}
		}
	}
	return func(row int, c column) string {
		place := cellRow(v.run, v.cells[row])
		if rung, any := broke[v.cells[row]]; any && c.left {
			return scenarioAnchor(place, rung)
		}
		return cellAnchor(place)
	}
}

// pageCapacity is the section of the page.
type pageCapacity struct {
	*capacityView
	Rows pageTable
}

func newPageCapacity(run *result.Run) *pageCapacity {
	v := newCapacityView(run)
	if v == nil {
		return nil
	}
	return &pageCapacity{v, sectionTable(&v.Table, "capacity", "Capacity", capacityOrigin(&v.Table))}
}

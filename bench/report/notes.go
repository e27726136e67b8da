package report

import (
	"fmt"
	"slices"
	"strings"

	"deliverybench/bench/claim"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// Warning is one thing that limits the run's numbers, with what to do about it.
type Warning struct {
	Text   string
	Remedy string
}

func (w Warning) String() string {
	if w.Remedy == "" {
		return w.Text
	}
	return w.Text + ": " + w.Remedy
}

// grouped is a reason with everything that it is the reason for.
type grouped struct {
	Reason string
	Names  []string
}

func (g *grouped) add(name string) {
	if !slices.Contains(g.Names, name) {
		g.Names = append(g.Names, name)
	}
}

// byReason collects names under equal reasons, in the order of appearance.
type byReason []*grouped

func (b *byReason) add(reason, name string) {
	reason = orElse(plain(reason), noReason)
	for _, g := range *b {
		if g.Reason == reason {
			g.add(name)
			return
		}
	}
	*b = append(*b, &grouped{reason, []string{name}})
}

// omissions lists what was left out, each reason once.
func omissions(run *result.Run) []result.Omission {
	out := result.Omissions(run, nil)
	for i := range out {
		o := &out[i]
		o.What, o.Reason = plain(o.What), orElse(plain(o.Reason), noReason)
		for j := range o.Names {
			o.Names[j] = plain(o.Names[j])
		}
	}
	return out
}

// omissionLine is "acks=1 (20 cells): the embedded broker has one log per partition."
func omissionLine(o result.Omission) string {
	return o.What + ": " + strings.TrimRight(o.Reason, ".") + "."
}

// noReason stands where a reason should.
const noReason = "no reason was given"

// unfinished lists the trials with a status, by their reasons.
func unfinished(run *result.Run, status result.Status) byReason {
	var out byReason
	for _, c := range run.Cells {
		for _, t := range c.Trials {
			if t.Status == status {
				out.add(t.Reason, plain(t.ID))
			}
		}
	}
	return out
}

// how says how the numbers of the table were made.
func (v *view) how() []string {
	var lines []string
	if line := v.howSpeed(); line != "" {
		lines = append(lines, line)
	}
	if v.pipeline("outbox") {
		lines = append(lines, "rows alone: committed, but no message tells of them; messages alone: they tell of rows that are not there.")
	}
	if line := v.howLatency(); line != "" {
		lines = append(lines, line)
	}
	if line := v.howDatabase(); line != "" {
		lines = append(lines, line)
	}
	for _, g := range v.groups {
		if line := howGroup(g); line != "" {
			lines = append(lines, line)
		}
	}
	if line := v.howPromise(); line != "" {
		lines = append(lines, line)
	}
	return lines
}

// howPromise explains the last column.
func (v *view) howPromise() string {
	if len(v.groups) == 0 {
		return ""
	}
	line := "promise: whether the arm's guarantee held in every trial"
	if slices.Contains(v.all.cells, string(result.NoPromise)) {
		line += "; none: the arm guarantees nothing"
	}
	if slices.Contains(v.all.cells, stats.None) {
		line += "; " + stats.None + ": it did not run"
	}
	return line + "."
}

// howNever says that percentiles have messages in them that never arrived and
// that a count explains; those that none explains are a warning.
func howNever(g group) string {
	if g.kind == closed {
		return ""
	}
	var lost, unanswered int64
	for _, trials := range g.trials {
		for _, t := range completed(trials) {
			switch over := t.Latency[g.role].Over; g.role {
			case result.Ack:
				unanswered += min(over, t.Verdict.Rejected+t.Verdict.Unknown)
			default:
				lost += min(over, t.Verdict.Lost.Total)
			}
		}
	}
	switch {
	case lost > 0:
		return "Latency percentiles count the " + plural(lost, "lost message") + " as longer than all others."
	case unanswered > 0:
		return "Latency percentiles count the " + plural(unanswered, "message") + " without an acknowledgement as longer than all others."
	}
	return ""
}

func (v *view) howSpeed() string {
	var repeats []int
	marks, ranged := "", false
	for _, g := range v.groups {
		if g.kind != closed {
			continue
		}
		repeats = append(repeats, g.repeats...)
		for _, c := range g.columns {
			ranged = ranged || c.header == "range"
			if c.header == "×" {
				marks += strings.Join(c.cells, " ") + " "
			}
		}
	}
	if len(repeats) == 0 {
		return ""
	}
	line := "msg/s: " + medianOf(repeats) + ", as fast as the client takes it (closed loop)."
	if ranged {
		line += " range: slowest to fastest repeat."
	}
	if marks != "" {
		line += " ×: ratio to " + plain(v.run.Run.Baseline)
		if strings.Contains(marks, "~") {
			line += "; ~ no significant difference"
		}
		if strings.Contains(marks, "?") {
			line += "; ? too few repeats to tell"
		}
		line += "."
	}
	return line
}

func (v *view) howLatency() string {
	var repeats []int
	role := ""
	service := false
	for _, g := range v.groups {
		if g.kind == paced || (g.kind == faulted && freezes(g)) {
			repeats = append(repeats, g.repeats...)
			if role == "" && len(g.repeats) > 0 {
				role = g.role
			}
			service = service || g.kind == faulted
		}
	}
	if len(repeats) == 0 {
		return ""
	}
	end := v.latencyEnd(role)
	line := fmt.Sprintf("Latency: intended send → %s, %s.", end, v.latencyOf(repeats))
	if service {
		line += " p99 service: actual send → " + end + ", which hides the messages that waited to be sent."
	}
	return line
}

// latencyEnd is where the latencies of the table end: each pipeline's, where they differ.
func (v *view) latencyEnd(role string) string {
	if role == result.Ack {
		return "acknowledgement"
	}
	consumed := "effect"
	if v.database() {
		consumed = "message processed, before its row is committed"
	}
	var ends, named []string
	for _, of := range []struct{ pipeline, end string }{
		{"consume", consumed}, {"relay", "output visible"}, {"outbox", "message visible in the topic"},
	} {
		if v.pipeline(of.pipeline) {
			ends, named = append(ends, of.end), append(named, of.end+" ("+of.pipeline+")")
		}
	}
	switch len(ends) {
	case 0:
		return consumed
	case 1:
		return ends[0]
	}
	return strings.Join(named, ", ")
}

// latencyOf says what the percentiles are over: "3 repeats pooled".
func (v *view) latencyOf(repeats []int) string {
	lo, hi := slices.Min(repeats), slices.Max(repeats)
	if hi == 1 {
		return "one trial"
	}
	if !v.pooled {
		return medianOf(repeats) + " repeats' percentiles (saved before they were pooled)"
	}
	text := fmt.Sprintf("%s repeats pooled", stats.Between(fmt.Sprint(lo), fmt.Sprint(hi)))
	if slices.ContainsFunc(v.run.Claims, claimsLatency) {
		text += "; claims take the repeats' median"
	}
	return text
}

func claimsLatency(c result.Claim) bool {
	role, _, found := strings.Cut(c.Expression, ".")
	return found && slices.Contains(result.Roles(), role)
}

// database reports whether effects are rows of a database.
func (v *view) database() bool {
	return slices.ContainsFunc(v.groups, func(g group) bool {
		return slices.ContainsFunc(slices.Concat(g.trials...), func(t *result.Trial) bool { return t.Database != nil })
	})
}

func (v *view) pipeline(name string) bool {
	return slices.ContainsFunc(v.cells, func(c *result.Cell) bool { return c.Settings["pipeline"] == name })
}

// medianOf says over how many repeats the medians are: "median of 6", "median of 3 to 6".
func medianOf(repeats []int) string {
	lo, hi := slices.Min(repeats), slices.Max(repeats)
	switch {
	case hi == 1:
		return "one trial"
	case lo == hi:
		return fmt.Sprintf("median of %d", lo)
	}
	return fmt.Sprintf("median of %d to %d", lo, hi)
}

// howGroup says what struck in a scenario, what its counts are out of, and what
// else a reader of them has to know; "" where there is nothing to say.
func howGroup(g group) string {
	line := strings.Join(nonEmpty(struck(g), outOf(g)), "; ")
	if line != "" {
		line += "."
	}
	line = strings.Join(nonEmpty(line, spotless(g), howNever(g)), " ")
	if line == "" {
		return ""
	}
	return plain(g.scenario) + ": " + line
}

// struck is what went wrong on purpose, and how often: "kill consumer (SIGKILL); 3
// of 3 fired".
func struck(g group) string {
	var names []string
	planned, fired := 0, 0
	for _, t := range slices.Concat(g.trials...) {
		for _, f := range t.Faults {
			planned++
			if f.Fired != nil {
				fired++
			}
			names = addNew(names, plain(f.Name)+howStruck(f.Name))
		}
	}
	if planned == 0 {
		return ""
	}
	return fmt.Sprintf("%s; %d of %d fired", list(names, 3), fired, planned)
}

// outOf is what the counts of a scenario are out of: the messages of a trial that
// were promised to arrive. Without acknowledgements it is those that were sent.
func outOf(g group) string {
	if !slices.ContainsFunc(g.columns, func(c column) bool { return c.traced }) {
		return ""
	}
	var promised []int64
	acked, sent := false, false
	for _, t := range completed(slices.Concat(g.trials...)) {
		promised = append(promised, t.Verdict.Acked+t.Verdict.Sent)
		acked, sent = acked || t.Verdict.Acked > 0, sent || t.Verdict.Sent > 0
	}
	if len(promised) == 0 {
		return ""
	}
	how := "acknowledged"
	switch {
	case sent && acked:
		how = "sent or acknowledged"
	case sent:
		how = "sent"
	}
	return countRange(promised, tableCount) + " messages a trial " + how
}

// spotless is what a spotless record is worth where theory does not give the number
// itself.
func spotless(g group) string {
	exposed := 0
	for _, t := range slices.Concat(g.trials...) {
		if t.Promise == result.Violated {
			return ""
		}
		for _, f := range t.Faults {
			if f.Fired != nil && t.Promise == result.Held && (f.Predicted == nil || !f.Predicted.Exact) {
				exposed++ // where nothing is promised, nothing can be violated
			}
		}
	}
	if exposed == 0 {
		return ""
	}
	return fmt.Sprintf("No violation in %s: at 95 %% confidence at most %s of such faults violate a promise.",
		plural(exposed, "fault"), stats.Percent(stats.UpperBound(exposed)))
}

// howStruck says what a fault's name leaves open.
func howStruck(name string) string {
	verb, _, _ := strings.Cut(name, " ")
	switch verb {
	case "kill":
		return " (SIGKILL)"
	case "stop":
		return " (in good order)"
	case "isolate":
		return " (its followers are frozen, then it is killed and they are thawed)"
	}
	return ""
}

// claimLines sums up the claims: one line, then one for each that was not met.
func claimLines(run *result.Run, limit int) []string {
	if len(run.Claims) == 0 {
		return nil
	}
	var open []string
	met := 0
	for _, status := range []result.ClaimStatus{result.NotMet, result.ClaimInconclusive} {
		for _, c := range run.Claims {
			if c.Status == status {
				open = append(open, claimLine(c))
			}
		}
	}
	for _, c := range run.Claims {
		if c.Status == result.Met {
			met++
		}
	}
	first := fmt.Sprintf("Claims: %d of %d met", met, len(run.Claims))
	if prediction := asPredicted(run); prediction != "" {
		first += "; " + prediction
	}
	lines := append([]string{first + "."}, drawLines(run)...)
	if len(open) > limit {
		more := len(open) - limit
		open = append(open[:limit], fmt.Sprintf("… and %d more, all in the report", more))
	}
	return append(lines, open...)
}

// drawLines tell how often what is a draw came out.
func drawLines(run *result.Run) []string {
	var lines []string
	for _, c := range run.Claims {
		if c.Sometimes != nil && c.Status == result.Met {
			lines = append(lines, fmt.Sprintf("~ a draw: %s/%s: %s in %s", plain(c.Cell), plain(c.Scenario), plain(c.Expression),
				stats.Proportion{Times: c.Sometimes.Times, Of: c.Sometimes.Of}))
		}
	}
	return lines
}

func claimLine(c result.Claim) string {
	mark := "✗"
	if c.Status == result.ClaimInconclusive {
		mark = "?"
	}
	line := fmt.Sprintf("%s %s: %s/%s: %s", mark, c.Status, plain(c.Cell), plain(c.Scenario), plain(c.Expression))
	if c.Expected != "" || c.Observed != "" {
		line += fmt.Sprintf(": expected %s, observed %s", orElse(plain(c.Expected), stats.None), orElse(plain(c.Observed), stats.None))
	}
	if c.Reason != "" {
		line += "; " + plain(c.Reason)
	}
	if c.Status == result.NotMet && len(c.Trials) > 0 {
		line += " (" + plain(list(c.Trials, 3)) + ")"
	}
	return line
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// asPredicted says of what is claimed that every fault's forecast came out exactly.
func asPredicted(run *result.Run) string {
	var equal []string
	of := claimedOf(run)
	for _, m := range []struct {
		metric   string
		name     string
		forecast func(*result.Predicted) *int64
	}{
		{"lost", "lost", func(p *result.Predicted) *int64 { return p.Lost }},
		{"duplicates", "duplicates", func(p *result.Predicted) *int64 { return p.Duplicates }},
		{"database.rows_without_message", "rows alone", func(p *result.Predicted) *int64 { return p.RowsWithoutMessage }},
		{"database.messages_without_row", "messages alone", func(p *result.Predicted) *int64 { return p.MessagesWithoutRow }},
	} {
		if metricAsPredicted(run, of, m.metric, m.forecast) {
			equal = append(equal, m.name)
		}
	}
	last := len(equal) - 1
	switch {
	case last < 0:
		return ""
	case last == 0 && equal[0] == "lost":
		return "lost equals the prediction"
	case last == 0:
		return equal[0] + " equal the prediction"
	}
	return strings.Join(equal[:last], ", ") + " and " + equal[last] + " equal the prediction"
}

// metricAsPredicted looks at the trials with faults where the metric is claimed.
func metricAsPredicted(run *result.Run, of map[claimed]bool, metric string, forecast func(*result.Predicted) *int64) bool {
	any := false
	for _, c := range run.Cells {
		for i := range c.Trials {
			t := &c.Trials[i]
			if t.Status != result.Completed || len(t.Faults) == 0 || !of[claimed{metric, c.Name, t.Scenario}] {
				continue
			}
			observed, measured := claim.Read(t, metric)
			want := t.Predicted(forecast)
			if want == nil || !measured || float64(*want) != observed {
				return false
			}
			any = true
		}
	}
	return any
}

// claimedOf is what something is claimed of. A claim is parsed once: a large run
// has hundreds, and as many trials.
func claimedOf(run *result.Run) map[claimed]bool {
	all := map[claimed]bool{}
	for _, c := range run.Claims {
		if e, err := claim.Parse(c.Expression); err == nil {
			all[claimed{e.Metric(), c.Cell, c.Scenario}] = true
		}
	}
	return all
}

type claimed struct{ metric, cell, scenario string }

// heading is the run in one line: its size and its broker.
func heading(run *result.Run) string {
	arms := map[string]bool{}
	trials := 0
	for _, c := range run.Cells {
		arms[c.Arm] = true
		for _, t := range c.Trials {
			if t.Status != result.Omitted {
				trials++
			}
		}
	}
	what := plural(len(arms), "arm")
	if len(run.Cells) != len(arms) {
		what = plural(len(run.Cells), "cell")
	}
	line := fmt.Sprintf("%s: %s × %s, %s.", plain(run.Run.Profile), what, plural(len(run.Run.Scenarios), "scenario"), plural(trials, "trial"))
	if broker := run.Environment.BrokerHeadline(); broker != "" {
		line += " " + broker + "."
	}
	return line
}

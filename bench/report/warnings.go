package report

import (
	"fmt"
	"slices"
	"strings"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// Warnings returns what limits a run's numbers, each once and each with what to
// do about it, the gravest first.
func Warnings(run *result.Run) []Warning {
	var out []Warning
	if run.Run.Interrupted {
		out = append(out, Warning{Text: "Interrupted: what was measured is shown", Remedy: "-resume runs the rest."})
	}
	v := newView(run)
	out = append(out, countWarnings(run)...)
	out = append(out, v.polledAgainWarnings()...)
	out = append(out, v.generatorWarnings()...)
	out = append(out, v.repeatsWarnings()...)
	out = append(out, v.varianceWarnings()...)
	out = append(out, trialWarnings(run)...)
	return append(out, brokerWarnings(run)...)
}

// brokerWarnings are about what the broker is.
func brokerWarnings(run *result.Run) []Warning {
	const compare = "Compare the arms with each other, not with a cluster."
	var out []Warning
	alike, embedded := acksAlike(run), run.Environment.Broker.Kind == "embedded"
	if caveat := run.Environment.BrokerCaveat(); caveat != "" {
		if alike && embedded {
			caveat += "; it has one log per partition, so acks=1 and acks=all are the same to it"
		}
		out = append(out, Warning{Text: caveat, Remedy: compare})
	}
	if alike && !embedded {
		remedy := "Use -broker local3, where topics have three copies."
		if run.Environment.Broker.Nodes > 1 {
			remedy = "Set topic.replication to the number of brokers, or leave it out."
		}
		out = append(out, Warning{Text: "With topic.replication: 1, acks=1 and acks=all wait for the same single copy", Remedy: remedy})
	}
	return out
}

// acksAlike reports whether cells ran that wait for the leader and cells that
// wait for all replicas, while the leader's copy is the only one.
func acksAlike(run *result.Run) bool {
	seen := map[string]bool{}
	for _, c := range run.Cells {
		single := run.Environment.Broker.Kind == "embedded" || c.Settings["topic.replication"] == "1"
		if c.Omitted == "" && single {
			seen[c.Settings["producer.acks"]] = true
		}
	}
	return seen["1"] && seen["all"]
}

// countWarnings are about ledgers and histograms that could not hold everything.
func countWarnings(run *result.Run) []Warning {
	var saturated, unrecorded, over int64
	var full, blind int
	each(run, func(t *result.Trial) {
		if t.Verdict != nil && t.Verdict.Saturated > 0 {
			full++
			saturated += t.Verdict.Saturated
		}
		if t.Unrecorded > 0 {
			blind++
			unrecorded += t.Unrecorded
		}
		over += lateBeyondLost(t)
	})
	var out []Warning
	if full > 0 {
		out = append(out, Warning{
			Text:   fmt.Sprintf("%s reached 255 in %s: duplicates are at least the number shown", plural(saturated, "counter"), plural(full, "trial")),
			Remedy: "Shorten load.duration or look for a worker that starts over and over.",
		})
	}
	if unrecorded > 0 {
		out = append(out, Warning{
			Text:   fmt.Sprintf("The latency of %s is not recorded in %s: a killed worker takes its last interval along", plural(unrecorded, "effect"), plural(blind, "trial")),
			Remedy: "Read percentiles of those trials without them; lost and duplicates are complete.",
		})
	}
	if over > 0 {
		out = append(out, Warning{
			Text:   fmt.Sprintf("%s took over 10 min or never arrived; percentiles count them as longer than all others", plural(over, "message")),
			Remedy: "Lower load.rate, or raise load.duration to see whether the backlog drains.",
		})
	}
	return out
}

// polledAgainWarnings are about duplicates that are none of the application's making.
func (v *view) polledAgainWarnings() []Warning {
	var again int64
	var cells []string
	trials := 0
	for _, c := range v.cells {
		for _, t := range c.Trials {
			if n := t.PolledAgain(); n > 0 {
				again += n
				trials++
				cells = addNew(cells, plain(c.Name))
			}
		}
	}
	if again == 0 {
		return nil
	}
	return []Warning{{
		Text: fmt.Sprintf("The client library returned %s twice to a consumer that had not gone back, in %s of %s: as many of the redelivered may be its own",
			plural(again, "message"), plural(trials, "trial"), named(cells)),
		Remedy: "A rebalance that leaves partitions in place does that; an application can skip what lies before its own position.",
	}}
}

// named counts cells, and names them where they are few.
func named(cells []string) string {
	text := plural(len(cells), "cell")
	if len(cells) <= 3 {
		text += " (" + strings.Join(cells, ", ") + ")"
	}
	return text
}

// lateBeyondLost is how many messages were over range that no count explains:
// a lost one never arrives, and a note says that percentiles count it so.
func lateBeyondLost(t *result.Trial) int64 {
	effects, acks := t.Latency[result.EndToEnd].Over, t.Latency[result.Ack].Over
	if v := t.Verdict; v != nil {
		effects -= v.Lost.Total
		acks -= v.Rejected + v.Unknown
	}
	return max(0, effects, acks)
}

// noticeableLag is the least lateness of the load worth a word, in microseconds.
const noticeableLag = 1000

// generatorWarnings explain the * in the table.
func (v *view) generatorWarnings() []Warning {
	var cells, why []string
	trials := 0
	worst, busiest := 0.0, 0.0
	for _, c := range v.cells {
		for _, t := range c.Trials {
			if t.Status == result.Omitted || !t.Generator.Limited {
				continue
			}
			trials++
			cells, why = addNew(cells, plain(c.Name)), addNew(why, plain(t.Generator.Why))
			worst, busiest = max(worst, t.Latency[result.SendLag].P99), max(busiest, t.Generator.CPU)
		}
	}
	if trials == 0 {
		return nil
	}
	text := "Generator-limited"
	if v.marked() {
		text = limitedMark + " " + text
	}
	text += fmt.Sprintf(" in %s of %s", plural(trials, "trial"), named(cells))
	var found []string
	if worst >= noticeableLag {
		found = append(found, "the load was up to "+stats.Micros(worst)+" late (p99)")
	}
	if busiest > 0 {
		found = append(found, "the processors up to "+stats.Percent(busiest)+" busy")
	}
	if len(found) == 0 {
		found = why
	}
	if len(found) > 0 {
		text += ": " + strings.Join(found, ", ")
	}
	return []Warning{{Text: text, Remedy: "Lower load.rate, or give the load a machine of its own."}}
}

// marked reports whether a number of the table bears the mark.
func (v *view) marked() bool {
	for _, g := range v.groups {
		for _, c := range g.columns {
			if c.timed && slices.ContainsFunc(c.cells, func(s string) bool { return strings.HasSuffix(s, limitedMark) }) {
				return true
			}
		}
	}
	return false
}

// addNew adds what is neither empty nor among the names.
func addNew(names []string, name string) []string {
	if name == "" || slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

// repeatsWarnings are about closed loops whose speed has no interval.
func (v *view) repeatsWarnings() []Warning {
	fewest := stats.IntervalSamples
	for _, g := range v.groups {
		if g.kind == closed && len(g.repeats) > 0 {
			fewest = min(fewest, slices.Min(g.repeats))
		}
	}
	if fewest == stats.IntervalSamples {
		return nil
	}
	return []Warning{{
		Text:   fmt.Sprintf("At %s there is no 95 %% interval of msg/s", plural(fewest, "repeat")),
		Remedy: fmt.Sprintf("Set repeats: %d.", stats.IntervalSamples),
	}}
}

// wideSpread is how far from the median, as a share of it, the ends of a speed's
// range or interval may lie before the machine itself is in doubt.
const wideSpread = 0.25

// varianceWarnings are about speeds that differ so much between repeats that
// the differences between cells say little.
func (v *view) varianceWarnings() []Warning {
	wide, worst, text := 0, wideSpread, ""
	for _, g := range v.groups {
		if g.kind != closed {
			continue
		}
		for i, trials := range g.trials {
			below, above := stats.Summarise(values(trials, speedOf)).Deviation()
			far := max(-below, above)
			if far <= wideSpread {
				continue
			}
			if wide++; far > worst {
				worst, text = far, fmt.Sprintf("%s to %s around the median in %s", stats.Signed(below), stats.Signed(above), plain(v.cells[i].Name))
			}
		}
	}
	if wide == 0 {
		return nil
	}
	if wide > 1 {
		text += fmt.Sprintf(", over ±%s in %s", stats.Percent(wideSpread), plural(wide, "cell"))
	}
	return []Warning{{
		Text:   "msg/s varies much between repeats: " + text,
		Remedy: "Keep other work off the machine, or raise load.duration and repeats.",
	}}
}

// trialWarnings are what the trials themselves noticed, each text once.
func trialWarnings(run *result.Run) []Warning {
	counts := map[string]int{}
	var order []string
	each(run, func(t *result.Trial) {
		seen := map[string]bool{}
		for _, w := range t.Warnings {
			w = plain(w)
			if w == "" || seen[w] {
				continue
			}
			seen[w] = true
			if counts[w] == 0 {
				order = append(order, w)
			}
			counts[w]++
		}
	})
	var out []Warning
	for _, text := range order {
		w := Warning{Text: sentence(strings.TrimRight(text, "."))}
		if counts[text] > 1 {
			w.Text += fmt.Sprintf(" (%s)", plural(counts[text], "trial"))
		}
		out = append(out, w)
	}
	return out
}

// warningLine is a warning on one line, ended by a full stop.
func warningLine(w Warning) string {
	if w.Remedy == "" {
		return w.Text + "."
	}
	return w.Text + ". " + w.Remedy
}

// each calls f for every trial that ran.
func each(run *result.Run, f func(*result.Trial)) {
	for i := range run.Cells {
		for j := range run.Cells[i].Trials {
			if t := &run.Cells[i].Trials[j]; t.Status != result.Omitted {
				f(t)
			}
		}
	}
}

package report

import (
	"fmt"
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
	out = append(out, countWarnings(run)...)
	out = append(out, generatorWarnings(run)...)
	if w, few := repeatsWarning(run); few {
		out = append(out, w)
	}
	out = append(out, trialWarnings(run)...)
	if run.Environment.Broker.Kind == "embedded" {
		out = append(out, Warning{
			Text:   "Embedded broker: the guarantees are real, the speeds are not your cluster's",
			Remedy: "Compare the arms with each other, not with a cluster.",
		})
	}
	return out
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
			Text:   fmt.Sprintf("%s reached 255 in %s: duplicates are at least the number shown", plural64(saturated, "counter"), plural(full, "trial")),
			Remedy: "Shorten load.duration or look for a worker that starts over and over.",
		})
	}
	if unrecorded > 0 {
		out = append(out, Warning{
			Text:   fmt.Sprintf("The latency of %s is not recorded in %s: a killed worker takes its last interval along", plural64(unrecorded, "effect"), plural(blind, "trial")),
			Remedy: "Read percentiles of those trials without them; lost and duplicates are complete.",
		})
	}
	if over > 0 {
		out = append(out, Warning{
			Text:   fmt.Sprintf("%s took over 10 min or never arrived; percentiles count them as longer than all others", plural64(over, "message")),
			Remedy: "Lower load.rate, or raise load.duration to see whether the backlog drains.",
		})
	}
	return out
}

// lateBeyondLost is how many messages were over range that no count explains:
// a lost message never arrives, and the table shows it already.
func lateBeyondLost(t *result.Trial) int64 {
	over := max(t.Latency[result.Ack].Over, t.Latency[result.EndToEnd].Over)
	if v := t.Verdict; v != nil {
		over -= v.Lost.Total + v.Unknown + v.Rejected + v.Aborted
	}
	return max(0, over)
}

// generatorWarnings explain the * in the table.
func generatorWarnings(run *result.Run) []Warning {
	var why []string
	n := 0
	each(run, func(t *result.Trial) {
		if !t.Generator.Limited {
			return
		}
		n++
		if reason := plain(t.Generator.Why); reason != "" {
			for _, w := range why {
				if w == reason {
					return
				}
			}
			why = append(why, reason)
		}
	})
	if n == 0 {
		return nil
	}
	text := fmt.Sprintf("* The load generator was the limit in %s", plural(n, "trial"))
	if len(why) > 0 {
		text += " (" + list(why, 2) + ")"
	}
	return []Warning{{Text: text, Remedy: "The broker may do more: lower load.rate, or give the load a machine of its own."}}
}

// repeatsWarning is about closed loops whose speed has no interval.
func repeatsWarning(run *result.Run) (Warning, bool) {
	v := newView(run)
	fewest := stats.IntervalSamples
	for _, g := range v.groups {
		if g.kind != closed {
			continue
		}
		for _, n := range g.repeats {
			fewest = min(fewest, n)
		}
	}
	missing := stats.IntervalSamples - fewest
	return Warning{
		Text:   fmt.Sprintf("Too few repeats for a 95 %% interval of msg/s: %d, %d missing", fewest, missing),
		Remedy: fmt.Sprintf("Set repeats: %d.", stats.IntervalSamples),
	}, missing > 0
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

func plural64(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return stats.Count(n) + " " + noun + "s"
}

package chart

import (
	"fmt"
	"slices"
	"strings"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// toll is how many messages of a trial came to harm, each kind by the record that
// tells of the most: a relay's topic can be right and its rows be there twice.
type toll struct {
	lost, duplicates int64
	// strays were delivered although they should not be there: aborted ones, and
	// those that tell of rows which do not exist.
	strays int64
}

func tollOf(t *result.Trial) toll {
	made := toll{t.Verdict.Lost.Total, t.Verdict.Duplicates.Total, t.Verdict.AbortedDelivered + messagesAlone(t)}
	if d := t.Database; d != nil {
		made.duplicates = max(made.duplicates, d.Duplicates)
		if d.Outbox != nil {
			made.lost = max(made.lost, d.Outbox.RowsWithoutMessage)
		} else {
			made.lost = max(made.lost, d.Lost)
		}
	}
	return made
}

func (t toll) any() bool { return t.lost > 0 || t.duplicates > 0 || t.strays > 0 }

// messagesAlone are those that tell of rows that are not there: no loss, and no
// duplicate, but they break the promise of an outbox.
func messagesAlone(t *result.Trial) int64 {
	if t.Database == nil || t.Database.Outbox == nil {
		return 0
	}
	return t.Database.Outbox.MessagesWithoutRow
}

// damage is messages per fault fired: over all trials, and in the best and the worst of them.
type damage struct{ mean, least, most float64 }

// harm is what the faults of a scenario did to a cell. What an inconclusive trial
// counted can only become more: it makes the damage a lower bound.
type harm struct {
	fired                    int // faults
	lost, duplicates, strays damage
	violated                 bool
	bound                    bool            // an inconclusive trial is in it
	trials                   int             // that were run, or were to be
	unfinished               []*result.Trial // neither completed nor omitted
}

func harmOf(c *result.Cell, scenario string) (h harm) {
	judged := judgedTrials(c, scenario)
	for _, t := range judged {
		h.fired += firedFaults(t)
		h.violated = h.violated || t.Promise == result.Violated
		h.bound = h.bound || t.Status == result.Inconclusive && firedFaults(t) > 0
	}
	h.lost = perFault(judged, func(t *result.Trial) int64 { return tollOf(t).lost })
	h.duplicates = perFault(judged, func(t *result.Trial) int64 { return tollOf(t).duplicates })
	h.strays = perFault(judged, func(t *result.Trial) int64 { return tollOf(t).strays })
	for _, t := range c.InScenario(scenario) {
		if t.Status == result.Omitted {
			continue
		}
		h.trials++
		if t.Status != result.Completed {
			h.unfinished = append(h.unfinished, t)
		}
	}
	return h
}

// judgedTrials are the completed ones, and of the inconclusive those that have a verdict.
func judgedTrials(c *result.Cell, scenario string) []*result.Trial {
	return slices.DeleteFunc(c.InScenario(scenario), func(t *result.Trial) bool {
		return t.Verdict == nil || t.Status != result.Completed && t.Status != result.Inconclusive
	})
}

// tellingTrials are the judged ones less those from which nothing can be read: what
// is inconclusive, was not struck and shows no harm.
func tellingTrials(c *result.Cell, scenario string) []*result.Trial {
	return slices.DeleteFunc(judgedTrials(c, scenario), func(t *result.Trial) bool {
		return t.Status == result.Inconclusive && firedFaults(t) == 0 && !proves(t)
	})
}

// proves reports whether a trial shows harm, however it ended: what is still unsure
// of it can only add to that.
func proves(t *result.Trial) bool { return tollOf(t).any() || t.Promise == result.Violated }

// untold says why nothing is known of what became of a cell's messages: no trial
// completed, and the others prove nothing. "" where something is.
func untold(c *result.Cell, scenario string) string {
	if len(completed(c, scenario)) == 0 && !slices.ContainsFunc(judgedTrials(c, scenario), proves) {
		return absence(c, scenario)
	}
	return ""
}

// strikes reports whether a fault of the scenario fired in any trial that tells what came of it.
func strikes(run *result.Run, scenario string) bool {
	return anyJudged(run, scenario, func(t *result.Trial) bool { return firedFaults(t) > 0 })
}

// counted reports whether anything was lost, duplicated or astray.
func (h harm) counted() bool { return h.sum() > 0 }

func (h harm) sum() float64 { return h.lost.mean + h.duplicates.mean + h.strays.mean }

// safe is a cell that faults struck, that came through all of them, and of which
// nothing bad is known.
func (h harm) safe() bool {
	return h.fired > 0 && !h.counted() && !h.violated && len(h.unfinished) == 0
}

// unseen says why the cell's harm cannot be shown; "" where it can be.
func (h harm) unseen(c *result.Cell, scenario string) string {
	if why := untold(c, scenario); why != "" || h.fired > 0 {
		return why
	}
	return "no fault fired"
}

// left names the trials that were not finished: "1 of 3 trials of exactly-once,
// inconclusive: …"; "" where there are none.
func (h harm) left(c *result.Cell) string {
	if len(h.unfinished) == 0 {
		return ""
	}
	t := h.unfinished[0]
	why := strings.TrimSuffix(string(t.Status)+": "+t.Reason, ": ")
	return fmt.Sprintf("%d of %s of %s, %s", len(h.unfinished), stats.Plural(h.trials, "trial"), label(c), why)
}

// noWorse reports whether a cell was hurt no more than another in any way.
func (h harm) noWorse(than harm) bool {
	return h.lost.mean <= than.lost.mean && h.duplicates.mean <= than.duplicates.mean && h.strays.mean <= than.strays.mean
}

// worst is the largest of the means.
func (h harm) worst() float64 { return max(h.lost.mean, h.duplicates.mean, h.strays.mean) }

// deeds is what faults did to the cell: "loses 500, duplicates 3".
func (h harm) deeds() string {
	var parts []string
	for _, part := range []struct {
		verb string
		damage
	}{{"loses", h.lost}, {"duplicates", h.duplicates}, {"strays", h.strays}} {
		if part.mean > 0 {
			parts = append(parts, part.verb+" "+atLeast(h.bound)+amount(part.mean))
		}
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, ", ")
	case len(h.unfinished) > 0:
		return fmt.Sprintf("nothing known of %d of %s", len(h.unfinished), stats.Plural(h.trials, "trial"))
	}
	return "loses and duplicates nothing"
}

// boundMark explains atLeast.
const boundMark = "≥: an inconclusive trial is in it"

// atLeast stands before a number that is a lower bound.
func atLeast(bound bool) string {
	if bound {
		return "≥ "
	}
	return ""
}

func firedFaults(t *result.Trial) (fired int) {
	for _, f := range t.Faults {
		if f.Fired != nil {
			fired++
		}
	}
	return fired
}

// perFault divides what the trials counted by the faults that fired in them. One
// without any tells nothing.
func perFault(trials []*result.Trial, count func(*result.Trial) int64) damage {
	var d damage
	var sum int64
	fired := 0
	for _, t := range trials {
		n := firedFaults(t)
		if n == 0 {
			continue
		}
		each := float64(count(t)) / float64(n)
		if fired == 0 {
			d.least, d.most = each, each
		}
		d.least, d.most = min(d.least, each), max(d.most, each)
		fired, sum = fired+n, sum+count(t)
	}
	if fired > 0 {
		d.mean = float64(sum) / float64(fired)
	}
	return d
}

// faultsIn is how many faults struck each cell of a scenario: "6 faults of
// scenario crash", "3 to 6 faults of scenario crash".
func faultsIn(scenario string, of []harm) string {
	if len(of) == 0 {
		return "scenario " + scenario
	}
	return faultCount(of) + " of scenario " + scenario
}

func faultCount(of []harm) string {
	least, most := of[0].fired, of[0].fired
	for _, h := range of {
		least, most = min(least, h.fired), max(most, h.fired)
	}
	if least == most {
		return stats.Plural(most, "fault")
	}
	return fmt.Sprintf("%d to %d faults", least, most)
}

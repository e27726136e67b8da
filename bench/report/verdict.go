package report

import (
	"fmt"

	"deliverybench/bench/capacity"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// Verdict is the run in one sentence or two: whether the promises held and
// whether the claims were met. Table, Markdown and HTML all say it so.
func Verdict(run *result.Run) string {
	done, ran, trials := 0, 0, 0
	for _, c := range run.Cells {
		for _, t := range c.Trials {
			if t.Status != result.Omitted {
				trials++
			}
			if t.Status != result.Omitted && t.Status != result.Stopped {
				ran++
			}
			if t.Status == result.Completed {
				done++
			}
		}
	}
	prefix := ""
	if run.Run.Interrupted {
		prefix = fmt.Sprintf("Interrupted after %d of %s. ", ran, plural(max(run.Run.TrialsPlanned, trials), "trial"))
	} else if unended(run) {
		prefix = fmt.Sprintf("Not finished: %d of %s so far. ", ran, plural(max(run.Run.TrialsPlanned, trials), "trial"))
	}
	switch {
	case trials == 0 && len(omissions(run)) > 0:
		return prefix + "Nothing was measured: everything was omitted."
	case trials == 0:
		return prefix + "Nothing was measured."
	case done == 0:
		return prefix + fmt.Sprintf("Inconclusive: none of %s completed.", plural(trials, "trial"))
	}
	if a := capacity.Analyse(run); a != nil {
		return prefix + capacityVerdict(run, a)
	}
	return prefix + sentence(promiseSentence(run)) + "; " + claimSentence(run) + "."
}

// unended reports whether the run is still going on, or was killed.
func unended(run *result.Run) bool { return run.Run.Finished.IsZero() && run.Run.TrialsPlanned > 0 }

// promiseText is what the table says: "–" of a cell that did not run.
func promiseText(c *result.Cell) string {
	for _, t := range c.Trials {
		if t.Status != result.Omitted {
			return string(promiseOf(c))
		}
	}
	return stats.None
}

// promiseOf is the worst that a cell's trials say.
func promiseOf(c *result.Cell) result.Promise { return c.PromiseOf(trialsOf(c)) }

// outcomeOf sums promises and claims up: Violated when one was broken or not
// met, PromiseInconclusive when one cannot be judged or nothing was, else Held.
func outcomeOf(run *result.Run) result.Promise {
	answer, ran := result.Held, false
	if run.Run.Interrupted || unended(run) {
		answer = result.PromiseInconclusive
	}
	for i := range run.Cells {
		each := promiseOf(&run.Cells[i])
		ran = ran || len(completedIn(&run.Cells[i])) > 0
		switch {
		case each == result.Violated:
			return result.Violated
		case each == result.PromiseInconclusive:
			answer = each
		}
	}
	for _, c := range run.Claims {
		switch c.Status {
		case result.NotMet:
			return result.Violated
		case result.ClaimInconclusive:
			answer = result.PromiseInconclusive
		}
	}
	if !ran {
		return result.PromiseInconclusive
	}
	if a := capacity.Analyse(run); a != nil {
		switch a.Conclude() {
		case capacity.Missed:
			return result.Violated
		case capacity.Inconclusive:
			return result.PromiseInconclusive
		}
	}
	return answer
}

func completedIn(c *result.Cell) []*result.Trial { return completed(trialsOf(c)) }

func trialsOf(c *result.Cell) []*result.Trial {
	var all []*result.Trial
	for i := range c.Trials {
		all = append(all, &c.Trials[i])
	}
	return all
}

func promiseSentence(run *result.Run) string {
	by := map[result.Promise][]string{}
	for i := range run.Cells {
		c := &run.Cells[i]
		if p := promiseOf(c); c.Omitted == "" {
			by[p] = append(by[p], plain(c.Name))
		}
	}
	held, violated, unsure := by[result.Held], by[result.Violated], by[result.PromiseInconclusive]
	total := len(held) + len(violated) + len(unsure)
	switch {
	case total == 0:
		return "no promise was made"
	case total == 1 && len(violated) == 1:
		return "the promise was violated (" + violated[0] + ")"
	case total == 1 && len(unsure) == 1:
		return "the promise is inconclusive (" + unsure[0] + ")"
	case len(violated) > 0:
		text := fmt.Sprintf("%d of %s violated (%s)", len(violated), plural(total, "promise"), list(violated, 3))
		if len(unsure) > 0 {
			text += fmt.Sprintf(", %d inconclusive", len(unsure))
		}
		return text
	case len(unsure) > 0:
		return fmt.Sprintf("%d of %s inconclusive (%s)", len(unsure), plural(total, "promise"), list(unsure, 3))
	case total == 1:
		return "the promise held"
	}
	return fmt.Sprintf("all %d promises held", total)
}

func claimSentence(run *result.Run) string {
	n := map[result.ClaimStatus]int{}
	for _, c := range run.Claims {
		n[c.Status]++
	}
	total := len(run.Claims)
	switch {
	case total == 0 && unended(run):
		return "claims are judged at the end"
	case total == 0:
		return "nothing was claimed"
	case n[result.Met] == total && total == 1:
		return "the claim was met"
	case n[result.Met] == total:
		return fmt.Sprintf("all %d claims were met", total)
	}
	k, unsure := n[result.NotMet], n[result.ClaimInconclusive]
	switch {
	case k > 0 && unsure > 0:
		return fmt.Sprintf("%d of %s not met, %d inconclusive", k, plural(total, "claim"), unsure)
	case k > 0:
		return fmt.Sprintf("%d of %s not met", k, plural(total, "claim"))
	}
	return fmt.Sprintf("%d of %s inconclusive", unsure, plural(total, "claim"))
}

package catalogue

import (
	"fmt"
	"strings"

	"deliverybench/bench/result"
)

// Judge makes a row of a saved run of its profile.
func (row Row) Judge(run *result.Run) Judgement {
	j := row.judgement()
	j.Setup = Setup{About: run.Run.About, Broker: run.Environment.Broker}
	m := measurement{run}
	for _, glob := range row.Breaks {
		j.Sides = append(j.Sides, m.side(Breaks, glob))
	}
	for _, glob := range row.Holds {
		j.Sides = append(j.Sides, m.side(Holds, glob))
	}
	for _, c := range row.Counts {
		j.Sides = append(j.Sides, m.count(c))
	}
	m.compareSettings(j.Sides)
	j.Outcome, j.Reason = outcome(row, j.Sides)
	return j
}

// judgement is a row of which nothing is known yet.
func (row Row) judgement() Judgement {
	return Judgement{Row: row.Number, Claim: row.Claim, Profile: row.Profile, Shows: row.Shows, Conclude: row.Conclude, Outcome: NotRun}
}

// Omit is a row that the broker cannot show.
func (row Row) Omit(reason string) Judgement {
	j := row.judgement()
	j.Outcome, j.Reason = Omitted, reason
	return j
}

// NotRun is a row of which nothing was run, or nothing yet.
func (row Row) NotRun(reason string) Judgement {
	j := row.judgement()
	j.Reason = reason
	return j
}

// outcome is the worst that the claims on the row's sides came to. A row that
// something was left out of is not confirmed by the rest.
func outcome(row Row, sides []Side) (Outcome, string) {
	unsure, omitted := "", ""
	for _, s := range sides {
		if s.Side == Counted {
			continue
		}
		for _, f := range s.Facts {
			switch f.Status {
			case result.NotMet:
				return NotMet, fmt.Sprintf("%s: %s: expected %s, observed %s", s.Glob, strings.Join(f.Claims, ", "), f.Expected, f.observed())
			case result.ClaimInconclusive:
				unsure = orElse(unsure, s.Glob+": "+strings.Join(f.Claims, ", ")+": "+f.Reason)
			}
		}
		switch {
		case s.clean != "":
			return NotMet, fmt.Sprintf("%s: %s stayed clean: all that is claimed of it holds when nothing breaks", s.Glob, s.clean)
		case s.omitted != "":
			omitted = orElse(omitted, s.omitted)
		case len(s.Facts) == 0:
			unsure = orElse(unsure, s.Glob+": "+orElse(s.Reason, "nothing was measured"))
		}
	}
	switch {
	case unsure != "":
		return Inconclusive, unsure
	case omitted != "":
		return Omitted, omitted
	}
	return row.Shows, ""
}

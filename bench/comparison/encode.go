package comparison

import (
	"encoding/json"
	"io"

	"deliverybench/bench/claim"
)

// Schema names the form of what Encode writes.
const Schema = "deliverybench/comparison/v1"

// encoded is a comparison as JSON.
type encoded struct {
	Schema string          `json:"schema"`
	Base   string          `json:"base"` // the runs' ids
	Run    string          `json:"run"`
	Tests  int             `json:"tests"`
	Rows   []encodedChange `json:"rows"`
	Alone  []encodedAlone  `json:"alone"`
	Gates  []encodedGate   `json:"gates"`
}

// encodedChange is one metric of a cell in a scenario. Base and Run are medians, in
// the metric's unit (docs/PROFILES.md); a ratio that there is none of is left out, and
// so is the p-value of what was not tested.
type encodedChange struct {
	Cell     string   `json:"cell"`
	Scenario string   `json:"scenario"`
	Metric   string   `json:"metric"`
	Base     float64  `json:"base"`
	Run      float64  `json:"run"`
	Ratio    *float64 `json:"ratio,omitempty"`
	Lo       *float64 `json:"lo,omitempty"` // of the ratio's 95 % interval
	Hi       *float64 `json:"hi,omitempty"`
	P        *float64 `json:"p_value,omitempty"` // of the test by itself
	Finding  Finding  `json:"finding"`
	Basis    Basis    `json:"basis,omitempty"`
}

type encodedAlone struct {
	Cell     string `json:"cell"`
	Scenario string `json:"scenario"`
	Has      Side   `json:"has"`
	Reason   string `json:"reason,omitempty"`
}

type encodedGate struct {
	Gate    string  `json:"gate"`
	Where   string  `json:"where,omitempty"`
	Outcome Outcome `json:"outcome"`
	Found   string  `json:"found"`
}

// Encode writes the comparison and what its gates found as JSON, for scripts. The
// error is the writer's.
func (c *Comparison) Encode(w io.Writer, judged []Judged) error {
	out := encoded{
		Schema: Schema, Base: c.Base.Run.ID, Run: c.Run.Run.ID, Tests: c.Tests,
		Rows: []encodedChange{}, Alone: []encodedAlone{}, Gates: []encodedGate{},
	}
	for _, r := range c.Rows {
		for _, change := range r.Changes {
			out.Rows = append(out.Rows, change.encode(r))
		}
	}
	for _, a := range c.Alone {
		out.Alone = append(out.Alone, encodedAlone{a.Cell, a.Scenario, a.Has, a.Reason})
	}
	for _, j := range judged {
		out.Gates = append(out.Gates, encodedGate{j.Gate.String(), j.Where, j.Outcome, j.Found})
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}

func (c Change) encode(of Row) encodedChange {
	e := encodedChange{
		Cell: of.Cell, Scenario: of.Scenario, Metric: c.Metric, Finding: c.Finding, Basis: c.Basis,
		Base: claim.Median(c.Metric, c.Base), Run: claim.Median(c.Metric, c.Run),
	}
	if c.Ratio.Tested {
		e.P = &c.Ratio.P
	}
	if c.Ratio.HasRatio {
		e.Ratio = &c.Ratio.Ratio
	}
	if c.Ratio.HasInterval {
		e.Lo, e.Hi = &c.Ratio.Lo, &c.Ratio.Hi
	}
	return e
}

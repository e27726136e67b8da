package result

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"

	"deliverybench/bench/latency"
)

// WriteCellsCSV writes one row per cell and scenario, in the order of the
// profile: how its trials ended, and the medians, totals and pooled percentiles
// of the completed ones. An omitted cell has one row that says why.
func WriteCellsCSV(w io.Writer, run *Run) error {
	out := csv.NewWriter(w)
	if err := out.Write(cellHeader()); err != nil {
		return err
	}
	for i := range run.Cells {
		c := &run.Cells[i]
		if c.Omitted != "" && len(c.Trials) == 0 {
			row := make([]string, len(cellHeader()))
			copy(row, []string{c.Name, c.Arm, c.Guarantee, "", c.Omitted})
			if err := out.Write(row); err != nil {
				return err
			}
		}
		for _, scenario := range c.Scenarios(run) {
			if err := out.Write(cellRow(c, scenario)); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// Scenarios are those that the cell has trials of, in the run's order; a
// scenario that the run does not name comes last.
func (c *Cell) Scenarios(run *Run) []string {
	var present []string
	for i := range c.Trials {
		if s := c.Trials[i].Scenario; !slices.Contains(present, s) {
			present = append(present, s)
		}
	}
	rank := func(s string) int {
		if i := slices.Index(run.Run.Scenarios, s); i >= 0 {
			return i
		}
		return len(run.Run.Scenarios)
	}
	slices.SortStableFunc(present, func(a, b string) int { return rank(a) - rank(b) })
	return present
}

// InScenario are the cell's trials of one scenario, by repeat.
func (c *Cell) InScenario(scenario string) []*Trial {
	var trials []*Trial
	for i := range c.Trials {
		if c.Trials[i].Scenario == scenario {
			trials = append(trials, &c.Trials[i])
		}
	}
	slices.SortStableFunc(trials, func(a, b *Trial) int { return a.Repeat - b.Repeat })
	return trials
}

// Completed are the cell's trials of one scenario that have numbers to show, by repeat.
func (c *Cell) Completed(scenario string) []*Trial {
	return slices.DeleteFunc(c.InScenario(scenario), func(t *Trial) bool { return t.Status != Completed || t.Verdict == nil })
}

// LatencyEnd is what a message has come to when the latency ends that the cell's
// pipeline is about: that of the acknowledgement without a consumer, else end to end.
func (c *Cell) LatencyEnd() string {
	switch c.Settings["pipeline"] {
	case "produce":
		return "acknowledgement"
	case "relay":
		return "output visible"
	case "outbox":
		return "message visible in the topic"
	}
	if slices.ContainsFunc(c.Trials, func(t Trial) bool { return t.Database != nil }) {
		return "message processed, before its row is committed"
	}
	return "effect"
}

// PromiseOf is the worst that trials of the cell say of its promise: one violation is
// a violation, and one that did not complete cannot show that the promise held.
func (c *Cell) PromiseOf(trials []*Trial) Promise {
	answer := NoPromise
	rank := map[Promise]int{NoPromise: 0, Held: 1, PromiseInconclusive: 2, Violated: 3}
	for _, t := range trials {
		p := t.Promise
		switch {
		case t.Status == Omitted:
			continue
		case p == NoPromise || (p == "" && (c.Guarantee == "" || c.Guarantee == "none")):
			p = NoPromise
		case p == "" || (t.Status != Completed && p == Held):
			p = PromiseInconclusive
		}
		if rank[p] > rank[answer] {
			answer = p
		}
	}
	return answer
}

func cellHeader() []string {
	return []string{
		"cell", "arm", "guarantee", "scenario", "omitted",
		"trials", "completed_trials", "held_trials", "violated_trials", "generator_limited_trials",
		"pipeline_msg_per_s_median", "pipeline_msg_per_s_min", "pipeline_msg_per_s_max",
		"lost_messages_total", "duplicates_effects_total",
		"predicted_lost_messages_total", "predicted_duplicates_effects_total",
		"ack_p50_us_median", "ack_p99_us_median",
		"end_to_end_p50_us_median", "end_to_end_p99_us_median", "end_to_end_p999_us_median",
		"ack_p50_us_pooled", "ack_p99_us_pooled",
		"end_to_end_p50_us_pooled", "end_to_end_p99_us_pooled", "end_to_end_p999_us_pooled",
		"end_to_end_count_pooled", "end_to_end_over_range_count_pooled",
	}
}

func cellRow(c *Cell, scenario string) []string {
	trials := c.InScenario(scenario)
	var held, violated, limited int
	var done []*Trial
	omitted := c.Omitted
	for _, t := range trials {
		switch t.Status {
		case Completed:
			done = append(done, t)
		case Omitted:
			omitted = t.Reason
		}
		switch t.Promise {
		case Held:
			held++
		case Violated:
			violated++
		}
		if t.Generator.Limited {
			limited++
		}
	}
	rates := values(done, func(t *Trial) (float64, bool) {
		return t.Throughput.PipelinePerSecond, t.Throughput.WindowSeconds > 0
	})
	lost := func(t *Trial) *int64 { return &t.Verdict.Lost.Total }
	duplicates := func(t *Trial) *int64 { return &t.Verdict.Duplicates.Total }
	row := []string{
		c.Name, c.Arm, c.Guarantee, scenario, omitted,
		strconv.Itoa(len(trials)), strconv.Itoa(len(done)), strconv.Itoa(held), strconv.Itoa(violated), strconv.Itoa(limited),
		median(rates), extreme(rates, slices.Min[[]float64]), extreme(rates, slices.Max[[]float64]),
		total(done, lost), total(done, duplicates),
		total(done, func(t *Trial) *int64 { return t.Predicted(func(p *Predicted) *int64 { return p.Lost }) }),
		total(done, func(t *Trial) *int64 { return t.Predicted(func(p *Predicted) *int64 { return p.Duplicates }) }),
		median(percentiles(done, Ack, 50)), median(percentiles(done, Ack, 99)),
		median(percentiles(done, EndToEnd, 50)), median(percentiles(done, EndToEnd, 99)), median(percentiles(done, EndToEnd, 99.9)),
	}
	return append(row, pooledFields(c.Latency[scenario])...)
}

// pooledFields are empty where nothing was pooled.
func pooledFields(roles map[string]latency.Summary) []string {
	fields := make([]string, 7)
	if s, ok := roles[Ack]; ok {
		copy(fields, []string{number(s.P50), number(s.P99)})
	}
	if s, ok := roles[EndToEnd]; ok {
		copy(fields[2:], []string{number(s.P50), number(s.P99), number(s.P999), strconv.FormatInt(s.Count, 10), strconv.FormatInt(s.Over, 10)})
	}
	return fields
}

func values(trials []*Trial, value func(*Trial) (float64, bool)) []float64 {
	var all []float64
	for _, t := range trials {
		if x, ok := value(t); ok {
			all = append(all, x)
		}
	}
	return all
}

func percentiles(trials []*Trial, role string, percentile float64) []float64 {
	return values(trials, func(t *Trial) (float64, bool) {
		s, ok := t.Latency[role]
		switch percentile {
		case 50:
			return s.P50, ok
		case 99:
			return s.P99, ok
		}
		return s.P999, ok
	})
}

// total is empty when there is nothing to add up or one of the trials has no such number.
func total(trials []*Trial, value func(*Trial) *int64) string {
	if len(trials) == 0 {
		return ""
	}
	var sum int64
	for _, t := range trials {
		if t.Verdict == nil {
			return ""
		}
		x := value(t)
		if x == nil {
			return ""
		}
		sum += *x
	}
	return strconv.FormatInt(sum, 10)
}

// median of an even number is the mean of the middle two.
func median(all []float64) string {
	if len(all) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(all))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return number(sorted[middle])
	}
	return number((sorted[middle-1] + sorted[middle]) / 2)
}

func extreme(all []float64, of func([]float64) float64) string {
	if len(all) == 0 {
		return ""
	}
	return number(of(all))
}

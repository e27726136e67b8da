package comparison_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/comparison"
	"deliverybench/bench/latency"
	"deliverybench/bench/result"
)

func TestGates(t *testing.T) {
	lossy := repeated("a", nil, hundreds...)
	lossy.Trials[3].Verdict.Lost.Total = 7
	base := run(repeated("a", nil, hundreds...))
	for _, c := range []struct {
		base, run *result.Run
		gate      string
		want      comparison.Outcome
		found     string
	}{
		{base, run(repeated("a", nil, eighties...)), "pipeline_per_second < -10%", comparison.Failed, "81/s, was 101/s: 0.80× (95 % CI 0.78–0.83)"},
		{base, run(repeated("a", nil, eighties...)), "pipeline_per_second < -20%", comparison.Passed, ""},
		{base, run(repeated("a", nil, eighties...)), "pipeline_per_second > +10%", comparison.Passed, ""},
		{base, run(repeated("a", nil, eighties...)), "end_to_end.p99 > +10%", comparison.Failed, ""},
		{base, run(repeated("a", nil, eighties...)), " end_to_end.p99>+30% ", comparison.Passed, ""},
		// A median beyond the bound, and an interval that reaches to within it.
		{base, run(repeated("a", nil, 50, 60, 70, 101, 102, 103)), "pipeline_per_second < -10%", comparison.Inconclusive,
			"86/s, was 101/s: 0.85× (95 % CI 0.51–1.03), which reaches to within the bound; raise repeats"},
		{base, run(repeated("a", nil, 80, 84, 87, 88, 94, 95)), "pipeline_per_second < -10%", comparison.Inconclusive, ""},
		{run(repeated("a", nil, 100, 101)), run(repeated("a", nil, 50, 51)), "pipeline_per_second < -10%", comparison.Inconclusive,
			"51/s, was 101/s: 0.50×; 2 and 2 repeats cannot tell it from noise, set repeats: 6"},
		{base, run(lossy), "lost > +0", comparison.Failed, "at most 7, was 0"},
		{base, run(lossy), "lost > +7", comparison.Passed, "at most 7, was 0"},
		{run(lossy), base, "lost > +0", comparison.Passed, ""},
		{run(repeated("a", nil, 0)), base, "pipeline_per_second < -10%", comparison.Inconclusive, "its median was 0, of which nothing is a share"},
		{base, run(repeated("b", map[string]string{"x": "1"}, 1)), "lost > +0", comparison.Inconclusive, "only the base has numbers"},
		{base, base, "ack.p99 > +1%", comparison.Inconclusive, "no cell of both runs has ack.p99"},
		{base, base, "lost > +0", comparison.Passed, ""},
	} {
		gate, err := comparison.ParseGate(c.gate)
		require.NoError(t, err, c.gate)
		judged := comparison.Compare(c.base, c.run).Judge(gate)
		require.Len(t, judged, 1, c.gate)
		require.Equal(t, c.want, judged[0].Outcome, "%s: %s", c.gate, judged[0].Found)
		if c.found != "" {
			require.Equal(t, c.found, judged[0].Found, c.gate)
		}
	}
}

// late is a run with these p99s, in microseconds.
func late(p99s ...float64) *result.Run {
	c := result.Cell{Name: "a"}
	for i, p99 := range p99s {
		c.Trials = append(c.Trials, trial("paced", i+1, 100, p99, 0))
	}
	return run(c)
}

// Over range is more than any latency, and nothing is divided by it.
func TestGatesOverRange(t *testing.T) {
	const never = latency.OverRange
	fine, gone := late(98, 99, 100, 101, 102, 103), late(never, never, never, never, never, never)
	slow := late(580e6, 581e6, 582e6, 583e6, 584e6, 585e6)
	for _, c := range []struct {
		base, run *result.Run
		gate      string
		want      comparison.Outcome
		found     string
	}{
		{fine, gone, "end_to_end.p99 > +10%", comparison.Failed, "> 10 min, was 100.5 µs"},
		{fine, late(98, 99, never, never, never, never), "end_to_end.p99 > +10%", comparison.Inconclusive,
			"> 10 min, was 100.5 µs, which reaches to within the bound; raise repeats"},
		{fine, late(128, 129, 130, 131, never, never), "end_to_end.p99 > +10%", comparison.Failed, "130.5 µs, was 100.5 µs: 1.30×"},
		{late(98, 99), late(never, never), "end_to_end.p99 > +10%", comparison.Inconclusive,
			"> 10 min, was 98.5 µs; 2 and 2 repeats cannot tell it from noise, set repeats: 6"},
		{gone, fine, "end_to_end.p99 > +10%", comparison.Passed, "100.5 µs, was > 10 min"},
		{gone, fine, "end_to_end.p99 < -10%", comparison.Failed, "100.5 µs, was > 10 min"},
		{gone, gone, "end_to_end.p99 > +10%", comparison.Inconclusive, "> 10 min, was > 10 min, of which no ratio is known"},
		{slow, gone, "end_to_end.p99 > +10%", comparison.Inconclusive, "> 10 min, was 582.5 s, of which no ratio is known"},
		{slow, gone, "end_to_end.p99 > +2%", comparison.Failed, "> 10 min, was 582.5 s"},
		// A speed of which nothing is left fell by all of it.
		{run(repeated("a", nil, hundreds...)), run(repeated("a", nil, 0, 0, 0, 0, 0, 0)), "pipeline_per_second < -10%", comparison.Failed, "0/s, was 101/s: 0.00×"},
	} {
		gate, err := comparison.ParseGate(c.gate)
		require.NoError(t, err, c.gate)
		judged := comparison.Compare(c.base, c.run).Judge(gate)
		require.Len(t, judged, 1, c.gate)
		require.Equal(t, c.found, judged[0].Found, c.gate)
		require.Equal(t, c.want, judged[0].Outcome, "%s: %s", c.gate, judged[0].Found)
	}
}

// unfinished is a run of which most trials came to no verdict, and prove that 500
// messages were lost.
func unfinished() *result.Run {
	c := repeated("a", nil, hundreds...)
	for i := range c.Trials[1:] {
		t := &c.Trials[1+i]
		t.Status, t.Verdict.Lost.Total = result.Inconclusive, 500
	}
	return run(c)
}

// What was not measured does not pass, and what is proven fails, whatever else is
// unsure.
func TestGatesOnTrialsWithoutAVerdict(t *testing.T) {
	base := run(repeated("a", nil, hundreds...))
	few := run(repeated("a", nil, hundreds...))
	few.Cells[0].Planned = map[string]int{"paced": 8}
	without := run(repeated("a", nil, hundreds...))
	delete(without.Cells[0].Trials[2].Latency, result.EndToEnd)
	queue := run(repeated("a", nil, hundreds...))
	for i := range queue.Cells[0].Trials {
		queue.Cells[0].Trials[i].Generator.Closed = true
	}
	for _, c := range []struct {
		run   *result.Run
		gate  string
		want  comparison.Outcome
		found string
	}{
		{unfinished(), "lost > +0", comparison.Failed, "at most 500, was 0"},
		{unfinished(), "duplicates > +0", comparison.Inconclusive, "at most 0, was 0; 5 of 6 trials of the run have no verdict"},
		{unfinished(), "pipeline_per_second < -10%", comparison.Inconclusive, "98/s, was 101/s: 0.98×; 5 of 6 trials of the run have no verdict"},
		{few, "lost > +0", comparison.Inconclusive, "at most 0, was 0; 2 of 8 trials of the run have no verdict"},
		{without, "end_to_end.p99 > +10%", comparison.Inconclusive, "5 of 6 trials of the run have end_to_end.p99"},
		{queue, "end_to_end.p99 > +10%", comparison.Inconclusive, "no cell of both runs has end_to_end.p99"},
	} {
		gate, err := comparison.ParseGate(c.gate)
		require.NoError(t, err)
		judged := comparison.Compare(base, c.run).Judge(gate)
		require.Len(t, judged, 1)
		require.Equal(t, c.found, judged[0].Found)
		require.Equal(t, c.want, judged[0].Outcome, c.gate)
	}
}

// A cell that neither run was to have is nothing to judge.
func TestGatesPassOverWhatBothOmit(t *testing.T) {
	with := func() *result.Run {
		c := repeated("a", nil, hundreds...)
		c.Trials = append(c.Trials, result.Trial{ID: "x", Scenario: "crash", Status: result.Omitted, Reason: "no followers"})
		return run(c)
	}
	gate, err := comparison.ParseGate("lost > +0")
	require.NoError(t, err)
	judged := comparison.Compare(with(), with()).Judge(gate)
	require.Len(t, judged, 1)
	require.Equal(t, comparison.Passed, judged[0].Outcome)
}

func TestWhatIsNoGate(t *testing.T) {
	for text, want := range map[string]string{
		"":                             `"" is no gate; write for example`,
		"end_to_end.p99 > 10%":         `is no gate`,
		"end_to_end.p95 > +10%":        `no metric "end_to_end.p95": the nearest is end_to_end.p90`,
		"promise > +1":                 `no metric "promise"`,
		"end_to_end.p99 > -10%":        `a rise is written > +, a fall < -`,
		"end_to_end.p99 > +10":         `write by how much in percent`,
		"lost > +10%":                  `lost is counted: write by how many it may change, such as 'lost > +0'`,
		"lost > +0.5":                  `lost is counted`,
		"lost > +1.2.3":                `1.2.3 is no number`,
		"pipeline_per_second < -100%":  `nothing falls by more than all of it`,
		"pipeline_per_second == +100%": `is no gate`,
	} {
		_, err := comparison.ParseGate(text)
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzParseGate(f *testing.F) {
	f.Add("end_to_end.p99 > +10%")
	f.Add("lost > +0")
	f.Fuzz(func(t *testing.T, text string) {
		gate, err := comparison.ParseGate(text)
		if err != nil {
			return
		}
		again, err := comparison.ParseGate(gate.String())
		require.NoError(t, err)
		require.Equal(t, gate, again)
	})
}

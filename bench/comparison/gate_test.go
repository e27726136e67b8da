package comparison_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/comparison"
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
		// A median beyond the bound, within the noise.
		{base, run(repeated("a", nil, 50, 60, 70, 101, 102, 103)), "pipeline_per_second < -10%", comparison.Passed, ""},
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

package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A run is no different from itself; what was measured a second time is as much
// more as it is, and a bound that is passed ends with the code for it.
func TestCompare(t *testing.T) {
	p := newPlace(t)
	source := p.profile("twice", tiny)
	require.Equal(t, exitMet, p.bench("-profile", source, "-out", p.out, "-quiet").code)
	first, _ := p.run()
	got := p.bench("compare", first, first, "-fail-if", "lost > +0", "-fail-if", "pipeline_per_second < -10%")
	require.Equal(t, exitMet, got.code, got.stdout+got.stderr)
	require.Contains(t, got.stdout, "The conditions are the same: embedded")
	require.Contains(t, got.stdout, "✓ fail if lost > +0: ")
	require.NotContains(t, got.stdout, "worse.")

	got = p.bench("compare", first, first, "-fail-if", "backlog.messages > +0")
	require.Equal(t, exitInconclusive, got.code, got.stdout+got.stderr)
	require.Contains(t, got.stdout, "? fail if backlog.messages > +0: no cell of both runs has backlog.messages")
}

func TestMistakesOfCompare(t *testing.T) {
	p, none := newPlace(t), t.TempDir()
	for command, want := range map[string]string{
		"compare one":                       `deliverybench: compare takes two folders of runs, the base first, for example `,
		"compare " + none + " " + none:      `deliverybench: ` + none + ` holds no run.json: give the folder of a run`,
		"compare one two -fail-if p99>+10%": `deliverybench: -fail-if "p99>+10%": no metric "p99": the nearest is `,
		"compare one two -fail-if lost":     `deliverybench: -fail-if "lost" is no gate; write for example 'end_to_end.p99 > +10%', `,
	} {
		p.requireMistake(command, want)
	}
}

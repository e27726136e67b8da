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

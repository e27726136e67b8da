package profiles_test

import (
	"bytes"
	"io/fs"
	"testing"
	"time"

	"deliverybench/bench/profile"
	"deliverybench/profiles"

	"github.com/stretchr/testify/require"
)

// Every shipped profile parses, plans some trials, names its schema for
// editors, is called like its file and says what it shows.
func TestShippedProfiles(t *testing.T) {
	names := profiles.List()
	require.Contains(t, names, "semantics")
	for _, name := range names {
		source, err := profiles.Find(name)
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(source, []byte("# yaml-language-server: $schema=profile.schema.json\n")), name)
		p, _, err := profile.Open(name, profiles.FS)
		require.NoError(t, err)
		require.Equal(t, name, p.Name)
		require.NotEmpty(t, p.About, name)
		require.NotEmpty(t, p.Claims, name)
		plan, err := p.Plan(profile.Options{})
		require.NoError(t, err)
		require.NotEmpty(t, plan.Trials, name)
		for _, trial := range plan.Trials {
			// Where a timer decides, nothing is promised and a crash's cost is a draw.
			drawn := trial.Settings.Guarantee == profile.NoGuarantee && len(trial.Settings.Faults) > 0
			require.True(t, drawn || len(plan.ClaimsOn(trial)) > 0, "%s: nothing is claimed of %s", name, trial.ID)
		}
	}
}

// The first profiles that people run are short.
func TestShippedProfilesAreShort(t *testing.T) {
	for name, limit := range map[string]time.Duration{
		"at-most-once": time.Minute, "at-least-once": time.Minute, "exactly-once": time.Minute,
		"semantics": 150 * time.Second, "matrix": 5 * time.Minute,
		"coordinated-omission": time.Minute, "naive-rebalance": time.Minute,
	} {
		p, _, err := profile.Open(name, profiles.FS)
		require.NoError(t, err)
		plan, err := p.Plan(profile.Options{})
		require.NoError(t, err)
		require.LessOrEqual(t, plan.Estimate(), limit, name)
	}
}

// The matrix tries every combination, and omits only what the client refuses.
func TestMatrixProfile(t *testing.T) {
	p, _, err := profile.Open("matrix", profiles.FS)
	require.NoError(t, err)
	plan, err := p.Plan(profile.Options{})
	require.NoError(t, err)
	// 5 strategies × 3 acks × 2 retries × 2 idempotence. Possible are the 6
	// without and the 1 with idempotence (acks all, retries 3), of which a
	// transaction needs the latter: 4 × 7 + 1.
	require.Len(t, plan.Cells, 60)
	require.Len(t, plan.Omissions, 60-29)
	require.Len(t, plan.Trials, 29*2)
}

func TestFind(t *testing.T) {
	with, err := profiles.Find("semantics.yaml")
	require.NoError(t, err)
	without, err := profiles.Find("semantics")
	require.NoError(t, err)
	require.Equal(t, with, without)
	_, err = profiles.Find("nothing")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

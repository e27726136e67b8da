package profile

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Parse never panics. What it accepts can be planned on every kind of broker,
// where each cell is omitted or has its trials, and every trial's settings,
// written out dotted, read back as the same settings.
func FuzzParse(f *testing.F) {
	for _, c := range refusals {
		f.Add("name: t\n" + c.source + "\n")
	}
	shipped, err := filepath.Glob("../../profiles/*.yaml")
	require.NoError(f, err)
	for _, file := range shipped {
		source, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(source))
	}
	for _, fault := range []string{
		"{kill: broker, at: 50%, restart: 2s}", "{stop: leader, partition: 2}", "{freeze: followers, for: 1s}",
		"{isolate: leader, for: 2s, at: 2s, restart: 500ms}", "{kill: group-coordinator}, {kill: controller}",
	} {
		f.Add("name: t\nbroker: local3\ntopic: {partitions: 3, replication: 3}\nfaults: [" + fault + "]\n")
	}
	f.Add("a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n")
	f.Fuzz(func(t *testing.T, source string) {
		p, err := Parse([]byte(source), "fuzz.yaml")
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		made, err := p.Plan(Options{})
		require.NoError(t, err)
		for _, c := range append(clusters, Cluster{Kind: "host:9092", Foreign: true}) {
			placed, err := p.Plan(Options{Cluster: c})
			require.NoError(t, err)
			require.Equal(t, len(made.Cells), len(placed.Cells), c.Kind)
			require.False(t, len(placed.Trials) == 0 && len(placed.Omissions) == 0, c.Kind)
		}
		_, err = p.Redacted()
		require.NoError(t, err)
		for _, trial := range made.Trials[:min(len(made.Trials), 3)] {
			d := &document{}
			root, err := d.root(yamlOf(t, trial.Settings, false))
			require.NoError(t, err)
			back, _ := resolve(d.layer(root))
			require.NoError(t, d.err())
			require.Equal(t, trial.Settings.Dotted(), back.Dotted())
		}
	})
}

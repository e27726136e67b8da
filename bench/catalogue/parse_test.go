package catalogue

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
)

// crashing is a profile with one arm that breaks and one that holds.
const crashing = `name: crashing
guarantee: at-least-once
arms: {early: {consumer.commit.when: before-processing}, late: {consumer.commit.when: after-processing}}
scenarios: {crash: {faults: [{kill: consumer, when: mid-batch, at: 50%, restart: 100ms}]}, calm: {}}
claims: {early/crash: [lost > 0], late/crash: [lost == 0]}
`

func opener(sources map[string]string) func(string) (*profile.Profile, error) {
	return func(name string) (*profile.Profile, error) {
		source, ok := sources[name]
		if !ok {
			return nil, fmt.Errorf("there is none")
		}
		return profile.Parse([]byte(source), name+".yaml")
	}
}

const good = `suite: small
about: A test.
rows:
  - row: 3
    claim: It loses.
    profile: crashing
    breaks: early/crash
    holds: [late/crash]
    counts: {late/crash: duplicates > 0}
    shows: more subtle
    conclude: Commit late.
`

func TestParse(t *testing.T) {
	s, err := Parse([]byte(good), "small.yaml", opener(map[string]string{"crashing": crashing}))
	require.NoError(t, err)
	require.Equal(t, []Row{{
		Number: 3, Claim: "It loses.", Profile: "crashing", Breaks: []string{"early/crash"}, Holds: []string{"late/crash"},
		Counts: []Count{{"late/crash", "duplicates > 0"}}, Shows: MoreSubtle, Conclude: "Commit late.",
	}}, s.Rows)
	require.Equal(t, "small", s.Name)
	require.Equal(t, "A test.", s.About)
	require.Len(t, s.Profiles, 1)
	require.Same(t, s.Profiles[0], s.Profile("crashing"))
	require.Nil(t, s.Profile("other"))
}

// Every mistake is told with its place and what to write.
func TestParseRefuses(t *testing.T) {
	twice := good + strings.Replace(good[strings.Index(good, "  - row"):], "crashing", "other", 1)
	for _, c := range []struct{ from, to, want string }{
		{"about:", "abot:", `small.yaml:2:1: unknown key "abot"; did you mean "about"?`},
		{"suite: small", "suite: a/b", `small.yaml:1:8: "a/b" cannot be the suite's name`},
		{"row: 3", "row: three", `small.yaml:4:10: "row": "three" is no number from 1`},
		{"row: 3", "row: 0", `small.yaml:4:10: "row": "0" is no number from 1`},
		{"claim:", "clam:", `small.yaml:5:5: unknown key "clam"; did you mean "claim"?`},
		{"    claim: It loses.\n", "", `small.yaml:4:5: the row has no claim; a row needs row, claim, profile, breaks, holds, shows, conclude`},
		{"profile: crashing", "profile: other", `small.yaml:6:14: profile other: there is none`},
		{"profile: crashing", "profile: renamed", `small.yaml:6:14: profile renamed: the profile in renamed.yaml is called another; name it like its file`},
		{"profile: crashing", "profile: silly", `small.yaml:6:14: profile silly: line 2: claim "losst == 0"`},
		{"breaks: early/crash", "breaks: []", `small.yaml:7:13: "breaks" names nothing; write an arm/scenario glob, such as "*/crash"`},
		{"breaks: early/crash", "breaks: none/crash", `small.yaml:7:13: "none/crash" matches no cell and scenario that crashing runs; "check crashing" lists them`},
		{"breaks: early/crash", "breaks: early/calm", `small.yaml:7:13: nothing is claimed of early/calm in crashing; claim what has to come out there`},
		{"breaks: early/crash", "breaks: late/crash", `small.yaml:7:13: late/crash is to break, and every claim of crashing on it holds when nothing does; claim for example lost > 0`},
		{"breaks: early/crash", "breaks: late/crash", `small.yaml:6:14: what crashing claims of early/crash decides no row; name it in breaks or holds of one`},
		{"holds: [late/crash]", `holds: [late/crash, "*/crash"]`, `small.yaml:8:25: early/crash is to break and to hold; leave it out of one of them`},
		{"holds: [late/crash]", `holds: [none/crash]`, `small.yaml:8:13: "none/crash" matches no cell and scenario that crashing runs`},
		{"profile: crashing", "profile: impossible", `small.yaml:8:13: late/acks=1/crash is left out of impossible (producer.idempotence needs acks: all, not 1), and a row stands for all that it names; write a glob without it`},
		{"profile: crashing", "profile: hasty", `small.yaml:8:13: hasty compares late/crash with the baseline in 5 repeats (pipeline_per_second < 1x baseline), too few for an interval; write repeats: 6`},
		{"claim: It loses.", "claim: ' '", `small.yaml:5:12: "claim" is empty`},
		{"conclude: Commit late.", "conclude: ''", `small.yaml:11:15: "conclude" is empty`},
		{"late/crash: duplicates > 0", "late/crash: pipeline_per_second > 1x baseline", `small.yaml:9:14: "pipeline_per_second > 1x baseline" needs a baseline; crashing names none`},
		{"holds: [late/crash]", `holds: ["late/{crash"]`, `small.yaml:8:13: "late/{crash" matches no cell`},
		{"late/crash: duplicates > 0", "late/crush: duplicates > 0", `small.yaml:9:14: "late/crush" matches no cell and scenario that crashing runs`},
		{"late/crash: duplicates > 0", "late/crash: duplicates", `small.yaml:9:14: claim "duplicates", column 11: write one of == != < <= > >= after duplicates`},
		{"shows: more subtle", "shows: maybe", `small.yaml:10:12: "shows": "maybe" is none of confirmed, more subtle, refuted`},
		{good, twice, `small.yaml:12:10: row 3 is given twice; it stands in line 4 already`},
		{good, "suite: small\n", `small.yaml:1:1: the suite has no rows; list at least one claim`},
		{"suite: small\n", "", `small.yaml:1:1: the suite has no name; write "suite: mine"`},
		{good, "", `small.yaml:1:1: the suite is empty; it needs at least a name`},
		{good, good + "---\nsuite: b\n", `a suite is one YAML document; remove the second`},
		{good, "suite: [\n", `small.yaml:2:1: this is no YAML`},
		{"conclude: Commit late.", "conclude: *x", `this is no YAML: unknown anchor 'x' referenced`},
	} {
		source := strings.Replace(good, c.from, c.to, 1)
		_, err := Parse([]byte(source), "small.yaml", opener(map[string]string{
			"crashing": crashing, "renamed": strings.Replace(crashing, "crashing", "another", 1),
			"impossible": strings.Replace(crashing, "crashing", "impossible", 1) + "matrix: {producer.acks: [all, 1]}\nproducer.idempotence: true\n",
			"hasty":      strings.NewReplacer("crashing", "hasty", "lost == 0", "pipeline_per_second < 1x baseline").Replace(crashing) + "baseline: early\nrepeats: 5\n",
			"silly":      "name: silly\nclaims: {'*/*': [losst == 0]}\n",
		}))
		require.ErrorContains(t, err, c.want, "%s", source)
	}
}

// A saved suite was checked when it was run; its profiles need not be there.
func TestParseASavedSuite(t *testing.T) {
	s, err := Parse([]byte(good), "suite.yaml", nil)
	require.NoError(t, err)
	require.Len(t, s.Rows, 1)
	require.Empty(t, s.Profiles)
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "small.yaml"), []byte(good), 0o600))
	shipped := fstest.MapFS{"crashing.yaml": {Data: []byte(crashing)}, "small.yaml": {Data: []byte(good)}}

	// A suite that ships has its profiles from there.
	s, took, err := Open("small", shipped)
	require.NoError(t, err)
	require.Equal(t, "small.yaml (ships with deliverybench)", took)
	require.Equal(t, "crashing.yaml", s.Profiles[0].Path)

	// One in a file takes those beside it, else those that ship.
	s, _, err = Open(filepath.Join(dir, "small.yaml"), shipped)
	require.NoError(t, err)
	require.Equal(t, "crashing.yaml", s.Profiles[0].Path)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "crashing.yaml"), []byte(crashing), 0o600))
	s, took, err = Open(filepath.Join(dir, "small.yaml"), shipped)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "small.yaml"), took)
	require.Equal(t, filepath.Join(dir, "crashing.yaml"), s.Profiles[0].Path)

	// Profiles, and what is not there, are for profile.Open to tell.
	for _, other := range []string{"crashing", "nothing", ""} {
		s, _, err := Open(other, shipped)
		require.NoError(t, err)
		require.Nil(t, s)
	}
}

func TestUnfit(t *testing.T) {
	for _, c := range []struct{ meant, given, want string }{
		{"", "embedded", ""}, {"", "local3", ""}, {"", "host:9092", ""},
		{"local", "local", ""}, {"local", "local3", ""}, {"local", "compose", ""}, {"local", "host:9092", ""},
		{"local", "embedded", "it needs -broker local, and this is embedded"},
		{"local3", "local", "it needs -broker local3, and this is local"},
		{"local3", "compose3", ""}, {"embedded", "local", ""},
	} {
		require.Equal(t, c.want, Unfit(&profile.Profile{Broker: c.meant}, c.given), "%+v", c)
	}
}

// Whatever a file holds, it is read or refused with its place.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	shipped, err := os.ReadFile("../../profiles/claims.yaml")
	require.NoError(f, err)
	f.Add(shipped)
	f.Fuzz(func(t *testing.T, source []byte) {
		s, err := Parse(source, "fuzzed.yaml", nil)
		if err == nil {
			require.True(t, Is(source))
			require.NotEmpty(t, s.Rows)
			return
		}
		require.ErrorContains(t, err, "fuzzed.yaml:")
	})
}

package result

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// grid is a run of the arms × acks 0, 1, all × every 1, 2, with two scenarios.
func grid(arms ...string) *Run {
	run := &Run{Run: Header{Scenarios: []string{"paced", "crash"}}}
	for _, arm := range arms {
		for _, acks := range []string{"0", "1", "all"} {
			for _, every := range []string{"1", "2"} {
				run.Cells = append(run.Cells, Cell{
					Name: fmt.Sprintf("%s/acks=%s,every=%s", arm, acks, every), Arm: arm,
					Matrix: map[string]string{"producer.acks": acks, "consumer.commit.every": every},
				})
			}
		}
	}
	return run
}

// omit leaves out the cells whose names have all of these parts; of a scenario only, if one is given.
func omit(run *Run, reason, scenario string, parts ...string) {
	for i := range run.Cells {
		c := &run.Cells[i]
		if slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(c.Name+",", p) }) {
			continue
		}
		if scenario == "" {
			c.Omitted = reason
			continue
		}
		for repeat := range 2 {
			c.Trials = append(c.Trials, Trial{Scenario: scenario, Repeat: repeat + 1, Status: Omitted, Reason: reason})
		}
	}
}

// omitOther leaves out what is not left out yet.
func omitOther(run *Run, reason, part string) {
	for i := range run.Cells {
		if c := &run.Cells[i]; c.Omitted == "" && strings.Contains(c.Name, part) {
			c.Omitted = reason
		}
	}
}

func TestOmissionsAreNamedByWhatTheyHaveInCommon(t *testing.T) {
	for name, c := range map[string]struct {
		omit func(*Run)
		want []string
	}{
		"nothing":               {func(*Run) {}, nil},
		"a cell":                {func(r *Run) { omit(r, "why", "", "a/", "acks=1,", "every=1,") }, []string{"a/acks=1,every=1: why"}},
		"a value":               {func(r *Run) { omit(r, "why", "", "acks=1,") }, []string{"acks=1 (4 cells): why"}},
		"an arm":                {func(r *Run) { omit(r, "why", "", "b/") }, []string{"b (6 cells): why"}},
		"an arm with a value":   {func(r *Run) { omit(r, "why", "", "b/", "acks=0,") }, []string{"b, acks=0 (2 cells): why"}},
		"every cell":            {func(r *Run) { omit(r, "why", "") }, []string{"every cell (12): why"}},
		"a scenario":            {func(r *Run) { omit(r, "why", "crash") }, []string{"crash (every cell): why"}},
		"a scenario of a value": {func(r *Run) { omit(r, "why", "crash", "acks=all,") }, []string{"crash of acks=all (4 cells): why"}},
		"a scenario of a cell":  {func(r *Run) { omit(r, "why", "crash", "a/", "acks=0,every=2,") }, []string{"a/acks=0,every=2/crash: why"}},
		"two scenarios": {func(r *Run) { omit(r, "why", "crash", "acks=0,"); omit(r, "why", "paced", "acks=0,") },
			[]string{"paced and crash of acks=0 (4 cells): why"}},
		"two reasons": {func(r *Run) { omit(r, "one", "", "acks=0,"); omit(r, "two", "", "acks=1,") },
			[]string{"acks=0 (4 cells): one", "acks=1 (4 cells): two"}},
		"cells and the scenario of the others": {func(r *Run) { omit(r, "why", "", "b/"); omit(r, "why", "crash", "a/") },
			[]string{"b (6 cells); crash (every other cell): why"}},
		"a value, but for cells that another reason omits": {func(r *Run) { omit(r, "one", "", "b/", "every=1,"); omitOther(r, "two", "acks=1,") },
			[]string{"acks=1 (3 cells): two", "b, every=1 (3 cells): one"}},
		"nothing in common": {func(r *Run) { omit(r, "why", "", "a/", "acks=0,"); omit(r, "why", "", "b/", "acks=1,") },
			[]string{"a/acks=0,every=1, a/acks=0,every=2, b/acks=1,every=1 and 1 more: why"}},
	} {
		t.Run(name, func(t *testing.T) {
			run := grid("a", "b")
			c.omit(run)
			var got []string
			for _, o := range Omissions(run, nil) {
				got = append(got, o.What+": "+o.Reason)
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestOmissionsNameEverythingOnce(t *testing.T) {
	run := grid("a")
	omit(run, "why", "", "acks=1,")
	omit(run, "why", "crash", "acks=0,")
	all := Omissions(run, nil)
	require.Len(t, all, 1)
	require.Equal(t, []string{"a/acks=1,every=1", "a/acks=1,every=2", "a/acks=0,every=1/crash", "a/acks=0,every=2/crash"}, all[0].Names)
	only := Omissions(run, func(c *Cell, scenario string) bool { return scenario != "crash" })
	require.Equal(t, []string{"a/acks=1,every=1", "a/acks=1,every=2"}, only[0].Names)
}

func TestShortSettingTellsSettingsApart(t *testing.T) {
	names := []string{"consumer.commit.every", "producer.transaction.every", "producer.acks"}
	require.Equal(t, "commit.every", ShortSetting(names[0], names))
	require.Equal(t, "acks", ShortSetting(names[2], names))
	require.Equal(t, "every", ShortSetting("every", []string{"every", "commit.every"}))
}

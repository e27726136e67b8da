package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/capacity"
	"deliverybench/bench/result"
)

// sleepy consumers work for 2 ms on each message, asleep: one of them carries
// less than 500 a second, whatever the machine.
const sleepy = `guarantee: at-least-once
pipeline: consume
load: {warmup: 100ms, duration: 300ms, cooldown: 0s, message: {size: 64B}}
consumer: {processing_time: 2ms, commit: {every: 10}}
capacity:
  slo: [end_to_end.p50 < 150ms, lost == 0, duplicates == 0]
  rates: {from: 200/s, to: 1600/s, step: 100%}
  repeats: 1
  target: {rate: 10000/s, years: 0, headroom: 0%, replication: 1}
`

// capacity is a run of the verb; afterwards nothing of it is left but its folder.
func (p *place) capacity(profile string, args ...string) said {
	p.t.Helper()
	got := p.bench(append([]string{"capacity", "-profile", profile, "-out", p.out}, args...)...)
	requireNoChildren(p.t)
	p.requireNothingLeft()
	return got
}

func TestCapacityOfAKnownConsumer(t *testing.T) {
	p := newPlace(t)
	path := p.profile("sleepy", sleepy)
	got := p.capacity(path)
	dir, run := p.run()
	a := capacity.Analyse(run)
	require.Len(t, a.Scalings, 1)
	cell := a.Scalings[0].Cells[0]

	// 800 a second are 1.6 times what one can do: in the middle of the window, 0.3 s
	// after the load began, a message waits for 0.18 s and more, and a machine that
	// is busy makes it worse. How far below 500 it gets, and whether the generator
	// can say so, is the machine's matter.
	require.LessOrEqual(t, cell.Knee.PerSecond, 400.0, got.stdout)
	for _, point := range cell.Points {
		if point.PerSecond >= 800 {
			require.NotEqual(t, capacity.Held, point.State, "%+v", point)
		}
	}
	require.Contains(t, got.stdout, "Capacity: the load that keeps end_to_end.p50 < 150ms, lost == 0, duplicates == 0")
	require.Contains(t, got.stdout, "sleepy: capacity of 1 cell: up to ")
	require.Contains(t, []int{exitNotMet, exitInconclusive}, got.code, got.stderr)
	require.Equal(t, capacityCode(run), got.code)
	for _, name := range []string{"charts/knee-sleepy.svg", "charts/knee-sleepy.csv", "report.md"} {
		require.FileExists(t, filepath.Join(dir, name))
	}
	require.Empty(t, run.Claims)
	phases := map[result.Phase]int{}
	for _, r := range run.Capacity.Rungs {
		phases[r.Phase] += r.Repeats
	}
	require.Equal(t, len(run.Cells[0].Trials), phases[result.Searched]+phases[result.Measured])
	require.Equal(t, run.Run.TrialsPlanned, len(run.Cells[0].Trials))

	requireRedrawn(t, p, dir, got)
	requireResumed(t, p, dir, path, run)
}

// What was saved is drawn again to the byte, with the same exit code.
func requireRedrawn(t *testing.T, p *place, dir string, first said) {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{"report.html", "report.md", "charts/knee-sleepy.png", "charts/knee-sleepy.svg", "charts/knee-sleepy.csv"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		files[name] = text
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
	}
	again := p.bench("report", dir)
	require.Equal(t, first.code, again.code)
	require.True(t, strings.HasSuffix(first.stdout, again.stdout), "the same but for the first lines")
	for name, want := range files {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, want, text, name)
	}
}

// A run that lost its last trials goes on with those, and with nothing when it
// has them all.
func requireResumed(t *testing.T, p *place, dir, path string, whole *result.Run) {
	t.Helper()
	got := p.bench("-profile", path, "-resume", dir)
	require.Equal(t, exitUsage, got.code)
	require.Contains(t, got.stderr, `it is a capacity run; go on with it by "capacity -resume"`)

	executable := p.executable
	p.executable = "/nowhere" // nothing is left to be run
	require.Equal(t, capacityCode(whole), p.capacity(path, "-resume", dir).code)
	p.executable = executable

	trials := len(whole.Cells[0].Trials)
	cut := *whole
	cut.Cells[0].Trials = cut.Cells[0].Trials[:trials-1]
	store, _, err := result.Open(dir)
	require.NoError(t, err)
	require.NoError(t, store.Save(&cut))
	got = p.capacity(path, "-resume", dir)
	require.Equal(t, 1, strings.Count(got.stderr, " / "), "one trial: %s", got.stderr)
	_, run := p.run()
	require.Len(t, run.Cells[0].Trials, trials)
	require.Equal(t, cut.Capacity, run.Capacity)
}

func TestCapacityMistakes(t *testing.T) {
	p := newPlace(t)
	good := p.profile("good", sleepy)
	for _, c := range [][2]string{
		{"capacity", `deliverybench: no profile: name one with -profile`},
		{"capacity " + good, `deliverybench: unexpected argument`},
		{"capacity -profile " + good + " -set load.rate=5/s", `deliverybench: -set load.rate=5/s: capacity steps through the rates`},
		{"capacity -profile " + good + " -set */load.rate=5/s", `deliverybench: -set */load.rate=5/s: capacity steps through the rates`},
		{"capacity -profile " + good + " -only nothing", `deliverybench: -only nothing matches nothing; the first that there is: good/capacity`},
		{"capacity -profile " + p.profile("my", strings.Replace(sleepy, "lost == 0", "losst == 0", 1)), `my.yaml:7:33: claim "losst == 0", column 1: no metric "losst": the nearest is lost`},
		{"capacity -profile " + p.profile("my", strings.Replace(sleepy, ".p50", ".p999", 1)), `my.yaml:8:10: end_to_end.p999 < 150ms at 200/s needs a window of 8m20s`},
	} {
		p.requireMistake(c[0], c[1])
	}
	// Without the block, what to add.
	got := (&place{t: t, executable: "/nowhere"}).bench("capacity", "-profile", p.profile("tiny", tiny))
	require.Equal(t, exitUsage, got.code)
	require.Contains(t, got.stderr, "tiny.yaml says nothing of capacity: add for example\ncapacity:\n  slo: [end_to_end.p99 < 50ms, lost == 0]\n  rates: ")
	// A run of that kind is no run of this.
	require.Equal(t, exitMet, p.measure(p.profile("tiny", tiny)).code)
	dir, _ := p.run()
	got = p.bench("capacity", "-profile", good, "-resume", dir)
	require.Equal(t, exitUsage, got.code)
	require.Contains(t, got.stderr, `it is no capacity run; go on with it by "run -resume"`)
}

// check tells what capacity would do, and run takes no notice of the block.
func TestCapacityIsChecked(t *testing.T) {
	p := newPlace(t)
	path := p.profile("sleepy", sleepy+"scenarios: {paced: {repeats: 2}}\n")
	got := p.bench("check", "-profile", path, "-only", "paced")
	require.Equal(t, exitMet, got.code, got.stderr)
	require.Contains(t, got.stdout, "1 cell × 1 scenario, 2 trials")
	require.Contains(t, got.stdout, "capacity measures 1 cell: up to 4 trials each search 4 rates, then up to 4 rungs once; about ")
	require.Contains(t, got.stdout, "SLO: end_to_end.p50 < 150ms, lost == 0, duplicates == 0")
	require.Contains(t, p.bench("help", "capacity").stdout, "-resume folder")
}

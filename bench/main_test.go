package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/broker"
	"deliverybench/bench/result"
	"deliverybench/bench/worker"
)

// asProgram in the environment makes the test binary be the program.
const asProgram = "DELIVERYBENCH_TEST_AS_PROGRAM"

// The test binary is also the workers and brokers of the runs that it makes.
func TestMain(m *testing.M) {
	// A race detector's process sleeps for a second when it ends; there are many.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	switch {
	case os.Getenv(asProgram) != "", len(os.Args) == 2 && (os.Args[1] == worker.Verb || os.Args[1] == broker.EmbeddedVerb):
		main()
	case len(os.Args) > 1 && os.Args[1] == smallDiskVerb:
		os.Exit(onASmallDisk(os.Args[2:]))
	default:
		os.Exit(m.Run())
	}
}

// within bounds every wait for a small run on a busy machine.
const within = 4 * time.Minute

// place is where a test's runs happen: every folder that they may touch.
type place struct {
	t                       *testing.T
	out, scratch, temporary string
	env                     map[string]string
	stdoutWidth             int
	executable              string
}

func newPlace(t *testing.T) *place {
	self, err := os.Executable()
	require.NoError(t, err)
	return &place{t: t, out: t.TempDir(), scratch: t.TempDir(), temporary: t.TempDir(), env: map[string]string{}, executable: self}
}

// profile writes a profile and returns its path.
func (p *place) profile(name, source string) string {
	p.t.Helper()
	path := filepath.Join(p.t.TempDir(), name+".yaml")
	require.NoError(p.t, os.WriteFile(path, []byte("name: "+name+"\n"+source), 0o600))
	return path
}

// said is what a command printed, and its exit code.
type said struct {
	code           int
	stdout, stderr string
}

// bench runs a command inside the test.
func (p *place) bench(args ...string) said {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), within)
	defer cancel()
	var stdout, stderr bytes.Buffer
	b := program{
		args: args, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		getenv:      func(name string) string { return p.env[name] },
		stdoutWidth: func() int { return p.stdoutWidth }, stderrWidth: func() int { return 0 },
		executable: p.executable, scratch: []string{p.scratch},
	}
	code := b.run(ctx)
	require.NoError(p.t, ctx.Err(), "waited %s for bench %s", within, strings.Join(args, " "))
	return said{code, stdout.String(), stderr.String()}
}

// measure is a run of a profile; afterwards nothing of it is left but its folder.
func (p *place) measure(profile string, args ...string) said {
	p.t.Helper()
	got := p.bench(append([]string{"-profile", profile, "-out", p.out}, args...)...)
	requireNoChildren(p.t)
	p.requireNothingLeft()
	return got
}

// requireNothingLeft looks into the folders that are not for results.
func (p *place) requireNothingLeft() {
	p.t.Helper()
	for _, folder := range []string{p.scratch, p.temporary} {
		entries, err := os.ReadDir(folder)
		require.NoError(p.t, err)
		require.Empty(p.t, entries)
	}
	partial, err := filepath.Glob(filepath.Join(p.out, "*", ".*"))
	require.NoError(p.t, err)
	require.Empty(p.t, partial, "files that were not finished")
}

// run is the one run below out.
func (p *place) run() (dir string, saved *result.Run) {
	p.t.Helper()
	dirs, err := filepath.Glob(filepath.Join(p.out, "*"))
	require.NoError(p.t, err)
	require.Len(p.t, dirs, 1, "runs")
	saved, err = result.Load(dirs[0])
	require.NoError(p.t, err)
	return dirs[0], saved
}

// trials are the statuses of the saved trials by their numbers.
func trials(run *result.Run) map[string]result.Status {
	all := map[string]result.Status{}
	for _, c := range run.Cells {
		for _, t := range c.Trials {
			number, _, _ := strings.Cut(t.ID, "-")
			all[number] = t.Status
		}
	}
	return all
}

// escape is a control sequence of a terminal.
var escape = regexp.MustCompile(`\x1b\[?[0-9;]*[A-Za-z]?`)

// requirePlain: what is no terminal gets no control sequence.
func requirePlain(t *testing.T, got said) {
	t.Helper()
	require.NotRegexp(t, escape, got.stdout)
	require.NotRegexp(t, escape, got.stderr)
}

// tiny is a trial of a quarter of a second.
const tiny = `guarantee: at-least-once
pipeline: consume
load: {rate: 1000/s, warmup: 50ms, duration: 200ms, message: {size: 64B}}
consumer: {commit: {every: 50}}
`

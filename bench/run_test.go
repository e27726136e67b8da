package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/report"
	"deliverybench/bench/result"
)

func TestEveryClaimMet(t *testing.T) {
	p := newPlace(t)
	p.env["TERM"] = "xterm"
	got := p.measure(p.profile("tiny", tiny+"claims: {\"*/*\": [lost == 0, duplicates == 0, promise == held]}\n"))
	require.Equal(t, exitMet, got.code, got.stderr)
	requirePlain(t, got)
	require.True(t, strings.HasPrefix(got.stdout, "profile: "), got.stdout)
	require.Contains(t, got.stdout, "\ntiny: 1 cell × 1 scenario, 1 trial, about ")
	require.Contains(t, got.stdout, "Embedded broker, shares ")
	require.Contains(t, got.stdout, "Claims: 3 of 3 met")
	require.Contains(t, got.stderr, "1/1 tiny / steady #1: ")
	dir, run := p.run()
	require.True(t, strings.HasSuffix(got.stdout, filepath.Join(dir, "report.html")+"\n"), got.stdout)
	for _, name := range []string{
		"run.json", "profile.yaml", "profile.resolved.yaml", "cells.csv", "trials.csv", "bench.txt", "report.html", "report.md", "broker.log",
	} {
		require.FileExists(t, filepath.Join(dir, name))
	}
	require.NoDirExists(t, filepath.Join(dir, "logs"), "the workers' logs are kept of trials that failed")
	require.Equal(t, "embedded", run.Environment.Broker.Kind)
	require.False(t, run.Run.Interrupted)
	require.False(t, run.Run.Finished.Before(run.Run.Started))

	// What was saved can be drawn again, with the same exit code; in a terminal
	// it is coloured and no wider than that.
	require.NoError(t, os.Remove(filepath.Join(dir, "report.html")))
	p.stdoutWidth = 60
	again := p.bench("report", dir)
	require.Equal(t, exitMet, again.code, again.stderr)
	require.FileExists(t, filepath.Join(dir, "report.html"))
	require.Regexp(t, escape, again.stdout)
	require.Contains(t, again.stdout, "Claims: 3 of 3 met")
	for line := range strings.Lines(escape.ReplaceAllString(again.stdout, "")) {
		if !strings.Contains(line, dir) {
			require.LessOrEqual(t, utf8.RuneCountInString(line), 60+1, line)
		}
	}
}

func TestTableOptions(t *testing.T) {
	for _, on := range []struct {
		width       int
		environment map[string]string
		want        report.Options
	}{
		{0, nil, report.Options{Width: 100}},
		{80, nil, report.Options{Width: 80, Color: true}},
		{200, map[string]string{"TERM": "xterm"}, report.Options{Width: 100, Color: true}},
		{80, map[string]string{"NO_COLOR": "1"}, report.Options{Width: 80}},
		{80, map[string]string{"TERM": "dumb"}, report.Options{Width: 80}},
	} {
		p := program{stdoutWidth: func() int { return on.width }, getenv: func(name string) string { return on.environment[name] }}
		require.Equal(t, on.want, p.tableOptions())
	}
}

func TestAClaimNotMet(t *testing.T) {
	p := newPlace(t)
	got := p.measure(p.profile("tiny", tiny+"claims: {\"*/*\": [lost == 1]}\n"), "-quiet")
	require.Equal(t, exitNotMet, got.code, got.stderr)
	require.Contains(t, got.stdout, "lost == 1")
	// Quiet is the table alone.
	require.Empty(t, got.stderr)
	require.NotContains(t, got.stdout, "about")
	require.Contains(t, got.stdout, "── steady 1000/s ──")
}

// One message is due, and the first of two producers sends it: the fault that
// should strike the second never fires.
func TestAFaultThatNeverFiresIsInconclusive(t *testing.T) {
	p := newPlace(t)
	kill := "{kill: producer, when: sent, at: 0%, restart: 10ms}"
	got := p.measure(p.profile("idle", `guarantee: at-least-once
load: {rate: 5/s, warmup: 0s, duration: 200ms, cooldown: 0s, message: {size: 64B}}
producer: {count: 2}
scenarios: {crash: {faults: [`+kill+", "+kill+`]}}
claims: {"*/*": [lost == 0]}
`))
	require.Equal(t, exitInconclusive, got.code, got.stdout)
	_, run := p.run()
	require.Equal(t, result.Inconclusive, run.Cells[0].Trials[0].Status)
	require.Contains(t, run.Cells[0].Trials[0].Reason, "1 of 2 faults fired")
	require.Equal(t, result.ClaimInconclusive, run.Claims[0].Status)
}

// Without anything to run no broker is started.
func TestEverythingOmittedIsInconclusive(t *testing.T) {
	p := newPlace(t)
	p.executable = "/nowhere"
	got := p.measure(p.profile("omitted", tiny+"producer: {idempotence: true, acks: 1}\n"))
	require.Equal(t, exitInconclusive, got.code, got.stderr)
	require.Contains(t, got.stdout, "producer.idempotence needs acks: all, not 1")
	_, run := p.run()
	require.False(t, run.Run.Finished.IsZero())
	require.NotEmpty(t, run.Cells[0].Omitted)
}

func TestJSONIsAllThatIsPrinted(t *testing.T) {
	p := newPlace(t)
	path := p.profile("tiny", tiny)
	got := p.measure(path, "-json", "-set", "producer.librdkafka.sasl.password=hunter2", "-set=load.message.size=100B", "-seed", "7")
	require.Equal(t, exitMet, got.code, got.stderr)
	require.Empty(t, got.stderr)
	printed, err := result.Decode(strings.NewReader(got.stdout))
	require.NoError(t, err)
	dir, saved := p.run()
	require.Equal(t, saved, printed)
	require.Equal(t, uint64(7), saved.Run.Seed)
	require.Equal(t, "100B", saved.Cells[0].Settings["load.message.size"])
	require.NotContains(t, got.stdout, "hunter2", "secrets are not saved")
	require.Contains(t, saved.Run.Command, "producer.librdkafka.sasl.password=[redacted]")
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			require.NotContains(t, string(text), "hunter2", file)
		}
	}

	again := p.bench("report", dir, "-json")
	require.Equal(t, exitMet, again.code)
	require.JSONEq(t, got.stdout, again.stdout)
}

func TestResumingAWholeRun(t *testing.T) {
	p := newPlace(t)
	path := p.profile("tiny", tiny+"claims: {\"*/*\": [lost == 0]}\n")
	require.Equal(t, exitMet, p.measure(path).code)
	dir, before := p.run()
	p.executable = "/nowhere" // nothing is left to be run
	got := p.measure(path, "-resume", dir)
	require.Equal(t, exitMet, got.code, got.stderr)
	_, after := p.run()
	after.Run.Finished = before.Run.Finished
	require.Equal(t, before, after)

	other := p.profile("other", tiny)
	got = p.measure(other, "-resume", dir)
	require.Equal(t, exitUsage, got.code)
	require.Equal(t, "deliverybench: cannot resume "+before.Run.ID+": it was made with another profile or seed; run without -resume\n", got.stderr)
	got = p.measure(path, "-scale", "2", "-resume", dir)
	require.Equal(t, exitUsage, got.code)
	require.Equal(t, "deliverybench: cannot resume "+before.Run.ID+": cell tiny has other settings there; use the same flags as then\n", got.stderr)

	// A run of another broker is not mixed with this one's.
	before.Environment.Broker.Version = "kfake v0"
	before.Cells[0].Trials = []result.Trial{}
	text, err := json.Marshal(before)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "run.json"), text, 0o600))
	p.executable = newPlace(t).executable
	got = p.measure(path, "-resume", dir)
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.stderr, "deliverybench: cannot resume "+before.Run.ID+": it was measured on the embedded broker kfake v0, and this is embedded kfake")
}

package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What README shows in a block of its own, and in the middle of a sentence.
var (
	fenced  = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```")
	quoted  = regexp.MustCompile("`([^`\n]+)`")
	command = regexp.MustCompile(`^(go run \./bench |go build|scripts/|bench |docker )`)
)

// commandsOf are the commands that a reader of README is told to type.
func commandsOf(source string) (commands []string) {
	add := func(text string) {
		text, _, _ = strings.Cut(text, "  #")
		if text = strings.TrimSpace(text); command.MatchString(text) && !slices.Contains(commands, text) {
			commands = append(commands, text)
		}
	}
	for _, block := range fenced.FindAllStringSubmatch(source, -1) {
		for line := range strings.Lines(block[2]) {
			add(line)
		}
	}
	for _, inline := range quoted.FindAllStringSubmatch(fenced.ReplaceAllString(source, ""), -1) {
		add(inline[1])
	}
	return commands
}

// reader is somebody who follows README: a profile of their own from it, a broker
// that they kept, what clean said of it, and a run.
type reader struct {
	*place
	profile, kept, run, cleaned string
}

// script is what scripts/test.sh does of a command, where a run is too long for a test.
func script(t *testing.T, does string) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "scripts", "test.sh"))
	require.NoError(t, err)
	require.Contains(t, string(source), does, "scripts/test.sh")
}

// types runs a command of README and wants it to end well.
func (r *reader) types(args ...string) said {
	r.t.Helper()
	got := r.bench(args...)
	require.Equal(r.t, exitMet, got.code, "bench %s\n%s%s", strings.Join(args, " "), got.stdout, got.stderr)
	return got
}

// readmes are how each command of README is executed.
func readmes() map[string]func(t *testing.T, r *reader) {
	return map[string]func(t *testing.T, r *reader){
		"scripts/test.sh":        func(t *testing.T, _ *reader) { require.FileExists(t, "../scripts/test.sh") }, // executes this
		"scripts/fetch-kafka.sh": func(t *testing.T, _ *reader) { script(t, " scripts/fetch-kafka.sh\n") },
		"go build -o bench ./bench": func(t *testing.T, _ *reader) {
			script(t, `go build -buildvcs=false -o "$tmp/bench" ./bench`)
		},
		"go run ./bench -profile at-most-once.yaml": func(t *testing.T, _ *reader) { script(t, " at-most-once ") },
		"go run ./bench -profile semantics.yaml":    func(t *testing.T, _ *reader) { script(t, "'semantics ") },
		"go run ./bench -profile claims.yaml":       func(t *testing.T, _ *reader) { script(t, `"claims -only ^"`) },
		"bench -profile claims":                     func(t *testing.T, _ *reader) { script(t, `"claims -only ^"`) },
		// Needs Docker: TestComposeOneNode brings the same file up where there is one.
		"docker compose --profile single up -d": func(t *testing.T, _ *reader) { require.FileExists(t, "../docker-compose.yml") },
		"go run ./bench -profile acks-failover.yaml": func(_ *testing.T, r *reader) {
			r.types("-profile", "acks-failover.yaml", "-only", "all-idempotent/isolated", "-set", "repeats=1", "-out", r.out)
		},
		// It takes minutes: the verb is run by TestCapacityOfAKnownConsumer.
		"go run ./bench capacity -profile payments.yaml": func(t *testing.T, r *reader) {
			r.types("check", "-profile", "payments.yaml")
		},
		"bench check -profile mine.yaml": func(_ *testing.T, r *reader) { r.types("check", "-profile", r.profile) },
		"bench -profile mine.yaml":       func(t *testing.T, r *reader) { require.DirExists(t, r.run) },
		"bench -profile NAME":            func(t *testing.T, r *reader) { require.DirExists(t, r.run) },
		"bench check -profile NAME":      func(_ *testing.T, r *reader) { r.types("check", "-profile", "claims") },
		"bench list":                     func(_ *testing.T, r *reader) { r.types("list") },
		"bench show NAME":                func(_ *testing.T, r *reader) { r.types("show", "semantics") },
		"bench report DIR":               func(_ *testing.T, r *reader) { r.types("report", r.run) },
		"bench compare BASE RUN":         func(_ *testing.T, r *reader) { r.types("compare", r.run, r.run) },
		"bench version":                  func(_ *testing.T, r *reader) { r.types("version") },
		"bench help [VERB]":              func(_ *testing.T, r *reader) { r.types("help"); r.types("help", "clean") },
		"bench broker":                   func(t *testing.T, r *reader) { require.NotEmpty(t, r.kept) },
		"bench broker -broker local3":    func(t *testing.T, r *reader) { require.NotEmpty(t, r.kept) },
		"bench clean -broker HOST:PORT":  func(t *testing.T, r *reader) { require.NotEmpty(t, r.cleaned) },
		"bench capacity -profile NAME":   func(_ *testing.T, r *reader) { r.types("check", "-profile", "payments.yaml") },
	}
}

// Every command of README is accounted for: executed here, by a step of
// scripts/test.sh, or by the test that stands beside it.
func TestReadmesCommands(t *testing.T) {
	source := readme(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*within) // start, two commands, end
	defer cancel()
	p := newPlace(t)
	var ended <-chan int
	r := &reader{place: newPlace(t)}
	for _, name := range []string{"PATH", "JAVA_HOME", "KAFKA_HOME"} { // where Java and Kafka are
		p.env[name] = os.Getenv(name)
		r.env[name] = p.env[name]
	}
	r.kept, ended = p.keep(ctx, "local3", io.Discard)

	mine := regexp.MustCompile("(?s)```yaml\n(name: mine\n.*?)```").FindStringSubmatch(source)
	require.NotNil(t, mine, "the profile that a reader is to save as mine.yaml")
	r.profile = filepath.Join(t.TempDir(), "mine.yaml")
	require.NoError(t, os.WriteFile(r.profile, []byte(mine[1]), 0o600))
	// On the embedded broker, and on one by its address.
	r.types("-profile", r.profile, "-out", r.out)
	r.run, _ = r.place.run()
	r.types("-profile", r.profile, "-out", t.TempDir(), "-broker", r.kept, "-only", "large/paced", "-set", "repeats=1")
	r.cleaned = r.types("clean", "-broker", r.kept).stdout
	cancel() // before others start clusters of their own
	require.Equal(t, exitMet, <-ended)

	executed := readmes()
	for _, text := range commandsOf(source) {
		how, known := executed[text]
		if require.True(t, known, "README's command %q is accounted for by no test", text); known {
			how(t, r)
		}
		delete(executed, text)
	}
	require.Empty(t, executed, "no longer in README")
	requireNoChildren(t)
	r.requireNothingLeft()
	p.requireNothingLeft()
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"deliverybench/profiles"
)

// workflowStep is a step of a GitHub Actions workflow: a command, or somebody else's action.
type workflowStep struct {
	Name, Run, Uses string
	With            map[string]string
}

// runner is a machine's fresh workspace, in which a job's steps are run.
type runner struct {
	t         *testing.T
	workspace string
	env       map[string]string
}

// checkout does what actions/checkout does: this repository's tree, at a path. The
// base is the tree itself, of which everything is compiled already.
func (r runner) checkout(path string) {
	root, err := filepath.Abs("..")
	require.NoError(r.t, err)
	dir := filepath.Join(r.workspace, path)
	if path == "base" {
		require.NoError(r.t, os.Symlink(root, dir))
		return
	}
	require.NoError(r.t, os.Mkdir(dir, 0o777))
	for _, name := range []string{"go.mod", "go.sum", "bench", "profiles"} {
		require.NoError(r.t, os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)))
	}
}

func (r runner) run(command string) (said string, err error) {
	shell := exec.CommandContext(r.t.Context(), "bash", "-e", "-c", command)
	shell.Dir, shell.Env = r.workspace, append(os.Environ(), "GOFLAGS=-buildvcs=false", "GITHUB_WORKSPACE="+r.workspace)
	for name, value := range r.env {
		shell.Env = append(shell.Env, name+"="+value)
	}
	output, err := shell.CombinedOutput()
	return string(output), err
}

// The workflow that the documentation gives, on a runner that has nothing but the two
// commits: all its commands do what they say, and the last one stops a change by which
// a crash loses more than before, though it meets its own claims. The same change lets
// pass what loses no more.
func TestTheWorkflowsSteps(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "docs", "ci-example.yaml"))
	require.NoError(t, err)
	var workflow struct {
		Jobs map[string]struct {
			Env   map[string]string
			Steps []workflowStep
		}
	}
	require.NoError(t, yaml.Unmarshal(source, &workflow))
	gate := workflow.Jobs["gate"]
	r := runner{t, t.TempDir(), gate.Env}
	var commands []workflowStep
	for _, step := range gate.Steps {
		switch {
		case strings.HasPrefix(step.Uses, "actions/checkout@"):
			r.checkout(step.With["path"])
		case step.Run != "":
			commands = append(commands, step)
		}
	}
	require.NotEmpty(t, commands)
	shipped, err := profiles.Find(gate.Env["PROFILE"])
	require.NoError(t, err)
	changed := strings.Replace(string(shipped), "every: 500", "every: 1000", 1)
	require.NotEqual(t, string(shipped), changed)
	require.NoError(t, os.WriteFile(filepath.Join(r.workspace, "change", gate.Env["PROFILE"]), []byte(changed), 0o666))

	last := commands[len(commands)-1]
	for _, step := range commands[:len(commands)-1] {
		said, err := r.run(step.Run)
		require.NoError(t, err, "%s\n%s", step.Name, said)
	}
	said, err := r.run(last.Run)
	var failed *exec.ExitError
	require.ErrorAs(t, err, &failed, said)
	require.Equal(t, exitNotMet, failed.ExitCode(), said)
	require.Contains(t, said, "✗ fail if lost > +0: at-most-once in crash-committed: at most 1000, was 500")

	measured := filepath.Join(r.workspace, "measured")
	require.NoError(t, os.RemoveAll(filepath.Join(measured, "change")))
	require.NoError(t, os.CopyFS(filepath.Join(measured, "change"), os.DirFS(filepath.Join(measured, "base"))))
	said, err = r.run(last.Run)
	require.NoError(t, err, said)
}

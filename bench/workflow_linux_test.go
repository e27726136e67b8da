package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// Every command of the workflow that the documentation gives does what it says,
// and the last one stops a change that loses more than the base.
func TestTheWorkflowsSteps(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "docs", "ci-example.yaml"))
	require.NoError(t, err)
	var workflow struct {
		Jobs map[string]struct {
			Env   map[string]string
			Steps []struct{ Name, Run string }
		}
	}
	require.NoError(t, yaml.Unmarshal(source, &workflow))
	gate := workflow.Jobs["gate"]
	require.NotEmpty(t, gate.Steps)
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "bench", "profiles"} {
		require.NoError(t, os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)))
	}
	step := func(run string) (string, error) {
		command := exec.CommandContext(t.Context(), "bash", "-e", "-c", run)
		command.Dir, command.Env = dir, append(os.Environ(), "GOFLAGS=-buildvcs=false")
		for name, value := range gate.Env {
			command.Env = append(command.Env, name+"="+value)
		}
		said, err := command.CombinedOutput()
		return string(said), err
	}
	last := ""
	for _, s := range gate.Steps {
		if s.Run == "" {
			continue // somebody else's action
		}
		said, err := step(s.Run)
		require.NoError(t, err, "%s\n%s", s.Name, said)
		last = s.Run
	}

	saved, err := filepath.Glob(filepath.Join(dir, "results", "ci", "*"))
	require.NoError(t, err)
	require.Len(t, saved, 1)
	require.NoError(t, os.RemoveAll(saved[0]))
	said, err := step(`./deliverybench -quiet -profile "$PROFILE" -scale 0.5 -out results/ci -only crash -set consumer.commit.every=1000`)
	require.NoError(t, err, said) // a crash costs as much as the claim says, and more than the base's
	said, err = step(last)
	var failed *exec.ExitError
	require.ErrorAs(t, err, &failed, said)
	require.Equal(t, exitNotMet, failed.ExitCode(), said)
}

package broker_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/broker"
)

// fakeEngine puts a docker on the PATH, and nothing else, that does what the
// script's cases say and succeeds silently in everything else. It returns the
// file in which it notes how it was called.
func fakeEngine(t *testing.T, cases string) (called string) {
	t.Helper()
	folder := t.TempDir()
	called = filepath.Join(folder, "called")
	script := "#!/bin/sh\necho \"$*\" >>" + called + "\ncase \"$*\" in\n" + cases + "\nesac\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "docker"), []byte(script), 0o755))
	t.Setenv("PATH", folder)
	return called
}

func startCompose(ctx context.Context, t *testing.T, nodes int) (*broker.Compose, error) {
	t.Helper()
	b, err := broker.StartCompose(ctx, spawner(t), broker.ComposeOptions{Nodes: nodes, Folder: ".", Logs: t.TempDir()})
	if err == nil {
		t.Cleanup(b.Close)
	}
	return b, err
}

func TestWithoutEngineTheErrorSaysWhatToDo(t *testing.T) {
	const started = "start Kafka with Docker: "
	for name, c := range map[string]struct{ docker, want string }{
		"no Compose": {
			docker: `compose*) echo "docker: 'compose' is not a docker command." >&2; exit 1;;`,
			want:   "docker has no Compose: install its plugin docker-compose-plugin, or docker-compose 1.28 or newer",
		},
		"old Compose": {
			docker: `compose*) echo 1.25.0;;`,
			want:   "docker-compose 1.25.0 knows no profiles: install 1.28 or newer, or the plugin docker-compose-plugin",
		},
		"no daemon": {
			docker: `version*) echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?" >&2; exit 1;;`,
			want: "docker version: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?: " +
				"start Docker, or use -broker local",
		},
		"no right": {
			docker: `version*) echo "permission denied while trying to connect to the Docker daemon socket" >&2; exit 1;;`,
			want: "docker version: permission denied while trying to connect to the Docker daemon socket: " +
				"let this user use Docker (its group is docker), or use -broker local",
		},
		"no image": {
			docker: `*up*) printf 'kafka Pulling\nError response from daemon: pull access denied for apache/kafka\n' >&2; exit 18;;`,
			want: "docker compose up: Error response from daemon: pull access denied for apache/kafka: " +
				"the image cannot be downloaded: check the network, or load it with docker load",
		},
		// docker-compose 1.29 tells the reason before its last line.
		"port taken": {
			docker: `*up*) printf 'ERROR: for kafka  Bind for 127.0.0.1:9092 failed: port is already allocated\nERROR: Encountered errors while bringing up the project.\n' >&2; exit 1;;`,
			want: "docker compose up: ERROR: for kafka  Bind for 127.0.0.1:9092 failed: port is already allocated: " +
				"try again, other ports are chosen then",
		},
		"full disk": {
			docker: `*up*) echo "failed to register layer: no space left on device" >&2; exit 1;;`,
			want:   "docker compose up: failed to register layer: no space left on device: free some: docker system prune",
		},
		"something else": {
			docker: `*up*) printf 'first\nlast\n\n' >&2; exit 1;;`,
			want:   "docker compose up: last",
		},
		"nothing said": {
			docker: `*up*) exit 3;;`,
			want:   "docker compose up: exit status 3",
		},
		"nothing brought up": {
			docker: ``,
			want:   "profile single brought up 0 containers instead of 1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			called := fakeEngine(t, c.docker)
			_, err := startCompose(t.Context(), t, 1)
			require.EqualError(t, err, started+c.want)
			calls, err := os.ReadFile(called)
			require.NoError(t, err)
			if _, after, up := strings.Cut(string(calls), " up --detach\n"); up {
				require.Contains(t, after, "--filter label=com.docker.compose.project=deliverybench-", "what was begun is looked for")
			}
		})
	}
	t.Run("no docker", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := startCompose(t.Context(), t, 1)
		require.EqualError(t, err, started+"there is no docker on the PATH: install Docker, or use -broker local")
	})
	t.Run("no such cluster", func(t *testing.T) {
		_, err := startCompose(t.Context(), t, 2)
		require.EqualError(t, err, started+"a cluster of docker-compose.yml has 1 or 3 nodes, not 2")
	})
}

// Compose is interrupted, not killed, so that it leaves nothing half made; and
// what it made is removed.
func TestAnInterruptEndsBringingUp(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	begun := filepath.Join(t.TempDir(), "begun")
	require.NoError(t, exec.Command("mkfifo", begun).Run())
	called := fakeEngine(t, `*up*) trap 'echo interrupted >>"${0%docker}called"; exit 130' INT; echo >`+begun+`; while :; do `+sleep+` 0.1; done;;`)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = os.ReadFile(begun)
		cancel()
	}()
	_, err = startCompose(ctx, t, 1)
	require.ErrorIs(t, err, context.Canceled)
	calls, err := os.ReadFile(called)
	require.NoError(t, err)
	_, after, _ := strings.Cut(string(calls), " up --detach\n")
	require.True(t, strings.HasPrefix(after, "interrupted\nps --all --quiet --no-trunc --filter label=com.docker.compose.project=deliverybench-"), after)
}

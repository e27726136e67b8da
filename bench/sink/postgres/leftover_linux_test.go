package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/process"
	"deliverybench/bench/scratch"
	"deliverybench/bench/sink/postgres"
)

// owner is the verb under which this binary starts a server in its first
// argument, with its log in its second, says which processes that has, and
// waits for its end.
const owner = "role-owner"

func TestMain(m *testing.M) {
	if len(os.Args) != 4 || os.Args[1] != owner {
		os.Exit(m.Run())
	}
	spawner := process.NewSpawner(os.Args[0])
	s, err := postgres.Start(context.Background(), postgres.Options{Spawner: spawner, Getenv: os.Getenv, Scratch: os.Args[2:3], Logs: os.Args[3]})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.PIDs())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// A program that is killed takes its server along, with all its processes and
// its shared memory; the next one removes its data.
func TestAKilledProgramTakesItsServerAlong(t *testing.T) {
	before := segments(t)
	parent := enterable(t)
	program := exec.CommandContext(t.Context(), os.Args[0], owner, parent, t.TempDir())
	program.Stderr = t.Output()
	_, err := program.StdinPipe()
	require.NoError(t, err)
	stdout, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, program.Process.Kill())
	require.Error(t, program.Wait())

	pids := strings.Fields(strings.Trim(line, "[]\n"))
	require.Greater(t, len(pids), 5)
	for _, text := range pids {
		pid, err := strconv.Atoi(text)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return !postgres.Alive(pid) }, within, 10*time.Millisecond, "process %d", pid)
	}
	require.Equal(t, before, segments(t), "shared memory")
	left, err := filepath.Glob(filepath.Join(parent, "deliverybench-*"))
	require.NoError(t, err)
	require.Len(t, left, 1)
	removed, err := scratch.CleanStale([]string{parent})
	require.NoError(t, err)
	require.Equal(t, left, removed)
	entries, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// A server that was killed and is not started again leaves nothing either.
func TestAKilledServerLeavesNothing(t *testing.T) {
	before := segments(t)
	s := started(t, options(t))
	pids := s.PIDs()
	require.NoError(t, s.Kill(t.Context()))
	for _, pid := range pids {
		require.False(t, postgres.Alive(pid), "process %d", pid)
	}
	require.NoError(t, s.Close())
	require.NoDirExists(t, s.Dir())
	require.Equal(t, before, segments(t))
}

// segments is the machine's shared memory of PostgreSQL's user: System V's, and POSIX's by name.
func segments(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("/proc/sysvipc/shm")
	require.NoError(t, err)
	var all []string
	for line := range strings.Lines(string(text)) {
		// The seventh column is how many processes are attached: what is in use is another's.
		if fields := strings.Fields(line); len(fields) > 6 && fields[6] == "0" {
			all = append(all, fields[1])
		}
	}
	named, err := filepath.Glob("/dev/shm/PostgreSQL.*")
	require.NoError(t, err)
	return append(all, named...)
}

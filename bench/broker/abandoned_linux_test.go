package broker_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"deliverybench/bench/scratch"
)

// A program that is killed takes its cluster along; where the kernel does not
// see to that, the broker is found and ended with its folder.
func TestAKilledProgramTakesItsClusterAlong(t *testing.T) {
	o := options(t, 1)
	kept, removeKept, err := scratch.New(o.Scratch, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, removeKept()) }()

	self, err := os.Executable()
	require.NoError(t, err)
	owner := exec.CommandContext(t.Context(), self, localOwner, o.Scratch[0], o.Logs)
	owner.Env = append(os.Environ(), "KAFKA_HOME="+filepath.Dir(jars(t)))
	owner.Stderr = t.Output()
	_, err = owner.StdinPipe()
	require.NoError(t, err)
	stdout, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)

	c := cluster{options: o}
	pid := c.pid(t, 1)
	ended := endOf(t, pid)
	require.NoError(t, owner.Process.Kill())
	require.Error(t, owner.Wait())
	ended()

	notes, err := filepath.Glob(filepath.Join(o.Scratch[0], "deliverybench-*", "node-1.pid"))
	require.NoError(t, err)
	abandoned := filepath.Dir(notes[0])
	orphan := exec.CommandContext(t.Context(), "java", "-cp", filepath.Join(jars(t), "*"), "kafka.Kafka", filepath.Join(abandoned, "node-1", "server.properties"))
	require.NoError(t, orphan.Start())
	require.NoError(t, scratch.Runs(abandoned, "node-1", orphan.Process.Pid))
	gone := make(chan error, 1)
	go func() { gone <- orphan.Wait() }()
	removed, err := scratch.CleanStale(o.Scratch)
	require.NoError(t, err)
	require.Equal(t, []string{abandoned}, removed)
	require.EqualError(t, <-gone, "signal: killed")
	require.NoDirExists(t, abandoned)
	require.DirExists(t, kept)
}

// endOf returns a wait for the end of a process that is not this one's child.
func endOf(t *testing.T, pid int) (await func()) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	require.NoError(t, err)
	t.Cleanup(func() { // what the kernel let live
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		_ = unix.Close(fd)
	})
	return func() {
		t.Helper()
		n, err := 0, error(unix.EINTR)
		for err == unix.EINTR { // a pid descriptor can be read once its process has ended
			n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(within.Milliseconds()))
		}
		require.NoError(t, err)
		require.Equal(t, 1, n, "waited %s for process %d to end", within, pid)
	}
}

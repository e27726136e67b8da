package latency_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/latency"
)

// logFile makes the test binary log to this file until it is killed.
const logFile = "LATENCY_TEST_LOG_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(logFile); path != "" {
		if err := logUntilKilled(path, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// announcer says a line for every Write that reached the file.
type announcer struct {
	file io.Writer
	out  io.Writer
}

func (a announcer) Write(p []byte) (int, error) {
	n, err := a.file.Write(p)
	fmt.Fprintln(a.out, "written")
	return n, err
}

// logUntilKilled records ten latencies per interval for ever.
func logUntilKilled(path string, out io.Writer) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	writer, err := latency.NewLogWriter(announcer{file: file, out: out}, grid, started)
	if err != nil {
		return err
	}
	role, err := writer.Role("ack")
	if err != nil {
		return err
	}
	for index := int64(0); ; index++ {
		for range 10 {
			role.Record(at(index), 1_000_000)
		}
	}
}

// A killed process's log holds every interval whose Write returned, whole.
func TestAKilledProcessLeavesItsIntervals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "killed.hlog")
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), logFile+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	const written = 50 // after the header
	for range 1 + written {
		require.True(t, lines.Scan(), "the process ended before it was killed")
	}
	require.NoError(t, child.Process.Kill())
	for lines.Scan() { // until its end of the pipe is closed, so that it is gone
	}
	require.ErrorContains(t, child.Wait(), "killed")

	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	log, err := latency.ReadLog(file)
	require.NoError(t, err)
	intervals := log.Intervals("ack")
	require.GreaterOrEqual(t, len(intervals), written)
	for i, interval := range intervals {
		require.Equal(t, int64(i), interval.Index)
		require.Equal(t, int64(10), interval.Count())
	}
}

package scratch_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"deliverybench/bench/scratch"
)

// The verbs under which the test binary is another program.
const (
	owner  = "role-owner"  // makes a folder under its argument, says where, notes the process named, waits
	tenant = "role-tenant" // runs in the folder that its argument lies in
)

func TestMain(m *testing.M) {
	if len(os.Args) < 3 || !strings.HasPrefix(os.Args[1], "role-") {
		os.Exit(m.Run())
	}
	if os.Args[1] == owner {
		if err := own(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// own makes a folder and starts a child that outlives this process.
func own(parent string) error {
	dir, _, err := scratch.New([]string{parent}, 1<<16)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "something"), nil, 0o600); err != nil {
		return err
	}
	child := exec.Command("cat") // ends with the pipe that the test holds
	child.Stdin = os.Stdin
	if err := child.Start(); err != nil {
		return err
	}
	fmt.Println(dir)
	return nil
}

// role starts this binary in a role; it ends when the test does.
func role(t *testing.T, verb, arg string) (command *exec.Cmd, stdout *bufio.Reader) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	command = exec.CommandContext(t.Context(), self, verb, arg)
	command.Stderr = t.Output()
	_, err = command.StdinPipe()
	require.NoError(t, err)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	return command, bufio.NewReader(output)
}

// owned is a folder under the parent that another program owns.
func owned(t *testing.T, parent string) (dir string, by *exec.Cmd) {
	t.Helper()
	by, stdout := role(t, owner, parent)
	line, err := stdout.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line), by
}

func kill(t *testing.T, command *exec.Cmd) {
	t.Helper()
	require.NoError(t, command.Process.Kill())
	require.Error(t, command.Wait())
}

// The folder of a killed owner is removed, though a child of it lives; one
// whose owner lives is not, nor anything that only looks like one.
func TestCleanStale(t *testing.T) {
	parent := t.TempDir()
	kept, remove, err := scratch.New([]string{filepath.Join(parent, "missing"), parent}, 1<<16)
	require.NoError(t, err)
	for _, name := range []string{"deliverybench-1", "deliverybench-2", "deliverybench-src", "other-3"} {
		require.NoError(t, os.Mkdir(filepath.Join(parent, name), 0o700))
	}
	require.NoError(t, os.WriteFile(filepath.Join(parent, "deliverybench-2", "owner"), []byte("mine\n"), 0o600))
	require.NoError(t, os.Symlink(kept, filepath.Join(parent, "deliverybench-4")))
	stale, by := owned(t, parent)

	removed, err := scratch.CleanStale([]string{parent, filepath.Join(parent, "missing")})
	require.NoError(t, err)
	require.Empty(t, removed, "both owners live")
	require.FileExists(t, filepath.Join(stale, "something"))

	kill(t, by)
	removed, err = scratch.CleanStale([]string{parent})
	require.NoError(t, err)
	require.Equal(t, []string{stale}, removed)
	require.NoDirExists(t, stale)
	require.DirExists(t, kept)

	require.NoError(t, remove())
	require.NoError(t, remove(), "a second time does nothing")
	require.NoDirExists(t, kept)
	entries, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Len(t, entries, 5)
}

// What runs in a stale folder ends with it. A process id that was noted there
// but is another's by now proves nothing.
func TestCleanStaleEndsWhatRunsInTheFolder(t *testing.T) {
	parent := t.TempDir()
	dir, by := owned(t, parent)
	inside, _ := role(t, tenant, filepath.Join(dir, "node-1", "config"))
	outside, _ := role(t, tenant, filepath.Join(dir+"0", "config"))
	require.NoError(t, scratch.Runs(dir, "node-1", os.Getpid()))
	require.NoError(t, scratch.Runs(dir, "node-1", inside.Process.Pid))
	require.NoError(t, scratch.Runs(dir, "node-2", outside.Process.Pid))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "garbled.pid"), []byte("-1"), 0o600))
	ended := make(chan error, 1)
	go func() { ended <- inside.Wait() }()

	removed, err := scratch.CleanStale([]string{parent})
	require.NoError(t, err)
	require.Empty(t, removed, "its owner lives")
	require.NoError(t, inside.Process.Signal(unix.Signal(0)))

	kill(t, by)
	removed, err = scratch.CleanStale([]string{parent})
	require.NoError(t, err)
	require.Equal(t, []string{dir}, removed)
	require.EqualError(t, <-ended, "signal: killed")
	require.NoError(t, outside.Process.Signal(unix.Signal(0)), "a process of another folder lives")
	kill(t, outside)
}

func TestRunsSaysWhatItCannotNote(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	require.ErrorContains(t, scratch.Runs(dir, "node-1", 1), "note what runs in "+dir+": ")
}

// The first parent with room is taken; without one each says why.
func TestRoom(t *testing.T) {
	parent := t.TempDir()
	missing := filepath.Join(parent, "missing")
	_, _, err := scratch.New([]string{parent, missing}, 1<<60)
	require.ErrorContains(t, err, "no folder has room for "+strconv.Itoa(1<<40)+".0 MiB: "+parent+" has ")
	require.ErrorContains(t, err, " MiB free; free space of "+missing+": no such file or directory")
	require.NotContains(t, err.Error(), "\n")
	entries, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Empty(t, entries)
}

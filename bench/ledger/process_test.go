package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// roleVariable makes the test binary play another process of a trial.
const roleVariable = "LEDGER_TEST_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	play, ok := map[string]func(args []string) error{
		"mark":  markAndDie,
		"fill":  fillUp,
		"owner": ownWorkspace,
	}[role]
	err := errors.New("no such role: " + role)
	if ok {
		err = play(strings.Split(os.Getenv(roleVariable+"_ARGS"), ","))
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1) // a role ends by a signal, or it failed
}

// process returns this binary in the role, not started.
func process(t *testing.T, role string, args ...string) *exec.Cmd {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, roleVariable+"_ARGS="+strings.Join(args, ","))
	cmd.Stderr = t.Output()
	return cmd
}

// requireSignal runs the process and requires that the signal ended it.
func requireSignal(t *testing.T, cmd *exec.Cmd, want syscall.Signal) {
	err := cmd.Run()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	status := exit.Sys().(syscall.WaitStatus)
	require.True(t, status.Signaled(), "ended by itself: %v", err)
	require.Equal(t, want, status.Signal())
}

// markAndDie is a producer and a consumer that write every kind of mark and
// are killed with nothing closed. Its arguments are the directory, the
// incarnation, and how many messages it begins.
func markAndDie(args []string) error {
	dir := args[0]
	incarnation, _ := strconv.Atoi(args[1])
	messages, _ := strconv.ParseInt(args[2], 10, 64)
	o, err := OpenOutcomes(dir, 1)
	if err != nil {
		return err
	}
	e, err := OpenEffects(dir, 0, incarnation)
	if err != nil {
		return err
	}
	mark, err := OpenMark(dir, fmt.Sprintf("mid-batch.%d", incarnation))
	if err != nil {
		return err
	}
	l, err := ReadLayout(dir)
	if err != nil {
		return err
	}
	first := o.Next()
	for seq := first; seq < first+messages; seq++ {
		o.Begin(seq)
		if seq != first+messages-1 { // the last report never arrives
			o.Acked(seq)
		}
		index, _ := l.Index(1, seq)
		e.Mark(index)
	}
	mark.Fired(int64(incarnation) * 1e9)
	return unix.Kill(os.Getpid(), unix.SIGKILL)
}

// Two incarnations are killed; everything that they marked is in the files,
// the second goes on where the first stopped, and their planes add up.
func TestMarksSurviveSIGKILL(t *testing.T) {
	const each = 5000
	tr := newTrial(t, Layout{Producers: 2, Capacity: 20000})
	require.NoError(t, tr.outcomes[1].Close())
	for incarnation := 1; incarnation <= 2; incarnation++ {
		name := fmt.Sprintf("mid-batch.%d", incarnation)
		_, fired, err := ReadMark(tr.dir, name)
		require.NoError(t, err)
		require.False(t, fired)

		requireSignal(t, process(t, "mark", tr.dir, strconv.Itoa(incarnation), strconv.Itoa(each)), syscall.SIGKILL)

		nanos, fired, err := ReadMark(tr.dir, name)
		require.NoError(t, err)
		require.True(t, fired)
		require.EqualValues(t, incarnation*1e9, nanos)
	}
	begun, err := Begun(tr.dir)
	require.NoError(t, err)
	require.Equal(t, []int64{0, 2 * each}, begun)
	for seq := range int64(2 * each) {
		tr.copy(20000+seq, 0, true, false)
	}
	tr.effects(1, 0, 20000+7) // a third process did one again
	v := tr.settle(consume(begun...))
	require.Equal(t, map[string]int64{
		"acked/present/processed":   2*each - 2,
		"unknown/present/processed": 2,
	}, sparse(v.Table))
	require.EqualValues(t, 2*each+1, v.Executions)
	require.Equal(t, Dups{Total: 1, Redelivered: 1}, v.Duplicates)
}

// A plane has one writer: a second one is refused, not merged into a mess.
func TestOneWriterPerPlane(t *testing.T) {
	tr := newTrial(t, Layout{Producers: 1, Capacity: 10})
	_, err := OpenOutcomes(tr.dir, 0)
	require.ErrorContains(t, err, "another process has it open")
	require.NoError(t, tr.outcomes[0].Close())
	again, err := OpenOutcomes(tr.dir, 0)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

// fillUp stores into a plane on a file system that has no room for it.
func fillUp(args []string) error {
	l, err := ReadLayout(args[0])
	if err != nil {
		return err
	}
	e, err := OpenEffects(args[0], 0, 0)
	if err != nil {
		return err
	}
	for i := range l.Messages() {
		e.Mark(i)
	}
	return errors.New("every store succeeded")
}

// tinyFileSystem returns a directory with a known lack of room: a tmpfs of 1
// MiB where mounting is allowed, else the temporary directory as it is.
func tinyFileSystem(t *testing.T) (dir string, mounted bool) {
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Logf("mount: %v", err)
		return dir, false
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, 0)) })
	return dir, true
}

// Without room, Check says so beforehand; a writer that goes ahead all the
// same dies loudly instead of dropping marks.
func TestNoRoom(t *testing.T) {
	dir, mounted := tinyFileSystem(t)
	l := Layout{Producers: 1, Capacity: 8 << 20}
	require.NoError(t, Check(dir, 4096))
	err := Check(dir, 1<<60)
	require.ErrorContains(t, err, "free some, or send fewer messages")
	require.NotContains(t, err.Error(), "\n")
	_, _, err = NewWorkspace([]string{dir, filepath.Join(dir, "missing")}, 1<<60)
	require.ErrorContains(t, err, "no directory has room for")
	if !mounted {
		return
	}
	require.ErrorContains(t, Check(dir, l.Bytes(0, 1)), "1.0 MiB free and the ledger needs 48.")
	require.NoError(t, Create(dir, l))
	cmd := process(t, "fill", dir)
	cmd.Stderr = nil
	text, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(text), "SIGBUS")
}

// ownWorkspace creates a workspace, starts a child that outlives it, says
// where both are and waits for its end.
func ownWorkspace(args []string) error {
	dir, _, err := NewWorkspace(args, 1<<16)
	if err != nil {
		return err
	}
	if err := Create(dir, Layout{Producers: 1, Capacity: 1}); err != nil {
		return err
	}
	child := exec.Command("cat") // ends with the pipe that the test holds
	child.Stdin = os.Stdin
	if err := child.Start(); err != nil {
		return err
	}
	fmt.Println(dir)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	<-stop
	return nil
}

// The workspace of a killed owner is removed, though a child of it lives; one
// whose owner lives is not, nor anything that only looks like one.
func TestCleanStale(t *testing.T) {
	parent := t.TempDir()
	kept, cleanup, err := NewWorkspace([]string{filepath.Join(parent, "missing"), parent}, 1<<16)
	require.NoError(t, err)
	for _, name := range []string{"deliverybench-1", "deliverybench-2", "deliverybench-src", "other-3"} {
		require.NoError(t, os.Mkdir(filepath.Join(parent, name), 0o700))
	}
	require.NoError(t, os.WriteFile(filepath.Join(parent, "deliverybench-2", ownerFile), []byte("mine\n"), 0o600))
	require.NoError(t, os.Symlink(kept, filepath.Join(parent, "deliverybench-4")))

	owner := process(t, "owner", parent)
	keepChild, err := owner.StdinPipe()
	require.NoError(t, err)
	stdout, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	stale := strings.TrimSpace(line)

	removed, err := CleanStale([]string{parent, filepath.Join(parent, "missing")})
	require.NoError(t, err)
	require.Empty(t, removed, "both owners live")
	require.FileExists(t, filepath.Join(stale, layoutFile))

	require.NoError(t, owner.Process.Kill())
	_, err = io.Copy(io.Discard, stdout)
	require.NoError(t, err)
	require.Error(t, owner.Wait())
	removed, err = CleanStale([]string{parent})
	require.NoError(t, err)
	require.Equal(t, []string{stale}, removed)
	require.NoDirExists(t, stale)
	require.DirExists(t, kept)
	_ = keepChild.Close()

	require.NoError(t, cleanup())
	require.NoError(t, cleanup(), "a second time does nothing")
	require.NoDirExists(t, kept)
	entries, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Len(t, entries, 5)
}

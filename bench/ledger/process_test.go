package ledger

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
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
		"mark": markAndDie,
		"fill": fillUp,
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

// A writer that has no room dies loudly instead of dropping marks.
func TestNoRoom(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("needs a file system of its own: mount: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, 0)) })
	l := Layout{Producers: 1, Capacity: 8 << 20}
	require.NoError(t, Create(dir, l))
	cmd := process(t, "fill", dir)
	cmd.Stderr = nil
	text, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(text), "SIGBUS")
}

package process_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/process"
)

// The verbs under which the test binary is a child.
const (
	echo     = "child-echo"     // answers each line; exits with its input
	deaf     = "child-deaf"     // never reads its input again, ignores its end
	chatter  = "child-chatter"  // writes far more than anyone reads
	panicky  = "child-panic"    // panics
	refusing = "child-refusing" // logs a reason and exits with 1
	parent   = "child-parent"   // starts a deaf child, tells its id, waits
	host     = "child-host"     // the same with a deaf program
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && strings.HasPrefix(os.Args[1], "child-") {
		os.Exit(child(os.Args[1]))
	}
	// A race detector's process sleeps for a second when it ends; there are many.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	os.Exit(m.Run())
}

func child(verb string) int {
	input := bufio.NewScanner(os.Stdin)
	input.Scan() // the specification
	switch verb {
	case echo:
		fmt.Println(input.Text())
		for input.Scan() {
			fmt.Println(input.Text())
		}
	case deaf:
		fmt.Println(`"ready"`)
		select {}
	case chatter:
		for range 10_000 {
			fmt.Println(strings.Repeat("x", 100))
		}
	case panicky:
		fmt.Fprintln(os.Stderr, "about to panic")
		panic("no more")
	case refusing:
		fmt.Fprintln(os.Stderr, "first\nthe disk is on fire")
		return 1
	case parent, host:
		pid, err := grandchild(verb)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(pid)
		_, _ = io.Copy(io.Discard, os.Stdin)
		select {}
	}
	return 0
}

func grandchild(of string) (pid int, err error) {
	self, _ := os.Executable()
	s := process.NewSpawner(self)
	if of == host {
		p, err := s.StartProgram("grandchild", exec.Command(self, deaf), os.DevNull)
		if err != nil {
			return 0, err
		}
		return p.PID(), nil
	}
	p, err := s.Start("grandchild", deaf, nil, os.DevNull)
	if err != nil {
		return 0, err
	}
	<-p.Lines()
	return p.PID(), nil
}

// within bounds a wait that should be over at once on any machine.
const within = 30 * time.Second

func await[T any](t *testing.T, c <-chan T, what string) (got T) {
	t.Helper()
	select {
	case got = <-c:
	case <-time.After(within):
		require.FailNow(t, "waited "+within.String()+" for "+what)
	}
	return got
}

func spawner(t *testing.T) *process.Spawner {
	self, err := os.Executable()
	require.NoError(t, err)
	s := process.NewSpawner(self)
	t.Cleanup(s.Close)
	return s
}

func start(t *testing.T, s *process.Spawner, verb string, specification any) *process.Process {
	t.Helper()
	p, err := s.Start("the "+verb, verb, specification, filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	return p
}

func TestSpecificationCommandsAndEnd(t *testing.T) {
	p := start(t, spawner(t), echo, map[string]int{"a": 1})
	require.JSONEq(t, `{"a":1}`, string(await(t, p.Lines(), "the specification")))
	require.NoError(t, p.Send([]string{"line\nbreak", "ü"}))
	var got []string
	require.NoError(t, json.Unmarshal(await(t, p.Lines(), "the command"), &got))
	require.Equal(t, []string{"line\nbreak", "ü"}, got)
	p.Close(within)
	require.Equal(t, 0, exitCode(p))
	_, open := <-p.Lines()
	require.False(t, open, "lines are closed after the end")
	require.Error(t, p.Send(1), "it has ended")
	require.NoError(t, p.Signal(syscall.SIGSTOP), "a signal to one that has ended does nothing")
	p.Close(within) // again: nothing
	p.Kill()
}

func exitCode(p *process.Process) int {
	var failed *exec.ExitError
	switch err := p.Exit().Err; {
	case err == nil:
		return 0
	case errors.As(err, &failed):
		return failed.ExitCode()
	default:
		return -2
	}
}

func TestPatienceEndsWithSIGKILL(t *testing.T) {
	for name, before := range map[string]func(*process.Process){
		"deaf":   func(*process.Process) {},
		"frozen": func(p *process.Process) { _ = p.Signal(syscall.SIGSTOP) },
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, spawner(t), deaf, nil)
			await(t, p.Lines(), "the child")
			before(p)
			p.Close(10 * time.Millisecond)
			require.True(t, p.Exit().Killed)
		})
	}
}

// A child that does not read fills its input: the sender waits inside Send, and
// Close must end both.
func TestCloseWhileASendWaitsForRoom(t *testing.T) {
	p := start(t, spawner(t), deaf, nil)
	await(t, p.Lines(), "the child")
	sent := make(chan error, 1)
	go func() { sent <- p.Send(strings.Repeat("x", 1<<20)) }()
	p.Close(10 * time.Millisecond)
	require.Error(t, await(t, sent, "the waiting Send"))
	require.True(t, p.Exit().Killed)
}

func TestCloseWithoutAReader(t *testing.T) {
	p := start(t, spawner(t), chatter, nil)
	p.Close(within)
	require.Equal(t, 0, exitCode(p))
}

// Whoever reads the lines gets all of them, those of the ending child too.
func TestEndLosesNoLine(t *testing.T) {
	p := start(t, spawner(t), chatter, nil)
	lines := make(chan int, 1)
	go func() {
		n := 0
		for range p.Lines() {
			n++
		}
		lines <- n
	}()
	p.End(within)
	require.Equal(t, 10_000, await(t, lines, "the last line"))
	require.Equal(t, 0, exitCode(p))
}

func TestLogAndLastWords(t *testing.T) {
	p := start(t, spawner(t), refusing, nil)
	await(t, p.Done(), "the end")
	require.Equal(t, 1, exitCode(p))
	require.False(t, p.Exit().Killed)
	require.Equal(t, "the disk is on fire", p.LastWords())
	require.Equal(t, "first\nthe disk is on fire", p.LogTail(20))
	require.Equal(t, "the disk is on fire", p.LogTail(1))
	p = start(t, spawner(t), panicky, nil)
	await(t, p.Done(), "the end")
	require.Equal(t, "panic: no more", p.LastWords(), "not the last line of the stack")
}

func TestALongLogIsReadFromItsEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("noise\n", 1<<19)), 0o600))
	p, err := spawner(t).Start("it", refusing, nil, path)
	require.NoError(t, err)
	await(t, p.Done(), "the end")
	require.Equal(t, "first\nthe disk is on fire", p.LogTail(2))
}

func TestStartFailures(t *testing.T) {
	s := spawner(t)
	_, err := s.Start("it", echo, nil, filepath.Join(t.TempDir(), "no", "log"))
	require.ErrorContains(t, err, "log of it:")
	_, err = s.Start("it", echo, func() {}, filepath.Join(t.TempDir(), "log"))
	require.ErrorContains(t, err, "start it:")
	missing := process.NewSpawner(filepath.Join(t.TempDir(), "no-program"))
	defer missing.Close()
	_, err = missing.Start("it", echo, nil, filepath.Join(t.TempDir(), "log"))
	require.ErrorContains(t, err, "start it:")
	missing.Close()
	_, err = missing.Start("it", echo, nil, filepath.Join(t.TempDir(), "log"))
	require.EqualError(t, err, "start it: the program is ending")
}

func TestClosingTheSpawnerEndsItsChildren(t *testing.T) {
	s := spawner(t)
	first, second := start(t, s, deaf, nil), start(t, s, echo, nil)
	require.NoError(t, first.Signal(syscall.SIGSTOP))
	s.Close()
	require.True(t, first.Exit().Killed)
	require.True(t, second.Exit().Killed)
	s.Close() // again: nothing
}

// Ctrl-C goes to the terminal's foreground group: children are in their own.
func TestAChildHasAGroupOfItsOwn(t *testing.T) {
	p := start(t, spawner(t), deaf, nil)
	group, err := syscall.Getpgid(p.PID())
	require.NoError(t, err)
	require.Equal(t, p.PID(), group)
}

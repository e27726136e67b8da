package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"deliverybench/bench/result"
)

// recording keeps what a process writes and lets a test wait for it.
type recording struct {
	mu      sync.Mutex
	text    bytes.Buffer
	seen    int // what await has passed
	changed chan struct{}
}

func newRecording() *recording { return &recording{changed: make(chan struct{}, 1)} }

func (r *recording) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text.Write(p)
	select {
	case r.changed <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (r *recording) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// await waits until the pattern stands behind what was awaited before.
func (r *recording) await(t *testing.T, pattern string) {
	t.Helper()
	wanted, bound := regexp.MustCompile(pattern), time.After(within)
	for {
		r.mu.Lock()
		found := wanted.FindIndex(r.text.Bytes()[r.seen:])
		if found != nil {
			r.seen += found[1]
		}
		r.mu.Unlock()
		if found != nil {
			return
		}
		select {
		case <-r.changed:
		case <-bound:
			require.FailNow(t, "waited "+within.String()+" for "+pattern, "in %q", r.String())
		}
	}
}

// running is the program as a process of its own, in a terminal.
type running struct {
	*place
	command *exec.Cmd
	// stdout is a pipe, screen all that was written to the terminal.
	stdout, screen *recording
	mark           string
	ended          chan struct{}
}

// start runs the program in a process group of its own, as a shell does.
func (p *place) start(args ...string) *running {
	p.t.Helper()
	terminal, screen := openTerminal(p.t)
	r := &running{
		place: p, command: exec.Command(p.executable, args...), stdout: newRecording(), screen: newRecording(),
		mark: "DELIVERYBENCH_TEST_MARK=" + p.out, ended: make(chan struct{}),
	}
	r.command.Env = append(os.Environ(), asProgram+"=1", r.mark, "TMPDIR="+p.temporary, "TERM=xterm")
	r.command.Stdout, r.command.Stderr = r.stdout, screen
	r.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(p.t, r.command.Start())
	p.t.Cleanup(func() { _ = r.command.Process.Kill(); <-r.ended })
	require.NoError(p.t, screen.Close())
	read := make(chan struct{})
	go func() {
		defer close(read)
		buffer := make([]byte, 4096)
		for {
			n, err := terminal.Read(buffer) // EIO once nobody writes any more
			_, _ = r.screen.Write(buffer[:n])
			if err != nil {
				return
			}
		}
	}()
	go func() {
		_ = r.command.Wait()
		<-read
		close(r.ended)
	}()
	return r
}

// openTerminal returns both sides of a terminal of 80 columns (pty(7)).
func openTerminal(t *testing.T) (outer, inner *os.File) {
	t.Helper()
	outer, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = outer.Close() })
	control, err := outer.SyscallConn()
	require.NoError(t, err)
	var number int
	require.NoError(t, control.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err != nil {
			return
		}
		if number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN); err != nil {
			return
		}
		err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})
	}))
	require.NoError(t, err)
	inner, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	return outer, inner
}

func (r *running) signal(s syscall.Signal) { require.NoError(r.t, r.command.Process.Signal(s)) }

// end waits for the program's end and returns its exit code. Nothing that it
// started is left then.
func (r *running) end() int {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(within):
		require.FailNow(r.t, "waited "+within.String()+" for the program to end", r.screen.String())
	}
	require.Empty(r.t, marked(r.mark), "processes left behind")
	return r.command.ProcessState.ExitCode()
}

// Each profile keeps a run in one phase for as long as it takes to be interrupted.
const (
	// twice has short phases: whichever follows the one that is seen is interrupted.
	twice = tiny + "repeats: 2\n"
	// warming stays in the warm-up, measuring in the window.
	warming   = "guarantee: at-least-once\nload: {rate: 1000/s, warmup: 2m, duration: 1s, message: {size: 64B}}\n"
	measuring = "guarantee: at-least-once\nload: {rate: 1000/s, warmup: 0s, duration: 2m, message: {size: 64B}}\n"
	frozen    = measuring + "scenarios: {freeze: {faults: [{freeze: broker, at: 100ms, for: 1m}]}}\n"
	// restarting waits for a killed worker's successor.
	restarting = measuring + "consumer: {session_timeout: 5m, commit: {every: 10}}\n" +
		"scenarios: {crash: {faults: [{kill: consumer, when: processed, at: 100ms, restart: 2m}]}}\n"
	relaying = "guarantee: exactly-once\npipeline: relay\nproducer: {idempotence: true}\nconsumer: {commit: {when: in-transaction, every: 50}}\n" +
		"load: {rate: 1000/s, warmup: 0s, duration: 2m, message: {size: 64B}}\n"
)

// hangup is what a closed terminal sends; under nohup(1), which the program
// respects, the tests make do with SIGTERM.
func hangup() syscall.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return syscall.SIGTERM
	}
	return syscall.SIGHUP
}

func TestInterruptedInEveryPhase(t *testing.T) {
	for _, phase := range []struct {
		name, profile string
		// stdout and screen are what shows that the phase has been reached.
		stdout, screen string
		signals        []syscall.Signal
		group          bool
		left           int // trials, at the most
		resume         bool
	}{
		{name: "before the broker is ready", profile: twice, stdout: "profile: ", left: 2, resume: true},
		{name: "creating topics", profile: twice, screen: "creating topics", left: 2},
		{name: "starting workers", profile: twice, screen: "starting workers", left: 2},
		{name: "warm-up", profile: warming, screen: `load .*sent [1-9]`, left: 1},
		{name: "measured window", profile: measuring, screen: `load .*sent [1-9]`, signals: []syscall.Signal{syscall.SIGTERM}, left: 1},
		{name: "transactions", profile: relaying, screen: `load .*processed [1-9]`, signals: []syscall.Signal{hangup()}, left: 1},
		{name: "frozen broker", profile: frozen, screen: "freeze broker .*: fired", left: 1},
		{name: "killed worker", profile: restarting, screen: "kill consumer .*: fired", left: 1},
		{name: "draining", profile: twice, screen: "draining", left: 2, resume: true},
		{name: "auditing", profile: twice, screen: "trial 2/2[^\x00]*auditing", left: 1, resume: true},
		{name: "drawing", profile: tiny, screen: "drawing charts", left: 0},
		{name: "impatient", profile: measuring, screen: `load .*sent [1-9]`, signals: []syscall.Signal{syscall.SIGINT, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT}, left: 1},
		// "go run" forwards nothing: the terminal signals the whole group, of which the children are no part.
		{name: "whole group", profile: measuring, screen: `load .*sent [1-9]`, group: true, left: 1},
	} {
		t.Run(phase.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			path := p.profile("it", phase.profile)
			r := p.start("-profile", path, "-out", p.out, "-scratch", p.scratch)
			if phase.stdout != "" {
				r.stdout.await(t, phase.stdout)
			} else {
				r.screen.await(t, phase.screen)
			}
			pid := r.command.Process.Pid
			if phase.group {
				require.NoError(t, syscall.Kill(-pid, syscall.SIGINT))
			} else if phase.signals == nil {
				r.signal(syscall.SIGINT)
			}
			for _, s := range phase.signals {
				r.signal(s)
			}
			require.Equal(t, exitInterrupted, r.end(), "%s\n%s", r.stdout, r.screen)
			p.requireNothingLeft()
			dir, run := p.run()
			requireInterrupted(t, r, run, phase.left, dir)
			if !phase.resume {
				return
			}
			again := r.start("-profile", path, "-out", p.out, "-scratch", p.scratch, "-resume", dir)
			require.Equal(t, exitMet, again.end(), again.screen)
			_, run = p.run()
			require.Equal(t, map[string]result.Status{"001": result.Completed, "002": result.Completed}, trials(run))
		})
	}
}

// requireInterrupted: the user is told what there is and how to go on, and the
// trials that had been finished are saved. A short phase may have passed, and
// with it a trial, before the signal arrived.
func requireInterrupted(t *testing.T, r *running, run *result.Run, left int, dir string) {
	t.Helper()
	completed := 0
	for _, status := range trials(run) {
		if status == result.Completed {
			completed++
		}
	}
	missing := run.Run.TrialsPlanned - completed
	require.LessOrEqual(t, missing, left)
	require.Equal(t, missing > 0, run.Run.Interrupted)
	if missing == 0 {
		require.Contains(t, r.screen.String(), "interrupted; everything was measured before and is in "+dir)
		return
	}
	require.Contains(t, r.screen.String(), fmt.Sprintf("interrupted with %s left; what was measured is in %s: the same flags and -resume %s go on with it", count(missing, "trial"), dir, dir))
}

// A capacity run that is interrupted in its search says that more is left than
// the search, and goes on to its end.
func TestInterruptedCapacity(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	path := p.profile("sleepy", sleepy)
	r := p.start("capacity", "-profile", path, "-out", p.out, "-scratch", p.scratch)
	r.screen.await(t, "search-200[^\x00]*load ")
	r.signal(syscall.SIGINT)
	require.Equal(t, exitInterrupted, r.end(), r.screen)
	p.requireNothingLeft()
	dir, run := p.run()
	require.Regexp(t, "interrupted with 1 trial of the search, and the ladder, left; what was measured is in ", r.screen.String())
	require.True(t, run.Run.Interrupted)
	again := p.start("capacity", "-profile", path, "-out", p.out, "-scratch", p.scratch, "-resume", dir)
	require.Contains(t, []int{exitNotMet, exitInconclusive}, again.end(), again.screen)
	p.requireNothingLeft()
	_, run = p.run()
	require.False(t, run.Run.Interrupted)
	require.Len(t, run.Cells[0].Trials, run.Run.TrialsPlanned)
}

// Two programs in one folder would overwrite each other's trials.
func TestResumingARunThatIsStillMeasured(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	path := p.profile("it", measuring)
	r := p.start("-profile", path, "-out", p.out, "-scratch", p.scratch)
	r.screen.await(t, `load .*sent [1-9]`)
	dir, _ := p.run()
	got := p.bench("-profile", path, "-out", p.out, "-resume", dir)
	require.Equal(t, exitUsage, got.code)
	require.Equal(t, "deliverybench: cannot resume "+dir+": another deliverybench is measuring there; wait for its end\n", got.stderr)
	r.signal(syscall.SIGINT)
	require.Equal(t, exitInterrupted, r.end(), r.screen)
}

// A program that is killed can clean up nothing: the kernel ends its children,
// and the next start removes its ledger.
func TestKilledProgram(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	path := p.profile("it", twice)
	r := p.start("-profile", path, "-out", p.out, "-scratch", p.scratch)
	r.screen.await(t, "trial 2/2[^\x00]*load ")
	children := marked(r.mark)
	delete(children, r.command.Process.Pid)
	require.NotEmpty(t, children)
	fds := descriptors(t, children)
	r.signal(syscall.SIGKILL)
	awaitEnds(t, fds)
	require.Equal(t, -1, r.end())
	stale, err := os.ReadDir(p.scratch)
	require.NoError(t, err)
	require.Len(t, stale, 1, "the killed program's ledger")
	dir, run := p.run()
	require.Equal(t, map[string]result.Status{"001": result.Completed}, trials(run))

	again := p.start("-profile", path, "-out", p.out, "-scratch", p.scratch, "-resume", dir)
	require.Equal(t, exitMet, again.end(), again.screen)
	p.requireNothingLeft()
	_, run = p.run()
	require.Equal(t, map[string]result.Status{"001": result.Completed, "002": result.Completed}, trials(run))
}

var servedBy = regexp.MustCompile(`process (\d+), serves on`)

func TestKilledBroker(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	r := p.start("-profile", p.profile("it", twice), "-out", p.out, "-scratch", p.scratch)
	r.screen.await(t, "trial 2/2[^\x00]*load ")
	logs, err := filepath.Glob(filepath.Join(p.out, "*", "broker.log"))
	require.NoError(t, err)
	require.Len(t, logs, 1)
	log, err := os.ReadFile(logs[0])
	require.NoError(t, err)
	pid, err := strconv.Atoi(string(servedBy.FindSubmatch(log)[1]))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.Equal(t, exitFailed, r.end(), r.screen)
	p.requireNothingLeft()
	screen := strings.ReplaceAll(r.screen.String(), "\r\n", "\n")
	require.Contains(t, screen, "deliverybench: the run cannot go on: the embedded broker ended (signal: killed); the last lines of its log:\n")
	require.Contains(t, screen, "serves on 127.0.0.1:")
	require.Contains(t, screen, " go on with it\n")
	require.FileExists(t, logs[0])
	dir, run := p.run()
	require.Equal(t, map[string]result.Status{"001": result.Completed, "002": result.Failed}, trials(run))
	require.FileExists(t, filepath.Join(dir, "report.html"), "what was measured before is reported")
}

// Output that nobody reads any more does not stop a run half way.
func TestAReaderThatIsGone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, reader.Close())
	command := exec.Command(p.executable, "-profile", p.profile("it", tiny), "-out", p.out, "-scratch", p.scratch)
	command.Env = append(os.Environ(), asProgram+"=1", "TMPDIR="+p.temporary)
	var stderr bytes.Buffer
	command.Stdout, command.Stderr = writer, &stderr
	err = command.Run()
	require.NoError(t, writer.Close())
	require.Error(t, err)
	require.Equal(t, exitFailed, command.ProcessState.ExitCode(), stderr.String())
	require.Contains(t, stderr.String(), "broken pipe")
	p.requireNothingLeft()
	_, run := p.run()
	require.Equal(t, map[string]result.Status{"001": result.Completed}, trials(run))
}

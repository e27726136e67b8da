package process

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Spawner starts children from one locked thread.
type Spawner struct {
	executable string
	starts     chan func()

	mu      sync.Mutex
	closed  bool
	running map[*Process]bool
}

// NewSpawner makes a Spawner that runs the given executable. It is meant to
// live as long as the program: closing it kills the children it started.
func NewSpawner(executable string) *Spawner {
	s := &Spawner{executable: executable, starts: make(chan func()), running: map[*Process]bool{}}
	go func() {
		runtime.LockOSThread() // never unlocked: Pdeathsig follows the thread
		for start := range s.starts {
			start()
		}
	}()
	return s
}

// Close kills what is left of the children, waits for their ends, and ends the
// thread. The thread's end alone would not do: the runtime keeps the main
// thread, and the goroutine may have been locked to that one. A second Close
// does nothing.
func (s *Spawner) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	close(s.starts)
	left := slices.Collect(maps.Keys(s.running))
	s.mu.Unlock()
	for _, p := range left {
		p.Kill()
	}
}

// begin starts the command from the locked thread.
func (s *Spawner) begin(p *Process) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("the program is ending")
	}
	started := make(chan error)
	s.starts <- func() { started <- p.command.Start() }
	if err := <-started; err != nil {
		return err
	}
	s.running[p] = true
	return nil
}

func (s *Spawner) ended(p *Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, p)
}

// Process is a running child.
type Process struct {
	name    string
	command *exec.Cmd
	stdin   io.WriteCloser
	lines   chan []byte
	logPath string

	sending sync.Mutex
	done    chan struct{}
	exit    Exit
}

// Exit is how a child ended and what it used.
type Exit struct {
	Err              error // nil for exit status 0
	Killed           bool  // by SIGKILL
	UserSeconds      float64
	SystemSeconds    float64
	MaxResidentBytes int64
}

// Start runs the program under a hidden verb with its specification on standard
// input; its standard error is appended to logPath.
func (s *Spawner) Start(name, verb string, specification any, logPath string) (*Process, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	defer log.Close()
	command := exec.Command(s.executable, verb)
	command.Stderr = log
	command.SysProcAttr = attributes()
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{
		name: name, command: command, stdin: stdin, logPath: logPath,
		lines: make(chan []byte, 64), done: make(chan struct{}),
	}
	if err := s.begin(p); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.read(stdout)
		s.ended(p)
	}()
	if err := p.Send(specification); err != nil {
		p.Kill()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// read hands on the child's lines, then collects its exit.
func (p *Process) read(stdout io.Reader) {
	scanner := bufio.NewScanner(stdout)
	scanner.Buffer(make([]byte, 0, 64<<10), 16<<20)
	for scanner.Scan() {
		p.lines <- bytes.Clone(scanner.Bytes())
	}
	_, _ = io.Copy(io.Discard, stdout)
	err := p.command.Wait()
	p.exit = exitOf(err, p.command.ProcessState)
	close(p.done)
	close(p.lines)
}

func exitOf(err error, state *os.ProcessState) Exit {
	exit := Exit{Err: err}
	if state == nil {
		return exit
	}
	exit.UserSeconds = state.UserTime().Seconds()
	exit.SystemSeconds = state.SystemTime().Seconds()
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		exit.MaxResidentBytes = usage.Maxrss * residentUnit
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok {
		exit.Killed = status.Signaled() && status.Signal() == syscall.SIGKILL
	}
	return exit
}

// Name is what messages call the child.
func (p *Process) Name() string { return p.name }

// PID is the child's process id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Lines are what the child says; closed after its end. They must be read.
func (p *Process) Lines() <-chan []byte { return p.lines }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit is how it ended; valid once Done is closed.
func (p *Process) Exit() Exit { return p.exit }

// Send writes a value as one JSON line to the child.
func (p *Process) Send(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("command for %s: %w", p.name, err)
	}
	p.sending.Lock()
	defer p.sending.Unlock()
	if _, err := p.stdin.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("command for %s: %w", p.name, err)
	}
	return nil
}

// Signal sends a signal; to a child that has ended it does nothing.
func (p *Process) Signal(signal syscall.Signal) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s to %s: %w", signal, p.name, err)
	}
	return nil
}

// Kill ends the child with SIGKILL and waits for its end.
func (p *Process) Kill() {
	_ = p.Signal(syscall.SIGKILL)
	p.drain()
}

// Close ends the child's input, which asks it to exit, and kills it when it has
// not done so within the patience given. What the child still says is dropped.
func (p *Process) Close(patience time.Duration) {
	defer p.dismiss(patience).Stop()
	p.drain()
}

// End is Close for a child whose lines somebody reads until they end: its last
// words reach the reader.
func (p *Process) End(patience time.Duration) {
	defer p.dismiss(patience).Stop()
	<-p.done
}

// dismiss ends the child's input; the timer kills it.
func (p *Process) dismiss(patience time.Duration) *time.Timer {
	// The timer first: a frozen child does not empty its input, and a Send that
	// waits for room holds the lock until the child is killed.
	timer := time.AfterFunc(patience, func() { _ = p.Signal(syscall.SIGKILL) })
	p.sending.Lock()
	_ = p.stdin.Close()
	p.sending.Unlock()
	return timer
}

// drain waits for the end and makes room for lines that nobody reads any more.
func (p *Process) drain() {
	for {
		select {
		case <-p.done:
			return
		case <-p.lines:
		}
	}
}

// LastWords is the line of the child's log that says why it ended: a panic or
// fatal error of the Go runtime, else the last line.
func (p *Process) LastWords() string {
	lines := strings.Split(p.LogTail(10000), "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") || strings.HasPrefix(line, "SIG") {
			return line
		}
	}
	return lines[len(lines)-1]
}

// mostLogTail bounds how much of a log is read for a message, bytes.
const mostLogTail = 1 << 20

// LogTail returns the last lines of the child's log, for an error message.
func (p *Process) LogTail(lines int) string {
	log, err := os.Open(p.logPath)
	if err != nil {
		return ""
	}
	defer log.Close()
	if info, err := log.Stat(); err == nil && info.Size() > mostLogTail {
		_, _ = log.Seek(-mostLogTail, io.SeekEnd)
	}
	data, _ := io.ReadAll(io.LimitReader(log, mostLogTail))
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

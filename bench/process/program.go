package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Program is a running program.
type Program struct {
	name    string
	command *exec.Cmd
	logPath string

	done chan struct{}
	exit Exit
}

// Exit is how a program ended and what it used.
type Exit struct {
	Err              error // nil for exit status 0
	Killed           bool  // by SIGKILL
	UserSeconds      float64
	SystemSeconds    float64
	MaxResidentBytes int64
}

// StartProgram starts another program's command. It has no input; what it
// writes to either output is appended to logPath.
func (s *Spawner) StartProgram(name string, command *exec.Cmd, logPath string) (*Program, error) {
	log, err := openLog(name, logPath)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	p := newProgram(name, command, logPath)
	if err := s.begin(command, p); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.await()
		s.ended(p)
	}()
	return p, nil
}

func newProgram(name string, command *exec.Cmd, logPath string) *Program {
	return &Program{name: name, command: command, logPath: logPath, done: make(chan struct{})}
}

func openLog(name, path string) (*os.File, error) {
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	return log, nil
}

// await collects the program's exit.
func (p *Program) await() {
	err := p.command.Wait()
	p.exit = exitOf(err, p.command.ProcessState)
	close(p.done)
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

// Name is what messages call it.
func (p *Program) Name() string { return p.name }

// PID is the program's process id.
func (p *Program) PID() int { return p.command.Process.Pid }

// Done is closed when the program has ended.
func (p *Program) Done() <-chan struct{} { return p.done }

// Exit is how it ended; valid once Done is closed.
func (p *Program) Exit() Exit { return p.exit }

// Ended reports whether the program has ended.
func (p *Program) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Ending says how a program that has ended did so, with the end of its log.
func (p *Program) Ending() error {
	how := p.exit.Err
	if how == nil {
		how = errors.New("exit status 0")
	}
	return fmt.Errorf("%s ended (%w); %s", p.name, how, p.LastLines())
}

// Signal sends a signal; to a program that has ended it does nothing.
func (p *Program) Signal(signal syscall.Signal) error {
	if p.Ended() {
		return nil
	}
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s to %s: %w", signal, p.name, err)
	}
	return nil
}

// Kill ends the program with SIGKILL and waits for its end.
func (p *Program) Kill() {
	_ = p.Signal(syscall.SIGKILL)
	<-p.done
}

// LastWords is the line of the program's log that says why it ended: a panic or
// fatal error of the Go runtime, else the last line.
func (p *Program) LastWords() string {
	lines := strings.Split(p.LogTail(10000), "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") || strings.HasPrefix(line, "SIG") {
			return line
		}
	}
	return lines[len(lines)-1]
}

// LastLines is the end of the program's log, for an error message.
func (p *Program) LastLines() string {
	if tail := p.LogTail(20); tail != "" {
		return "the last lines of its log:\n" + tail
	}
	return "its log is empty"
}

// mostLogTail bounds how much of a log is read for a message, bytes.
const mostLogTail = 1 << 20

// LogTail returns the last lines of the program's log, for an error message.
func (p *Program) LogTail(lines int) string {
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

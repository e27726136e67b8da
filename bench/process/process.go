package process

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Process is a running child: a program that is told what to do and tells how
// it goes.
type Process struct {
	*Program
	stdin io.WriteCloser
	lines chan []byte

	sending sync.Mutex
}

// Start runs the program under a hidden verb with its specification on standard
// input; its standard error is appended to logPath.
func (s *Spawner) Start(name, verb string, specification any, logPath string) (*Process, error) {
	log, err := openLog(name, logPath)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command := exec.Command(s.executable, verb)
	command.Stderr = log
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{Program: newProgram(name, command, logPath), stdin: stdin, lines: make(chan []byte, 64)}
	if err := s.begin(command, p); err != nil {
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
	p.await()
	close(p.lines)
}

// Lines are what the child says; closed after its end. They must be read.
func (p *Process) Lines() <-chan []byte { return p.lines }

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

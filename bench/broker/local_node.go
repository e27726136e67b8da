package broker

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"time"

	"deliverybench/bench/process"
	"deliverybench/bench/scratch"
)

// endWithin bounds the wait for a node's process to end. A controlled shutdown
// moves the leaders away first; without a controller it waits for one.
const endWithin = 60 * time.Second

// localNode is one broker process, which is a controller too.
type localNode struct {
	id      int
	kafka   kafka
	spawner *process.Spawner
	parent  string // the cluster's folder
	folder  string // this node's, in it
	logPath string
	users   []string // arguments of the storage tool
	heapMiB int

	mu      sync.Mutex
	program *process.Program // the last that was started
	asked   bool             // it ends, or has, because somebody wanted it to
	closed  bool
	before  float64 // processor seconds of the programs before it
}

func (n *localNode) name() string { return fmt.Sprintf("node %d", n.id) }

// ID is the node's number in the cluster's metadata.
func (n *localNode) ID() int32 { return int32(n.id) }

func (n *localNode) current() *process.Program {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.program
}

// Running reports whether its process is there, frozen or not.
func (n *localNode) Running() bool {
	p := n.current()
	return p != nil && !p.Ended()
}

// Freeze stops the process, Thaw continues it.
func (n *localNode) Freeze() error { return n.current().Signal(syscall.SIGSTOP) }
func (n *localNode) Thaw() error   { return n.current().Signal(syscall.SIGCONT) }

// Kill ends the process by SIGKILL.
func (n *localNode) Kill(ctx context.Context) error { return n.end(ctx, syscall.SIGKILL) }

// Stop asks it for a controlled shutdown.
func (n *localNode) Stop(ctx context.Context) error { return n.end(ctx, syscall.SIGTERM) }

func (n *localNode) end(ctx context.Context, by syscall.Signal) error {
	n.mu.Lock()
	n.asked = true // before the signal: the end is no surprise
	p := n.program
	n.mu.Unlock()
	if err := p.Signal(by); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, endWithin, fmt.Errorf("%s are over", endWithin))
	defer cancel()
	select {
	case <-p.Done():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waited for %s to end after %s: %w; %s", n.name(), by, context.Cause(ctx), p.LastLines())
	}
}

// Start starts the node, for the first time or again, on its data and ports.
func (n *localNode) Start(context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.closed:
		return fmt.Errorf("start %s: its cluster was closed", n.name())
	case n.program != nil && !n.program.Ended():
		return fmt.Errorf("start %s: it runs", n.name())
	}
	p, err := n.spawner.StartProgram(n.name(), n.kafka.server(n.folder, n.heapMiB), n.logPath)
	if err != nil {
		return err
	}
	if err := scratch.Runs(n.parent, fmt.Sprintf("node-%d", n.id), p.PID()); err != nil {
		p.Kill()
		return err
	}
	if n.program != nil {
		n.before += secondsOf(n.program)
	}
	n.program, n.asked = p, false
	return nil
}

// failure is why the process is gone though nobody wanted it to be, nil else.
func (n *localNode) failure() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.asked || n.program == nil || !n.program.Ended() {
		return nil
	}
	return n.program.Ending()
}

// cpuSeconds is the processor time of all its processes so far.
func (n *localNode) cpuSeconds() float64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.program == nil {
		return 0
	}
	return n.before + secondsOf(n.program)
}

func secondsOf(p *process.Program) float64 {
	if p.Ended() {
		return p.Exit().UserSeconds + p.Exit().SystemSeconds
	}
	return cpuReader{pid: p.PID()}.seconds()
}

// close ends the process for good, frozen or not.
func (n *localNode) close() {
	n.mu.Lock()
	n.closed, n.asked = true, true
	p := n.program
	n.mu.Unlock()
	if p != nil {
		p.Kill()
	}
}

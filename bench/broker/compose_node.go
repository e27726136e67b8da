package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"deliverybench/bench/process"
)

// composeNode is one container. A `docker logs --follow` is with it as long as
// it runs: that keeps its log, and its end tells the container's, without
// asking again and again on processors that are being measured.
type composeNode struct {
	broker    *Compose
	id        int32
	container string
	address   string
	logPath   string

	mu       sync.Mutex
	follower *process.Program
	ended    chan struct{} // closed when the process is gone
	struck   bool          // its end is wanted
	failure  error         // why it ended though that was not wanted
	pid      int
	spent    float64 // processor time of its processes before this one, seconds
}

// refollowAfter is between two looks at a container whose log has ended.
const refollowAfter = time.Second

// ID is the node's number in the cluster's metadata.
func (n *composeNode) ID() int32 { return n.id }

// Running reports whether its process is there.
func (n *composeNode) Running() bool {
	select {
	case <-n.gone():
		return false
	default:
		return true
	}
}

func (n *composeNode) gone() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ended
}

func (n *composeNode) failed() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.failure
}

// Freeze stops the process by SIGSTOP, as a local node's. Not by `docker pause`,
// which fails on a busy machine with version 1 of control groups.
func (n *composeNode) Freeze() error { return n.signal(context.Background(), "STOP") }

// Thaw continues it.
func (n *composeNode) Thaw() error { return n.signal(context.Background(), "CONT") }

// signal sends one to the process; to one that has ended it does nothing.
func (n *composeNode) signal(ctx context.Context, name string) error {
	if !n.Running() {
		return nil
	}
	_, err := n.broker.engine.docker(ctx, "kill", "--signal", name, n.container)
	if err != nil && !strings.Contains(err.Error(), "is not running") { // it ended just now
		return fmt.Errorf("node %d: %w", n.id, err)
	}
	return nil
}

// Kill ends the process by SIGKILL and returns when it is gone.
func (n *composeNode) Kill(ctx context.Context) error { return n.end(ctx, "KILL") }

// Stop asks the process to end in good order and returns when it is gone. Not
// by `docker stop`, which after a while kills.
func (n *composeNode) Stop(ctx context.Context) error { return n.end(ctx, "TERM") }

func (n *composeNode) end(ctx context.Context, signal string) error {
	if !n.Running() {
		return nil
	}
	spent, _ := n.cpuSeconds() // it takes the knowledge along
	n.mu.Lock()
	n.struck = true
	n.mu.Unlock()
	if err := n.signal(ctx, signal); err != nil {
		return err
	}
	select {
	case <-n.gone():
	case <-ctx.Done():
		return fmt.Errorf("waited for node %d to end after SIG%s: %w", n.id, signal, context.Cause(ctx))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.spent = spent
	return nil
}

// Start starts the container again: its log and its port are as they were.
func (n *composeNode) Start(ctx context.Context) error {
	if n.Running() {
		return fmt.Errorf("start node %d: it runs", n.id)
	}
	_, err := n.broker.engine.docker(ctx, "start", n.container)
	if err == nil {
		err = n.watch(ctx)
	}
	if err != nil {
		return fmt.Errorf("start node %d: %w", n.id, err)
	}
	return nil
}

// watch follows a container that was just started until it ends.
func (n *composeNode) watch(ctx context.Context) error {
	c, err := n.inspect(ctx)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.follow(c.State.StartedAt); err != nil {
		return err
	}
	n.pid, n.ended = c.State.Pid, make(chan struct{})
	n.struck, n.failure = false, nil
	go n.await(n.follower, n.ended)
	return nil
}

func (n *composeNode) inspect(ctx context.Context) (container, error) {
	found, err := n.broker.engine.inspect(ctx, n.container)
	if err != nil {
		return container{}, err
	}
	return found[0], nil
}

// follow appends what the container writes from a time on to the node's log.
// Its caller holds the lock.
func (n *composeNode) follow(since string) (err error) {
	command := exec.Command("docker", "logs", "--follow", "--since", since, n.container)
	n.follower, err = n.broker.spawner.StartProgram(fmt.Sprintf("log of node %d", n.id), command, n.logPath)
	return err
}

// await notes the container's end.
func (n *composeNode) await(follower *process.Program, ended chan struct{}) {
	for {
		<-follower.Done()
		since := time.Now().UTC().Format(time.RFC3339Nano)
		c, err := n.inspect(context.Background())
		if err == nil && c.State.Running {
			// The engine let go of the log before the container's end.
			if follower, err = n.refollow(since); err == nil {
				continue
			}
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		if !n.struck && !n.broker.closed() {
			n.failure = n.unwanted(c, err)
		}
		close(ended)
		return
	}
}

func (n *composeNode) refollow(since string) (*process.Program, error) {
	select {
	case <-n.broker.closing:
	case <-time.After(refollowAfter):
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broker.closed() {
		return nil, errors.New("the broker is closed")
	}
	return n.follower, n.follow(since)
}

// unwanted is the error of an end that no fault asked for.
func (n *composeNode) unwanted(c container, err error) error {
	how := fmt.Sprintf("exit status %d", c.State.ExitCode)
	switch {
	case err != nil:
		how = err.Error()
	case c.State.OOMKilled:
		how = "out of memory"
	}
	return fmt.Errorf("node %d ended (%s) though no fault struck it; %s", n.id, how, n.follower.LastLines())
}

// unwatch ends what watch began, after the broker was closed.
func (n *composeNode) unwatch() {
	n.mu.Lock()
	follower, ended := n.follower, n.ended
	n.mu.Unlock()
	if ended != nil {
		follower.Kill()
		<-ended
	}
}

// cpuSeconds is the processor time of its processes so far; seen is false
// where the engine's process ids are not this program's.
func (n *composeNode) cpuSeconds() (seconds float64, seen bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.ended:
		return n.spent, true
	default:
	}
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", n.pid))
	if err != nil || !bytes.Contains(groups, []byte(n.container)) {
		return 0, false
	}
	return n.spent + cpuReader{pid: n.pid}.seconds(), true
}

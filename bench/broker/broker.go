package broker

import (
	"context"

	"deliverybench/bench/client"
	"deliverybench/bench/result"
)

// Broker is a cluster under test.
type Broker interface {
	// Endpoint is how clients reach it.
	Endpoint() client.Endpoint
	// Describe is what results say of it.
	Describe() result.Broker
	// Failed returns why the broker is gone though no fault struck it, nil
	// while it runs.
	Failed() error
	// Nodes are its processes, by ascending id, for faults to strike; none
	// where they are not this program's.
	Nodes() []Node
	// CPUSeconds is the processor time it has used so far, 0 where that is unknown.
	CPUSeconds() float64
	// Close ends it and removes what it stored. Nothing of it is left, whatever
	// state its nodes are in.
	Close()
}

// Node is one process of a cluster. Its methods may be called from any
// goroutine, one at a time for one node.
type Node interface {
	// ID is the node's number in the cluster's metadata.
	ID() int32
	// Running reports whether its process is there, frozen or not.
	Running() bool
	// Freeze stops the process (SIGSTOP), Thaw continues it (SIGCONT).
	Freeze() error
	Thaw() error
	// Kill ends the process by SIGKILL and returns when it is gone.
	Kill(ctx context.Context) error
	// Stop asks the process to end in good order and returns when it is gone.
	Stop(ctx context.Context) error
	// Start starts a node again that was killed or stopped, on its old log and
	// address. It returns when the process runs, which is before it answers.
	Start(ctx context.Context) error
}

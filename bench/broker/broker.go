package broker

import (
	"deliverybench/bench/client"
	"deliverybench/bench/result"
)

// Broker is a cluster under test.
type Broker interface {
	// Endpoint is how clients reach it.
	Endpoint() client.Endpoint
	// Describe is what results say of it.
	Describe() result.Broker
	// Failed returns why the broker is gone, nil while it runs.
	Failed() error
	// Freeze stops its process (SIGSTOP), Thaw continues it (SIGCONT).
	Freeze() error
	Thaw() error
	// CPUSeconds is the processor time it has used so far, 0 where that is unknown.
	CPUSeconds() float64
	// Close ends it and removes what it stored.
	Close()
}

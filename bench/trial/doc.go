// Package trial runs one trial, from topic creation to verdict:
//
//	trial.go    the steps in order
//	topics.go   the topics: made and deleted, or used as they are
//	crew.go     the worker processes: hired, ended, dismissed
//	events.go   what happens, and waiting for it
//	group.go    which consumer owns which partitions
//	faults.go   what goes wrong: armed, fired, recovered
//	casualty.go workers that are killed, frozen, stopped, or fail
//	drain.go    everything worked off, every transaction ended
//	ends.go     where a topic ends, and from when on that is so
//	measure.go  latencies, throughput and resources from what the workers left
//
// One goroutine conducts: every event of a worker, timer and interrupt reaches
// it through one channel, so that no step needs a lock. Every wait goes
// through conductor.until, which has a bound and says what it waited for.
package trial

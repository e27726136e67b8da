package worker

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"deliverybench/bench/client"
	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
)

// Verb is the hidden verb under which the program is a worker.
const Verb = "worker"

// Role is what a worker does.
type Role string

// The roles.
const (
	ProducerRole Role = "producer"
	ConsumerRole Role = "consumer"
	ObserverRole Role = "observer"
	AuditorRole  Role = "auditor"
	// PublisherRole takes messages out of an outbox.
	PublisherRole Role = "publisher"
)

// Spec is all that a worker knows when it starts.
type Spec struct {
	Role Role `json:"role"`
	// Number is the worker's among those of its role; Incarnation counts its
	// restarts from 0.
	Number      int `json:"number"`
	Incarnation int `json:"incarnation"`

	Settings profile.Settings `json:"settings"`
	Seed     uint64           `json:"seed"`
	Endpoint client.Endpoint  `json:"endpoint"`
	// Client is the end of the clients' ids, "0.1": a proxy knows them by these.
	// Without it the library's own is left.
	Client string `json:"client,omitempty"`
	// RunTag marks this trial's messages.
	RunTag uint64 `json:"run_tag"`
	Input  string `json:"input"`  // topic
	Output string `json:"output"` // topic of a relay, else empty
	// DeadLetters is the topic for messages whose processing fails, else empty.
	DeadLetters string `json:"dead_letters,omitempty"`
	Group       string `json:"group"`
	// InputBegin and OutputBegin are where the trial begins in topics that were
	// not empty before it; nil is at the beginning.
	InputBegin  client.Offsets `json:"input_begin,omitempty"`
	OutputBegin client.Offsets `json:"output_begin,omitempty"`

	// Sink is the database for effects outside Kafka, nil for none.
	Sink *sink.Target `json:"sink,omitempty"`

	// Ledger is the folder of the ledger's planes, Latency the path, without
	// its ending, of the worker's interval logs.
	Ledger  string `json:"ledger"`
	Latency string `json:"latency"`

	// Start, on CLOCK_MONOTONIC, is when the load began; 0 in a worker that is
	// started before it: the Start command tells.
	Start int64 `json:"start,omitempty"`
	// Strikes are the faults that the worker carries out on itself.
	Strikes []Strike `json:"strikes,omitempty"`
	// Audit is the auditor's task.
	Audit *Audit `json:"audit,omitempty"`
}

// Strike is a fault that a worker carries out on itself: it ends or stops when it
// reaches a point, or its next messages fail.
type Strike struct {
	Fault profile.Fault `json:"fault"`
	// ArmAt is the time from the start of the measured window, nanoseconds.
	ArmAt int64 `json:"arm_at"`
	// Mark is the name of the ledger mark that is set before the worker ends or
	// stops, and what the fault is called in a struck event.
	Mark string `json:"mark"`
}

// Audit tells how far to read.
type Audit struct {
	InputEnd  client.Offsets `json:"input_end"`
	OutputEnd client.Offsets `json:"output_end,omitempty"`
	DeadEnd   client.Offsets `json:"dead_end,omitempty"`
	// Committed is how far the consumers are, -1 for nowhere, when their group
	// does not know it.
	Committed client.Offsets `json:"committed,omitempty"`
}

// Command is what a trial tells a running worker. Exactly one field is set.
type Command struct {
	// Start begins the load at this time on CLOCK_MONOTONIC.
	Start int64 `json:"start,omitempty"`
	// Drain asks a consumer to work off everything before these offsets.
	Drain client.Offsets `json:"drain,omitempty"`
	// Finish asks a publisher to publish what is left, and to end.
	Finish bool `json:"finish,omitempty"`
}

// EventKind says what an event is about.
type EventKind string

// The events.
const (
	Ready    EventKind = "ready"    // connected; a producer waits for Start
	Assigned EventKind = "assigned" // Partitions are all that is owned now
	Progress EventKind = "progress" // Counts so far
	Struck   EventKind = "struck"   // Mark is what struck the worker, from First to Last
	Fenced   EventKind = "fenced"   // the cluster went on without the worker, as Error says
	Drained  EventKind = "drained"  // Partitions are worked off up to the Drain offsets
	Done     EventKind = "done"     // nothing is left to do; the worker exits
	Failed   EventKind = "failed"   // Error says why; the worker exits
)

// Event is what a worker tells its trial.
type Event struct {
	Kind       EventKind `json:"event"`
	Partitions []int32   `json:"partitions,omitempty"`
	// At is when an assigned event was told, on CLOCK_MONOTONIC.
	At     int64  `json:"at,omitempty"`
	Counts Counts `json:"counts,omitzero"`
	Error  string `json:"error,omitempty"`
	// First is when the first effect or acknowledgement of this incarnation
	// was, on CLOCK_MONOTONIC; 0 before it.
	First int64 `json:"first,omitempty"`
	Last  int64 `json:"last,omitempty"`
	// Mark names the fault of a struck event.
	Mark string `json:"mark,omitempty"`
	// Due is how many messages were due at this producer, Measured those of
	// them that were due in the measured window; in the done event.
	Due      int64     `json:"due,omitempty"`
	Measured Sequences `json:"measured,omitzero"`
	// Foreign is how many records the auditor found that are not this trial's.
	Foreign int64 `json:"foreign,omitempty"`
	// Warnings are told once, in the done event.
	Warnings []string `json:"warnings,omitempty"`
}

// Sequences are the messages First ≤ s < End of a producer.
type Sequences struct {
	First int64 `json:"first"`
	End   int64 `json:"end"`
}

// TransactionalID is that of a producer, or of a relay's output: it belongs to
// the worker's number, so that a restarted incarnation fences its predecessor.
func TransactionalID(group string, role Role, number int) string {
	if role == ConsumerRole {
		role = "relay"
	}
	return fmt.Sprintf("%s-%s-%d", group, role, number)
}

// Counts are a worker's running totals over its whole life.
type Counts struct {
	Produced int64 `json:"produced,omitempty"` // handed to the client
	Reported int64 `json:"reported,omitempty"` // with a delivery report
	Effects  int64 `json:"effects,omitempty"`  // done, in this incarnation
	// PolledAgain are messages that the client library returned twice while the
	// consumer kept their partition and did not go back.
	PolledAgain int64 `json:"polled_again,omitempty"`
	// Last is when the last effect or acknowledgement was, on CLOCK_MONOTONIC.
	Last    int64 `json:"last,omitempty"`
	Commits int64 `json:"commits,omitempty"`
	// FailedCommits are commits that the broker refused or that got no answer.
	FailedCommits int64 `json:"failed_commits,omitempty"`
	// RowCommits are the database's transactions, Rows the effects in them, and
	// RowsLast when the last one returned, on CLOCK_MONOTONIC.
	RowCommits int64 `json:"row_commits,omitempty"`
	Rows       int64 `json:"rows,omitempty"`
	RowsLast   int64 `json:"rows_last,omitempty"`
	// P99Micros is the p99 of a sample of the latest latencies.
	P99Micros float64 `json:"p99_us,omitempty"`
}

// events writes events; safe for concurrent use.
type events struct {
	mu      sync.Mutex
	encoder *json.Encoder
}

func newEvents(w io.Writer) *events { return &events{encoder: json.NewEncoder(w)} }

// send ignores the error of a broken pipe: the end of the input, which follows
// it, is what ends a worker.
func (e *events) send(event Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = e.encoder.Encode(event)
}

package result

import (
	"time"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
)

// Schema names the form of run.json.
const Schema = "deliverybench/run/v1"

// Run is everything that one command did.
type Run struct {
	Schema      string            `json:"schema"`
	Units       map[string]string `json:"units"` // of the numbers below, by field name
	Run         Header            `json:"run"`
	Environment Environment       `json:"environment"`
	Cells       []Cell            `json:"cells"`
	Claims      []Claim           `json:"claims"`
	Capacity    *Capacity         `json:"capacity,omitempty"` // of a capacity run
}

// Header identifies the run.
type Header struct {
	ID            string    `json:"id"` // "<profile>-<UTC>"
	Started       time.Time `json:"started"`
	Finished      time.Time `json:"finished,omitzero"`
	Interrupted   bool      `json:"interrupted,omitempty"`
	Unfinished    string    `json:"unfinished,omitempty"` // why it ended before its last trial, when nobody interrupted it
	Seed          uint64    `json:"seed"`
	Command       []string  `json:"command"`
	Version       string    `json:"version"`
	Profile       string    `json:"profile"`
	About         string    `json:"about"`
	ProfileSHA256 string    `json:"profile_sha256"`
	Baseline      string    `json:"baseline,omitempty"`
	Scenarios     []string  `json:"scenarios"` // in the profile's order
	TrialsPlanned int       `json:"trials_planned"`
}

// Environment is where it ran.
type Environment struct {
	OS          string `json:"os"`
	Kernel      string `json:"kernel"`
	CPU         string `json:"cpu"`
	Cores       int    `json:"cores"`
	MemoryBytes int64  `json:"memory_bytes"`
	Go          string `json:"go"`
	Client      string `json:"client"` // "confluent-kafka-go v2.15.0"
	Librdkafka  string `json:"librdkafka"`
	Broker      Broker `json:"broker"`
}

// Broker is what the load was put on.
type Broker struct {
	Kind       string `json:"kind"` // embedded, local, …
	Version    string `json:"version"`
	ClusterID  string `json:"cluster_id,omitempty"` // of somebody else's cluster
	Nodes      int    `json:"nodes"`
	SharesHost bool   `json:"shares_host"` // broker and load share the machine
}

// Cell is one arm with one combination of the matrix.
type Cell struct {
	Name      string            `json:"name"`
	Arm       string            `json:"arm"`
	Guarantee string            `json:"guarantee"`
	Matrix    map[string]string `json:"matrix,omitempty"`
	Settings  map[string]string `json:"settings"` // every dotted setting
	// Clients are the librdkafka properties by client: producer, consumer,
	// relay. Those not listed are the library's defaults.
	Clients map[string]map[string]string `json:"clients,omitempty"`
	Omitted string                       `json:"omitted,omitempty"`
	// Planned is how many trials each scenario was to have. Runs saved before
	// there was this field do not have it.
	Planned map[string]int `json:"planned,omitempty"`
	// Latency is over all completed repeats together, by scenario and role. Runs
	// saved before there was this field do not have it.
	Latency map[string]map[string]latency.Summary `json:"latency,omitempty"`
	Trials  []Trial                               `json:"trials"`
}

// Status is how a trial ended.
type Status string

const (
	Completed    Status = "completed"    // it has a verdict
	Inconclusive Status = "inconclusive" // it ran and cannot be judged: see Reason
	Failed       Status = "failed"       // it could not be run: see Reason
	Omitted      Status = "omitted"      // it was not run: see Reason
	Stopped      Status = "interrupted"
)

// Promise is whether the arm's guarantee was kept.
type Promise string

const (
	Held                Promise = "held"
	Violated            Promise = "violated"
	PromiseInconclusive Promise = "inconclusive"
	NoPromise           Promise = "none"
)

// Trial is one cell in one scenario, once.
type Trial struct {
	ID         string                     `json:"id"` // unique, and the stem of its file names under histograms/
	Scenario   string                     `json:"scenario"`
	Repeat     int                        `json:"repeat"`
	Status     Status                     `json:"status"`
	Reason     string                     `json:"reason,omitempty"`
	Warnings   []string                   `json:"warnings,omitempty"`
	Started    time.Time                  `json:"started,omitzero"`
	TookSecond float64                    `json:"took_seconds"`
	Settings   map[string]string          `json:"settings,omitempty"` // those that the scenario changed
	Verdict    *ledger.Verdict            `json:"verdict,omitempty"`
	Promise    Promise                    `json:"promise"`
	Faults     []Fault                    `json:"faults,omitempty"`
	Throughput Throughput                 `json:"throughput"`
	Latency    map[string]latency.Summary `json:"latency,omitempty"` // by role, see the Role constants
	Backlog    *Backlog                   `json:"backlog,omitempty"`
	Database   *Database                  `json:"database,omitempty"`
	Generator  Generator                  `json:"generator"`
	Workers    []Worker                   `json:"workers,omitempty"`
	Unrecorded int64                      `json:"unrecorded"` // effects whose latency was not recorded
	Timeline   []Interval                 `json:"timeline,omitempty"`
}

// Latency roles.
const (
	Ack                = "ack"                 // intended send → delivery report
	AckService         = "ack_service"         // produce call → delivery report
	EndToEnd           = "end_to_end"          // intended send → effect, or output visible
	EndToEndService    = "end_to_end_service"  // produce call is not known downstream: actual send → effect
	CommitLatency      = "commit"              // the commit call
	TransactionVisible = "transaction_visible" // intended send → commit of its transaction returned
	Durable            = "durable"             // intended send → the database's commit of the effect returned
	SendLag            = "send_lag"            // intended send → produce call
)

// Fault is what became of one scheduled fault. Times are seconds from the
// start of the measured window; nil is never.
type Fault struct {
	Name      string     `json:"name"` // "kill consumer at mid-batch"
	Armed     *float64   `json:"armed"`
	Fired     *float64   `json:"fired"`
	Recovered *float64   `json:"recovered"`
	Predicted *Predicted `json:"predicted,omitempty"`
	// Nodes are the brokers struck, by id; Steps what was done, to them or to a
	// worker, and what followed, in order.
	Nodes []int32 `json:"nodes,omitempty"`
	Steps []Step  `json:"steps,omitempty"`
}

// Step is one moment of a fault, in seconds from the start of the
// measured window.
type Step struct {
	What string  `json:"what"` // one of the constants below, or what was done: "node 2 killed"
	At   float64 `json:"at"`
}

// Steps of recovery from a broker fault. Acked and processed again are to the nearest
// progress report of a worker, 0.1 s.
const (
	Elected        = "new leader elected"
	AckedAgain     = "first message acked again"
	ProcessedAgain = "first message processed again"
	InSyncAgain    = "every replica in sync again"
	DurableAgain   = "first effect durable again"
)

// Predicted is a fault's blast radius; nil fields are not predicted.
type Predicted struct {
	Lost       *int64 `json:"lost,omitempty"`
	Duplicates *int64 `json:"duplicates,omitempty"`
	// DeadLettered is set of faults that set messages aside only.
	DeadLettered *int64 `json:"dead_lettered,omitempty"`
	// RowsWithoutMessage and MessagesWithoutRow are of pipeline outbox.
	RowsWithoutMessage *int64 `json:"rows_without_message,omitempty"`
	MessagesWithoutRow *int64 `json:"messages_without_row,omitempty"`
	// Exact says that theory gives the number; otherwise it is about that many.
	Exact bool `json:"exact"`
	// Seen says that the number is of what this trial's fault happened to strike, so that
	// another trial's may differ.
	Seen bool `json:"seen,omitempty"`
}

// Throughput is counted over the measured window, in messages per second.
type Throughput struct {
	WindowSeconds     float64 `json:"window_seconds"`
	ProducedPerSecond float64 `json:"produced_per_second"` // acknowledged (or sent) messages
	ConsumedPerSecond float64 `json:"consumed_per_second"` // effects
	OutputPerSecond   float64 `json:"output_per_second"`   // relay: visible outputs
	// PipelinePerSecond is what the table shows: the messages that were completed end
	// to end from the start of the window until the last of it was done, over that
	// time, and no less than the window. What is done again counts once.
	PipelinePerSecond float64 `json:"pipeline_per_second"`
	BytesPerSecond    float64 `json:"produced_bytes_per_second"`
}

// Backlog is what had piled up when the consumers began (consumer.start_after).
type Backlog struct {
	Messages int64 `json:"messages"`
	// DrainedPerSecond is the effects per second from then on until there were as
	// many as the backlog, under the load that went on.
	DrainedPerSecond float64 `json:"drained_per_second"`
}

// Database is what the effects outside Kafka came to, asked of the database
// itself. Expected is what the ledger says; Actual = Expected − the lost + the
// redelivered, or the trial fails.
type Database struct {
	Kind    string `json:"kind"` // sqlite, postgres
	Version string `json:"version"`
	// Effects are the journal's rows; Lost messages that should have one and have
	// none; Duplicates rows beyond a message's first.
	Effects    int64 `json:"effects"`
	Lost       int64 `json:"lost"`
	Duplicates int64 `json:"duplicates"`
	// The sums of all balances, where effects add to them.
	ExpectedCents     int64      `json:"expected_cents"`
	ActualCents       int64      `json:"actual_cents"`
	DifferenceCents   int64      `json:"difference_cents"`
	DifferenceByCause CentsCause `json:"difference_by_cause"`
	// WrongStatus are accounts whose status is not what the ledger says.
	WrongStatus int64 `json:"wrong_status"`
	// Commits are the workers' transactions, Rows the effects in them, as far as
	// they told before they ended.
	Commits          int64   `json:"commits"`
	Rows             int64   `json:"rows"`
	CommitsPerSecond float64 `json:"commits_per_second"`
	RowsPerCommit    float64 `json:"rows_per_commit"`
	// Outbox is whether rows and messages agree, of pipeline outbox.
	Outbox *Outbox `json:"outbox,omitempty"`
}

// Outbox is whether the rows of a database and the messages of a topic that tell
// of them agree.
type Outbox struct {
	// Agreed are messages that have a row and are in the topic.
	Agreed             int64 `json:"agreed"`
	RowsWithoutMessage int64 `json:"rows_without_message"`
	MessagesWithoutRow int64 `json:"messages_without_row"`
	// Waiting are rows whose message may yet be published: it is not in the topic,
	// and the publisher did not come to the end of its outbox.
	Waiting int64 `json:"waiting,omitempty"`
}

// CentsCause is why a balance is not what it should be.
type CentsCause struct {
	Lost        int64 `json:"lost_cents"`
	Redelivered int64 `json:"redelivered_cents"`
}

// Generator is whether the load itself was the limit.
type Generator struct {
	Limited bool    `json:"limited"`
	Why     string  `json:"why,omitempty"` // the finding alone
	Closed  bool    `json:"closed_loop"`   // rate: max, or a bound on outstanding messages
	CPU     float64 `json:"cpu_share"`     // of the whole machine during the measured window
}

// Worker is what one worker process used.
type Worker struct {
	Name             string  `json:"name"` // "consumer-0.1": role, number, incarnation
	UserSeconds      float64 `json:"user_seconds"`
	SystemSeconds    float64 `json:"system_seconds"`
	MaxResidentBytes int64   `json:"max_resident_bytes"`
	Exit             string  `json:"exit"` // "ok", "killed", or the error
	// Fenced is the error by which it first learnt that the cluster had gone on without it.
	Fenced string `json:"fenced,omitempty"`
	// PolledAgain are messages that the client library returned twice while the
	// consumer kept their partition and did not go back; of one that was killed or
	// failed, those that it had told of.
	PolledAgain int64 `json:"polled_again,omitempty"`
}

// PolledAgain is how many messages the client library returned twice to the
// trial's consumers.
func (t *Trial) PolledAgain() (n int64) {
	for _, w := range t.Workers {
		n += w.PolledAgain
	}
	return n
}

// Interval is one slice of the timeline, StartSecond from the start of the measured window.
type Interval struct {
	StartSecond  float64 `json:"start"`
	LengthSecond float64 `json:"length"`
	Produced     int64   `json:"produced"`
	Effects      int64   `json:"effects"`
	EndToEndP50  float64 `json:"end_to_end_p50"` // microseconds; 0 when nothing was recorded
	EndToEndP99  float64 `json:"end_to_end_p99"`
	EndToEndMax  float64 `json:"end_to_end_max"`
}

// ClaimStatus is what became of a claim.
type ClaimStatus string

const (
	Met               ClaimStatus = "met"
	NotMet            ClaimStatus = "not met"
	ClaimInconclusive ClaimStatus = "inconclusive"
)

// Claim is one claim on one cell and scenario.
type Claim struct {
	Cell       string      `json:"cell"`
	Scenario   string      `json:"scenario"`
	Expression string      `json:"expression"`
	Expected   string      `json:"expected"`
	Observed   string      `json:"observed"`
	Status     ClaimStatus `json:"status"`
	Reason     string      `json:"reason,omitempty"`
	Trials     []string    `json:"trials,omitempty"` // the trials that decided it
	// Sometimes is how often a claim was met that one trial is enough for; nil of all others.
	Sometimes *Frequency `json:"sometimes,omitempty"`
}

// Frequency is in how many of the trials something came out.
type Frequency struct {
	Times int `json:"times"`
	Of    int `json:"of"`
}

package profile

// Settings is everything one trial is run with. A setting's dotted name is the
// path of its yaml tags: "consumer.commit.every". Every setting has a default
// (see Defaults), so a profile states only what it is about.
type Settings struct {
	Guarantee Guarantee `yaml:"guarantee" json:"guarantee"`
	Pipeline  Pipeline  `yaml:"pipeline" json:"pipeline"`
	Load      Load      `yaml:"load" json:"load"`
	Topic     Topic     `yaml:"topic" json:"topic"`
	Producer  Producer  `yaml:"producer" json:"producer"`
	Consumer  Consumer  `yaml:"consumer" json:"consumer"`
	Relay     Relay     `yaml:"relay" json:"relay"`
	Faults    []Fault   `yaml:"faults" json:"faults,omitempty"`
	Repeats   int       `yaml:"repeats" json:"repeats"`
}

// Load says which messages are due, when, and what they look like.
type Load struct {
	// Rate is the total over all producers, in messages per second, or "max":
	// as fast as the client's queue takes them (a closed loop).
	Rate     Rate     `yaml:"rate" json:"rate"`
	Arrivals Arrivals `yaml:"arrivals" json:"arrivals"`
	// RampFrom is the rate at which arrivals: ramp starts; it ends at Rate.
	RampFrom Rate `yaml:"ramp_from" json:"ramp_from"`
	// BurstMessages is how many messages arrivals: burst makes due at once.
	BurstMessages int      `yaml:"burst_messages" json:"burst_messages"`
	Warmup        Duration `yaml:"warmup" json:"warmup"`
	Duration      Duration `yaml:"duration" json:"duration"`
	Message       Message  `yaml:"message" json:"message"`
}

// Message is the shape of every message.
type Message struct {
	Size Size `yaml:"size" json:"size"`
	Key  Key  `yaml:"key" json:"key"`
	// Keys is the number of distinct keys for uniform and zipf.
	Keys int `yaml:"keys" json:"keys"`
	// Entropy is the share of the payload that does not compress.
	Entropy Share `yaml:"entropy" json:"entropy"`
}

// Topic is how the trial's own topics are created.
type Topic struct {
	Partitions        int `yaml:"partitions" json:"partitions"`
	Replication       int `yaml:"replication" json:"replication"`
	MinInsyncReplicas int `yaml:"min_insync_replicas" json:"min_insync_replicas"`
}

// Producer configures every producer of the pipeline, the relay's output
// included (which is transactional only through consumer.commit.when).
type Producer struct {
	Count          int         `yaml:"count" json:"count"`
	Acks           Acks        `yaml:"acks" json:"acks"`
	Idempotence    bool        `yaml:"idempotence" json:"idempotence"`
	Retries        int         `yaml:"retries" json:"retries"`
	MaxInFlight    int         `yaml:"max_in_flight" json:"max_in_flight"`
	Linger         Duration    `yaml:"linger" json:"linger"`
	BatchSize      Size        `yaml:"batch_size" json:"batch_size"`
	Compression    Compression `yaml:"compression" json:"compression"`
	MessageTimeout Duration    `yaml:"message_timeout" json:"message_timeout"`
	// Outstanding bounds the messages without a delivery report; 0 is no
	// bound but the client's queue. 1 with rate: max is a classic closed loop.
	Outstanding int         `yaml:"outstanding" json:"outstanding"`
	Transaction Transaction `yaml:"transaction" json:"transaction"`
	// Librdkafka is passed to the client library as it is, last.
	Librdkafka map[string]string `yaml:"librdkafka" json:"librdkafka,omitempty"`
}

// Transaction makes the load's producers transactional. Every or Interval set
// turns it on.
type Transaction struct {
	Every    int      `yaml:"every" json:"every"`
	Interval Duration `yaml:"interval" json:"interval"`
	// Abort is the share of transactions aborted on purpose.
	Abort Share `yaml:"abort" json:"abort"`
	// FlushBeforeAbort sends what is queued before aborting; without it the
	// client purges its queue and fewer aborted records reach the log.
	FlushBeforeAbort bool `yaml:"flush_before_abort" json:"flush_before_abort"`
}

// Enabled reports whether the load's producers are transactional.
func (t Transaction) Enabled() bool { return t.Every > 0 || t.Interval > 0 }

// Consumer configures the consuming workers: consumers or, in a relay
// pipeline, the consuming half of the relays.
type Consumer struct {
	Count      int        `yaml:"count" json:"count"`
	Commit     Commit     `yaml:"commit" json:"commit"`
	Membership Membership `yaml:"membership" json:"membership"`
	// RebalanceCallback false is the naive strategy that ignores rebalances.
	RebalanceCallback bool      `yaml:"rebalance_callback" json:"rebalance_callback"`
	Assignor          Assignor  `yaml:"assignor" json:"assignor"`
	Protocol          Protocol  `yaml:"protocol" json:"protocol"`
	Isolation         Isolation `yaml:"isolation" json:"isolation"`
	// ProcessingTime is simulated work per message.
	ProcessingTime Duration          `yaml:"processing_time" json:"processing_time"`
	SessionTimeout Duration          `yaml:"session_timeout" json:"session_timeout"`
	Librdkafka     map[string]string `yaml:"librdkafka" json:"librdkafka,omitempty"`
}

// Commit says when offsets are committed and how many messages lie between
// two commits.
type Commit struct {
	When CommitWhen `yaml:"when" json:"when"`
	// Every is B, the messages between commits; 0 is no bound by count.
	Every int `yaml:"every" json:"every"`
	// Interval commits what is in hand after this time; 0 is no bound by time.
	// For automatic strategies it is auto.commit.interval.ms.
	Interval Duration   `yaml:"interval" json:"interval"`
	Mode     CommitMode `yaml:"mode" json:"mode"`
}

// Relay configures what only the relay's own producer has.
type Relay struct {
	TransactionTimeout Duration          `yaml:"transaction_timeout" json:"transaction_timeout"`
	Librdkafka         map[string]string `yaml:"librdkafka" json:"librdkafka,omitempty"`
}

// Fault is one thing that goes wrong. Exactly one of Kill, Freeze and Join is set.
type Fault struct {
	// Kill ends a worker of this role with SIGKILL when it reaches the point When.
	Kill Role `yaml:"kill" json:"kill,omitempty"`
	// Freeze stops (SIGSTOP) the broker for For.
	Freeze Role `yaml:"freeze" json:"freeze,omitempty"`
	// Join adds a group member, which makes the group rebalance; with For it
	// leaves again after that time.
	Join Role `yaml:"join" json:"join,omitempty"`
	// When names the crash point; see CrashPoints.
	When Point `yaml:"when" json:"when,omitempty"`
	// At is when the fault is armed: a share of the measured window, or a time into it.
	At Moment `yaml:"at" json:"at"`
	// Restart is how long after the kill the worker is started again.
	Restart Duration `yaml:"restart" json:"restart,omitempty"`
	For     Duration `yaml:"for" json:"for,omitempty"`
}

// Closed vocabularies. Their values are spelled as in YAML.
type (
	Guarantee   string // what the arm promises
	Pipeline    string // what the workers do
	Arrivals    string // how intended send times are spread
	Key         string // how message keys are drawn
	Acks        string // acks: "0", "1" or "all"
	Compression string
	CommitWhen  string
	CommitMode  string
	Membership  string
	Assignor    string
	Protocol    string
	Isolation   string
	Role        string // who a fault strikes
	Point       string // where a kill strikes
)

const (
	AtMostOnce  Guarantee = "at-most-once"
	AtLeastOnce Guarantee = "at-least-once"
	ExactlyOnce Guarantee = "exactly-once"
	NoGuarantee Guarantee = "none"

	Consume Pipeline = "consume" // produce, consume, effect
	RelayTo Pipeline = "relay"   // consume, process, produce
	Produce Pipeline = "produce" // produce alone

	Constant Arrivals = "constant"
	Poisson  Arrivals = "poisson"
	Ramp     Arrivals = "ramp"
	Burst    Arrivals = "burst"

	NoKey      Key = "none"
	UniformKey Key = "uniform"
	ZipfKey    Key = "zipf"

	AcksNone   Acks = "0"
	AcksLeader Acks = "1"
	AcksAll    Acks = "all"

	BeforeProcessing CommitWhen = "before-processing"
	AfterProcessing  CommitWhen = "after-processing"
	// Automatic is enable.auto.commit with offsets stored inside poll.
	Automatic CommitWhen = "automatic"
	// AutomaticStored is enable.auto.commit with offsets stored after processing.
	AutomaticStored CommitWhen = "automatic-stored"
	// InTransaction sends the offsets in the transaction of the output messages.
	InTransaction CommitWhen = "in-transaction"

	Sync  CommitMode = "sync"
	Async CommitMode = "async"

	Static  Membership = "static"
	Dynamic Membership = "dynamic"

	RangeAssignor      Assignor = "range"
	RoundRobinAssignor Assignor = "roundrobin"
	CooperativeSticky  Assignor = "cooperative-sticky"

	ClassicProtocol  Protocol = "classic"
	ConsumerProtocol Protocol = "consumer" // KIP-848

	ReadCommitted   Isolation = "read_committed"
	ReadUncommitted Isolation = "read_uncommitted"

	BrokerRole   Role = "broker"
	ProducerRole Role = "producer"
	ConsumerRole Role = "consumer"
	RelayRole    Role = "relay"

	// Points of the producer.
	PointSent Point = "sent" // after produce returned, before its report

	// Points of every consuming worker.
	PointPolled    Point = "polled"    // a batch is in hand, nothing done with it
	PointCommitted Point = "committed" // right after a successful commit
	PointMidBatch  Point = "mid-batch" // between commit and effect, whichever comes first; in transactions, after the offsets were sent
	PointProcessed Point = "processed" // every effect of the batch is done

	// Points of the relay.
	PointBegun           Point = "begun"            // the transaction has begun, nothing produced
	PointProduced        Point = "produced"         // every output's report arrived
	PointOffsetsSent     Point = "offsets-sent"     // the offsets are in the transaction
	PointCommitRequested Point = "commit-requested" // CommitTransaction was called and has not returned
)

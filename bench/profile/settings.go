package profile

// MinMessageSize is the smallest message.size, in bytes: the header that
// identifies a message on the wire.
const MinMessageSize = 48

// Settings is everything one trial is run with. A setting's dotted name is the
// path of its yaml tags: "consumer.commit.every". Every setting has a default
// (see Defaults), so a profile states only what it is about.
//
// The tags say the rest: range is what values are allowed (a leading ">"
// excludes the bound itself), librdkafka the client properties that the
// setting decides, which the free librdkafka maps therefore refuse. The doc
// comments become the schema's descriptions and docs/PROFILES.md.
type Settings struct {
	// Guarantee is what the arm promises, and the only thing its promise is judged by.
	Guarantee Guarantee `yaml:"guarantee" json:"guarantee"`
	// Pipeline is what the workers do: consume is produce, consume, effect;
	// relay is consume, process, produce to an output topic; produce is a producer alone;
	// outbox is a producer that writes rows to the sink's database and messages that tell of them to the topic.
	Pipeline Pipeline `yaml:"pipeline" json:"pipeline"`
	Load     Load     `yaml:"load" json:"load"`
	Topic    Topic    `yaml:"topic" json:"topic"`
	Producer Producer `yaml:"producer" json:"producer"`
	Consumer Consumer `yaml:"consumer" json:"consumer"`
	Relay    Relay    `yaml:"relay" json:"relay"`
	Sink     Sink     `yaml:"sink" json:"sink,omitzero"`
	Outbox   Outbox   `yaml:"outbox" json:"outbox,omitzero"`
	// Proxy puts the program's proxy between clients and brokers also where no fault on the wire needs it, to see what that costs.
	Proxy bool `yaml:"proxy" json:"proxy,omitempty"`
	// Faults are what goes wrong during the trial; a list, so a later layer replaces an earlier one's.
	Faults []Fault `yaml:"faults" json:"faults,omitempty"`
	// StormEvery makes a storm of them: instead of each at its moment, one of the faults drawn at random, again and again, this long apart on average. The run's seed decides which and when.
	StormEvery Duration `yaml:"storm_every" json:"storm_every,omitempty" range:"..1h"`
	// Repeats is how often each cell runs the scenario. An interval of 95 % needs 6.
	Repeats int `yaml:"repeats" json:"repeats" range:"1..1000"`
}

// Load says which messages are due, when, and what they look like.
type Load struct {
	// Rate is the total over all producers, in messages per second, or max:
	// as fast as the client's queue takes them (a closed loop).
	Rate Rate `yaml:"rate" json:"rate" range:">0/s.."`
	// Arrivals is how the intended send times are spread.
	Arrivals Arrivals `yaml:"arrivals" json:"arrivals"`
	// RampFrom is the rate at which arrivals: ramp starts; it ends at load.rate.
	RampFrom Rate `yaml:"ramp_from" json:"ramp_from"`
	// BurstMessages is how many messages arrivals: burst makes due at once.
	BurstMessages int `yaml:"burst_messages" json:"burst_messages" range:"1..1000000"`
	// Warmup comes before the measured window; its messages count in the verdict, not in the latencies.
	Warmup Duration `yaml:"warmup" json:"warmup" range:"..24h"`
	// Duration is the measured window.
	Duration Duration `yaml:"duration" json:"duration" range:">0s..168h"`
	// Cooldown goes on with a paced load after the measured window, so that the window's last batches fill and complete like all others; its messages count in the verdict, not in the latencies. rate: max has none.
	Cooldown Duration `yaml:"cooldown" json:"cooldown" range:"..24h"`
	Message  Message  `yaml:"message" json:"message"`
}

// Length is how long the load lasts: warm-up, measured window and, for a paced
// load, cool-down.
func (l Load) Length() Duration {
	if l.Rate == RateMax {
		return l.Warmup + l.Duration
	}
	return l.Warmup + l.Duration + l.Cooldown
}

// Message is the shape of every message.
type Message struct {
	// Size is the whole value, header included.
	Size Size `yaml:"size" json:"size" range:"48B..1GB"`
	// Key is how keys are drawn; without one the client spreads messages over the partitions.
	Key Key `yaml:"key" json:"key"`
	// Keys is the number of distinct keys for uniform and zipf.
	Keys int `yaml:"keys" json:"keys" range:"1..1000000000"`
	// Entropy is the share of the payload that does not compress.
	Entropy Share `yaml:"entropy" json:"entropy"`
}

// Topic is how the trial's own topics are created, or which ones are used.
type Topic struct {
	// Partitions is per topic.
	Partitions int `yaml:"partitions" json:"partitions" range:"1..10000"`
	// Replication is the number of copies, which needs as many brokers; 0 is 3, or as many as there are brokers.
	Replication int `yaml:"replication" json:"replication" range:"0..100"`
	// MinInsyncReplicas is how many copies acks: all waits for at least; 0 is one less than topic.replication, and at least 1.
	MinInsyncReplicas int `yaml:"min_insync_replicas" json:"min_insync_replicas" range:"0..100"`
	// Existing is a topic that is used as it is: nothing is created or deleted, and
	// only what is written during a trial counts. It must have topic.partitions.
	Existing TopicName `yaml:"existing" json:"existing,omitempty"`
	// ExistingOutput is the same for the topic that a relay writes to.
	ExistingOutput TopicName `yaml:"existing_output" json:"existing_output,omitempty"`
}

// Producer configures every producer of the pipeline, the relay's output
// included (which is transactional only through consumer.commit.when).
type Producer struct {
	// Count is the number of producer processes, which share load.rate.
	Count int `yaml:"count" json:"count" range:"1..1000"`
	// Acks is how many brokers must have a message before it is acknowledged: none, the leader, or all in sync.
	Acks Acks `yaml:"acks" json:"acks" librdkafka:"acks,request.required.acks"`
	// Idempotence lets the broker drop the copies that retries make.
	Idempotence bool `yaml:"idempotence" json:"idempotence" librdkafka:"enable.idempotence"`
	// Retries is how often the client sends a failing message again. Also with
	// 0 the client retries where the broker certainly did not append it.
	Retries int `yaml:"retries" json:"retries" range:"0..2147483647" librdkafka:"retries,message.send.max.retries"`
	// MaxInFlight is the number of unanswered requests per connection.
	MaxInFlight int `yaml:"max_in_flight" json:"max_in_flight" range:"1..1000000" librdkafka:"max.in.flight,max.in.flight.requests.per.connection"`
	// Linger is how long a message waits for others to share its request.
	Linger Duration `yaml:"linger" json:"linger" range:"..15m" librdkafka:"linger.ms,queue.buffering.max.ms"`
	// BatchSize bounds one request's messages of a partition.
	BatchSize Size `yaml:"batch_size" json:"batch_size" range:"1B..2147483647B" librdkafka:"batch.size"`
	// Compression is the codec of every batch.
	Compression Compression `yaml:"compression" json:"compression" librdkafka:"compression.type,compression.codec"`
	// MessageTimeout is how long the client tries to deliver a message; after
	// that nobody knows whether it is in the log.
	MessageTimeout Duration `yaml:"message_timeout" json:"message_timeout" range:"1ms..24h" librdkafka:"message.timeout.ms,delivery.timeout.ms"`
	// Outstanding bounds the messages without a delivery report; 0 is no
	// bound but the client's queue. 1 with rate: max is a classic closed loop.
	Outstanding int `yaml:"outstanding" json:"outstanding" range:"0..10000000"`
	// Resends is how often the application itself produces a message again of which the client reports that it was perhaps not appended; each time is a new attempt, which idempotence does not know for a copy.
	Resends     int         `yaml:"resends" json:"resends" range:"0..6"`
	Transaction Transaction `yaml:"transaction" json:"transaction"`
	// Librdkafka is passed to the client library as it is, last: TLS, SASL, anything not named here.
	Librdkafka map[string]string `yaml:"librdkafka" json:"librdkafka,omitempty"`
}

// Transaction makes the load's producers transactional. Every or Interval set
// turns it on.
type Transaction struct {
	// Every is the messages per transaction; 0 is no bound by count.
	Every int `yaml:"every" json:"every" range:"0..100000000"`
	// Interval ends a transaction after this time; 0s is no bound by time.
	Interval Duration `yaml:"interval" json:"interval" range:"..1h"`
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
	// Count is the number of consumer (or relay) processes in the group.
	Count  int    `yaml:"count" json:"count" range:"1..1000"`
	Commit Commit `yaml:"commit" json:"commit"`
	// Membership static (group.instance.id) lets a restarted member take its
	// partitions back without a rebalance; dynamic does not.
	Membership Membership `yaml:"membership" json:"membership" librdkafka:"group.instance.id"`
	// RebalanceCallback false is the naive strategy that ignores rebalances.
	RebalanceCallback bool `yaml:"rebalance_callback" json:"rebalance_callback"`
	// Assignor is how the classic protocol spreads partitions over members.
	Assignor Assignor `yaml:"assignor" json:"assignor" librdkafka:"partition.assignment.strategy"`
	// Protocol is the group protocol: classic, or consumer (KIP-848).
	Protocol Protocol `yaml:"protocol" json:"protocol" librdkafka:"group.protocol"`
	// Isolation read_committed hides messages of open and aborted transactions.
	Isolation Isolation `yaml:"isolation" json:"isolation" librdkafka:"isolation.level"`
	// ProcessingTime is simulated work per message.
	ProcessingTime Duration `yaml:"processing_time" json:"processing_time" range:"..1h"`
	// OnError is what happens to a message whose processing fails (a fault, fail): skip goes on without it, so that its offset is committed and it is lost; retry processes it again in place; dead-letter hands it to a topic for such messages.
	OnError OnError `yaml:"on_error" json:"on_error"`
	// RetryBackoff is how long a consumer waits before it processes a message again.
	RetryBackoff Duration `yaml:"retry_backoff" json:"retry_backoff" range:"..1h"`
	// OffsetReset is where a group begins in partitions without a committed offset, or whose offset is gone: at the earliest message, or after the latest.
	OffsetReset OffsetReset `yaml:"offset_reset" json:"offset_reset" librdkafka:"auto.offset.reset"`
	// ExpiredOffsets has the group begin with offsets that it committed once and whose messages the broker has deleted since, so that they are out of range, in place of none.
	ExpiredOffsets bool `yaml:"expired_offsets" json:"expired_offsets,omitempty"`
	// JoinAfter is how long into the load, warm-up included, the consumers are started: a group that is new then, and has committed nothing.
	JoinAfter Duration `yaml:"join_after" json:"join_after" range:"..168h"`
	// StartAfter is how long into the load, warm-up included, the consumers fetch nothing, so that a backlog piles up. They hold their partitions meanwhile.
	StartAfter Duration `yaml:"start_after" json:"start_after" range:"..168h"`
	// SessionTimeout is how long the broker waits for a silent member before it gives its partitions to others.
	SessionTimeout Duration `yaml:"session_timeout" json:"session_timeout" range:"1ms..1h" librdkafka:"session.timeout.ms"`
	// MaxPollInterval is how long a member may work without asking for more messages before the client leaves the group for it.
	MaxPollInterval Duration `yaml:"max_poll_interval" json:"max_poll_interval" range:"1ms..24h" librdkafka:"max.poll.interval.ms"`
	// Librdkafka is passed to the consuming client as it is, last.
	Librdkafka map[string]string `yaml:"librdkafka" json:"librdkafka,omitempty"`
}

// Commit says when offsets are committed and how many messages lie between
// two commits.
type Commit struct {
	// When is the strategy: before or after processing, by the client's timer
	// (automatic; automatic-stored stores the offset only after processing),
	// in the transaction of the relay's output, or with-effect: in the database transaction of the effect, from where a consumer takes its offsets too.
	When CommitWhen `yaml:"when" json:"when" librdkafka:"enable.auto.commit,enable.auto.offset.store"`
	// Every is B, the messages between commits; 0 is no bound by count.
	Every int `yaml:"every" json:"every" range:"0..100000000"`
	// Interval commits what is in hand after this time; 0s is no bound by time.
	// For automatic strategies it is auto.commit.interval.ms.
	Interval Duration `yaml:"interval" json:"interval" range:"..24h" librdkafka:"auto.commit.interval.ms"`
	// Mode sync waits for the broker's answer to a commit, async does not.
	Mode CommitMode `yaml:"mode" json:"mode"`
}

// Relay configures what only the relay's own producer has.
type Relay struct {
	// TransactionTimeout is how long the broker leaves the relay's transaction open.
	TransactionTimeout Duration `yaml:"transaction_timeout" json:"transaction_timeout" range:"1s..15m" librdkafka:"transaction.timeout.ms"`
	// RenewProducer is when the relay gives its producer up for a new one with the same transactional id, which fences whatever is still on its way: when the client library hangs or says that it can do nothing more, or also after a commit or abort of which the outcome is not known, or that took socket.timeout.ms, so that the library may have sent it twice.
	RenewProducer RenewProducer `yaml:"renew_producer" json:"renew_producer"`
	// Librdkafka is passed to the relay's producing client as it is, last.
	Librdkafka map[string]string `yaml:"librdkafka" json:"librdkafka,omitempty"`
}

// Sink is the database outside Kafka in which an effect is a row.
type Sink struct {
	// Database is where the effects of consumed messages go besides the ledger: none, an SQLite file of the trial's own, or a PostgreSQL (one that the program starts, or that of -database).
	Database Database `yaml:"database" json:"database,omitempty"`
	// Write is how an effect is written: insert as it comes; unique-key has the database refuse an effect of the same message; check-then-act asks first whether it is there, and then writes, in two transactions.
	Write SinkWrite `yaml:"write" json:"write,omitempty"`
	// Effect is what a message does to its account: add-to-balance adds its amount, so that each further time is money; set-status sets it active, which is the same however often.
	Effect SinkEffect `yaml:"effect" json:"effect,omitempty"`
	// Accounts is how many there are. A message's key says which is its own, without one its identity.
	Accounts int `yaml:"accounts" json:"accounts,omitempty" range:"1..1000000"`
}

// Outbox is how pipeline: outbox writes a row and the message that tells of it.
type Outbox struct {
	// Write is the order: outbox writes the row and the message into the database in one transaction, and a publisher produces what it finds there; row-first commits the row, then produces the message; message-first produces it, awaits its acknowledgement, then commits the row.
	Write OutboxWrite `yaml:"write" json:"write,omitempty"`
	// RowsPerTransaction is how many rows, of as many messages, the writer commits together.
	RowsPerTransaction int `yaml:"rows_per_transaction" json:"rows_per_transaction,omitempty" range:"1..100000"`
	// PublishEvery is how many messages the publisher reads, produces and clears together, at most.
	PublishEvery int `yaml:"publish_every" json:"publish_every,omitempty" range:"1..100000"`
	// PollEvery is how long the publisher waits when it found less than that.
	PollEvery Duration `yaml:"poll_every" json:"poll_every,omitempty" range:"1ms..1h"`
}

// Fault is one thing that goes wrong. Exactly one of the keys up to Refuse is
// set; those after it say more of it.
type Fault struct {
	// Kill ends with SIGKILL: a worker of this role when it reaches the point
	// When, a broker of this role at once.
	Kill Role `yaml:"kill" json:"kill,omitempty"`
	// Stop ends a broker of this role in good order (SIGTERM), or has a consumer close.
	Stop Role `yaml:"stop" json:"stop,omitempty"`
	// Freeze stops (SIGSTOP) for the time For: a broker of this role, or a worker when it reaches the point When.
	Freeze Role `yaml:"freeze" json:"freeze,omitempty"`
	// Isolate leader freezes the followers of a partition for the time For, then kills its leader and thaws them: what only the leader had is lost.
	Isolate Role `yaml:"isolate" json:"isolate,omitempty"`
	// Join adds a group member, which makes the group rebalance; with For it
	// leaves again after that time.
	Join Role `yaml:"join" json:"join,omitempty"`
	// Fail has the processing of the next Messages fail once each; consumer.on_error says what the worker does then.
	Fail Role `yaml:"fail" json:"fail,omitempty"`
	// LoseResponse discards the answers to requests of this API after the broker did what they asked for: a lost acknowledgement.
	LoseResponse API `yaml:"lose_response" json:"lose_response,omitempty"`
	// LoseRequest discards requests of this API before the broker sees them.
	LoseRequest API `yaml:"lose_request" json:"lose_request,omitempty"`
	// DelayRequest holds requests of this API for the time For and then delivers them, also when their client is gone.
	DelayRequest API `yaml:"delay_request" json:"delay_request,omitempty"`
	// Slow delays everything between brokers and the clients of this role by Latency, give or take Jitter, for the time For.
	Slow Role `yaml:"slow" json:"slow,omitempty"`
	// Throttle lets Bandwidth bytes per second and connection pass for the time For.
	Throttle Role `yaml:"throttle" json:"throttle,omitempty"`
	// Cut closes the connections of the clients of this role at once.
	Cut Role `yaml:"cut" json:"cut,omitempty"`
	// Blackhole delivers nothing between brokers and the clients of this role for the time For; connections stay open.
	Blackhole Role `yaml:"blackhole" json:"blackhole,omitempty"`
	// Refuse closes every new connection of the clients of this role for the time For.
	Refuse Role `yaml:"refuse" json:"refuse,omitempty"`
	// Partition is whose leader or followers are struck, of the topic that the producers write to.
	Partition int `yaml:"partition" json:"partition,omitempty" range:"0..9999"`
	// When names the point of a worker's kill or freeze; anywhere is at the moment At, whatever it is doing.
	When Point `yaml:"when" json:"when,omitempty"`
	// At is when the fault is armed: a share of the measured window, or a time into it.
	At Moment `yaml:"at" json:"at"`
	// Restart is how long after the kill or stop the worker or broker is started again.
	Restart Duration `yaml:"restart" json:"restart,omitempty" range:"..1h"`
	// For is how long the fault lasts (of an isolated leader, its followers' freeze), or an added member stays.
	For Duration `yaml:"for" json:"for,omitempty" range:"..1h"`
	// Messages is how many messages fail.
	Messages int `yaml:"messages" json:"messages,omitempty" range:"0..100000000"`
	// Of is whose requests are lost or delayed; everybody's without it. relay is the producer of a relay, consumer its reading half.
	Of Role `yaml:"of" json:"of,omitempty"`
	// Topic narrows it to requests that name this topic.
	Topic TopicRole `yaml:"topic" json:"topic,omitempty"`
	// Nth is the first request that is struck, counted from the moment At; 0 is the first.
	Nth int `yaml:"nth" json:"nth,omitempty" range:"0..1000000000"`
	// Count is how many requests are struck; 0 is one.
	Count int `yaml:"count" json:"count,omitempty" range:"0..1000000000"`
	// Latency is what a slow connection adds to each way.
	Latency Duration `yaml:"latency" json:"latency,omitempty" range:"..10m"`
	// Jitter is by how much that varies.
	Jitter Duration `yaml:"jitter" json:"jitter,omitempty" range:"..10m"`
	// Bandwidth is the bytes per second that pass.
	Bandwidth Size `yaml:"bandwidth" json:"bandwidth,omitempty" range:"0B..1000GB"`
	// Direction is which way of a blackhole is closed; both without it.
	Direction Direction `yaml:"direction" json:"direction,omitempty"`
}

// Sizing is the part of a profile's capacity block that takes single values.
type Sizing struct {
	Rates Ladder `yaml:"rates"`
	// Repeats is how often every rung of the ladder is measured. An interval of 95 % needs 6.
	Repeats int    `yaml:"repeats" range:"1..1000"`
	Target  Target `yaml:"target"`
}

// Ladder is the rates that a capacity run steps through.
type Ladder struct {
	// From is the lowest rate, where the search begins.
	From Rate `yaml:"from" range:">0/s.."`
	// To is the highest rate that is asked for.
	To Rate `yaml:"to" range:">0/s.."`
	// Step is how much each rung is over the one before, and so how exact the knee can be.
	Step Share `yaml:"step" range:"1%..100%"`
}

// Target is the load that is to be provided for.
type Target struct {
	// Rate is the load of today at its peak.
	Rate Rate `yaml:"rate" range:">0/s.."`
	// MessageSize is the whole value; 0B is load.message.size.
	MessageSize Size `yaml:"message_size" range:"0B..1GB"`
	// GrowthPerYear is by how much the rate grows each year, compounded.
	GrowthPerYear Share `yaml:"growth_per_year"`
	// Years is for how many of them.
	Years int `yaml:"years" range:"0..50"`
	// Headroom is the share of the capacity that stays free under the load of then.
	Headroom Share `yaml:"headroom" range:"0%..95%"`
	// Replication is the copies of every message.
	Replication int `yaml:"replication" range:"1..100"`
	// Retention is how long messages are kept.
	Retention Period `yaml:"retention" range:">0s.."`
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
	OnError     string // what becomes of a message whose processing failed
	OffsetReset string // where a group without offsets begins
	// RenewProducer is when a relay makes a new producer.
	RenewProducer string
	Role          string // who a fault strikes
	Point         string // where a kill or freeze strikes
	API           string // the requests of Kafka's protocol that a fault on the wire is about
	TopicRole     string // which of a pipeline's topics
	Direction     string // which way between client and broker
)

const (
	AtMostOnce  Guarantee = "at-most-once"
	AtLeastOnce Guarantee = "at-least-once"
	ExactlyOnce Guarantee = "exactly-once"
	NoGuarantee Guarantee = "none"

	Consume Pipeline = "consume" // produce, consume, effect
	RelayTo Pipeline = "relay"   // consume, process, produce
	Produce Pipeline = "produce" // produce alone
	// ByOutbox writes rows, and publishes messages that tell of them.
	ByOutbox Pipeline = "outbox"

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
	// WithEffect keeps the offsets in the sink's database, written with the effect.
	WithEffect CommitWhen = "with-effect"

	Sync  CommitMode = "sync"
	Async CommitMode = "async"

	Static  Membership = "static"
	Dynamic Membership = "dynamic"

	RangeAssignor      Assignor = "range"
	RoundRobinAssignor Assignor = "roundrobin"
	CooperativeSticky  Assignor = "cooperative-sticky"

	ClassicProtocol  Protocol = "classic"
	ConsumerProtocol Protocol = "consumer" // KIP-848

	WhenBroken      RenewProducer = "when-broken"
	AfterUnknownEnd RenewProducer = "after-unknown-end"

	ReadCommitted   Isolation = "read_committed"
	ReadUncommitted Isolation = "read_uncommitted"

	SkipMessage  OnError = "skip"
	RetryMessage OnError = "retry"
	DeadLetter   OnError = "dead-letter"

	Earliest OffsetReset = "earliest"
	Latest   OffsetReset = "latest"

	ProducerRole Role = "producer"
	ConsumerRole Role = "consumer"
	RelayRole    Role = "relay"
	// PublisherRole takes messages out of the outbox.
	PublisherRole Role = "publisher"

	// Roles of brokers. A broker may have several; who has one is found out
	// when the fault strikes.
	BrokerRole                 Role = "broker"    // the one with the lowest id
	LeaderRole                 Role = "leader"    // of a partition
	FollowerRole               Role = "follower"  // of a partition: the first of its replicas that does not lead it
	FollowersRole              Role = "followers" // of a partition, all of them
	GroupCoordinatorRole       Role = "group-coordinator"
	TransactionCoordinatorRole Role = "transaction-coordinator"
	ControllerRole             Role = "controller" // the active one

	DatabaseRole Role = "database" // the sink's server, when the program started it

	InputTopic  TopicRole = "input"
	OutputTopic TopicRole = "output"

	ToBroker Direction = "to-broker"
	ToClient Direction = "to-client"
	BothWays Direction = "both"

	// Points of the producer.
	PointSent Point = "sent" // after produce returned, before its report

	// Points of a producer that writes rows. Full transactions alone pass them.
	PointInserted      Point = "inserted"       // rows (and the outbox's) are written, not committed
	PointBetweenWrites Point = "between-writes" // of a dual write: the first of the two is done, the second not begun

	// Points of the publisher. Full batches alone pass them.
	PointRead      Point = "read"      // messages are in hand, nothing done with them
	PointPublished Point = "published" // every report arrived, nothing is cleared
	PointCleared   Point = "cleared"   // they are out of the outbox

	// Points of every consuming worker.
	PointPolled    Point = "polled"    // a batch is in hand, nothing done with it
	PointCommitted Point = "committed" // right after a successful commit
	PointMidBatch  Point = "mid-batch" // between commit and effect, whichever comes first; in transactions, after the offsets were sent
	PointProcessed Point = "processed" // every effect of the batch is done
	PointChecked   Point = "checked"   // between the check and the act of sink.write: check-then-act

	// PointAnywhere is no point: the kill or freeze strikes at its moment.
	PointAnywhere Point = "anywhere"

	// Points of the relay.
	PointBegun           Point = "begun"            // the transaction has begun, nothing produced
	PointProduced        Point = "produced"         // every output's report arrived
	PointOffsetsSent     Point = "offsets-sent"     // the offsets are in the transaction
	PointCommitRequested Point = "commit-requested" // CommitTransaction was called and has not returned
)

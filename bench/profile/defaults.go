package profile

import (
	"slices"
	"time"
)

// SocketTimeout is how long a client waits for the answer to a request before it
// counts the request as lost (socket.timeout.ms). The library's own 60 s is
// longer than most trials.
const SocketTimeout = Duration(30 * time.Second)

// StoreWithin is how long a worker tries to have a batch in its database, of
// which the server may be gone or frozen meanwhile.
const StoreWithin = Duration(90 * time.Second)

// SocketTimeout is how long the clients of a role (producer, relay: the producing
// half, consumer) wait for an answer; otherwise is what it is where the settings
// say nothing of it.
func (s Settings) SocketTimeout(of Role, otherwise Duration) Duration {
	maps := []map[string]string{s.Producer.Librdkafka}
	switch of {
	case RelayRole:
		if s.Consumer.Commit.When == InTransaction {
			otherwise = min(otherwise, s.Relay.TransactionTimeout)
		}
		maps = append(maps, s.Relay.Librdkafka)
	case ConsumerRole:
		maps[0] = s.Consumer.Librdkafka
	}
	for _, properties := range slices.Backward(maps) {
		text, set := properties["socket.timeout.ms"]
		if ms, err := time.ParseDuration(text + "ms"); set && err == nil && ms > 0 {
			return Duration(ms)
		}
	}
	return otherwise
}

// Defaults is what a profile that states nothing is run with. Where the client
// library's own default would measure something else than the profile says
// (fetch.queue.backoff.ms, or auto.offset.reset, whose latest would fake a loss), the worker's client
// configuration sets it and shows it.
func Defaults() Settings {
	return Settings{
		Guarantee: NoGuarantee,
		Pipeline:  Consume,
		Load: Load{
			Rate:          1000,
			Arrivals:      Constant,
			BurstMessages: 100,
			Warmup:        Duration(500 * time.Millisecond),
			Duration:      Duration(5 * time.Second),
			Cooldown:      Duration(500 * time.Millisecond),
			Message:       Message{Size: 256, Key: NoKey, Keys: 10000, Entropy: 1},
		},
		Topic: Topic{Partitions: 1},
		Producer: Producer{
			Count: 1, Acks: AcksAll, Retries: 2147483647, MaxInFlight: 5,
			Linger: Duration(5 * time.Millisecond), BatchSize: 1 << 20, Compression: "none",
			// librdkafka refuses a message timeout above the transaction's.
			MessageTimeout: Duration(30 * time.Second),
			Transaction:    Transaction{FlushBeforeAbort: true},
		},
		Consumer: Consumer{
			Count: 1, Membership: Static, RebalanceCallback: true,
			Commit:   Commit{When: AfterProcessing, Every: 500, Mode: Sync},
			Assignor: RangeAssignor, Protocol: ClassicProtocol, Isolation: ReadCommitted,
			OnError: SkipMessage, RetryBackoff: Duration(10 * time.Millisecond), OffsetReset: Earliest,
			SessionTimeout: Duration(10 * time.Second), MaxPollInterval: Duration(5 * time.Minute),
		},
		Relay:   Relay{TransactionTimeout: Duration(30 * time.Second), RenewProducer: WhenBroken},
		Sink:    Sink{Database: NoDatabase, Write: Insert, Effect: AddToBalance, Accounts: 1000},
		Outbox:  Outbox{Write: InOutbox, RowsPerTransaction: 1, PublishEvery: 50, PollEvery: Duration(100 * time.Millisecond)},
		Repeats: 1,
	}
}

package profile

import (
	"reflect"
	"strings"
)

// vocabularies are the closed sets of words, in the order in which an error
// or the documentation names them.
var vocabularies = map[reflect.Type][]string{
	reflect.TypeFor[Guarantee]():   words(AtMostOnce, AtLeastOnce, ExactlyOnce, NoGuarantee),
	reflect.TypeFor[Pipeline]():    words(Consume, RelayTo, Produce, ByOutbox),
	reflect.TypeFor[Arrivals]():    words(Constant, Poisson, Ramp, Burst),
	reflect.TypeFor[Key]():         words(NoKey, UniformKey, ZipfKey),
	reflect.TypeFor[Acks]():        words(AcksNone, AcksLeader, AcksAll),
	reflect.TypeFor[Compression](): words[Compression]("none", "gzip", "snappy", "lz4", "zstd"),
	reflect.TypeFor[CommitWhen](): words(
		BeforeProcessing, AfterProcessing, Automatic, AutomaticStored, InTransaction, WithEffect),
	reflect.TypeFor[CommitMode]():    words(Sync, Async),
	reflect.TypeFor[Membership]():    words(Static, Dynamic),
	reflect.TypeFor[Assignor]():      words(RangeAssignor, RoundRobinAssignor, CooperativeSticky),
	reflect.TypeFor[Protocol]():      words(ClassicProtocol, ConsumerProtocol),
	reflect.TypeFor[Isolation]():     words(ReadCommitted, ReadUncommitted),
	reflect.TypeFor[OnError]():       words(SkipMessage, RetryMessage, DeadLetter),
	reflect.TypeFor[OffsetReset]():   words(Earliest, Latest),
	reflect.TypeFor[RenewProducer](): words(WhenBroken, AfterUnknownEnd),
	reflect.TypeFor[Role](): words(ProducerRole, ConsumerRole, RelayRole, PublisherRole, BrokerRole, LeaderRole,
		FollowerRole, FollowersRole, GroupCoordinatorRole, TransactionCoordinatorRole, ControllerRole, DatabaseRole),
	reflect.TypeFor[Point](): words(PointSent, PointInserted, PointBetweenWrites, PointRead, PointPublished, PointCleared, PointPolled, PointCommitted, PointMidBatch,
		PointProcessed, PointChecked, PointBegun, PointProduced, PointOffsetsSent, PointCommitRequested, PointAnywhere),
	reflect.TypeFor[Database]():    words(NoDatabase, SQLite, Postgres),
	reflect.TypeFor[SinkWrite]():   words(Insert, UniqueKey, CheckThenAct),
	reflect.TypeFor[SinkEffect]():  words(AddToBalance, SetStatus),
	reflect.TypeFor[OutboxWrite](): words(InOutbox, RowFirst, MessageFirst),
	reflect.TypeFor[TopicRole]():   words(InputTopic, OutputTopic),
	reflect.TypeFor[Direction]():   words(ToBroker, ToClient, BothWays),
	reflect.TypeFor[API]():         apiNames(),
}

// apis are the requests that the clients send, with their keys in Kafka's
// protocol (https://kafka.apache.org/protocol#protocol_api_keys).
var apis = []struct {
	name API
	key  int16
}{
	{"produce", 0}, {"fetch", 1}, {"list-offsets", 2}, {"metadata", 3}, {"offset-commit", 8}, {"offset-fetch", 9},
	{"find-coordinator", 10}, {"join-group", 11}, {"heartbeat", 12}, {"leave-group", 13}, {"sync-group", 14},
	{"init-producer-id", 22}, {"add-partitions-to-txn", 24}, {"add-offsets-to-txn", 25}, {"end-txn", 26},
	{"txn-offset-commit", 28}, {"consumer-group-heartbeat", 68},
}

// Key is the request's key in Kafka's protocol, -1 for none.
func (a API) Key() int16 {
	for _, known := range apis {
		if known.name == a {
			return known.key
		}
	}
	return -1
}

func apiNames() []string {
	names := make([]string, len(apis))
	for i, api := range apis {
		names[i] = string(api.name)
	}
	return names
}

func words[T ~string](values ...T) []string {
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = string(value)
	}
	return list
}

// orList joins words as "a, b or c".
func orList(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " or " + list[last]
}

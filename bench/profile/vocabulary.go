package profile

import (
	"reflect"
	"strings"
)

// vocabularies are the closed sets of words, in the order in which an error
// or the documentation names them.
var vocabularies = map[reflect.Type][]string{
	reflect.TypeFor[Guarantee]():   words(AtMostOnce, AtLeastOnce, ExactlyOnce, NoGuarantee),
	reflect.TypeFor[Pipeline]():    words(Consume, RelayTo, Produce),
	reflect.TypeFor[Arrivals]():    words(Constant, Poisson, Ramp, Burst),
	reflect.TypeFor[Key]():         words(NoKey, UniformKey, ZipfKey),
	reflect.TypeFor[Acks]():        words(AcksNone, AcksLeader, AcksAll),
	reflect.TypeFor[Compression](): words[Compression]("none", "gzip", "snappy", "lz4", "zstd"),
	reflect.TypeFor[CommitWhen](): words(
		BeforeProcessing, AfterProcessing, Automatic, AutomaticStored, InTransaction),
	reflect.TypeFor[CommitMode](): words(Sync, Async),
	reflect.TypeFor[Membership](): words(Static, Dynamic),
	reflect.TypeFor[Assignor]():   words(RangeAssignor, RoundRobinAssignor, CooperativeSticky),
	reflect.TypeFor[Protocol]():   words(ClassicProtocol, ConsumerProtocol),
	reflect.TypeFor[Isolation]():  words(ReadCommitted, ReadUncommitted),
	reflect.TypeFor[Role](): words(ProducerRole, ConsumerRole, RelayRole, BrokerRole, LeaderRole,
		FollowerRole, FollowersRole, GroupCoordinatorRole, TransactionCoordinatorRole, ControllerRole),
	reflect.TypeFor[Point](): words(PointSent, PointPolled, PointCommitted, PointMidBatch,
		PointProcessed, PointBegun, PointProduced, PointOffsetsSent, PointCommitRequested),
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

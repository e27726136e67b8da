package client

// lastOffsets are, per partition, the offset of the last message that the library
// returned: what it returns at that offset once more, without the consumer having
// gone back, it returns twice.
//
// A cooperative or KIP-848 rebalance does that (librdkafka 2.15): its thread stops
// every partition, also those that stay, and goes on after the message that it has
// noted as the application's last. One that a poll took just before the stop, and
// noted only afterwards, is returned by that poll and fetched again.
//
// It is a slice, since a look belongs to every message.
type lastOffsets []int64

// none is the last offset of a partition that begins anew.
const none = -1

// forget tells that anything may come next in a partition.
func (l lastOffsets) forget(partition int32) {
	if int(partition) < len(l) {
		l[partition] = none
	}
}

// pass takes note of a message, and reports whether it was the last one too.
func (l *lastOffsets) pass(partition int32, offset int64) (again bool) {
	for int(partition) >= len(*l) {
		*l = append(*l, none)
	}
	again = (*l)[partition] == offset
	(*l)[partition] = offset
	return again
}

package client

// positions are how far the library has come, per partition: what it returns from
// before them, nobody having gone back, it returns again.
//
// A cooperative or KIP-848 rebalance does that (librdkafka 2.15): its thread stops
// every partition, also those that stay, and remembers the one after the last
// message that the application has. A message that a poll takes from the queue just
// then is not counted among those yet: it is returned, and fetched once more.
//
// It is a slice, since a look belongs to every message.
type positions []int64

// unknown is the position in a partition that begins anew.
const unknown = -1

// set tells that what comes next in a partition is expected from there; unknown
// expects anything.
func (p *positions) set(partition int32, next int64) {
	for int(partition) >= len(*p) {
		*p = append(*p, unknown)
	}
	(*p)[partition] = next
}

// pass takes note of a message, and reports whether it was passed before.
func (p *positions) pass(partition int32, offset int64) (again bool) {
	if int(partition) < len(*p) {
		again = offset < (*p)[partition]
		(*p)[partition] = max((*p)[partition], offset+1)
		return again
	}
	p.set(partition, offset+1)
	return false
}

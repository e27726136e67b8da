package worker

import (
	"maps"

	"deliverybench/bench/client"
)

// record is a message in hand.
type record struct {
	partition int32
	offset    int64
	key       []byte
	value     []byte
}

// batch is what was polled, in that order; within a partition by ascending
// offset. Its offsets are worked out once per batch: a map access per message
// would cost more than everything else that is measured of it.
type batch []record

// starts returns, per partition, the offset of its first message.
func (b batch) starts() client.Offsets {
	starts := client.Offsets{}
	for i, r := range b {
		if i > 0 && b[i-1].partition == r.partition {
			continue
		}
		if _, ok := starts[r.partition]; !ok {
			starts[r.partition] = r.offset
		}
	}
	return starts
}

// nexts returns, per partition, the offset after its last message: what is
// committed of the batch.
func (b batch) nexts() client.Offsets {
	nexts := client.Offsets{}
	for i, r := range b {
		if i+1 < len(b) && b[i+1].partition == r.partition {
			continue
		}
		nexts[r.partition] = r.offset + 1
	}
	return nexts
}

// from returns the batch without the messages that lie before these places, or
// before one that is in it already. It reuses the batch's memory.
func (b batch) from(places client.Offsets) batch {
	next, rest := maps.Clone(places), b[:0]
	if next == nil {
		next = client.Offsets{}
	}
	for _, r := range b {
		if r.offset >= next[r.partition] {
			rest = append(rest, r)
			next[r.partition] = r.offset + 1
		}
	}
	return rest
}

// without returns the batch without the messages of partitions that are not
// kept. It reuses the batch's memory.
func (b batch) without(kept map[int32]bool) batch {
	rest := b[:0]
	for _, r := range b {
		if kept[r.partition] {
			rest = append(rest, r)
		}
	}
	return rest
}

package sink

import (
	"hash/fnv"

	"deliverybench/bench/message"
)

// mostCents is the largest amount.
const mostCents = 10_000

// producerBits is where a message's producer stands above its sequence.
const producerBits = 40

// Effect is what a message does.
type Effect struct {
	Producer int
	Sequence int64
	// Incarnation is the consumer's that applies it.
	Incarnation int
	Account     int64
	// Amount is in cents.
	Amount int64
	// Partition and Offset are where the message lies.
	Partition int32
	Offset    int64
}

// identity is the message's, whoever applies it.
type identity struct {
	producer int
	sequence int64
}

func (e Effect) identity() identity { return identity{e.Producer, e.Sequence} }

// Amount is what a message adds to its account, 1 to 10,000 cents.
func Amount(producer int, sequence int64) int64 {
	return 1 + int64(scatter(producer, sequence)%mostCents)
}

// Account is the one of n that a message belongs to: by its key, or by its
// identity when it has none.
func Account(key []byte, producer int, sequence int64, n int) int64 {
	if key == nil {
		// Once more, or accounts and amounts would depend on each other.
		return int64(message.Mix(scatter(producer, sequence)) % uint64(n))
	}
	hash := fnv.New64a()
	_, _ = hash.Write(key)
	return int64(message.Mix(hash.Sum64()) % uint64(n))
}

func scatter(producer int, sequence int64) uint64 {
	return message.Mix(uint64(producer)<<producerBits | uint64(sequence))
}

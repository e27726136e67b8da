package wire

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// PerPartition is a number for each partition of each topic: records, or an
// offset.
type PerPartition map[string]map[int32]int64

// Sum adds up all numbers.
func (p PerPartition) Sum() int64 {
	var sum int64
	for _, partitions := range p {
		for _, n := range partitions {
			sum += n
		}
	}
	return sum
}

func (p *PerPartition) set(topic string, partition int32, n int64) {
	if *p == nil {
		*p = PerPartition{}
	}
	if (*p)[topic] == nil {
		(*p)[topic] = map[int32]int64{}
	}
	(*p)[topic][partition] = n
}

// content is what a request brings, of those requests that bring something.
type content struct {
	topics []string
	// records of a Produce, offsets of a commit.
	records, offsets PerPartition
}

// namesTopics says whether the proxy can tell which topics a request is about.
func namesTopics(key kmsg.Key) bool {
	return key == kmsg.Fetch || key == kmsg.AddPartitionsToTxn || brings(key)
}

// brings says whether a request changes the log or a group's offsets.
func brings(key kmsg.Key) bool {
	return key == kmsg.Produce || key == kmsg.OffsetCommit || key == kmsg.TxnOffsetCommit
}

// topicNames are the names of topics by the ids that newer requests use
// instead. They are learned from the metadata that clients ask for.
type topicNames struct{ names sync.Map }

func (t *topicNames) learn(response *kmsg.MetadataResponse) {
	for _, topic := range response.Topics {
		if topic.Topic != nil && topic.TopicID != [16]byte{} {
			t.names.Store(topic.TopicID, *topic.Topic)
		}
	}
}

// of returns the name, which requests carry as such or as an id.
func (t *topicNames) of(name string, id [16]byte) string {
	if name != "" {
		return name
	}
	if known, ok := t.names.Load(id); ok {
		return known.(string)
	}
	return base64.RawURLEncoding.EncodeToString(id[:]) // as Kafka writes it
}

// read returns what a request brings.
func (t *topicNames) read(request kmsg.Request) (*content, error) {
	c := &content{}
	switch r := request.(type) {
	case *kmsg.ProduceRequest:
		for _, topic := range r.Topics {
			name := t.of(topic.Topic, topic.TopicID)
			c.topics = append(c.topics, name)
			for _, p := range topic.Partitions {
				n, err := countRecords(p.Records)
				if err != nil {
					return nil, err
				}
				c.records.set(name, p.Partition, c.records[name][p.Partition]+n)
			}
		}
	case *kmsg.OffsetCommitRequest:
		for _, topic := range r.Topics {
			name := t.of(topic.Topic, topic.TopicID)
			c.topics = append(c.topics, name)
			for _, p := range topic.Partitions {
				c.offsets.set(name, p.Partition, p.Offset)
			}
		}
	case *kmsg.TxnOffsetCommitRequest:
		for _, topic := range r.Topics {
			name := t.of(topic.Topic, topic.TopicID)
			c.topics = append(c.topics, name)
			for _, p := range topic.Partitions {
				c.offsets.set(name, p.Partition, p.Offset)
			}
		}
	case *kmsg.FetchRequest:
		for _, topic := range r.Topics {
			c.topics = append(c.topics, t.of(topic.Topic, topic.TopicID))
		}
	case *kmsg.AddPartitionsToTxnRequest:
		for _, topic := range r.Topics {
			c.topics = append(c.topics, topic.Topic)
		}
		for _, transaction := range r.Transactions {
			for _, topic := range transaction.Topics {
				c.topics = append(c.topics, topic.Topic)
			}
		}
	}
	return c, nil
}

var errOldBatch = errors.New("a Produce request in a record format older than Kafka 0.11's: its records cannot be counted")

// countRecords adds up the records that batches say they have, which needs no
// decompressing.
func countRecords(batches []byte) (int64, error) {
	const (
		lengthAt, magicAt, countAt = 8, 16, 57
		behindLength               = 12
		headerBytes                = 61
	)
	var records int64
	for len(batches) > 0 {
		if len(batches) <= magicAt {
			return 0, errShort
		}
		if batches[magicAt] < 2 {
			return 0, errOldBatch
		}
		length := int64(int32(binary.BigEndian.Uint32(batches[lengthAt:]))) + behindLength
		if length < headerBytes || length > int64(len(batches)) {
			return 0, errShort
		}
		n := int32(binary.BigEndian.Uint32(batches[countAt:]))
		if n < 0 {
			return 0, errShort
		}
		records += int64(n)
		batches = batches[length:]
	}
	return records, nil
}

// fate is what a broker made of what a request brought to a partition.
type fate int

const (
	untold fate = iota
	applied
	absent
)

// eachFate visits what a response says of each partition.
func (t *topicNames) eachFate(response kmsg.Response, visit func(topic string, partition int32, f fate)) {
	switch r := response.(type) {
	case *kmsg.ProduceResponse:
		for _, topic := range r.Topics {
			for _, p := range topic.Partitions {
				visit(t.of(topic.Topic, topic.TopicID), p.Partition, fateOf(p.ErrorCode))
			}
		}
	case *kmsg.OffsetCommitResponse:
		for _, topic := range r.Topics {
			for _, p := range topic.Partitions {
				visit(t.of(topic.Topic, topic.TopicID), p.Partition, fateOf(p.ErrorCode))
			}
		}
	case *kmsg.TxnOffsetCommitResponse:
		for _, topic := range r.Topics {
			for _, p := range topic.Partitions {
				visit(t.of(topic.Topic, topic.TopicID), p.Partition, fateOf(p.ErrorCode))
			}
		}
	}
}

// fateOf tells from a partition's error whether it was applied. Two errors say
// that the leader has it and the followers may not.
func fateOf(code int16) fate {
	switch code {
	case 0:
		return applied
	case kerr.RequestTimedOut.Code, kerr.NotEnoughReplicasAfterAppend.Code:
		return untold
	default:
		return absent
	}
}

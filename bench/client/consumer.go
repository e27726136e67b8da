package client

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// Consumer reads one topic, as a member of a group or with partitions given to it.
type Consumer struct {
	c     *kafka.Consumer
	topic string
	last  lastOffsets
}

// Kind is what a poll returned.
type Kind uint8

const (
	Nothing Kind = iota // the time passed
	Record              // Partition, Offset, Key, Value, Again are set
	EOF                 // nothing lies at Offset of Partition yet
	Failure             // Err is set
)

// Event is what a poll returned.
type Event struct {
	Kind      Kind
	Partition int32
	Offset    int64
	Key       []byte
	Value     []byte
	// Again says that the library returned it before, as the last one of its
	// partition, and that the consumer neither went back nor got the partition anew.
	Again bool
	Err   error
}

// Offsets maps partitions of the topic to the next offset to read.
type Offsets map[int32]int64

func (o Offsets) list(topic *string) []kafka.TopicPartition {
	out := make([]kafka.TopicPartition, 0, len(o))
	for p, offset := range o {
		out = append(out, kafka.TopicPartition{Topic: topic, Partition: p, Offset: kafka.Offset(offset)})
	}
	slices.SortFunc(out, func(a, b kafka.TopicPartition) int { return int(a.Partition - b.Partition) })
	return out
}

// GroupMetadata identifies the member's generation to a transaction.
type GroupMetadata struct {
	m     *kafka.ConsumerGroupMetadata
	topic *string
}

// Rebalance is told when partitions come and go, inside Poll. Revoked may
// still commit; after Lost the partitions belong to somebody else already.
type Rebalance struct {
	Assigned func(partitions []int32)
	Revoked  func(partitions []int32)
	Lost     func(partitions []int32)
	// Begin says where to begin in partitions that were assigned; those that it
	// leaves out, or all when it is nil, begin at the group's offsets.
	Begin func(partitions []int32) Offsets
}

// NewConsumer makes a consumer of one topic.
func NewConsumer(properties Properties, topic string) (*Consumer, error) {
	c, err := kafka.NewConsumer(properties.configMap(nil))
	if err != nil {
		return nil, fmt.Errorf("make consumer: %w", err)
	}
	return &Consumer{c: c, topic: topic}, nil
}

// Subscribe joins the group. A nil rebalance leaves partitions to the library
// without telling anyone.
func (c *Consumer) Subscribe(rebalance *Rebalance) error {
	var callback kafka.RebalanceCb
	if rebalance != nil {
		callback = func(kc *kafka.Consumer, event kafka.Event) error {
			switch e := event.(type) {
			case kafka.AssignedPartitions:
				for _, tp := range e.Partitions {
					c.last.forget(tp.Partition)
				}
				rebalance.Assigned(partitions(e.Partitions))
				if rebalance.Begin != nil {
					return begin(kc, e.Partitions, rebalance.Begin(partitions(e.Partitions)))
				}
			case kafka.RevokedPartitions:
				if kc.AssignmentLost() {
					rebalance.Lost(partitions(e.Partitions))
				} else {
					rebalance.Revoked(partitions(e.Partitions))
				}
			}
			return nil
		}
	}
	return wrap("subscribe", c.c.Subscribe(c.topic, callback))
}

// begin takes partitions that were assigned from where the owner says, not the
// group.
func begin(kc *kafka.Consumer, assigned []kafka.TopicPartition, at Offsets) error {
	for i, tp := range assigned {
		if offset, known := at[tp.Partition]; known {
			assigned[i].Offset = kafka.Offset(offset)
		}
	}
	if kc.GetRebalanceProtocol() == "COOPERATIVE" {
		return kc.IncrementalAssign(assigned)
	}
	return kc.Assign(assigned)
}

// Assign reads the given partitions from the given offsets, outside any group.
func (c *Consumer) Assign(from Offsets) error {
	c.last = nil
	return wrap("assign", c.c.Assign(c.list(from)))
}

// Poll returns the next record, end of partition or error.
func (c *Consumer) Poll(timeout time.Duration) Event {
	switch e := c.c.Poll(int(timeout.Milliseconds())).(type) {
	case *kafka.Message:
		if e.TopicPartition.Error != nil {
			return Event{Kind: Failure, Partition: e.TopicPartition.Partition, Err: wrapOn("consume", mayRead, c.topic, e.TopicPartition.Error)}
		}
		partition, offset := e.TopicPartition.Partition, int64(e.TopicPartition.Offset)
		return Event{Kind: Record, Partition: partition, Offset: offset, Key: e.Key, Value: e.Value, Again: c.last.pass(partition, offset)}
	case kafka.PartitionEOF:
		return Event{Kind: EOF, Partition: e.Partition, Offset: int64(e.Offset)}
	case kafka.Error:
		return Event{Kind: Failure, Err: wrapOn("consume", mayRead, c.topic, e)}
	default:
		return Event{}
	}
}

// Commit commits the next offsets and waits for the broker's answer.
func (c *Consumer) Commit(next Offsets) error {
	results, err := c.c.CommitOffsets(c.list(next))
	if err != nil {
		return wrapOn("commit", mayRead, c.topic, err)
	}
	for _, r := range results {
		if r.Error != nil {
			return wrapOn(fmt.Sprintf("commit of partition %d", r.Partition), mayRead, c.topic, r.Error)
		}
	}
	return nil
}

// Store marks the next offset of a partition as processed, for the automatic commit.
func (c *Consumer) Store(partition int32, next int64) error {
	_, err := c.c.StoreOffsets([]kafka.TopicPartition{{Topic: &c.topic, Partition: partition, Offset: kafka.Offset(next)}})
	return wrap("store offset", err)
}

// mostSeeks bounds how often a seek is asked for that the library overtakes.
const mostSeeks = 100

// Seek moves the positions; what was fetched before is dropped.
//
// A cooperative rebalance pauses and resumes every partition from the library's
// own thread. Where that is ordered after a seek and served before it, the library
// drops the seek as outdated (librdkafka, rd_kafka_toppar_op_serve): it is asked
// for again.
func (c *Consumer) Seek(to Offsets) error {
	for p := range to {
		c.last.forget(p)
	}
	left := c.list(to)
	for try := 1; len(left) > 0; try++ {
		results, err := c.c.SeekPartitions(left)
		if err != nil {
			return wrap("seek", err)
		}
		left = left[:0]
		for _, r := range results {
			if r.Error == nil {
				continue
			}
			if !outdated(r.Error) || try == mostSeeks {
				return wrap(fmt.Sprintf("seek in partition %d", r.Partition), r.Error)
			}
			r.Error = nil
			left = append(left, r)
		}
	}
	return nil
}

func outdated(err error) bool {
	var ke kafka.Error
	return errors.As(err, &ke) && ke.Code() == kafka.ErrOutdated
}

// Pause stops fetching from partitions that are owned, until Resume; what was
// fetched before is dropped.
func (c *Consumer) Pause(ps []int32) error { return wrap("pause", c.c.Pause(c.positions(ps))) }

// Resume goes on where Pause stopped.
func (c *Consumer) Resume(ps []int32) error { return wrap("resume", c.c.Resume(c.positions(ps))) }

// Assignment returns the partitions that the consumer owns now.
func (c *Consumer) Assignment() ([]int32, error) {
	list, err := c.c.Assignment()
	return partitions(list), wrap("assignment", err)
}

// Committed returns the group's committed offsets; -1 where there is none. It asks
// again while the group's coordinator is on its way to another broker.
func (c *Consumer) Committed(ps []int32, timeout time.Duration) (Offsets, error) {
	deadline := time.Now().Add(timeout)
	for {
		offsets, err := c.committed(ps, min(time.Until(deadline), committedWithin))
		var e *Error
		if err == nil || !errors.As(err, &e) || !e.elsewhere() || time.Until(deadline) < coordinatorEvery {
			return offsets, err
		}
		time.Sleep(coordinatorEvery)
	}
}

const (
	committedWithin  = 10 * time.Second // of one answer
	coordinatorEvery = 100 * time.Millisecond
)

func (c *Consumer) committed(ps []int32, timeout time.Duration) (Offsets, error) {
	list, err := c.c.Committed(c.positions(ps), int(timeout.Milliseconds()))
	if err != nil {
		return nil, wrap("committed offsets", err)
	}
	out := Offsets{}
	for _, tp := range list {
		if tp.Error != nil {
			return nil, wrap(fmt.Sprintf("committed offset of partition %d", tp.Partition), tp.Error)
		}
		out[tp.Partition] = max(int64(tp.Offset), -1)
	}
	return out, nil
}

// GroupMetadata returns what a transaction needs to know of the member. A member
// that was thrown out still has what it had, which the broker refuses.
func (c *Consumer) GroupMetadata() (*GroupMetadata, error) {
	m, err := c.c.GetConsumerGroupMetadata()
	return &GroupMetadata{m, &c.topic}, wrap("group metadata", err)
}

// Close leaves the group (a static member stays in it until its session ends).
func (c *Consumer) Close() error { return wrap("close consumer", c.c.Close()) }

// positions names partitions of the topic.
func (c *Consumer) positions(ps []int32) []kafka.TopicPartition {
	out := make([]kafka.TopicPartition, len(ps))
	for i, p := range ps {
		out[i] = kafka.TopicPartition{Topic: &c.topic, Partition: p}
	}
	return out
}

func (c *Consumer) list(offsets Offsets) []kafka.TopicPartition { return offsets.list(&c.topic) }

func partitions(list []kafka.TopicPartition) []int32 {
	out := make([]int32, len(list))
	for i, tp := range list {
		out[i] = tp.Partition
	}
	slices.Sort(out)
	return out
}

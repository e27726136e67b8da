package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// Producer sends messages and reports what became of each. The report carries
// the message's value, by which the caller knows it: an Opaque would cost an
// entry in a global map per message.
type Producer struct {
	p *kafka.Producer
	// topic is kept as a pointer once: the library wants *string per message.
	topic           string
	batching        batching
	taken, reported atomic.Int64
	// settled holds a token when every message taken had its report.
	settled chan struct{}
	// lingering are the goroutines that end the client's lingering.
	lingering sync.WaitGroup
	// stuck says that a call into the library is still under way and may stay so.
	stuck atomic.Bool
}

// Report is the fate of one message. Value is valid during the callback only.
type Report struct {
	Value     []byte
	Partition int32
	Offset    int64 // meaningless with acks=0 or an error
	Outcome   Outcome
	Err       error
	// Together says that this report had already arrived when the last one
	// without this was handed over: a clock read then is read for both.
	Together bool
}

// reportsTogether is how many reports at most share one reading of the clock.
// Handling them takes about 1 µs, to which latencies are recorded.
const reportsTogether = 8

// NewProducer makes a producer that sends to one topic.
func NewProducer(properties Properties, topic string) (*Producer, error) {
	p, err := kafka.NewProducer(properties.configMap(kafka.ConfigMap{
		"go.delivery.report.fields": "value",
		"go.events.channel.size":    20000,
		"go.produce.channel.size":   0,
	}))
	if err != nil {
		return nil, fmt.Errorf("make producer: %w", err)
	}
	return &Producer{p: p, topic: topic, batching: properties.batching(), settled: make(chan struct{}, 1)}, nil
}

// Produce hands a message to the client's queue; its report follows through
// Reports. The value is copied. ErrQueueFull: wait and try again; every other
// error means that the message was not taken and no report follows.
func (p *Producer) Produce(key, value []byte) error { return p.ProduceTo(&p.topic, key, value) }

// ProduceTo is Produce to another topic than the producer's own.
func (p *Producer) ProduceTo(topic *string, key, value []byte) error {
	err := p.p.Produce(&kafka.Message{
		TopicPartition: kafka.TopicPartition{Topic: topic, Partition: kafka.PartitionAny},
		Key:            key,
		Value:          value,
	}, nil)
	if err == nil {
		p.taken.Add(1)
		return nil
	}
	if ke, ok := err.(kafka.Error); ok && ke.Code() == kafka.ErrQueueFull {
		return ErrQueueFull
	}
	return wrap("produce", err)
}

// Reports calls onReport for each delivery report and onError for every error
// of the client as a whole, until the producer is closed. It must run all the
// time, in one goroutine.
func (p *Producer) Reports(onReport func(*Report), onError func(error)) {
	var report Report
	events, arrived := p.p.Events(), 0
	for event := range events {
		switch e := event.(type) {
		case *kafka.Message:
			report = Report{
				Value:     e.Value,
				Partition: e.TopicPartition.Partition,
				Offset:    int64(e.TopicPartition.Offset),
				Outcome:   p.batching.outcomeOf(e.TopicPartition.Error, len(e.Value)),
				Err:       wrapOn("produce", mayWrite, p.topic, e.TopicPartition.Error),
				Together:  arrived > 0,
			}
			if arrived--; arrived < 0 {
				arrived = min(len(events), reportsTogether-1)
			}
			onReport(&report)
			if p.reported.Add(1) >= p.taken.Load() {
				select {
				case p.settled <- struct{}{}:
				default: // it holds one already
				}
			}
		case kafka.Error:
			arrived = 0 // it may have been one of those counted
			onError(wrapOn("producer", mayWrite, p.topic, e))
		default:
			arrived = 0 // so may this: statistics, a log line
		}
	}
}

// Counts are the messages that the client took and those of which the report's
// callback has returned.
func (p *Producer) Counts() (taken, reported int64) { return p.taken.Load(), p.reported.Load() }

// Flush waits until the callback of every message's report has returned, at
// most for the time given, and returns how many are still missing. It ends the
// client's lingering.
func (p *Producer) Flush(timeout time.Duration) int64 {
	left := func() int64 { return max(p.taken.Load()-p.reported.Load(), 0) }
	if left() == 0 {
		return 0
	}
	done := make(chan struct{})
	defer close(done)
	p.lingering.Go(func() { p.endLinger(done) })
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for left() > 0 {
		select {
		case <-p.settled:
		case <-timer.C:
			return left()
		}
	}
	return 0
}

// endLinger has the client send what it holds back. The library's Flush does
// that as a side effect; its return means little, because it shares a queue
// with the goroutine that polls it and may sleep on after the last report went
// to the other. So nobody waits for it, and it is called with the shortest
// timeout that has an effect: it counts whole milliseconds that are left, so
// with 1 it returns at once and has flushed nothing.
func (p *Producer) endLinger(done <-chan struct{}) {
	const shortest = 2 // ms
	for {
		select {
		case <-done: // perhaps before this began: what is produced next may linger
			return
		default:
		}
		if p.p.Flush(shortest) == 0 {
			return
		}
	}
}

// Close gives up on what has no report: call Flush first. A producer that is
// stuck is left to itself until the process ends: the library must not free what
// a call still uses.
func (p *Producer) Close() {
	if p.stuck.Load() {
		return
	}
	p.lingering.Wait() // it must not use a client that is gone
	p.p.Close()
}

// InitTransactions registers the transactional id, which fences every earlier
// producer that has it and ends what that one left open.
func (p *Producer) InitTransactions(ctx context.Context) error {
	return p.retry(ctx, "init transactions", func() error { return p.p.InitTransactions(ctx) })
}

// BeginTransaction begins one; the broker hears of it with the first message.
func (p *Producer) BeginTransaction() error {
	return wrap("begin transaction", p.p.BeginTransaction())
}

// SendOffsets puts the consumer's next offsets into the transaction. The error is
// Stuck when the library does not keep the context's deadline: it waits for a
// group coordinator that is gone for as long as nothing else changes in the
// cluster (confluentinc/librdkafka#5456 and #5511).
func (p *Producer) SendOffsets(ctx context.Context, offsets Offsets, group *GroupMetadata) error {
	const doing = "send offsets to transaction"
	done := make(chan error, 1)
	go func() {
		done <- p.retry(ctx, doing, func() error {
			return p.p.SendOffsetsToTransaction(ctx, offsets.list(group.topic), group.m)
		})
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	grace := time.NewTimer(stuckAfter)
	defer grace.Stop()
	select {
	case err := <-done:
		return err
	case <-grace.C:
		p.stuck.Store(true)
		return &Error{Doing: doing, Stuck: true,
			Err: fmt.Errorf("the client library did not return within %s after its timeout (librdkafka #5456)", stuckAfter)}
	}
}

// stuckAfter is how long past its timeout a call may take.
const stuckAfter = 5 * time.Second

// CommitTransaction waits for every report of the transaction and commits it.
func (p *Producer) CommitTransaction(ctx context.Context) error {
	return p.retry(ctx, "commit transaction", func() error { return p.p.CommitTransaction(ctx) })
}

// AbortTransaction drops what is still queued and aborts.
func (p *Producer) AbortTransaction(ctx context.Context) error {
	return p.retry(ctx, "abort transaction", func() error { return p.p.AbortTransaction(ctx) })
}

// retry repeats a transactional call as long as its error is retriable and the
// context lasts, as librdkafka's documentation of each call demands.
func (p *Producer) retry(ctx context.Context, doing string, call func() error) error {
	for {
		err := wrap(doing, call())
		var e *Error
		if err == nil || !errors.As(err, &e) || !e.Retriable || e.Fatal || e.Abortable {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

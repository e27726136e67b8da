package client

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"deliverybench/bench/profile"
)

// Admin asks about and changes the cluster.
type Admin struct {
	a        *kafka.AdminClient
	endpoint Endpoint
	// troubles are what its calls keep silent about.
	troubles *troubles
}

// Version returns the client library's versions: the Go binding's, which only
// the build knows, and that of the librdkafka it is linked with.
func Version() (binding, librdkafka string) {
	_, librdkafka = kafka.LibraryVersion()
	binding = "confluent-kafka-go"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/confluentinc/confluent-kafka-go/v2" {
				binding += " " + d.Version
			}
		}
	}
	return binding, librdkafka
}

// NewAdmin makes an admin client.
func NewAdmin(e Endpoint) (*Admin, error) {
	p := e.properties(nil)
	// The library tells its log alone why it cannot connect, and its calls only
	// that time is over. In the log, that a connection was closed is information.
	p["log_level"] = "6"
	a, err := kafka.NewAdminClient(p.configMap(kafka.ConfigMap{"go.logs.channel.enable": true}))
	if err != nil {
		return nil, fmt.Errorf("make admin client: %w", err)
	}
	t := &troubles{lasting: make(chan struct{})}
	go t.listen(a.Logs()) // ends with Close
	return &Admin{a, e, t}, nil
}

// Close ends the admin client.
func (a *Admin) Close() { a.a.Close() }

// ask makes a call. It gives up when the cluster refuses this client, and tells
// what stood between the two.
func ask[T any](ctx context.Context, a *Admin, doing string, call func(context.Context) (T, error)) (T, error) {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-a.troubles.lasting:
			cancel()
		case <-within.Done():
		}
	}()
	answer, err := call(within)
	if err == nil {
		a.troubles.over()
		return answer, nil
	}
	return answer, a.explain(ctx, doing, err)
}

// explain adds what the library's log said to an error that says nothing.
func (a *Admin) explain(ctx context.Context, doing string, err error) error {
	trouble := a.troubles.latest()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	switch {
	case trouble == nil || errors.Is(err, context.Canceled) && !trouble.Lasting:
		return wrap(doing, err)
	case trouble.Lasting:
		return &Error{Doing: doing, Err: trouble, Refused: true}
	}
	return wrap(doing, fmt.Errorf("%w; %w", err, trouble))
}

// Nodes returns how many brokers answer for the cluster, or why none does.
func (a *Admin) Nodes(timeout time.Duration) (int, error) {
	m, err := a.a.GetMetadata(nil, false, int(timeout.Milliseconds()))
	if err != nil {
		return 0, a.explain(context.Background(), "cluster metadata", err)
	}
	return len(m.Brokers), nil
}

// CreateTopic creates a topic that keeps everything, and waits until every
// partition has its leader and full ISR.
func (a *Admin) CreateTopic(ctx context.Context, name string, t profile.Topic) error {
	doing := "create topic " + name
	results, err := ask(ctx, a, doing, func(ctx context.Context) ([]kafka.TopicResult, error) {
		return a.a.CreateTopics(ctx, []kafka.TopicSpecification{{
			Topic:             name,
			NumPartitions:     t.Partitions,
			ReplicationFactor: t.Replication,
			Config: map[string]string{
				"cleanup.policy":      "delete",
				"retention.ms":        "-1",
				"retention.bytes":     "-1",
				"min.insync.replicas": strconv.Itoa(t.MinInsyncReplicas),
			},
		}})
	})
	if err != nil {
		return err
	}
	for _, r := range results {
		if r.Error.Code() != kafka.ErrNoError {
			return wrapOn(doing, mayCreate, name, r.Error)
		}
	}
	if err := a.awaitReplicas(ctx, name, t); err != nil {
		return err
	}
	return a.awaitLeaders(ctx, name, t.Partitions)
}

// awaitLeaders waits until every leader answers for its partition: a broker tells
// of one a moment before it serves it. Of two requests that a producer has on
// their way then, the first may be refused and the second taken, and the first is
// never taken after that: brokers before 4.5 begin a partition with any sequence
// number (KAFKA-15591). confluent-kafka-go #921 tells of such messages, reported as
// delivered.
func (a *Admin) awaitLeaders(ctx context.Context, name string, partitions int) error {
	elsewhere := func(e *Error) bool { return e.elsewhere() || e.unknownTopic() } // it may lead what it has not heard of
	if _, err := a.persist(ctx, name, partitions, profile.ReadUncommitted, elsewhere); err != nil {
		return fmt.Errorf("wait for the leader of every partition of topic %s to answer: %w", name, err)
	}
	return nil
}

func (a *Admin) awaitReplicas(ctx context.Context, name string, t profile.Topic) error {
	for {
		m, err := a.a.GetMetadata(&name, false, 2000)
		if err == nil && ready(m.Topics[name], t) {
			return nil
		}
		doing := "wait for leader and full ISR of every partition of topic " + name
		if err == nil {
			if err := wrapOn(doing, mayLook, name, m.Topics[name].Error); Refused(err) {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return a.explain(ctx, doing, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func ready(m kafka.TopicMetadata, t profile.Topic) bool {
	if m.Error.Code() != kafka.ErrNoError || len(m.Partitions) != t.Partitions {
		return false
	}
	for _, p := range m.Partitions {
		if p.Error.Code() != kafka.ErrNoError || p.Leader < 0 || len(p.Isrs) < t.Replication {
			return false
		}
	}
	return true
}

// DeleteTopics deletes the topics named; those that are not there are no error.
func (a *Admin) DeleteTopics(ctx context.Context, names ...string) error {
	results, err := ask(ctx, a, "delete topics", func(ctx context.Context) ([]kafka.TopicResult, error) {
		return a.a.DeleteTopics(ctx, names)
	})
	if err != nil {
		return err
	}
	var failed error
	for _, r := range results {
		if code := r.Error.Code(); code != kafka.ErrNoError && code != kafka.ErrUnknownTopicOrPart {
			failed = errors.Join(failed, wrapOn("delete topic "+r.Topic, mayDelete, r.Topic, r.Error))
		}
	}
	return failed
}

// DeleteGroup deletes an empty consumer group; one that is not there is no error.
func (a *Admin) DeleteGroup(ctx context.Context, group string) error {
	result, err := ask(ctx, a, "delete group "+group, func(ctx context.Context) (kafka.DeleteConsumerGroupsResult, error) {
		return a.a.DeleteConsumerGroups(ctx, []string{group})
	})
	if err != nil {
		return err
	}
	for _, r := range result.ConsumerGroupResults {
		if code := r.Error.Code(); code != kafka.ErrNoError && code != kafka.ErrGroupIDNotFound {
			return wrap("delete group "+group, r.Error)
		}
	}
	return nil
}

// EndOffsets returns the end of each partition's log: under read_uncommitted
// the offset after the last record, under read_committed the last stable
// offset, which an open transaction holds back. After an election it asks
// again, until the context ends, by a client of its own: the library keeps the
// leader epoch that it knows, and a request to a broker that went away may never
// be answered (librdkafka 2.15).
func (a *Admin) EndOffsets(ctx context.Context, topic string, partitions int, isolation profile.Isolation) (Offsets, error) {
	return a.persist(ctx, topic, partitions, isolation, (*Error).elsewhere)
}

// persist asks again for the ends as long as the error may pass.
func (a *Admin) persist(ctx context.Context, topic string, partitions int, isolation profile.Isolation, passes func(*Error) bool) (Offsets, error) {
	ends, err := a.endOffsets(ctx, topic, partitions, isolation)
	for err != nil && ctx.Err() == nil {
		var e *Error
		if !errors.As(err, &e) || !passes(e) && !errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
		var fresh *Admin
		if fresh, err = NewAdmin(a.endpoint); err == nil {
			ends, err = fresh.endOffsets(ctx, topic, partitions, isolation)
			fresh.Close()
		}
	}
	if err != nil && ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)) {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return ends, err
}

// askWithin bounds one attempt at a request that is repeated.
const askWithin = 4 * time.Second

// StartOffsets returns the first offset that each partition's log still has.
func (a *Admin) StartOffsets(ctx context.Context, topic string, partitions int) (Offsets, error) {
	return a.offsets(ctx, topic, partitions, kafka.EarliestOffsetSpec, profile.ReadUncommitted)
}

func (a *Admin) endOffsets(ctx context.Context, topic string, partitions int, isolation profile.Isolation) (Offsets, error) {
	return a.offsets(ctx, topic, partitions, kafka.LatestOffsetSpec, isolation)
}

func (a *Admin) offsets(ctx context.Context, topic string, partitions int, which kafka.OffsetSpec, isolation profile.Isolation) (Offsets, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	request := map[kafka.TopicPartition]kafka.OffsetSpec{}
	for p := range partitions {
		request[kafka.TopicPartition{Topic: &topic, Partition: int32(p)}] = which
	}
	level := kafka.IsolationLevelReadUncommitted
	if isolation == profile.ReadCommitted {
		level = kafka.IsolationLevelReadCommitted
	}
	result, err := ask(ctx, a, "offsets of "+topic, func(ctx context.Context) (kafka.ListOffsetsResult, error) {
		return a.a.ListOffsets(ctx, request, kafka.SetAdminIsolationLevel(level), kafka.SetAdminRequestTimeout(askWithin))
	})
	if err != nil {
		return nil, err
	}
	out := Offsets{}
	for tp, info := range result.ResultInfos {
		if info.Error.Code() != kafka.ErrNoError {
			return nil, wrapOn(fmt.Sprintf("offset of %s partition %d", topic, tp.Partition), mayLook, topic, info.Error)
		}
		out[tp.Partition] = int64(info.Offset)
	}
	return out, nil
}

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
type Admin struct{ a *kafka.AdminClient }

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
	// Its errors come back from its calls; the library's own lines would land
	// in the middle of the user's terminal.
	p["log_level"] = "0"
	a, err := kafka.NewAdminClient(p.configMap(nil))
	if err != nil {
		return nil, fmt.Errorf("make admin client: %w", err)
	}
	return &Admin{a}, nil
}

// Close ends the admin client.
func (a *Admin) Close() { a.a.Close() }

// Nodes returns how many brokers answer for the cluster, or why none does.
func (a *Admin) Nodes(timeout time.Duration) (int, error) {
	m, err := a.a.GetMetadata(nil, false, int(timeout.Milliseconds()))
	if err != nil {
		return 0, wrap("cluster metadata", err)
	}
	return len(m.Brokers), nil
}

// CreateTopic creates a topic that keeps everything, and waits until every
// partition has its leader and full ISR.
func (a *Admin) CreateTopic(ctx context.Context, name string, t profile.Topic) error {
	results, err := a.a.CreateTopics(ctx, []kafka.TopicSpecification{{
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
	if err != nil {
		return wrap("create topic "+name, err)
	}
	for _, r := range results {
		if r.Error.Code() != kafka.ErrNoError {
			return wrap("create topic "+name, r.Error)
		}
	}
	return a.awaitReplicas(ctx, name, t)
}

func (a *Admin) awaitReplicas(ctx context.Context, name string, t profile.Topic) error {
	for {
		m, err := a.a.GetMetadata(&name, false, 2000)
		if err == nil && ready(m.Topics[name], t) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited for leader and full ISR of every partition of topic %s: %w", name, context.Cause(ctx))
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
	results, err := a.a.DeleteTopics(ctx, names)
	if err != nil {
		return wrap("delete topics", err)
	}
	var failed error
	for _, r := range results {
		if code := r.Error.Code(); code != kafka.ErrNoError && code != kafka.ErrUnknownTopicOrPart {
			failed = errors.Join(failed, wrap("delete topic "+r.Topic, r.Error))
		}
	}
	return failed
}

// DeleteGroup deletes an empty consumer group; one that is not there is no error.
func (a *Admin) DeleteGroup(ctx context.Context, group string) error {
	result, err := a.a.DeleteConsumerGroups(ctx, []string{group})
	if err != nil {
		return wrap("delete group "+group, err)
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
// again, until the context ends: the library goes on with the leader epoch that
// it has until it is made to look.
func (a *Admin) EndOffsets(ctx context.Context, topic string, partitions int, isolation profile.Isolation) (Offsets, error) {
	for {
		ends, err := a.endOffsets(ctx, topic, partitions, isolation)
		var e *Error
		if err == nil || !errors.As(err, &e) || !e.elsewhere() {
			return ends, err
		}
		_, _ = a.a.GetMetadata(&topic, false, 2000) // makes the library look
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (a *Admin) endOffsets(ctx context.Context, topic string, partitions int, isolation profile.Isolation) (Offsets, error) {
	request := map[kafka.TopicPartition]kafka.OffsetSpec{}
	for p := range partitions {
		request[kafka.TopicPartition{Topic: &topic, Partition: int32(p)}] = kafka.LatestOffsetSpec
	}
	level := kafka.IsolationLevelReadUncommitted
	if isolation == profile.ReadCommitted {
		level = kafka.IsolationLevelReadCommitted
	}
	result, err := a.a.ListOffsets(ctx, request, kafka.SetAdminIsolationLevel(level))
	if err != nil {
		return nil, wrap("end offsets of "+topic, err)
	}
	out := Offsets{}
	for tp, info := range result.ResultInfos {
		if info.Error.Code() != kafka.ErrNoError {
			return nil, wrap(fmt.Sprintf("end offset of %s partition %d", topic, tp.Partition), info.Error)
		}
		out[tp.Partition] = int64(info.Offset)
	}
	return out, nil
}

package client

import (
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"pgregory.net/rapid"

	"deliverybench/bench/profile"
)

// A message came again when it is the last one, unless its partition was forgotten since.
func TestLastOffsets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l lastOffsets
		last := map[int32]int64{}
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			partition, offset := rapid.Int32Range(0, 3).Draw(t, "partition"), rapid.Int64Range(0, 2).Draw(t, "offset")
			if rapid.IntRange(0, 3).Draw(t, "step") == 0 {
				l.forget(partition)
				delete(last, partition)
				continue
			}
			o, known := last[partition]
			require.Equal(t, known && o == offset, l.pass(partition, offset))
			last[partition] = offset
		}
	})
}

// What the library returns twice is told, unless the consumer went back to it or
// got the partition anew. Here the library is sent back behind its back, which is
// what it does to itself in a rebalance that leaves a partition in place.
func TestWhatTheLibraryReturnsAgainIsTold(t *testing.T) {
	topic := "topic"
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, topic))
	require.NoError(t, err)
	defer cluster.Close()
	e := Endpoint{Bootstrap: cluster.ListenAddrs()[0]}
	produceOne(t, e, topic)
	produceOne(t, e, topic)
	c, err := NewConsumer(AuditProperties(e, "group", profile.ReadCommitted), topic)
	require.NoError(t, err)
	defer c.Close()

	require.NoError(t, c.Assign(Offsets{0: 0}))
	require.False(t, requireRecord(t, c, 0).Again)
	require.False(t, requireRecord(t, c, 1).Again)
	_, err = c.c.SeekPartitions([]kafka.TopicPartition{{Topic: &topic, Partition: 0, Offset: 1}})
	require.NoError(t, err)
	require.True(t, requireRecord(t, c, 1).Again)
	require.NoError(t, c.Seek(Offsets{0: 1}))
	require.False(t, requireRecord(t, c, 1).Again, "the consumer went back")
	require.NoError(t, c.Assign(Offsets{0: 1}))
	require.False(t, requireRecord(t, c, 1).Again, "the partition is assigned anew")
	produceOne(t, e, topic)
	require.False(t, requireRecord(t, c, 2).Again)
}

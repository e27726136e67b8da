package client

import (
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"pgregory.net/rapid"

	"deliverybench/bench/profile"
)

// A message is passed again when one at or behind it was passed since the
// partition began or was gone back in.
func TestPositions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p positions
		passed := map[int32][]int64{}
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			partition, offset := rapid.Int32Range(0, 3).Draw(t, "partition"), rapid.Int64Range(0, 9).Draw(t, "offset")
			switch rapid.SampledFrom([]string{"pass", "pass", "begin", "seek"}).Draw(t, "step") {
			case "begin":
				p.set(partition, unknown)
				passed[partition] = nil
			case "seek":
				p.set(partition, offset)
				passed[partition] = []int64{offset - 1}
			default:
				again := false
				for _, o := range passed[partition] {
					again = again || offset <= o
				}
				require.Equal(t, again, p.pass(partition, offset))
				passed[partition] = append(passed[partition], offset)
			}
		}
	})
}

// What comes from before the last message is told, unless the consumer went back
// to it or got the partition anew. Here the library is sent back behind its back,
// which is what it does to itself in a rebalance that leaves a partition in place.
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

	both := func(again bool) {
		t.Helper()
		require.Equal(t, again, requireRecord(t, c, 0).Again)
		require.Equal(t, again, requireRecord(t, c, 1).Again)
	}
	require.NoError(t, c.Assign(Offsets{0: 0}))
	both(false)
	require.NoError(t, c.Seek(Offsets{0: 0}))
	both(false)
	_, err = c.c.SeekPartitions([]kafka.TopicPartition{{Topic: &topic, Partition: 0, Offset: 0}})
	require.NoError(t, err)
	both(true)
	produceOne(t, e, topic)
	require.False(t, requireRecord(t, c, 2).Again)
	require.NoError(t, c.Assign(Offsets{0: 0}))
	both(false)
}

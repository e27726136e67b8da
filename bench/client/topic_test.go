package client

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/profile"
)

// A topic is there when its leaders answer, not when the metadata tells of them:
// what is produced in between is lost without a word (KAFKA-15591).
func TestATopicIsThereWhenItsLeadersAnswer(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer cluster.Close()
	const refusals = 4 // of each kind
	var asked atomic.Int32
	cluster.ControlKey(int16(kmsg.ListOffsets), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		switch n := asked.Add(1); {
		case n <= refusals:
			return refused(request.(*kmsg.ListOffsetsRequest), kerr.UnknownTopicOrPartition), nil, true
		case n <= 2*refusals:
			return refused(request.(*kmsg.ListOffsetsRequest), kerr.NotLeaderForPartition), nil, true
		}
		return nil, nil, false
	})
	a, err := NewAdmin(Endpoint{Bootstrap: cluster.ListenAddrs()[0]})
	require.NoError(t, err)
	defer a.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, a.CreateTopic(ctx, "topic", profile.Topic{Partitions: 2, Replication: 1, MinInsyncReplicas: 1}))
	require.Greater(t, asked.Load(), int32(2*refusals))
}

// refused is the answer of a broker that does not know of the topic, or lead the
// partitions, yet.
func refused(r *kmsg.ListOffsetsRequest, why *kerr.Error) *kmsg.ListOffsetsResponse {
	out := r.ResponseKind().(*kmsg.ListOffsetsResponse)
	for _, topic := range r.Topics {
		of := kmsg.NewListOffsetsResponseTopic()
		of.Topic = topic.Topic
		for _, p := range topic.Partitions {
			one := kmsg.NewListOffsetsResponseTopicPartition()
			one.Partition, one.ErrorCode = p.Partition, why.Code
			of.Partitions = append(of.Partitions, one)
		}
		out.Topics = append(out.Topics, of)
	}
	return out
}

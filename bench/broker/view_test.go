package broker_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/profile"
)

// brief bounds a wait that is to be in vain.
const brief = 2 * time.Second

// The embedded broker has no controller's quorum and no internal topics; what
// it leads is seen as in any cluster.
func TestViewOfTheEmbeddedBroker(t *testing.T) {
	b, _ := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	require.NoError(t, broker.AwaitReady(ctx, b.Endpoint(), 1))
	admin, err := client.NewAdmin(b.Endpoint())
	require.NoError(t, err)
	defer admin.Close()
	require.NoError(t, admin.CreateTopic(ctx, "seen", profile.Topic{Partitions: 2, Replication: 1, MinInsyncReplicas: 1}))
	v, err := broker.NewView(b.Endpoint())
	require.NoError(t, err)
	defer v.Close()
	found, err := v.Leadership(ctx, broker.Seat{Topic: "seen", Partition: 1})
	require.NoError(t, err)
	require.Zero(t, found.Leader)
	require.Equal(t, []int32{0}, found.Replicas)
	require.Empty(t, found.Followers())

	_, err = v.Leadership(ctx, broker.Seat{Topic: "seen", Partition: 2})
	require.EqualError(t, err, "leader of seen partition 2: the cluster does not know that partition")
	_, err = v.GroupSeat(ctx, "some group")
	require.EqualError(t, err, "coordinator of some group: __consumer_offsets has no partitions yet")
	_, err = v.TransactionSeat(ctx, "some id")
	require.EqualError(t, err, "coordinator of some id: __transaction_state has no partitions yet")
	_, err = v.Leadership(ctx, broker.ControllerSeat)
	require.ErrorContains(t, err, "active controller: ")
}

// Waits end with their bound, and say what they waited for.
func TestViewOfWhatIsNotThere(t *testing.T) {
	b, _ := start(t)
	v, err := broker.NewView(b.Endpoint())
	require.NoError(t, err)
	defer v.Close()
	vain := func(nodes int) error {
		ctx, cancel := context.WithTimeout(t.Context(), brief)
		defer cancel()
		return v.AwaitWhole(ctx, nodes)
	}
	require.NoError(t, vain(1))
	require.EqualError(t, vain(3), "waited for the cluster to be whole, and it lacked 2 of 3 nodes: context deadline exceeded")
	require.NoError(t, b.Nodes()[0].Freeze())
	admin, err := client.NewAdmin(b.Endpoint())
	require.NoError(t, err)
	defer admin.Close()
	awaitSilence(t, admin)
	require.ErrorContains(t, vain(1), "waited for the cluster to be whole, and it lacked an answer")
	_, err = v.Leadership(t.Context(), broker.Seat{Topic: "seen"})
	require.ErrorContains(t, err, "leader of seen partition 0: ")

	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	require.NoError(t, broker.Restore(ctx, b), "thawed")
	require.NoError(t, vain(1))
	b.Close()
	require.EqualError(t, broker.Restore(ctx, b), "restore node 0: the embedded broker keeps its log in memory: it cannot end and come back")
}

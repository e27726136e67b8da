package broker_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/result"
)

var everyNode = []int32{1, 2, 3}

// Three nodes of real Kafka.
func TestLocal3(t *testing.T) {
	started := time.Now()
	c := startCluster(t, options(t, 3))
	t.Logf("ready in %s", time.Since(started))
	require.Equal(t, result.Broker{Kind: "local3", Version: "Apache Kafka 4.3.1", Nodes: 3, SharesHost: true}, c.Describe())
	require.Len(t, c.Nodes(), 3)
	t.Run("internal topics are replicated", c.internalTopicsAreReplicated)
	t.Run("seats of coordinators", c.coordinatorSeats)
	t.Run("a killed leader", c.losesALeader)
	t.Run("one killed and one frozen", c.losesTwo)
}

func (c *cluster) internalTopicsAreReplicated(t *testing.T) {
	k, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(c.Endpoint().Bootstrap, ",")...))
	require.NoError(t, err)
	defer k.Close()
	for _, topic := range []string{"__consumer_offsets", "__transaction_state"} {
		leaders := map[int32]bool{}
		for p := range int32(3) {
			found := c.leadership(t, broker.Seat{Topic: topic, Partition: p})
			require.ElementsMatch(t, everyNode, found.Replicas)
			require.ElementsMatch(t, everyNode, found.InSync)
			leaders[found.Leader] = true
		}
		require.Len(t, leaders, 3, "each node coordinates")
		require.Equal(t, "2", setting(t, k, topic, "min.insync.replicas"), topic)
	}
}

// setting is what the cluster says of a topic's.
func setting(t *testing.T, k *kgo.Client, topic, name string) string {
	t.Helper()
	request := kmsg.NewPtrDescribeConfigsRequest()
	request.Resources = []kmsg.DescribeConfigsRequestResource{{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: topic, ConfigNames: []string{name}}}
	answer, err := request.RequestWith(t.Context(), k)
	require.NoError(t, err)
	require.Len(t, answer.Resources, 1)
	require.Len(t, answer.Resources[0].Configs, 1)
	return *answer.Resources[0].Configs[0].Value
}

// A coordinator is the leader of the partition that a key belongs to: what the
// View works out is what the cluster says.
func (c *cluster) coordinatorSeats(t *testing.T) {
	for _, kind := range []struct {
		name string
		seat func(context.Context, string) (broker.Seat, error)
		says func(context.Context, string) (int32, error)
	}{
		{"group", c.view.GroupSeat, c.view.GroupCoordinator},
		{"transaction", c.view.TransactionSeat, c.view.TransactionCoordinator},
	} {
		nodes := map[int32]int{}
		for i := range 60 {
			key := fmt.Sprintf("%d is some %s", i, kind.name) // hashes of either sign
			seat, err := kind.seat(t.Context(), key)
			require.NoError(t, err)
			says, err := kind.says(t.Context(), key)
			require.NoError(t, err)
			require.Equal(t, says, c.leadership(t, seat).Leader, "%s: %v", key, seat)
			nodes[says]++
		}
		require.Len(t, nodes, 3, "they are spread: %v", nodes)
	}
}

// awaitLeader waits until another than the one before holds the seat.
func (c *cluster) awaitLeader(t *testing.T, s broker.Seat, before broker.Leadership) broker.Leadership {
	t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, healsWithin)
	defer cancel()
	for {
		now, err := c.view.Leadership(ctx, s)
		if err == nil && now.Leader >= 0 && now.Leader != before.Leader {
			return now
		}
		time.Sleep(10 * time.Millisecond) // it is asked no faster than it can answer
		require.NoError(t, ctx.Err(), "waited %s for %v to leave node %d; now %v %v", healsWithin, s, before.Leader, now, err)
	}
}

// The active controller leads a partition as well, and is killed: both seats
// are taken by others, in a later epoch, and nothing acknowledged is lost.
func (c *cluster) losesALeader(t *testing.T) {
	topic := c.topic(t, "led")
	c.write(t, topic, "before")
	controller := c.leadership(t, broker.ControllerSeat)
	require.ElementsMatch(t, everyNode, controller.Replicas)
	seat := broker.Seat{Topic: topic}
	before := c.leadership(t, seat)
	for before.Leader != controller.Leader {
		seat.Partition++
		before = c.leadership(t, seat)
	}
	others := slices.DeleteFunc(slices.Clone(everyNode), func(id int32) bool { return id == before.Leader })
	require.ElementsMatch(t, others, before.Followers())

	struck := c.Nodes()[before.Leader-1]
	require.Equal(t, before.Leader, struck.ID())
	require.NoError(t, struck.Kill(t.Context()))
	killed := time.Now()
	successor := c.awaitLeader(t, broker.ControllerSeat, controller)
	t.Logf("new controller after %s", time.Since(killed))
	require.Contains(t, others, successor.Leader)
	require.Greater(t, successor.Epoch, controller.Epoch)
	after := c.awaitLeader(t, seat, before)
	t.Logf("new leader after %s", time.Since(killed))
	require.Contains(t, others, after.Leader)
	require.Greater(t, after.Epoch, before.Epoch)
	require.ElementsMatch(t, everyNode, after.Replicas)
	require.ElementsMatch(t, others, after.InSync)
	require.NoError(t, c.Failed(), "it was asked to end")
	c.write(t, topic, "meanwhile")

	c.restore(t)
	require.ElementsMatch(t, everyNode, c.leadership(t, seat).InSync)
	require.Equal(t, before.Leader, c.leadership(t, seat).Leader, "it leads again")
	require.Equal(t, []string{"before", "meanwhile"}, c.read(t, topic, 2))
}

func (c *cluster) restore(t *testing.T) {
	t.Helper()
	started := time.Now()
	ctx, cancel := context.WithTimeout(c.ctx, healsWithin)
	defer cancel()
	require.NoError(t, broker.Restore(ctx, c))
	t.Logf("restored in %s", time.Since(started))
	for _, n := range c.Nodes() {
		require.True(t, n.Running())
	}
}

// One node that is killed and one that is frozen leave no quorum. Restored at
// once, when the third still believes in both, the cluster is whole as each of
// its nodes sees it.
func (c *cluster) losesTwo(t *testing.T) {
	topic := c.topic(t, "shared")
	c.write(t, topic, "before")
	require.NoError(t, c.Nodes()[0].Freeze())
	require.NoError(t, c.Nodes()[1].Kill(t.Context()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.ErrorContains(t, c.view.AwaitWhole(ctx, 3), "waited for the cluster to be whole, and it lacked an")
	c.restore(t)
	for i, address := range strings.Split(c.Endpoint().Bootstrap, ",") {
		v, err := broker.NewView(client.Endpoint{Bootstrap: address})
		require.NoError(t, err)
		defer v.Close()
		for p := range int32(3) {
			found, err := v.Leadership(t.Context(), broker.Seat{Topic: topic, Partition: p})
			require.NoError(t, err, "node %d", i+1)
			require.ElementsMatch(t, everyNode, found.InSync, "as node %d sees partition %d", i+1, p)
		}
	}
	require.Equal(t, []string{"before"}, c.read(t, topic, 1))
}

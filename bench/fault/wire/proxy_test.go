package wire_test

import (
	"context"
	"net"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"deliverybench/bench/client"
	"deliverybench/bench/fault/wire"
	"deliverybench/bench/profile"
)

func TestWithoutRulesEverythingArrivesOnceThroughTheProxyAlone(t *testing.T) {
	for _, brokers := range []int{1, 3} {
		t.Run(text("brokers=%d", brokers), func(t *testing.T) {
			c := startCluster(t, brokers, 3)
			p, record := startProxy(t, c.ListenAddrs()[0])
			s := producing()
			s.MaxInFlight = 1_000_000
			startProducer(t, p.Bootstrap(), s).produce(t, 20_000)
			settle(t, p, "")
			require.Equal(t, c.accepted.Load(), p.Counters().Connections, "connections that the cluster took, and those through the proxy")
			found := copies(t, []string{p.Bootstrap()})
			require.Equal(t, int64(0), duplicates(t, found, 20_000))
			require.Empty(t, record.allHits())
			require.Empty(t, record.allUnanswered())
			require.Empty(t, record.log())
		})
	}
}

// consume reads the topic to its end as a group's member, commits, and returns
// how often each value was seen.
func consume(t *testing.T, bootstrap string, numbers int) map[string]int {
	t.Helper()
	s := profile.Defaults().Consumer
	s.Librdkafka = map[string]string{"client.id": "consumer-0.0", "auto.offset.reset": "earliest", "socket.timeout.ms": "2000"}
	c, err := client.NewConsumer(client.ConsumerProperties(client.Endpoint{Bootstrap: bootstrap}, s, "group", ""), topic)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Subscribe(nil))
	found, next := map[string]int{}, client.Offsets{}
	for deadline := time.Now().Add(within); len(found) < numbers; {
		require.True(t, time.Now().Before(deadline), "waited %s for %d numbers, %d came", within, numbers, len(found))
		if e := c.Poll(20 * time.Millisecond); e.Kind == client.Record {
			found[string(e.Value)]++
			next[e.Partition] = e.Offset + 1
		}
	}
	require.NoError(t, c.Commit(next))
	return found
}

func TestAGroupReadsThroughTheProxy(t *testing.T) {
	c := startCluster(t, 3, 3)
	p, record := startProxy(t, c.ListenAddrs()[0])
	startProducer(t, p.Bootstrap(), producing()).produce(t, 5000)
	require.Zero(t, duplicates(t, consume(t, p.Bootstrap(), 5000), 5000))
	settle(t, p, "")
	require.Equal(t, c.accepted.Load(), p.Counters().Connections)
	require.Empty(t, record.allUnanswered())
	require.Empty(t, record.log())
}

func TestTransactionsPassTheProxy(t *testing.T) {
	c := startCluster(t, 1, 3)
	p, record := startProxy(t, c.ListenAddrs()...)
	producer := startTransactional(t, p.Bootstrap(), "relay-0.0")
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	require.NoError(t, producer.InitTransactions(ctx))
	for n, end := range []func(context.Context) error{producer.CommitTransaction, producer.AbortTransaction, producer.CommitTransaction} {
		require.NoError(t, producer.BeginTransaction())
		require.NoError(t, producer.Produce(nil, []byte(strconv.Itoa(n))))
		require.Zero(t, producer.Flush(within))
		require.NoError(t, end(ctx))
	}
	producer.close()
	settle(t, p, "")
	require.Equal(t, c.accepted.Load(), p.Counters().Connections)
	require.Equal(t, map[string]int{"0": 1, "2": 1}, copies(t, []string{p.Bootstrap()}, kgo.FetchIsolationLevel(kgo.ReadCommitted())))
	require.Equal(t, map[string]int{"0": 1, "1": 1, "2": 1}, copies(t, []string{p.Bootstrap()}, kgo.FetchIsolationLevel(kgo.ReadUncommitted())))
	require.Empty(t, record.allUnanswered())
	require.Empty(t, record.log())
}

// Leaders move while a producer is at work: it is sent on from proxy to proxy.
func TestLeadersMoveBehindTheProxy(t *testing.T) {
	c := startCluster(t, 3, 3)
	p, record := startProxy(t, c.ListenAddrs()[0])
	s := producing()
	s.Idempotence, s.MaxInFlight = true, 5
	producer := startProducer(t, p.Bootstrap(), s)
	const rounds, perRound = 9, 1000
	for round := range rounds {
		for partition := range int32(3) {
			to := (partition + int32(round)) % 3
			require.NoError(t, c.MoveTopicPartition(topic, partition, to))
		}
		producer.take(t, round*perRound, (round+1)*perRound)
		require.Zero(t, producer.Flush(within))
	}
	producer.close()
	require.Zero(t, producer.errors.Load())
	settle(t, p, "")
	require.Equal(t, c.accepted.Load(), p.Counters().Connections, "connections that the cluster took, and those through the proxy")
	require.Zero(t, duplicates(t, copies(t, []string{p.Bootstrap()}), rounds*perRound))
	require.Empty(t, record.log())
	for _, upstream := range c.ListenAddrs() {
		require.NotEmpty(t, p.Address(upstream), "every broker has its listener: %s", upstream)
	}
	require.Empty(t, p.Address("nobody:1"))
}

// A node that comes back, at its address or at another, is behind the proxy.
func TestANodeThatIsAddedIsBehindTheProxy(t *testing.T) {
	c := startCluster(t, 1, 3)
	p, _ := startProxy(t, c.ListenAddrs()...)
	first := p.Address(c.ListenAddrs()[0])
	id, port, err := c.AddNode(-1, 0)
	require.NoError(t, err)
	for partition := range int32(3) {
		require.NoError(t, c.MoveTopicPartition(topic, partition, id))
	}
	startProducer(t, p.Bootstrap(), producing()).produce(t, 100)
	settle(t, p, "")
	require.Equal(t, c.accepted.Load(), p.Counters().Connections)
	require.NotEmpty(t, p.Address(net.JoinHostPort("127.0.0.1", strconv.Itoa(port))))
	require.Equal(t, first, p.Address(c.ListenAddrs()[0]))
}

// Everything that a proxy opens and starts ends with it, whatever state it is in.
func TestCloseLeavesNothingBehind(t *testing.T) {
	u := startUpstream(t)
	before := runtime.NumGoroutine()
	p, err := wire.Start(options(u.address()))
	require.NoError(t, err)
	for n, do := range []wire.Action{
		wire.Blackhole{}, wire.DelayRequest{For: time.Hour}, wire.SlowDown{Latency: time.Hour}, wire.Cap{BytesPerSecond: 1}, wire.DiscardResponse{},
	} {
		name := text("client-%d.", n)
		arm(t, p, wire.Rule{Name: name, Client: name, Do: do})
		stays, leaves := dial(t, p.Bootstrap()), dial(t, p.Bootstrap())
		stays.send(numbered(0, 3, name)...)
		leaves.send(numbered(0, 3, name)...)
		require.NoError(t, leaves.Close())
	}
	dial(t, p.Bootstrap()) // says nothing
	eventually(t, "all requests", func() bool { return p.Counters().Requests == 30 })
	require.NoError(t, p.Close())
	require.Zero(t, p.Counters().Open)
	u.hangUp()
	eventually(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
	_, err = net.Dial("tcp4", p.Bootstrap())
	require.Error(t, err)
	require.NoError(t, p.Close(), "again")
}

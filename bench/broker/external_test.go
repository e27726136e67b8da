package broker_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

func TestExternalIsUsedAndNotOwned(t *testing.T) {
	b, _ := start(t)
	x, err := broker.OpenExternal(t.Context(), client.Endpoint{Bootstrap: "127.0.0.1:1," + b.Endpoint().Bootstrap})
	require.NoError(t, err, "one of the bootstrap servers suffices")
	described := x.Describe()
	require.NotEmpty(t, described.ClusterID)
	require.Regexp(t, "^Kafka .*, by its protocol$", described.Version)
	described.ClusterID, described.Version = "", ""
	require.Equal(t, result.Broker{Kind: "external", Nodes: 1, SharesHost: true}, described)
	require.Empty(t, x.Nodes())
	require.Zero(t, x.CPUSeconds())
	require.NoError(t, x.Failed())
	require.NoError(t, x.Answers(t.Context()))

	relay := profile.Defaults()
	relay.Fit(profile.Cluster{})
	relay.Pipeline, relay.Producer.Idempotence, relay.Consumer.Commit.When = profile.RelayTo, true, profile.InTransaction
	require.NoError(t, x.Permit(t.Context(), []profile.Trial{{Settings: relay}}))
	x.Close()
	admin, err := client.NewAdmin(b.Endpoint())
	require.NoError(t, err)
	defer admin.Close()
	left, err := admin.Topics(client.Prefix, within)
	require.NoError(t, err)
	require.Empty(t, left)
	b.Close()
	require.ErrorContains(t, x.Answers(t.Context()), "connect: nobody answers: ")
	require.NoError(t, x.Failed(), "it is not ours to watch")
}

// A cluster may give addresses for its nodes that are good only where it runs.
func TestExternalWhoseNodesCannotBeReached(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer cluster.Close()
	cluster.KeepControl()
	cluster.ControlKey(int16(kmsg.Metadata), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := request.ResponseKind().(*kmsg.MetadataResponse)
		node := kmsg.NewMetadataResponseBroker()
		node.Host, node.Port = "127.0.0.1", 1
		answer.Brokers = append(answer.Brokers, node)
		return answer, nil, true
	})
	_, err = broker.OpenExternal(t.Context(), client.Endpoint{Bootstrap: cluster.ListenAddrs()[0]})
	require.EqualError(t, err, "connect: the cluster says that a node of it is at 127.0.0.1:1, which is no good from here (Connect to ipv4#127.0.0.1:1 failed: Connection refused); see that its advertised.listeners can be reached from this machine")
}

func TestExternalThatIsNoKafka(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() {
		for {
			connection, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = connection.Write([]byte("220 mail.example\r\n"))
			_ = connection.Close()
		}
	}()
	_, err = broker.OpenExternal(t.Context(), client.Endpoint{Bootstrap: l.Addr().String()})
	require.EqualError(t, err, "connect: "+l.Addr().String()+": somebody answers, but not as Kafka does; check the port in -broker")
}

// Opening and asking for rights have one bound, not one each: what opening took
// is missing when rights are asked for.
func TestOpeningAndPermittingShareTheirTime(t *testing.T) {
	b, _ := start(t)
	before := time.Now()
	x, err := broker.OpenExternal(t.Context(), b.Endpoint())
	require.NoError(t, err)
	require.Less(t, x.Left(), broker.OpenWithin)
	require.GreaterOrEqual(t, x.Left(), broker.OpenWithin-time.Since(before))
	relay := profile.Defaults()
	relay.Pipeline = profile.RelayTo
	x.SetLeft(0)
	require.ErrorContains(t, x.Permit(t.Context(), []profile.Trial{{Settings: relay}}), "15s are over")
}

func TestAnInterruptEndsTheWaitForACluster(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err := broker.OpenExternal(ctx, client.Endpoint{Bootstrap: "127.0.0.1:1"})
	require.ErrorContains(t, err, "context canceled")
}

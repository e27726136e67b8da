package wire_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/fault/wire"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
)

// startKafka starts one node of Apache Kafka with the topic.
func startKafka(t *testing.T) *broker.Local {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	spawner := process.NewSpawner(self)
	t.Cleanup(spawner.Close)
	kafka, err := broker.StartLocal(t.Context(), spawner, broker.LocalOptions{
		Nodes: 1, Getenv: os.Getenv, Folder: ".", Scratch: []string{t.TempDir()}, Logs: t.TempDir(),
	})
	require.NoError(t, err)
	t.Cleanup(kafka.Close)
	admin, err := client.NewAdmin(kafka.Endpoint())
	require.NoError(t, err)
	defer admin.Close()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	require.NoError(t, admin.CreateTopic(ctx, topic, profile.Topic{Partitions: 3, Replication: 1, MinInsyncReplicas: 1}))
	return kafka
}

// Real Kafka speaks newer versions of everything: topics have ids instead of
// names, answers to Produce and Fetch can hold addresses.
func TestRealKafkaBehindTheProxy(t *testing.T) {
	kafka := startKafka(t)
	bootstrap := strings.Split(kafka.Endpoint().Bootstrap, ",")
	p, record := startProxy(t, bootstrap...)
	lost := arm(t, p, wire.Rule{
		Name: "lost answer", APIs: []kmsg.Key{kmsg.Produce}, Client: "producer-", Topic: topic, Skip: 3, Count: 1, Do: wire.DiscardResponse{},
	})
	fetch := arm(t, p, wire.Rule{Name: "lost fetch", APIs: []kmsg.Key{kmsg.Fetch}, Client: "consumer-", Topic: topic, Count: 1, Do: wire.DiscardRequest{}})

	s := producing()
	s.MaxInFlight, s.BatchSize = 5, 2000
	producer := startProducer(t, p.Bootstrap(), s)
	sent := producer.produceUntil(t, "the client to give up", func() bool { return lost.Hits() > 0 && len(record.allUnanswered()) > 0 })
	settle(t, p, "producer-")
	require.Zero(t, producer.errors.Load())
	require.Equal(t, 1, lost.Hits())
	applied, absent, unknown := record.sums()
	require.Equal(t, []int64{0, 0}, []int64{absent, unknown})
	extra := duplicates(t, copies(t, bootstrap), sent)
	require.Equal(t, applied, extra)
	require.Positive(t, extra)

	require.Equal(t, extra, duplicates(t, consume(t, p.Bootstrap(), sent), sent))
	require.Equal(t, 1, fetch.Hits())

	// The node dies and comes back: behind the same listener.
	before, own := total(copies(t, bootstrap)), p.Address(bootstrap[0])
	s.MessageTimeout = profile.Duration(10 * within)
	producer = startProducer(t, p.Bootstrap(), s)
	node, killed, back := kafka.Nodes()[0], false, make(chan error, 1)
	sent = producer.produceUntil(t, "the node to answer again", func() bool {
		switch {
		case !killed && producer.acked.Load() > 0:
			killed = true
			require.NoError(t, node.Kill(t.Context()))
			go func() { back <- comeBack(t.Context(), kafka) }()
		case len(back) == 1:
			require.NoError(t, <-back)
			return true
		}
		return false
	})
	settle(t, p, "producer-")
	require.Zero(t, producer.errors.Load())
	require.Equal(t, own, p.Address(bootstrap[0]))
	appliedBefore := applied
	applied, _, unknown = record.sums()
	extra = total(copies(t, bootstrap)) - before - int64(sent)
	require.GreaterOrEqual(t, extra, applied-appliedBefore)
	require.LessOrEqual(t, extra, applied-appliedBefore+unknown)
}

// comeBack starts the only node and waits until it leads again.
func comeBack(ctx context.Context, kafka *broker.Local) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := kafka.Nodes()[0].Start(ctx); err != nil {
		return err
	}
	view, err := broker.NewView(kafka.Endpoint())
	if err != nil {
		return err
	}
	defer view.Close()
	return view.AwaitWhole(ctx, 1)
}

// total counts all copies.
func total(found map[string]int) (n int64) {
	for _, copies := range found {
		n += int64(copies)
	}
	return n
}

package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/fault/wire"
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

func TestLostAcknowledgementDuplicatesWhatWasUnanswered(t *testing.T) {
	for _, inFlight := range []int{1, 5} {
		t.Run(text("max.in.flight=%d", inFlight), func(t *testing.T) {
			c := startCluster(t, 1, 3)
			p, record := startProxy(t, c.ListenAddrs()...)
			arm(t, p, wire.Rule{Name: "lost", APIs: []kmsg.Key{kmsg.Produce}, Client: "producer-", Skip: 3, Count: 1, Do: wire.DiscardResponse{}})
			s := producing()
			s.MaxInFlight = inFlight
			producer := startProducer(t, p.Bootstrap(), s)
			producer.produce(t, 50_000)
			require.Zero(t, producer.errors.Load())
			settle(t, p, "producer-")
			extra := duplicates(t, copies(t, c.ListenAddrs()), 50_000)
			require.Len(t, record.allHits(), 1)
			var appended, unknown int64
			for _, u := range record.allUnanswered() {
				appended += u.Records.Applied.Sum()
				unknown += u.Records.Unknown.Sum()
			}
			require.Zero(t, unknown)
			require.Positive(t, extra)
			require.Equal(t, appended, extra)
			t.Log(extra, record.allHits(), record.allUnanswered())
		})
	}
}

package wire_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/client"
	"deliverybench/bench/fault/wire"
	"deliverybench/bench/profile"
)

// sums adds up the records of all connections' unanswered requests.
func (r *record) sums() (applied, absent, unknown int64) {
	for _, u := range r.allUnanswered() {
		applied += u.Records.Applied.Sum()
		absent += u.Records.Absent.Sum()
		unknown += u.Records.Unknown.Sum()
	}
	return applied, absent, unknown
}

// The client misses one answer and drops the connection a socket timeout later,
// under load until then. What it sends again is what the broker had applied of
// the unanswered, to the record.
func TestALostAcknowledgementDuplicatesWhatWasAppliedAndUnanswered(t *testing.T) {
	for _, test := range []struct {
		inFlight   int
		idempotent bool
	}{
		{1, false}, {5, false}, {1_000_000, false}, {5, true},
	} {
		t.Run(text("in-flight=%d,idempotent=%t", test.inFlight, test.idempotent), func(t *testing.T) {
			c := startCluster(t, 1, 3)
			p, record := startProxy(t, c.ListenAddrs()...)
			arm(t, p, wire.Rule{
				Name: "lost", APIs: []kmsg.Key{kmsg.Produce}, Client: "producer-", Skip: 3, Count: 1, Do: wire.DiscardResponse{},
			})
			s := producing()
			s.MaxInFlight, s.Idempotence, s.BatchSize = test.inFlight, test.idempotent, 2000
			producer := startProducer(t, p.Bootstrap(), s)
			sent := producer.produceUntil(t, "the client to give up", func() bool { return len(record.allUnanswered()) > 0 })
			settle(t, p, "producer-")
			require.Zero(t, producer.errors.Load())
			extra := duplicates(t, copies(t, c.ListenAddrs()), sent)
			applied, absent, unknown := record.sums()
			hits := record.allHits()
			require.Len(t, hits, 1)
			require.Zero(t, absent)
			require.Zero(t, unknown)
			require.GreaterOrEqual(t, applied, hits[0].Records.Sum(), "the request that was hit is one of them")
			if test.idempotent {
				require.Zero(t, extra)
			} else {
				require.Equal(t, applied, extra)
			}
			t.Logf("%d of %d messages duplicated; %+v", extra, sent, record.allUnanswered())
		})
	}
}

// A request that the broker never saw is sent again, and is there once.
func TestALostRequestIsSentAgainOnce(t *testing.T) {
	c := startCluster(t, 1, 3)
	p, record := startProxy(t, c.ListenAddrs()...)
	arm(t, p, wire.Rule{
		Name: "lost", APIs: []kmsg.Key{kmsg.Produce}, Topic: topic, Client: "producer-", Skip: 1, Count: 1, Do: wire.DiscardRequest{},
	})
	producer := startProducer(t, p.Bootstrap(), producing())
	producer.produce(t, 20_000)
	settle(t, p, "producer-")
	require.Zero(t, producer.errors.Load())
	require.Zero(t, duplicates(t, copies(t, c.ListenAddrs()), 20_000))
	applied, absent, unknown := record.sums()
	require.Zero(t, applied)
	require.Zero(t, unknown)
	require.Len(t, record.allHits(), 1)
	require.Equal(t, record.allHits()[0].Records.Sum(), absent)
	require.Positive(t, absent)
}

// Without retries the client reports the same for both: it cannot know. The
// proxy does.
func TestWithoutRetriesALostAnswerAndALostRequestDiffer(t *testing.T) {
	for _, test := range []struct {
		name    string
		do      wire.Action
		present bool
	}{
		{"answer", wire.DiscardResponse{}, true}, {"request", wire.DiscardRequest{}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := startCluster(t, 1, 3)
			p, record := startProxy(t, c.ListenAddrs()...)
			arm(t, p, wire.Rule{Name: "lost", APIs: []kmsg.Key{kmsg.Produce}, Client: "producer-", Count: 1, Do: test.do})
			s := producing()
			s.Retries = 0
			producer := startProducer(t, p.Bootstrap(), s)
			producer.produce(t, 5000)
			settle(t, p, "producer-")
			applied, absent, unknown := record.sums()
			require.Zero(t, unknown)
			lost := record.allHits()[0].Records.Sum()
			require.Equal(t, lost, producer.errors.Load())
			found := int64(len(copies(t, c.ListenAddrs())))
			if test.present {
				require.Equal(t, []int64{lost, 0, 5000}, []int64{applied, absent, found})
			} else {
				require.Equal(t, []int64{0, lost, 5000 - lost}, []int64{applied, absent, found})
			}
		})
	}
}

// A commit is lost on either way; the proxy knows which offsets the group has.
func TestALostCommitIsAppliedOrNot(t *testing.T) {
	for _, test := range []struct {
		name      string
		do        wire.Action
		committed bool
	}{
		{"answer", wire.DiscardResponse{}, true}, {"request", wire.DiscardRequest{}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := startCluster(t, 1, 3)
			p, record := startProxy(t, c.ListenAddrs()...)
			arm(t, p, wire.Rule{Name: "lost", APIs: []kmsg.Key{kmsg.OffsetCommit}, Client: "consumer-", Topic: topic, Do: test.do})
			s := profile.Defaults().Consumer
			s.Librdkafka = map[string]string{"client.id": "consumer-0.0", "socket.timeout.ms": "1000"}
			consumer, err := client.NewConsumer(client.ConsumerProperties(client.Endpoint{Bootstrap: p.Bootstrap()}, s, "group", ""), topic)
			require.NoError(t, err)
			require.Error(t, consumer.Commit(client.Offsets{0: 7, 2: 9}))
			consumer.Close()
			settle(t, p, "consumer-")

			expected := wire.PerPartition{topic: {0: 7, 2: 9}}
			for _, hit := range record.allHits() {
				require.Equal(t, expected, hit.Offsets)
				require.Equal(t, kmsg.OffsetCommit, hit.API)
			}
			unanswered := record.allUnanswered()
			require.NotEmpty(t, unanswered)
			for _, u := range unanswered {
				if test.committed {
					require.Equal(t, wire.Fates{Applied: expected}, u.Offsets)
				} else {
					require.Equal(t, wire.Fates{Absent: expected}, u.Offsets)
				}
			}
			if test.committed {
				require.Len(t, c.GroupInfo("group").Commits[topic], 2)
			} else if info := c.GroupInfo("group"); info != nil {
				require.Empty(t, info.Commits)
			}
		})
	}
}

// An EndTxn arrives after the client that sent it has given up and left: the
// broker ends the transaction all the same.
func TestALateEndTxnArrivesAfterItsClientLeft(t *testing.T) {
	c := startCluster(t, 1, 3)
	var seen atomic.Int64
	c.ControlKey(kmsg.EndTxn.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		seen.Add(1)
		return nil, nil, false
	})
	p, record := startProxy(t, c.ListenAddrs()...)
	arm(t, p, wire.Rule{Name: "late", APIs: []kmsg.Key{kmsg.EndTxn}, Client: "relay-", Count: 1, Do: wire.DelayRequest{For: 3 * time.Second}})
	producer := startTransactional(t, p.Bootstrap(), "relay-0.0")
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	require.NoError(t, producer.InitTransactions(ctx))
	require.NoError(t, producer.BeginTransaction())
	require.NoError(t, producer.Produce(nil, []byte("late")))
	require.Zero(t, producer.Flush(within))
	short, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	require.Error(t, producer.CommitTransaction(short))
	require.Zero(t, seen.Load(), "EndTxn requests that the broker has seen while the client was there")
	producer.close()
	settle(t, p, "relay-")
	require.Equal(t, int64(1), seen.Load())
	require.Len(t, record.allHits(), 1)
	require.Equal(t, kmsg.EndTxn, record.allHits()[0].API)
	require.Equal(t, map[string]int{"late": 1}, copies(t, c.ListenAddrs(), kgo.FetchIsolationLevel(kgo.ReadCommitted())))
}

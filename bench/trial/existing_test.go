package trial_test

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/ledger"
	"deliverybench/bench/message"
	"deliverybench/bench/pace"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/trial"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// stranger is somebody else who uses the cluster.
type stranger struct {
	t   *testing.T
	kgo *kgo.Client
}

func newStranger(t *testing.T, b *bench, options ...kgo.Opt) stranger {
	t.Helper()
	options = append(options, kgo.SeedBrokers(b.env.Broker.Endpoint().Addresses()...), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.MetadataMinAge(100*time.Millisecond))
	k, err := kgo.NewClient(options...)
	require.NoError(t, err)
	t.Cleanup(k.Close)
	return stranger{t, k}
}

// makes creates topics that are deleted after the test, and fills them with what
// is none of a trial's: other data, and a message that another trial left.
func (s stranger) makes(b *bench, partitions int, names ...string) {
	s.t.Helper()
	admin, err := client.NewAdmin(b.env.Broker.Endpoint())
	require.NoError(s.t, err)
	s.t.Cleanup(admin.Close)
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	for _, name := range names {
		require.NoError(s.t, admin.CreateTopic(ctx, name, profile.Topic{Partitions: partitions, Replication: 1, MinInsyncReplicas: 1}))
		s.t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			require.NoError(s.t, admin.DeleteTopics(ctx, name))
		})
		s.writes(name, 100)
	}
}

// writes produces n records of either kind, and waits for their answers.
func (s stranger) writes(topic string, n int) {
	s.t.Helper()
	left := make([]byte, 64)
	message.Encode(left, message.Header{Tag: 12345, Sequence: 1})
	var records []*kgo.Record
	for i := range n {
		records = append(records, &kgo.Record{Topic: topic, Value: fmt.Appendf(nil, "order %d", i)}, &kgo.Record{Topic: topic, Value: left})
	}
	require.NoError(s.t, s.kgo.ProduceSync(s.t.Context(), records...).FirstErr())
}

// keepsWriting writes until the test ends, and returns the function that ends it.
func (s stranger) keepsWriting(topic string) (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			s.kgo.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("order")})
		}
	}()
	return func() { cancel(); <-done }
}

// deletes has the broker delete everything that a topic's partitions hold.
func (s stranger) deletes(topic string, partitions int) {
	request := kmsg.NewPtrDeleteRecordsRequest()
	asked := kmsg.NewDeleteRecordsRequestTopic()
	asked.Topic = topic
	for p := range partitions {
		one := kmsg.NewDeleteRecordsRequestTopicPartition()
		one.Partition, one.Offset = int32(p), -1 // its end
		asked.Partitions = append(asked.Partitions, one)
	}
	request.Topics = append(request.Topics, asked)
	for _, shard := range s.kgo.RequestSharded(s.t.Context(), request) {
		require.NoError(s.t, shard.Err)
	}
}

// on has a trial use topics that exist.
func on(s profile.Settings, input, output string) profile.Settings {
	s.Topic.Existing, s.Topic.ExistingOutput = profile.TopicName(input), profile.TopicName(output)
	s.Topic.Replication, s.Topic.MinInsyncReplicas = 0, 0
	if s.Guarantee == profile.NoGuarantee {
		s.Guarantee = profile.AtLeastOnce
	}
	return s
}

// Trials one after another in the same topics count what is theirs alone: to the
// message also where one is killed between commit and effect.
func TestTrialsShareTopicsThatExist(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	newStranger(t, b).makes(b, 3, "orders", "invoices")
	for _, c := range []crash{
		{profile.BeforeProcessing, profile.PointMidBatch, batch, 0},
		{profile.AfterProcessing, profile.PointMidBatch, 0, batch},
	} {
		t.Run(name(c.when), func(t *testing.T) {
			settings := on(killed(profile.RelayTo, c, 3), "orders", "invoices")
			requireCost(t, settings, b.complete(t, settings), c)
		})
	}
	t.Run("produce", func(t *testing.T) {
		settings := on(short(), "orders", "")
		settings.Pipeline = profile.Produce
		requireFlawless(t, b.complete(t, settings))
	})
}

// On Apache Kafka the same holds of transactions and of groups under KIP-848.
func TestTrialsShareTopicsOfKafka(t *testing.T) {
	t.Parallel()
	b := kafka.bench(t)
	newStranger(t, b).makes(b, 3, "orders", "invoices")
	t.Run("in-transaction", func(t *testing.T) {
		c := crash{profile.InTransaction, profile.PointMidBatch, 0, 0}
		settings := on(killed(profile.RelayTo, c, 3), "orders", "invoices")
		requireCost(t, settings, b.complete(t, settings), c)
	})
	t.Run("KIP-848", func(t *testing.T) {
		settings := on(short(), "orders", "")
		settings.Consumer.Protocol = profile.ConsumerProtocol
		requireFlawless(t, b.complete(t, settings))
	})
}

// What others write during a trial is told, and neither lost nor a duplicate.
func TestOthersWriteToATopicThatExists(t *testing.T) {
	t.Parallel()
	b := kafka.bench(t)
	s := newStranger(t, b)
	s.makes(b, 3, "rents", "receipts")
	stop := []func(){s.keepsWriting("rents"), s.keepsWriting("receipts")}
	settings := on(short(), "rents", "receipts")
	settings.Pipeline, settings.Guarantee = profile.RelayTo, profile.ExactlyOnce
	settings.Consumer.Commit.When = profile.InTransaction
	r := b.run(t, settings).Result
	for _, stop := range stop {
		stop()
	}
	require.Equal(t, result.Completed, r.Status, r.Reason)
	require.Equal(t, result.Held, r.Promise)
	v := r.Verdict
	require.Equal(t, v.Due, v.Acked)
	require.Equal(t, v.Due, v.Effects)
	require.Equal(t, ledger.Lost{}, v.Lost)
	require.Equal(t, ledger.Dups{}, v.Duplicates)
	require.Zero(t, v.Reordered)
	require.Zero(t, v.Corrupt)
	require.Positive(t, v.Foreign)
	require.Len(t, r.Warnings, 1)
	require.Contains(t, r.Warnings[0], fmt.Sprintf("%d records of others", v.Foreign))
}

func TestTopicsThatDoNotFit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	newStranger(t, b).makes(b, 2, "orders")
	for topic, want := range map[string]string{
		"orders": "topic orders has 2 partitions and topic.partitions is 3: use -set topic.partitions=2",
		"ordres": "look at topic ordres: there is no such topic; create it, or leave topic.existing out and trials make their own",
	} {
		out := b.run(t, on(short(), topic, ""))
		require.Equal(t, result.Failed, out.Result.Status)
		require.Equal(t, want, out.Result.Reason)
	}
}

// Records that the broker deletes before the audit would look lost.
func TestATopicThatForgetsTooSoon(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := newStranger(t, b)
	s.makes(b, 3, "orders")
	b.env.Observe = func(at trial.Snapshot) {
		if at.Phase == "auditing" {
			s.deletes("orders", 3)
		}
	}
	out := b.run(t, on(short(), "orders", ""))
	require.Equal(t, result.Inconclusive, out.Result.Status, out.Result.Reason)
	require.Contains(t, out.Result.Reason, "the broker deleted what the trial wrote to topic orders")
}

// A trial begins where the topic ends, for its group too, once the transactions
// are over that others began before.
func TestATrialBeginsWhereTheTopicEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := newStranger(t, b, kgo.TransactionalID("somebody"), kgo.TransactionTimeout(time.Minute))
	newStranger(t, b).makes(b, 3, "orders")
	require.NoError(t, s.kgo.BeginTransaction())
	s.writes("orders", 1)
	over := make(chan struct{})
	time.AfterFunc(time.Second, func() {
		defer close(over)
		require.NoError(t, s.kgo.EndTransaction(t.Context(), kgo.TryCommit))
	})
	b.env.Observe = func(at trial.Snapshot) {
		if at.Phase != "starting workers" {
			return
		}
		select {
		case <-over:
		default:
			t.Error("it began amid a transaction")
		}
		committed := s.committed(client.TrialName(b.env.RunID, t.Name()), "orders")
		var sum int64
		for _, offset := range committed {
			sum += offset
		}
		if sum != 202 {
			t.Errorf("it begins after %d of 202 records: %v", sum, committed)
		}
	}
	requireFlawless(t, b.complete(t, on(short(), "orders", "")))
}

// committed are a group's offsets.
func (s stranger) committed(group, topic string) map[int32]int64 {
	request := kmsg.NewPtrOffsetFetchRequest()
	request.Group = group
	asked := kmsg.NewOffsetFetchRequestGroup()
	asked.Group = group
	request.Groups = append(request.Groups, asked)
	answer, err := request.RequestWith(s.t.Context(), s.kgo)
	require.NoError(s.t, err)
	offsets := map[int32]int64{}
	for _, g := range answer.Groups {
		for _, found := range g.Topics {
			for _, p := range found.Partitions {
				if found.Topic == topic && p.Offset > 0 {
					offsets[p.Partition] = p.Offset
				}
			}
		}
	}
	return offsets
}

// A cluster of somebody else's that goes away amid a trial ends it, with what its
// clients found out.
func TestAClusterThatGoesAway(t *testing.T) {
	t.Parallel()
	spawner := process.NewSpawner(executable(t))
	t.Cleanup(spawner.Close)
	embedded, err := broker.StartEmbedded(t.Context(), spawner, filepath.Join(t.TempDir(), "broker.log"))
	require.NoError(t, err)
	t.Cleanup(embedded.Close)
	theirs, err := broker.OpenExternal(t.Context(), embedded.Endpoint())
	require.NoError(t, err)
	b := &bench{seed: anySeed, env: trial.Environment{
		Spawner: spawner, Broker: theirs, Clock: pace.NewClock(), RunID: "test", AnswerWithin: time.Second,
		Scratch: []string{t.TempDir()}, KeepLogs: t.TempDir(),
		Observe: func(at trial.Snapshot) {
			if at.Produced > 100 {
				_ = syscall.Kill(embedded.PID(), syscall.SIGKILL)
			}
		},
	}}
	s := short()
	s.Pipeline = profile.Produce
	s.Producer.MessageTimeout = profile.Duration(time.Second)
	r := b.run(t, s).Result
	require.Equal(t, result.Failed, r.Status)
	require.Contains(t, r.Reason, "1s passed; "+embedded.Endpoint().Bootstrap+": ")
	require.Contains(t, r.Reason, "Connection refused; nothing listens there: check host and port, and that the broker runs")
}

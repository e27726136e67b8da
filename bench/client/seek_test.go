package client

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"deliverybench/bench/profile"
)

// A cooperative rebalance pauses and resumes partitions from the library's thread
// while the member goes back in them: that must neither end the member nor lose
// the seek.
func TestASeekOutlivesPauses(t *testing.T) {
	const topic = "topic"
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, topic))
	require.NoError(t, err)
	defer cluster.Close()
	e := Endpoint{Bootstrap: cluster.ListenAddrs()[0]}
	produceOne(t, e, topic)

	c, err := NewConsumer(AuditProperties(e, "group", profile.ReadCommitted), topic)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Assign(Offsets{0: 0}))
	requireRecord(t, c, 0)

	stop, paused := make(chan struct{}), make(chan error, 1)
	go func() { paused <- pauseUntil(stop, c) }()
	for range 1000 {
		if err = c.Seek(Offsets{0: 0}); err != nil {
			break
		}
	}
	close(stop)
	require.NoError(t, err)
	require.NoError(t, <-paused)
	require.NoError(t, c.Resume([]int32{0}))
	requireRecord(t, c, 0)
}

func pauseUntil(stop <-chan struct{}, c *Consumer) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		if err := c.Pause([]int32{0}); err != nil {
			return err
		}
		if err := c.Resume([]int32{0}); err != nil {
			return err
		}
	}
}

func produceOne(t *testing.T, e Endpoint, topic string) {
	t.Helper()
	p, err := kgo.NewClient(kgo.SeedBrokers(e.Bootstrap))
	require.NoError(t, err)
	defer p.Close()
	require.NoError(t, p.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("value")}).FirstErr())
}

// requireRecord polls until the record of an offset, the next one, comes.
func requireRecord(t *testing.T, c *Consumer, offset int64) Event {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		event := c.Poll(100 * time.Millisecond)
		require.NoError(t, event.Err)
		if event.Kind == Record {
			require.Equal(t, offset, event.Offset)
			return event
		}
	}
	t.Fatalf("waited 30 s for the record of offset %d", offset)
	return Event{}
}

package trial_test

import (
	"context"
	"testing"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/profile"

	"github.com/stretchr/testify/require"
)

// What the admin client deletes is out of range for a consumer whose offset is
// there, on either broker: with no offset reset the client says so.
func TestOffsetsOfDeletedRecordsAreOutOfRange(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		admin, err := client.NewAdmin(b.env.Broker.Endpoint())
		require.NoError(t, err)
		t.Cleanup(admin.Close)
		topic := client.InputOf(client.TrialName(b.env.RunID, "expired"))
		require.NoError(t, admin.CreateTopic(ctx, topic, profile.Topic{Partitions: 2, Replication: 1, MinInsyncReplicas: 1}))
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			require.NoError(t, admin.DeleteTopics(ctx, topic))
		})
		require.NoError(t, admin.WriteEach(ctx, topic, 2))
		ends, err := admin.EndOffsets(ctx, topic, 2, profile.ReadUncommitted)
		require.NoError(t, err)
		require.Equal(t, client.Offsets{0: 1, 1: 1}, ends)
		require.NoError(t, admin.DeleteRecords(ctx, topic, client.Offsets{1: 1}))
		starts, err := admin.StartOffsets(ctx, topic, 2)
		require.NoError(t, err)
		require.Equal(t, client.Offsets{0: 0, 1: 1}, starts)
		require.Error(t, admin.DeleteRecords(ctx, topic, client.Offsets{1: 9}), "there is no such offset")

		properties := client.AuditProperties(b.env.Broker.Endpoint(), topic, profile.ReadCommitted)
		properties["auto.offset.reset"] = "error"
		reader, err := client.NewConsumer(properties, topic)
		require.NoError(t, err)
		t.Cleanup(func() { _ = reader.Close() })
		require.NoError(t, reader.Assign(client.Offsets{0: 0, 1: 0}))
		failed, read := client.Event{}, client.Event{}
		for (failed.Err == nil || read.Kind != client.Record) && ctx.Err() == nil {
			switch e := reader.Poll(100 * time.Millisecond); e.Kind {
			case client.Failure:
				failed = e
			case client.Record:
				read = e
			}
		}
		require.Equal(t, int32(0), read.Partition, "what is not deleted is read")
		require.ErrorContains(t, failed.Err, "Offset out of range")
	})
}

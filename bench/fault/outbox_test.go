package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
)

// What stands alone is the transaction that was under way between the two writes;
// what is published again is the batch that was not cleared.
func TestPredictionsOfAnOutbox(t *testing.T) {
	const rows, published = 7, 40
	predicted := func(lost, duplicates, rowsAlone, messagesAlone int64) *Prediction {
		return &Prediction{Lost: &lost, Duplicates: &duplicates, RowsWithoutMessage: &rowsAlone, MessagesWithoutRow: &messagesAlone, Exact: true}
	}
	spotless := predicted(0, 0, 0, 0)
	kill := func(role profile.Role, point profile.Point) profile.Fault {
		return profile.Fault{Kill: role, When: point}
	}
	for _, c := range []struct {
		write profile.OutboxWrite
		fault profile.Fault
		want  *Prediction
	}{
		{profile.InOutbox, kill(profile.ProducerRole, profile.PointInserted), spotless},
		{profile.InOutbox, kill(profile.ProducerRole, profile.PointCommitted), spotless},
		{profile.InOutbox, kill(profile.PublisherRole, profile.PointRead), spotless},
		{profile.InOutbox, kill(profile.PublisherRole, profile.PointPublished), predicted(0, published, 0, 0)},
		{profile.InOutbox, kill(profile.PublisherRole, profile.PointCleared), spotless},
		{profile.InOutbox, kill(profile.PublisherRole, profile.PointAnywhere), nil},
		{profile.RowFirst, kill(profile.ProducerRole, profile.PointSent), spotless},
		{profile.RowFirst, kill(profile.ProducerRole, profile.PointInserted), spotless},
		{profile.RowFirst, kill(profile.ProducerRole, profile.PointBetweenWrites), predicted(rows, 0, rows, 0)},
		{profile.RowFirst, kill(profile.ProducerRole, profile.PointAnywhere), nil},
		{profile.MessageFirst, kill(profile.ProducerRole, profile.PointBetweenWrites), predicted(0, 0, 0, rows)},
		{profile.MessageFirst, kill(profile.ProducerRole, profile.PointInserted), predicted(0, 0, 0, rows)},
		{profile.MessageFirst, kill(profile.ProducerRole, profile.PointCommitted), spotless},
		{profile.InOutbox, profile.Fault{Kill: profile.DatabaseRole, Restart: second}, spotless},
		{profile.RowFirst, profile.Fault{Kill: profile.DatabaseRole, Restart: second}, nil}, // was it committed?
		{profile.InOutbox, profile.Fault{Freeze: profile.PublisherRole, When: profile.PointPublished, For: second}, spotless},
		{profile.InOutbox, profile.Fault{Freeze: profile.DatabaseRole, For: second}, spotless},
		{profile.InOutbox, profile.Fault{Cut: profile.PublisherRole}, nil},
	} {
		s := on(1, idempotent)
		s.Pipeline, s.Sink.Database = profile.ByOutbox, profile.Postgres
		s.Outbox = profile.Outbox{Write: c.write, RowsPerTransaction: rows, PublishEvery: published}
		require.Equal(t, c.want, predict(s, c.fault), "%s, %s", c.write, c.fault.Name())
	}
}

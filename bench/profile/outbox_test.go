package profile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What no outbox can be is omitted with the reason.
func TestCellsWithoutAnOutbox(t *testing.T) {
	for settings, want := range map[string]string{
		"{sink.database: sqlite}": "",
		"{}":                      "pipeline: outbox writes rows, and sink.database is none",
		"{sink.database: sqlite, faults: [{kill: consumer, when: polled}]}":                                  "kill consumer at polled: pipeline: outbox has no consumer",
		"{sink.database: sqlite, faults: [{kill: publisher, when: published}]}":                              "",
		"{sink.database: sqlite, outbox.write: row-first, faults: [{kill: publisher, when: read}]}":          "kill publisher at read: only pipeline: outbox with outbox.write: outbox has a publisher",
		"{sink.database: sqlite, faults: [{kill: publisher, when: sent}]}":                                   "kill publisher at sent: a publisher never reaches sent, only read, published or cleared",
		"{sink.database: sqlite, faults: [{kill: producer, when: between-writes}]}":                          "kill producer at between-writes: a producer with outbox.write: outbox never reaches between-writes, only sent, inserted or committed",
		"{sink.database: sqlite, outbox.write: row-first, faults: [{kill: producer, when: between-writes}]}": "",
		"{sink.database: sqlite, faults: [{cut: producer}]}":                                                 "cut producer: with outbox.write: outbox the producer writes to the database alone; strike the publisher",
		"{sink.database: sqlite, faults: [{cut: publisher}]}":                                                "",
		"{sink.database: sqlite, outbox.write: message-first, faults: [{cut: producer}]}":                    "",
		"{pipeline: produce, faults: [{kill: producer, when: inserted}]}":                                    "kill producer at inserted: a producer never reaches inserted, only sent",
		"{sink.database: sqlite, consumer.commit.when: with-effect}":                                         "",
		"{sink.database: sqlite, faults: [{kill: group-coordinator, at: 50%}]}":                              "kill group-coordinator: pipeline: outbox has no group",
	} {
		made := plan(t, parse(t, "name: t\npipeline: outbox\narms: {t: "+settings+"}"), Options{})
		require.Equal(t, want, omittedBecause(made), settings)
	}
}

// What an outbox does not do is refused.
func TestOutboxRefuses(t *testing.T) {
	for settings, want := range map[string]string{
		"sink.write: check-then-act":                          "sink.write: check-then-act takes two transactions, and pipeline: outbox writes each row once; write sink.write: insert",
		"producer: {idempotence: true, transaction.every: 5}": "pipeline: outbox has no Kafka transactions; leave producer.transaction out",
		"producer.outstanding: 5":                             "leave producer.outstanding out, outbox.rows_per_transaction bounds it",
		"producer.resends: 1":                                 "leave producer.resends out",
		"producer.acks: 0":                                    "with producer.acks: 0 it says nothing; write acks: all",
	} {
		_, err := Parse([]byte("name: t\npipeline: outbox\nsink.database: sqlite\n"+settings), "my.yaml")
		require.ErrorContains(t, err, want, settings)
	}
}

// The points of writer and publisher, in the order in which they are passed.
func TestPointsOfAnOutbox(t *testing.T) {
	s := Defaults()
	s.Pipeline, s.Sink.Database = ByOutbox, SQLite
	for write, want := range map[OutboxWrite][]Point{
		InOutbox:     {PointSent, PointInserted, PointCommitted},
		RowFirst:     {PointSent, PointInserted, PointBetweenWrites},
		MessageFirst: {PointSent, PointBetweenWrites, PointInserted, PointCommitted},
	} {
		s.Outbox.Write = write
		require.Equal(t, want, CrashPoints(ProducerRole, s))
		require.Empty(t, CrashPoints(ConsumerRole, s))
		require.Equal(t, write == InOutbox, s.Publishes())
		if write == InOutbox {
			require.Equal(t, []Point{PointRead, PointPublished, PointCleared}, CrashPoints(PublisherRole, s))
		}
	}
	require.Empty(t, Fault{Kill: PublisherRole}.Broker())
	require.Equal(t, PublisherRole, Fault{Kill: PublisherRole, When: PointRead}.Placed())
}

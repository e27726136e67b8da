package profile

import "fmt"

// OutboxWrite is how a row and its message are written.
type OutboxWrite string

const (
	InOutbox     OutboxWrite = "outbox"
	RowFirst     OutboxWrite = "row-first"
	MessageFirst OutboxWrite = "message-first"
)

// Consumes reports whether the pipeline has a consumer group.
func (p Pipeline) Consumes() bool { return p == Consume || p == RelayTo }

// Publishes reports whether the pipeline has a publisher, which alone writes to the topic.
func (s Settings) Publishes() bool { return s.Pipeline == ByOutbox && s.Outbox.Write == InOutbox }

// writerPoints are those that a producer passes which writes rows, in their order.
func (o Outbox) writerPoints() []Point {
	switch o.Write {
	case RowFirst: // between the writes is right after the commit
		return []Point{PointSent, PointInserted, PointBetweenWrites}
	case MessageFirst:
		return []Point{PointSent, PointBetweenWrites, PointInserted, PointCommitted}
	}
	return []Point{PointSent, PointInserted, PointCommitted}
}

// publisherPoints are those that the publisher passes.
func publisherPoints() []Point { return []Point{PointRead, PointPublished, PointCleared} }

func (s Settings) outboxRules() []rule {
	if s.Pipeline != ByOutbox {
		return nil
	}
	p := s.Producer
	return []rule{
		{s.Sink.Write == CheckThenAct, []string{"sink.write", "pipeline"}, fmt.Sprintf(
			"sink.write: %s takes two transactions, and pipeline: outbox writes each row once; write sink.write: %s", CheckThenAct, Insert)},
		{p.Transaction.Enabled(), []string{"producer.transaction.every", "producer.transaction.interval", "pipeline"},
			"pipeline: outbox has no Kafka transactions; leave producer.transaction out"},
		{p.Outstanding > 0, []string{"producer.outstanding", "pipeline"},
			"pipeline: outbox writes one transaction after another; leave producer.outstanding out, outbox.rows_per_transaction bounds it"},
		{p.Resends > 0, []string{"producer.resends", "pipeline"},
			"pipeline: outbox sends nothing again by itself but from the outbox; leave producer.resends out"},
		{p.Acks == AcksNone, []string{"producer.acks", "pipeline"},
			"pipeline: outbox waits for what the broker says of each message, and with producer.acks: 0 it says nothing; write acks: all"},
	}
}

package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// WriteEach writes one record to every partition of a topic. It is no message of
// any trial.
func (a *Admin) WriteEach(ctx context.Context, topic string, partitions int) error {
	doing := "write a record to every partition of topic " + topic
	p, err := kafka.NewProducer(a.endpoint.properties(Properties{"acks": "all"}).configMap(kafka.ConfigMap{"go.logs.channel.enable": true}))
	if err != nil {
		return fmt.Errorf("make producer: %w", err)
	}
	defer p.Close()
	reports := make(chan kafka.Event, partitions)
	for n := range partitions {
		at := kafka.TopicPartition{Topic: &topic, Partition: int32(n)}
		if err := p.Produce(&kafka.Message{TopicPartition: at, Value: []byte("nobody's")}, reports); err != nil {
			return wrapOn(doing, mayWrite, topic, err)
		}
	}
	for range partitions {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
		case report := <-reports:
			if m, ok := report.(*kafka.Message); ok && m.TopicPartition.Error != nil {
				return wrapOn(doing, mayWrite, topic, m.TopicPartition.Error)
			}
		}
	}
	return nil
}

// DeleteRecords deletes what stands before an offset of each partition, as
// retention would.
func (a *Admin) DeleteRecords(ctx context.Context, topic string, before Offsets) error {
	doing := "delete records of topic " + topic
	r, err := ask(ctx, a, doing, func(ctx context.Context) (kafka.DeleteRecordsResults, error) {
		return a.a.DeleteRecords(ctx, before.list(&topic))
	})
	if err != nil {
		return err
	}
	var failed error
	for _, p := range r.DeleteRecordsResults {
		failed = errors.Join(failed, wrapOn(doing, mayDelete, topic, p.TopicPartition.Error))
	}
	return failed
}

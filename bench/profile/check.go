package profile

import (
	"cmp"
	"fmt"
	"time"
)

// rule is something that settings may not say together.
type rule struct {
	broken   bool
	settings []string // that it is about; the last stated one is blamed
	text     string
}

// contradictions refuses what no run could mean.
func (d *document) contradictions(k resolved) {
	rules := append(k.settings.loadRules(), k.settings.topicRules()...)
	rules = append(rules, k.settings.commitRules()...)
	rules = append(rules, k.settings.sinkRules()...)
	rules = append(rules, k.settings.outboxRules()...)
	rules = append(rules, k.settings.faultRules()...)
	for _, r := range rules {
		if !r.broken {
			continue
		}
		blamed := k.blame(r.settings)
		switch {
		case blamed == nil:
			d.failAt(1, 1, "%s", r.text)
		case blamed.line == 0:
			d.failAt(0, 0, "-set %s=%s: %s", blamed.name(), blamed.text(), r.text)
		default:
			d.failAt(blamed.line, blamed.column, "%s", r.text)
		}
	}
}

// blame returns the assignment of these settings that came last; nil when all are defaults.
func (k resolved) blame(settings []string) *origin {
	var last *origin
	for _, name := range settings {
		if o, stated := k.origins[name]; stated && (last == nil || o.layer > last.layer) {
			last = &o
		}
	}
	return last
}

func (s Settings) loadRules() []rule {
	l, t, p := s.Load, s.Topic, s.Producer
	return []rule{
		{l.Arrivals == Ramp && l.RampFrom == 0, []string{"load.arrivals", "load.ramp_from"},
			"arrivals: ramp needs the rate it starts at; write load.ramp_from: 100/s"},
		{l.RampFrom == RateMax, []string{"load.ramp_from"},
			"load.ramp_from is where a ramp starts and cannot be max; write 100/s"},
		{l.Rate == RateMax && l.Arrivals != Constant, []string{"load.arrivals", "load.rate"},
			fmt.Sprintf("load.rate: max has no intended times for arrivals: %s; write a rate, or arrivals: constant", l.Arrivals)},
		{t.Replication > 0 && t.MinInsyncReplicas > t.Replication, []string{"topic.min_insync_replicas", "topic.replication"},
			fmt.Sprintf("topic.min_insync_replicas %d is more than topic.replication %d; no acks: all write would succeed",
				t.MinInsyncReplicas, t.Replication)},
		{p.Resends > 0 && p.Transaction.Enabled(), []string{"producer.resends", "producer.transaction.every", "producer.transaction.interval"},
			"producer.resends is for producers without transactions; in one, a message that fails ends in its transaction's abort"},
		{p.Transaction.Abort > 0 && !p.Transaction.Enabled(), []string{"producer.transaction.abort", "producer.transaction.every"},
			"producer.transaction.abort needs transactions; write producer.transaction.every: 100"},
		// librdkafka: "`message.timeout.ms` must be greater than `linger.ms`".
		{p.Linger >= p.MessageTimeout, []string{"producer.linger", "producer.message_timeout"},
			fmt.Sprintf("producer.linger %s is not below producer.message_timeout %s; the client refuses it",
				p.Linger, p.MessageTimeout)},
	}
}

func (s Settings) topicRules() []rule {
	t, relay := s.Topic, s.Pipeline == RelayTo
	return []rule{
		{relay && t.Existing != "" && t.ExistingOutput == "", []string{"topic.existing", "pipeline"},
			"pipeline: relay writes to a second topic; with topic.existing name it too, with topic.existing_output"},
		{relay && t.Existing == "" && t.ExistingOutput != "", []string{"topic.existing_output", "pipeline"},
			"topic.existing_output needs topic.existing, the topic that the relay reads"},
		{relay && t.Existing != "" && t.Existing == t.ExistingOutput, []string{"topic.existing_output", "topic.existing"},
			"topic.existing and topic.existing_output are the same; the relay would read what it writes"},
		{t.Existing != "" && t.Replication > 0, []string{"topic.replication", "topic.existing"},
			"topic.existing is used as it is; leave topic.replication out, or write topic.replication: 0"},
		{t.Existing != "" && t.MinInsyncReplicas > 0, []string{"topic.min_insync_replicas", "topic.existing"},
			"topic.existing is used as it is; leave topic.min_insync_replicas out, or write topic.min_insync_replicas: 0"},
	}
}

func (s Settings) commitRules() []rule {
	c := s.Consumer.Commit
	automatic := c.When == Automatic || c.When == AutomaticStored
	involved := []string{"consumer.commit.when", "consumer.commit.every", "consumer.commit.interval", "pipeline"}
	loaded := s.Load.Warmup + s.Load.Duration
	if !s.Pipeline.Consumes() {
		return nil
	}
	return []rule{
		{automatic && c.Interval < Duration(time.Millisecond), involved, fmt.Sprintf(
			"commit.when: %s commits by time; write consumer.commit.interval: 5s (at least 1ms)", c.When)},
		{!automatic && c.Every == 0 && c.Interval == 0, involved, fmt.Sprintf(
			"commit.when: %s would never commit; write consumer.commit.every: 500 or an interval", c.When)},
		{s.Consumer.JoinAfter > 0 && s.Consumer.JoinAfter >= loaded, []string{"consumer.join_after", "load.duration", "load.warmup"}, fmt.Sprintf(
			"consumer.join_after %s is not within the load of %s (load.warmup and load.duration); nothing would be consumed under load",
			s.Consumer.JoinAfter, loaded)},
		{s.Consumer.OffsetReset == Latest && s.Topic.Existing != "", []string{"consumer.offset_reset", "topic.existing"},
			"consumer.offset_reset: latest has no effect with topic.existing, where the group is given its offsets before the trial; leave one of the two out"},
		{s.Consumer.ExpiredOffsets && s.Topic.Existing != "", []string{"consumer.expired_offsets", "topic.existing"},
			"consumer.expired_offsets deletes messages, and with topic.existing nothing is deleted; leave one of the two out"},
		{s.Consumer.OnError == DeadLetter && s.Topic.Existing != "", []string{"consumer.on_error", "topic.existing"},
			"consumer.on_error: dead-letter makes a topic, and with topic.existing nothing is made; write on_error: skip or retry"},
		// librdkafka: "`max.poll.interval.ms` must be >= `session.timeout.ms`".
		{s.Consumer.MaxPollInterval < s.Consumer.SessionTimeout, []string{"consumer.max_poll_interval", "consumer.session_timeout"}, fmt.Sprintf(
			"consumer.max_poll_interval %s is less than consumer.session_timeout %s; the client refuses it",
			s.Consumer.MaxPollInterval, s.Consumer.SessionTimeout)},
		{s.Consumer.StartAfter > 0 && s.Consumer.StartAfter >= loaded, []string{"consumer.start_after", "load.duration", "load.warmup"}, fmt.Sprintf(
			"consumer.start_after %s is not within the load of %s (load.warmup and load.duration); nothing would be consumed under load",
			s.Consumer.StartAfter, loaded)},
	}
}

func (s Settings) sinkRules() []rule {
	var rules []rule
	for _, f := range s.Faults {
		rules = append(rules, rule{f.Database() && s.Sink.Database == SQLite, []string{"faults", "sink.database"},
			fmt.Sprintf("%s: SQLite is a file of the workers and no server to strike; kill a consumer, or write sink.database: %s", f.Name(), Postgres)})
		// What it takes to recover comes on top, and is the server's to know.
		away := f.Restart + f.For
		rules = append(rules, rule{f.Database() && away >= StoreWithin, []string{"faults"},
			fmt.Sprintf("%s: it is away for %s, and workers give up a database that does not answer for %s; write less than that, with room to recover",
				f.Name(), away, StoreWithin)})
	}
	return rules
}

func (s Settings) faultRules() []rule {
	var rules []rule
	window := time.Duration(s.Load.Duration)
	if s.StormEvery > 0 && len(s.Faults) == 0 {
		rules = append(rules, rule{true, []string{"storm_every", "faults"}, "storm_every draws from the faults, and there are none; add faults"})
	}
	if s.StormEvery > 0 {
		strikes := s.Load.Duration / s.StormEvery
		rules = append(rules, rule{strikes > maxStrikes, []string{"storm_every", "load.duration"}, fmt.Sprintf(
			"storm_every %s makes some %d faults in the window of %s (load.duration); at most %d are planned, so strike less often",
			s.StormEvery, strikes, s.Load.Duration, maxStrikes)})
	}
	for _, f := range s.Faults {
		rules = append(rules, rule{f.At.Share == 0 && f.At.In(window) >= window, []string{"faults", "load.duration"},
			fmt.Sprintf("%s: at %s is beyond the window of %s (load.duration); the fault would never strike",
				f.Name(), f.At, s.Load.Duration)})
		ended := cmp.Or(f.Kill, f.Stop)
		member := ended == ConsumerRole || ended == RelayRole
		rules = append(rules, rule{
			member && s.Pipeline.Consumes() && s.Consumer.Membership == Static && f.Restart >= s.Consumer.SessionTimeout,
			[]string{"faults", "consumer.session_timeout", "consumer.membership"},
			fmt.Sprintf("%s: restart %s is not sooner than consumer.session_timeout %s; the partitions would move "+
				"and the exact count be lost: restart sooner, or write membership: dynamic",
				f.Name(), f.Restart, s.Consumer.SessionTimeout)})
	}
	return rules
}

// impossible says why no client can be configured like this; "" when it can.
// The limits are librdkafka's (rdkafka_conf.c, rd_kafka_conf_finalize), which
// refuses to create such a client.
func (k resolved) impossible() string {
	s := k.settings
	p := s.Producer
	inTransaction := s.Pipeline.Consumes() && s.Consumer.Commit.When == InTransaction
	_, assigned := k.origins["consumer.assignor"]
	switch {
	case p.Idempotence && p.Acks != AcksAll:
		return fmt.Sprintf("producer.idempotence needs acks: all, not %s", p.Acks)
	case p.Idempotence && p.Retries < 1:
		return "producer.idempotence needs at least 1 retry, not 0"
	case p.Idempotence && p.MaxInFlight > 5:
		return fmt.Sprintf("producer.idempotence needs max_in_flight of at most 5, not %d", p.MaxInFlight)
	case p.Transaction.Enabled() && !p.Idempotence:
		return "producer.transaction needs producer.idempotence: true"
	case inTransaction && s.Pipeline != RelayTo:
		return fmt.Sprintf("commit.when: in-transaction needs pipeline: relay, not %s", s.Pipeline)
	case inTransaction && !p.Idempotence:
		return "commit.when: in-transaction needs producer.idempotence: true"
	case inTransaction && p.MessageTimeout > s.Relay.TransactionTimeout:
		return fmt.Sprintf("commit.when: in-transaction needs producer.message_timeout of at most relay.transaction_timeout %s, not %s",
			s.Relay.TransactionTimeout, p.MessageTimeout)
	case s.Sink.Enabled() && s.Pipeline == Produce:
		return fmt.Sprintf("sink.database: %s needs a consumer, and pipeline: produce has none", s.Sink.Database)
	case s.Pipeline == ByOutbox && !s.Sink.Enabled():
		return "pipeline: outbox writes rows, and sink.database is none"
	case s.Pipeline.Consumes() && s.Consumer.Commit.When == WithEffect && !s.Sink.Enabled():
		return "commit.when: with-effect keeps its offsets in the sink's database, and sink.database is none"
	case s.Pipeline.Consumes() && s.Consumer.Commit.When == WithEffect && s.Sink.Write == CheckThenAct:
		return "commit.when: with-effect writes effect and offset in one transaction, sink.write: check-then-act the effect in two"
	case s.Pipeline.Consumes() && s.Consumer.Protocol == ConsumerProtocol && assigned:
		return "consumer.protocol: consumer assigns on the broker; leave consumer.assignor out"
	}
	return ""
}

// unreachable says why one of the faults cannot strike here; "" when all can.
func (k resolved) unreachable() string {
	for _, f := range k.settings.Faults {
		if reason := f.unreachable(k.settings); reason != "" {
			return reason
		}
	}
	return ""
}

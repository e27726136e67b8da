package fault

import (
	"time"

	"deliverybench/bench/profile"
)

// Scheduled is one fault of a trial.
type Scheduled struct {
	profile.Fault
	// ArmAt is when it is armed, from the start of the measured window. A worker's
	// kill fires when it next reaches its point, everything else at once.
	ArmAt     time.Duration
	Predicted *Prediction
}

// Prediction is a blast radius in messages; nil is not predicted.
type Prediction struct {
	Lost       *int64
	Duplicates *int64
	// DeadLettered are neither.
	DeadLettered *int64
	// RowsWithoutMessage and MessagesWithoutRow are what an outbox is there to prevent.
	RowsWithoutMessage, MessagesWithoutRow *int64
	// Exact says that theory gives the number; otherwise it is about that many.
	Exact bool
}

// Schedule returns the faults of a trial in the order of the profile.
func Schedule(s profile.Settings) []Scheduled {
	out := make([]Scheduled, 0, len(s.Faults))
	for _, f := range s.Faults {
		out = append(out, Scheduled{
			Fault:     f,
			ArmAt:     f.At.In(time.Duration(s.Load.Duration)),
			Predicted: predict(s, f),
		})
	}
	return out
}

func predict(s profile.Settings, f profile.Fault) *Prediction {
	switch {
	case s.Pipeline == profile.ByOutbox:
		return predictOutbox(s, f)
	case f.Wire():
		return predictWire(s, f)
	case f.Database():
		return predictDatabase(s, f)
	case f.When == profile.PointAnywhere:
		return nil // it depends on what the worker was doing
	case f.Fail != "":
		return predictFailures(s, f)
	case f.Freeze != "" && f.Worker() != "":
		return predictZombie(s, f)
	case f.Freeze != "":
		return predictFreeze(s, f)
	case f.Broker() != "":
		return predictBroker(s, f)
	case f.Kill == profile.ProducerRole:
		if s.Producer.Acks == profile.AcksNone {
			return nil // what the kernel still sends of a dead process is not ours to say
		}
		// What had no report is unknown, which is neither lost nor a duplicate.
		return exactly(0, 0)
	case f.Kill != "" && leavesOut(s):
		return nil // what failed may be in the batch
	case f.Kill != "":
		return predictConsumerKill(s, f.When)
	default:
		if !s.Consumer.RebalanceCallback || automatic(s.Consumer.Commit.When) {
			return nil
		}
		return exactly(0, 0) // the callback settles what is in hand
	}
}

func predictFreeze(s profile.Settings, f profile.Fault) *Prediction {
	if s.Producer.Acks == profile.AcksNone || f.For >= shortestTimeout(s) {
		return nil
	}
	return exactly(0, 0) // everything waits, nothing times out
}

// brokerSession is how long Kafka waits for a silent broker before it counts as
// gone (broker.session.timeout.ms, Kafka 4.3).
const brokerSession = profile.Duration(9 * time.Second)

// predictBroker: what a broker that ends costs is what nobody else had. The
// process's end leaves what it wrote to the operating system.
func predictBroker(s profile.Settings, f profile.Fault) *Prediction {
	p := &Prediction{}
	var none int64
	switch {
	case f.Isolate != "" && s.Producer.Acks != profile.AcksAll:
		// The leader alone has what arrived while its followers stood still.
		if s.Topic.Partitions > 1 || s.Load.Rate == profile.RateMax || f.For >= brokerSession {
			return nil // who leads the other partitions is not ours to say
		}
		return Isolated(s, time.Duration(f.For))
	case s.Producer.Acks == profile.AcksAll && s.Topic.MinInsyncReplicas > 1,
		s.Producer.Acks != profile.AcksNone && s.Topic.Replication == 1:
		p.Lost, p.Exact = &none, true
	default:
		return nil // it depends on what the followers had fetched
	}
	// Of a message that times out the broker may get copies that it does not know.
	lives := brokerSession+f.For+f.Restart < s.Producer.MessageTimeout
	if s.Producer.Idempotence && s.Pipeline == profile.Produce && lives {
		p.Duplicates = &none
	}
	return p
}

// Isolated is what a leader costs that its followers were cut off from for this
// long before it was killed: what it took meanwhile, of which nobody else has
// anything. The time is the profile's, and afterwards the one that it took: a
// busy machine sleeps and kills late.
func Isolated(s profile.Settings, length time.Duration) *Prediction {
	lost := int64(float64(s.Load.Rate) * length.Seconds())
	return &Prediction{Lost: &lost}
}

// shortestTimeout is the first that a broker which stands still would trip.
func shortestTimeout(s profile.Settings) profile.Duration {
	shortest := min(socketTimeout(s, profile.ProducerRole), s.Producer.MessageTimeout)
	if s.Pipeline.Consumes() {
		shortest = min(shortest, s.Consumer.SessionTimeout, socketTimeout(s, profile.ConsumerRole))
	}
	if s.Pipeline == profile.RelayTo {
		shortest = min(shortest, socketTimeout(s, profile.RelayRole))
	}
	if s.Consumer.Commit.When == profile.InTransaction {
		shortest = min(shortest, s.Relay.TransactionTimeout)
	}
	if s.Topic.Replication > 1 {
		shortest = min(shortest, brokerSession) // then another one leads
	}
	return shortest
}

// predictConsumerKill: one batch of B = consumer.commit.every lies between the
// commit and its effects. Killed between the two, the side that came first
// stands and the other is missing.
func predictConsumerKill(s profile.Settings, at profile.Point) *Prediction {
	c := s.Consumer
	b := int64(c.Commit.Every)
	var p *Prediction
	switch c.Commit.When {
	case profile.InTransaction:
		return exactly(0, 0)
	case profile.BeforeProcessing:
		p = exactly(0, 0)
		if at == profile.PointCommitted || at == profile.PointMidBatch || at == profile.PointChecked {
			p = exactly(b, 0)
		}
		if outputsLeave(s, at) {
			p.Lost = nil
		}
	case profile.AfterProcessing:
		switch {
		case onceInRows(s):
			return exactly(0, 0)
		case finds(s):
			p = exactly(0, 0)
			p.Exact = oneWrites(s)
			return p // also of what others' or earlier commits did not cover
		}
		p = exactly(0, 0)
		if at == profile.PointProcessed || at == profile.PointMidBatch || at == profile.PointProduced {
			p = exactly(0, b)
		}
		if outputsLeave(s, at) {
			p.Duplicates = nil
		}
		if c.Commit.Mode == profile.Async {
			p.Exact = false // earlier commits may still be on their way
		}
	case profile.WithEffect:
		p = exactly(0, 0)
		if s.Pipeline == profile.RelayTo && (at == profile.PointProduced || at == profile.PointMidBatch) {
			p = exactly(0, b) // the output is in the log, and the offset not in the database
		}
	default:
		return nil // a timer decides
	}
	// Without full count-batches or a fixed assignment the batch in hand, or
	// what other members hold, differs.
	if c.Commit.Every == 0 || c.Commit.Interval > 0 || !oneWrites(s) {
		p.Exact = false
	}
	return p
}

// outputsLeave reports whether a relay has its outputs on their way at the point
// and waits for none of them: which of a batch's are in the log is a draw.
func outputsLeave(s profile.Settings, at profile.Point) bool {
	return s.Pipeline == profile.RelayTo && at == profile.PointChecked
}

func automatic(w profile.CommitWhen) bool {
	return w == profile.Automatic || w == profile.AutomaticStored
}

func exactly(lost, duplicates int64) *Prediction {
	return &Prediction{Lost: &lost, Duplicates: &duplicates, Exact: true}
}

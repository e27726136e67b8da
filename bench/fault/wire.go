package fault

import (
	"slices"
	"time"

	"deliverybench/bench/profile"
)

// Seen is what the proxy saw of what a fault on the wire left behind.
type Seen struct {
	// Appended are records that the broker has, of which their client never heard.
	Appended int64
	// Uncommitted are messages whose commits never arrived.
	Uncommitted int64
}

// predictWire is what a fault on the wire costs as far as the profile tells.
func predictWire(s profile.Settings, f profile.Fault) *Prediction { return FromWire(s, f, Seen{}) }

// FromWire is what a fault on the wire costs, by the rules of each guarantee and
// by what the proxy saw; nil is not predicted.
func FromWire(s profile.Settings, f profile.Fault, seen Seen) *Prediction {
	api, of := f.Wired()
	switch {
	case s.Consumer.Commit.When == profile.InTransaction && of != profile.ProducerRole && s.Pipeline == profile.RelayTo:
		if f.DelayRequest != "" && api == "end-txn" && s.Relay.RenewProducer != profile.AfterUnknownEnd {
			return nil // by the protocol it may end a transaction that is not its own
		}
		return exactly(0, 0)
	case api == "offset-commit" && s.Consumer.Commit.When == profile.AfterProcessing:
		if f.LoseRequest == "" || !killsConsumer(s) {
			return exactly(0, 0) // applied, or made good by the next commit
		}
		return exactly(0, seen.Uncommitted)
	case of == profile.ConsumerRole || s.Producer.Acks == profile.AcksNone:
		return nil
	}
	return predictResent(s, f, seen)
}

// predictResent: what a producer does not know to be appended it sends again,
// as often as its retries and its message's time allow. The broker tells the
// copies of an idempotent producer apart, and of no other.
func predictResent(s profile.Settings, f profile.Fault, seen Seen) *Prediction {
	p := s.Producer
	switch {
	case p.Retries > 0 && p.MessageTimeout <= socketTimeout(p):
		// A batch's messages are given up one by one, as the time of each is over,
		// and what is left of the batch is sent again: by an idempotent producer
		// under a new epoch, in which the broker knows no copy (librdkafka 2.15).
		none, about := int64(0), &seen.Appended
		if p.Resends == 0 || f.DelayRequest != "" {
			about = nil
		}
		return &Prediction{Lost: &none, Duplicates: about, Exact: about == nil}
	case p.Idempotence:
		return exactly(0, 0)
	case p.Retries == 0 && p.Resends > 0 && f.DelayRequest == "":
		return exactly(0, seen.Appended) // by the application, whose attempts are messages of their own
	case p.Retries == 0:
		return exactly(0, 0) // given up: unknown, whether it is there or not
	case f.DelayRequest != "":
		return nil // the late request itself is a copy
	}
	return exactly(0, seen.Appended)
}

// socketTimeout is when the library gives an unanswered request up.
func socketTimeout(p profile.Producer) profile.Duration {
	if ms, err := time.ParseDuration(p.Librdkafka["socket.timeout.ms"] + "ms"); err == nil {
		return profile.Duration(ms)
	}
	return profile.SocketTimeout
}

// killsConsumer reports whether some consumer is killed, so that what it did not
// commit is done again.
func killsConsumer(s profile.Settings) bool {
	return slices.ContainsFunc(s.Faults, func(f profile.Fault) bool {
		return f.Kill == profile.ConsumerRole || f.Kill == profile.RelayRole
	})
}

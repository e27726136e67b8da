package fault

import (
	"slices"

	"deliverybench/bench/profile"
)

// Seen is what the proxy saw of what a fault on the wire left behind.
type Seen struct {
	// Appended are records that the broker has, of which their client never heard.
	// Doubtful are those of which it cannot be told whether they are such.
	Appended, Doubtful int64
	// Uncommitted are messages whose commits never arrived and were not made good;
	// nil is not known.
	Uncommitted *int64
}

// predictWire is what a fault on the wire costs as far as the profile tells.
func predictWire(s profile.Settings, f profile.Fault) *Prediction { return FromWire(s, f, Seen{}) }

// FromWire is what a fault on the wire costs, by the rules of each guarantee and
// by what the proxy saw; nil is not predicted.
func FromWire(s profile.Settings, f profile.Fault, seen Seen) *Prediction {
	api, of := f.Wired()
	if s.Pipeline == profile.ByOutbox {
		return predictOutbox(s, f)
	}
	if of == "" && s.Pipeline.Consumes() && !ofProducers(api) {
		of = profile.ConsumerRole
	}
	relayed := of != profile.ProducerRole && s.Pipeline == profile.RelayTo
	inTransaction := relayed && s.Consumer.Commit.When == profile.InTransaction
	switch {
	case endsLate(s, f):
		return nil // by the protocol it may end a transaction that is not its own
	case inTransaction && of == "" && outlasts(s, f, profile.ProducerRole):
		return nil // what the load's producers give up may be there twice
	case inTransaction:
		return exactly(0, 0)
	case api == "offset-commit" && s.Consumer.Commit.When == profile.AfterProcessing:
		return predictCommits(s, f, seen)
	case of == profile.ConsumerRole || s.Producer.Acks == profile.AcksNone:
		return nil
	case relayed && outlasts(s, f, profile.RelayRole):
		return nil // what a relay gives up it does again, or never
	}
	return predictResent(s, f, seen)
}

// ofProducers reports whether only clients that produce send such requests.
func ofProducers(api profile.API) bool {
	return slices.Contains([]profile.API{"produce", "init-producer-id", "add-partitions-to-txn", "add-offsets-to-txn", "txn-offset-commit", "end-txn"}, api)
}

// endsLate reports whether the end of a transaction may arrive when its client
// has given up on it and gone on.
func endsLate(s profile.Settings, f profile.Fault) bool {
	_, of := f.Wired()
	late := func(by profile.Role) bool {
		patience := socketTimeout(s, by)
		return (of == by || of == "") && (f.DelayRequest == "end-txn" ||
			f.Blackhole != "" && f.Direction != profile.ToClient && f.For >= patience ||
			f.Slow != "" && f.Latency+f.Jitter >= patience)
	}
	relays := s.Pipeline == profile.RelayTo && s.Consumer.Commit.When == profile.InTransaction
	return relays && s.Relay.RenewProducer != profile.AfterUnknownEnd && late(profile.RelayRole) ||
		s.Producer.Transaction.Enabled() && late(profile.ProducerRole)
}

// predictCommits: what a consumer that lives cannot commit it commits later.
func predictCommits(s profile.Settings, f profile.Fault, seen Seen) *Prediction {
	switch {
	case onceInRows(s):
		return exactly(0, 0)
	case finds(s) && strikesGroup(s):
		p := exactly(0, 0)
		if !oneWrites(s) || freezesConsumer(s) {
			p.Duplicates = nil // two may write what neither of them found
		}
		return p
	case f.LoseResponse != "" || !strikesGroup(s):
		return exactly(0, 0) // applied, or made good by the next commit
	case f.LoseRequest != "" && seen.Uncommitted != nil:
		return exactly(0, *seen.Uncommitted)
	}
	return nil
}

// predictResent: what a producer does not know to be appended it sends again,
// as often as its retries and its message's time allow. The broker tells the
// copies of an idempotent producer apart, and of no other.
func predictResent(s profile.Settings, f profile.Fault, seen Seen) *Prediction {
	p := s.Producer
	appended := exactly(0, seen.Appended)
	appended.Exact = seen.Doubtful == 0 && !killsProducer(s)
	switch {
	case p.Retries > 0 && outlasts(s, f, profile.ProducerRole):
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
		appended.Exact = appended.Exact && lostTries(s, f, profile.ProducerRole) <= float64(p.Resends)
		return appended // by the application, whose attempts are messages of their own
	case p.Retries == 0:
		return exactly(0, 0) // given up: unknown, whether it is there or not
	case f.DelayRequest != "":
		return nil // the late request itself is a copy
	}
	return appended
}

// outlasts reports whether a fault may keep a client from its answer until it
// has no retries left, or a message's time is over.
func outlasts(s profile.Settings, f profile.Fault, by profile.Role) bool {
	p, patience := s.Producer, float64(socketTimeout(s, by))
	length := float64(f.For)
	if f.DelayRequest != "" {
		length = 0 // what is sent meanwhile on another connection gets through
	}
	return float64(p.Retries) < lostTries(s, f, by) || float64(p.MessageTimeout) <= float64(max(f.Count, 1))*patience+length
}

// lostTries are the most times that a fault may keep a client from the answer to
// one thing that it wants done.
func lostTries(s profile.Settings, f profile.Fault, by profile.Role) float64 {
	if f.Count == 0 && f.LoseRequest+f.LoseResponse != "" {
		return float64(f.For)/float64(socketTimeout(s, by)) + 1
	}
	return float64(max(f.Count, 1))
}

// socketTimeout is when the library gives an unanswered request up.
func socketTimeout(s profile.Settings, by profile.Role) profile.Duration {
	return s.SocketTimeout(by, profile.SocketTimeout)
}

// strikesGroup reports whether something happens to a consumer, so that what it
// did not commit may be done again.
func strikesGroup(s profile.Settings) bool {
	return slices.ContainsFunc(s.Faults, func(f profile.Fault) bool {
		struck := f.Worker()
		return f.Join != "" || f.Fail == "" && (struck == profile.ConsumerRole || struck == profile.RelayRole)
	})
}

// freezesConsumer reports whether a consumer may wake among others that have gone
// on without it.
func freezesConsumer(s profile.Settings) bool {
	return slices.ContainsFunc(s.Faults, func(f profile.Fault) bool {
		return f.Freeze == profile.ConsumerRole || f.Freeze == profile.RelayRole
	})
}

// killsProducer reports whether a client that produces is killed: what it has not
// sent again by then it never will.
func killsProducer(s profile.Settings) bool {
	return slices.ContainsFunc(s.Faults, func(f profile.Fault) bool {
		return f.Kill == profile.ProducerRole || s.Pipeline == profile.RelayTo && (f.Kill == profile.ConsumerRole || f.Kill == profile.RelayRole)
	})
}

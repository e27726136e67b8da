package fault

import (
	"cmp"
	"slices"

	"deliverybench/bench/profile"
)

// predictFailures: what failed is lost, set aside, or done after all, as the
// profile says; the strategy has no part in it.
func predictFailures(s profile.Settings, f profile.Fault) *Prediction {
	if s.Consumer.OnError != profile.RetryMessage && redelivers(s) {
		return nil // a successor may process what failed
	}
	messages := int64(f.Messages)
	switch s.Consumer.OnError {
	case profile.DeadLetter:
		p := exactly(0, 0)
		p.DeadLettered = &messages
		return p
	case profile.RetryMessage:
		if overworked(s, f) {
			return predictExpelled(s)
		}
		return exactly(0, 0)
	default:
		return exactly(messages, 0)
	}
}

// redelivers reports whether a consumer is struck, so that another may process its
// messages again.
func redelivers(s profile.Settings) bool {
	return slices.ContainsFunc(s.Faults, func(f profile.Fault) bool {
		struck := cmp.Or(f.Kill, f.Freeze)
		return struck == profile.ConsumerRole || struck == profile.RelayRole
	})
}

// leavesOut reports whether messages fail and are not processed, which whoever gets
// them again does for the first time.
func leavesOut(s profile.Settings) bool {
	return s.Consumer.OnError != profile.RetryMessage && slices.ContainsFunc(s.Faults, func(f profile.Fault) bool { return f.Fail != "" })
}

// overworked reports whether retrying may take so long that the client leaves the
// group: all the messages may fail in one batch.
func overworked(s profile.Settings, f profile.Fault) bool {
	c := s.Consumer
	working := profile.Duration(f.Messages) * (c.RetryBackoff + c.ProcessingTime)
	return working+profile.Duration(c.Commit.Every)*c.ProcessingTime >= c.MaxPollInterval
}

// predictExpelled is what a member costs that the group went on without while it
// was at work. What it had committed nobody else has begun, and a transaction of
// its ends in nothing. What it had not committed others have done too, or not: it
// depends on who took it over, and how far it was.
func predictExpelled(s profile.Settings) *Prediction {
	if !s.Consumer.RebalanceCallback {
		return nil
	}
	switch s.Consumer.Commit.When {
	case profile.BeforeProcessing, profile.InTransaction:
		return exactly(0, 0)
	case profile.WithEffect:
		if s.Pipeline == profile.Consume {
			return exactly(0, 0) // the database refuses what another has moved on from
		}
		none := int64(0)
		return &Prediction{Lost: &none, Exact: true}
	case profile.AfterProcessing:
		none := int64(0)
		return &Prediction{Lost: &none, Exact: true}
	}
	return nil
}

// predictZombie: a worker that stands still costs nothing until somebody gives it
// up. A producer is given up by nobody but itself: what it had sent times out.
func predictZombie(s profile.Settings, f profile.Fault) *Prediction {
	patience := socketTimeout(s, profile.ConsumerRole)
	switch {
	case f.Freeze == profile.ProducerRole:
		if f.For < min(socketTimeout(s, profile.ProducerRole), s.Producer.MessageTimeout) {
			return exactly(0, 0)
		}
		return nil
	case s.Consumer.Protocol == profile.ConsumerProtocol:
		return predictExpelled(s) // the broker alone knows its patience
	case s.Consumer.Commit.When == profile.InTransaction:
		patience = min(patience, socketTimeout(s, profile.RelayRole), s.Relay.TransactionTimeout)
	case s.Pipeline == profile.RelayTo:
		patience = min(patience, socketTimeout(s, profile.RelayRole), s.Producer.MessageTimeout)
	}
	if f.For < min(patience, s.Consumer.SessionTimeout) {
		return exactly(0, 0)
	}
	return predictExpelled(s)
}

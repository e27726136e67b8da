package fault

import "deliverybench/bench/profile"

// predictFailures: what failed is lost, set aside, or done after all, as the
// profile says; the strategy has no part in it.
func predictFailures(s profile.Settings, f profile.Fault) *Prediction {
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
	patience := profile.SocketTimeout
	switch {
	case f.Freeze == profile.ProducerRole:
		if f.For < min(patience, s.Producer.MessageTimeout) {
			return exactly(0, 0)
		}
		return nil
	case s.Consumer.Protocol == profile.ConsumerProtocol:
		return predictExpelled(s) // the broker alone knows its patience
	case s.Consumer.Commit.When == profile.InTransaction:
		patience = min(patience, s.Relay.TransactionTimeout)
	case s.Pipeline == profile.RelayTo:
		patience = min(patience, s.Producer.MessageTimeout)
	}
	if f.For < min(patience, s.Consumer.SessionTimeout) {
		return exactly(0, 0)
	}
	return predictExpelled(s)
}

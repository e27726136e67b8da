package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
)

func failures(how profile.OnError) func(*profile.Settings) {
	return func(s *profile.Settings) { s.Consumer.OnError = how }
}

func naive(s *profile.Settings) { s.Consumer.RebalanceCallback = false }

// strategies are all ways to commit.
var strategies = []profile.CommitWhen{profile.BeforeProcessing, profile.AfterProcessing, profile.InTransaction, profile.Automatic, profile.AutomaticStored}

// What fails costs what the profile says, and the strategy has no part in it.
func TestWhatFailuresCost(t *testing.T) {
	fail := profile.Fault{Fail: profile.ConsumerRole, Messages: 40}
	dead, forty := exactly(0, 0), int64(40)
	dead.DeadLettered = &forty
	for _, when := range strategies {
		require.Equal(t, exactly(40, 0), predicted(on(1, commit(when)), fail), when)
		require.Equal(t, dead, predicted(on(1, commit(when), failures(profile.DeadLetter)), fail), when)
		require.Equal(t, exactly(0, 0), predicted(on(1, commit(when), failures(profile.RetryMessage)), fail), when)
	}
}

// What a killed worker did not process its successor may: then it is not lost, and
// no copy of an effect.
func TestFailuresBesideAKillAreNotPredicted(t *testing.T) {
	fail := profile.Fault{Fail: profile.ConsumerRole, Messages: 40}
	kill := profile.Fault{Kill: profile.ConsumerRole, When: profile.PointProcessed}
	freeze := profile.Fault{Freeze: profile.RelayRole, When: profile.PointProcessed, For: second}
	both := func(how profile.OnError, other profile.Fault) (failed, struck *Prediction) {
		s := on(1, commit(profile.AfterProcessing), failures(how))
		s.Faults = []profile.Fault{fail, other}
		planned := Schedule(s)
		return planned[0].Predicted, planned[1].Predicted
	}
	for _, how := range []profile.OnError{profile.SkipMessage, profile.DeadLetter} {
		for _, other := range []profile.Fault{kill, freeze} {
			failed, struck := both(how, other)
			require.Nil(t, failed, how)
			require.Equal(t, other.Kill != "", struck == nil, how)
		}
	}
	failed, struck := both(profile.RetryMessage, kill)
	require.Equal(t, exactly(0, 0), failed)
	require.Equal(t, exactly(0, 500), struck)
	failed, _ = both(profile.SkipMessage, profile.Fault{Kill: profile.ProducerRole, When: profile.PointSent})
	require.Equal(t, exactly(40, 0), failed)
}

// Retrying until the group goes on without the member: what was not committed may
// be done by others too.
func TestWhatEndlessRetriesCost(t *testing.T) {
	slow := func(s *profile.Settings) {
		failures(profile.RetryMessage)(s)
		s.Consumer.RetryBackoff, s.Consumer.MaxPollInterval = second, 10*second
	}
	for messages, expelled := range map[int]bool{9: false, 10: true} {
		fail := profile.Fault{Fail: profile.ConsumerRole, Messages: messages}
		for when, want := range expulsions() {
			if !expelled {
				want = exactly(0, 0)
			}
			require.Equal(t, want, predicted(on(1, commit(when), slow), fail), "%s, %d s", when, messages)
		}
	}
}

// expulsions are what it costs that the group goes on without a member at work.
func expulsions() map[profile.CommitWhen]*Prediction {
	return map[profile.CommitWhen]*Prediction{
		profile.BeforeProcessing: exactly(0, 0), profile.InTransaction: exactly(0, 0), profile.AfterProcessing: lossless(),
		profile.Automatic: nil, profile.AutomaticStored: nil,
	}
}

// A worker that stands still costs nothing until its session ends (10 s), or its
// transaction.
func TestAFrozenWorkerCostsNothingUntilItIsGivenUp(t *testing.T) {
	freeze := func(length profile.Duration) profile.Fault {
		return profile.Fault{Freeze: profile.ConsumerRole, When: profile.PointPolled, For: length}
	}
	for when, want := range expulsions() {
		require.Equal(t, exactly(0, 0), predicted(on(1, commit(when)), freeze(10*second-1)), when)
		require.Equal(t, want, predicted(on(1, commit(when)), freeze(10*second)), when)
		require.Nil(t, predicted(on(1, commit(when), naive), freeze(10*second)), when)
		kip848 := func(s *profile.Settings) { s.Consumer.Protocol = profile.ConsumerProtocol }
		require.Equal(t, want, predicted(on(1, commit(when), kip848), freeze(second)), "%s: the broker's patience is not known", when)
	}
	brief := func(s *profile.Settings) { s.Relay.TransactionTimeout = 2 * second }
	require.Equal(t, exactly(0, 0), predicted(on(1, commit(profile.InTransaction), brief), freeze(3*second)))
	producer := profile.Fault{Freeze: profile.ProducerRole, When: profile.PointSent, For: 30*second - 1}
	require.Equal(t, exactly(0, 0), predicted(on(1), producer))
	producer.For++
	require.Nil(t, predicted(on(1), producer), "what it had sent timed out")
	inAHurry := map[string]string{"socket.timeout.ms": "2000"}
	producer.For = 2 * second
	require.Nil(t, predicted(on(1, func(s *profile.Settings) { s.Producer.Librdkafka = inAHurry }), producer))
	relaying := on(1, commit(profile.AfterProcessing), relay, func(s *profile.Settings) { s.Relay.Librdkafka = inAHurry })
	require.Equal(t, lossless(), predicted(relaying, freeze(2*second)), "its outputs' answers timed out")
}

// What strikes a worker anywhere costs what it was doing.
func TestWhatStrikesAnywhereIsNotPredicted(t *testing.T) {
	for _, when := range strategies {
		require.Nil(t, predicted(on(1, commit(when)), profile.Fault{Kill: profile.ConsumerRole, When: profile.PointAnywhere}))
		require.Nil(t, predicted(on(1, commit(when)), profile.Fault{Freeze: profile.ConsumerRole, When: profile.PointAnywhere, For: second}))
	}
	require.Nil(t, predicted(on(1), profile.Fault{Kill: profile.ProducerRole, When: profile.PointAnywhere}))
}

// A consumer that closes settles what it has in hand, unless the client commits
// by itself, or nobody tells it that its partitions go.
func TestWhatACleanCloseCosts(t *testing.T) {
	stop := profile.Fault{Stop: profile.ConsumerRole, Restart: second / 5}
	for _, when := range strategies {
		want := exactly(0, 0)
		if automatic(when) {
			want = nil
		}
		require.Equal(t, want, predicted(on(1, commit(when)), stop), when)
		require.Nil(t, predicted(on(1, commit(when), naive), stop), when)
	}
}

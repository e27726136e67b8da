package worker

import (
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/client"
	"deliverybench/bench/ledger"
	"deliverybench/bench/message"
	"deliverybench/bench/pace"
	"deliverybench/bench/profile"
)

// connected is a producer whose client never reaches its broker.
func connected(t *testing.T, set func(*profile.Settings)) *producer {
	t.Helper()
	env := &environment{clock: pace.NewClock(), log: io.Discard}
	env.spec.Settings = profile.Defaults()
	if set != nil {
		set(&env.spec.Settings)
	}
	env.spec.Endpoint = client.Endpoint{Bootstrap: "127.0.0.1:1"}
	env.spec.Input = "topic"
	keys, err := message.NewKeys(env.spec.Settings.Load.Message.Key, env.spec.Settings.Load.Message.Keys, 1)
	require.NoError(t, err)
	p := &producer{env: env, keys: keys}
	require.NoError(t, p.connect(t.Context()))
	p.listen()
	return p
}

// What reads the clock for several messages at once reads it anew after the time
// that a new client took.
func TestANewClientEndsTheSharingOfAReading(t *testing.T) {
	p := connected(t, nil)
	broken := p.client
	p.reading.end = 1
	require.True(t, p.reading.holds(0))
	require.NoError(t, p.renew(t.Context(), errors.New("broken")))
	require.False(t, p.reading.holds(0))
	require.NotSame(t, broken, p.client)
	p.hangUp()
}

// No other client can be made: the error ends the producer, and hanging up again
// does nothing.
func TestNoOtherClientCanBeMade(t *testing.T) {
	p := connected(t, nil)
	p.env.spec.Settings.Producer.Librdkafka = map[string]string{"no.such.property": "1"}
	require.ErrorContains(t, p.renew(t.Context(), errors.New("broken")), "no.such.property")
	p.hangUp()
}

// What is left of a reading after the time that a full queue, a message that is
// sent again, or the end of a transaction took is sealed anew.
func TestWhatTakesTimeEndsTheSharingOfAReading(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, ledger.Create(dir, ledger.Layout{Producers: 1, Capacity: 10}))
	outcomes, err := ledger.OpenOutcomes(dir, 0)
	require.NoError(t, err)
	defer outcomes.Close()
	shared := func(p *producer) *producer {
		p.outcomes, p.reading.end = outcomes, 10
		require.True(t, p.reading.holds(1))
		return p
	}

	p := shared(connected(t, func(s *profile.Settings) {
		s.Producer.MessageTimeout = profile.Duration(100 * time.Millisecond) // then there is room again
		s.Producer.Librdkafka = map[string]string{"queue.buffering.max.messages": "1"}
	}))
	require.NoError(t, p.sendOne(t.Context(), attempt{seq: 0}, make([]byte, message.MinSize)))
	require.True(t, p.reading.holds(1), "nothing took time yet")
	require.NoError(t, p.sendOne(t.Context(), attempt{seq: 1}, make([]byte, message.MinSize)))
	require.False(t, p.reading.holds(2), "the queue was full")
	p.hangUp()

	p = shared(connected(t, nil))
	p.payload, err = message.NewPayload(1, message.MinSize, 1, false)
	require.NoError(t, err)
	p.value, p.failed.most = make([]byte, message.MinSize), 1
	p.failed.add(&message.Header{Sequence: 2}, &client.Report{Outcome: client.Unknown})
	require.NoError(t, p.resend(t.Context()))
	require.False(t, p.reading.holds(3), "a message was sent again")
	p.hangUp()

	p = shared(connected(t, nil))
	ending := transactions{producer: p, draw: rand.New(rand.NewPCG(1, 1)), open: true}
	require.Error(t, ending.end(t.Context(), 1), "it has no transactional id")
	require.False(t, p.reading.holds(1), "a transaction was ended")
	p.hangUp()
}

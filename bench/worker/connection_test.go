package worker

import (
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/client"
	"deliverybench/bench/pace"
	"deliverybench/bench/profile"
)

// connected is a producer whose client never reaches its broker.
func connected(t *testing.T) *producer {
	t.Helper()
	env := &environment{clock: pace.NewClock(), log: io.Discard}
	env.spec.Settings = profile.Defaults()
	env.spec.Endpoint = client.Endpoint{Bootstrap: "127.0.0.1:1"}
	env.spec.Input = "topic"
	p := &producer{env: env}
	require.NoError(t, p.connect(t.Context()))
	p.listen()
	return p
}

// What reads the clock for several messages at once reads it anew after the time
// that a new client took.
func TestANewClientEndsTheSharingOfAReading(t *testing.T) {
	p := connected(t)
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
	p := connected(t)
	p.env.spec.Settings.Producer.Librdkafka = map[string]string{"no.such.property": "1"}
	require.ErrorContains(t, p.renew(t.Context(), errors.New("broken")), "no.such.property")
	p.hangUp()
}

package client

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
)

// The library refuses a producer whose other timeouts are over its
// transaction's.
func TestAProducerWithAShortTransaction(t *testing.T) {
	for _, timeout := range []time.Duration{time.Second, 20 * time.Second, time.Minute} {
		properties := ProducerProperties(Endpoint{Bootstrap: "127.0.0.1:1"}, idempotent(), "id", timeout)
		p, err := NewProducer(properties, "topic")
		require.NoError(t, err, timeout)
		p.Close()
	}
}

// A socket timeout that the user gave is kept where the transaction has room for it.
func TestTheUsersSocketTimeoutWithAShortTransaction(t *testing.T) {
	for users, want := range map[string]time.Duration{"5000": 5 * time.Second, "25000": 20 * time.Second, "": 20 * time.Second} {
		e := Endpoint{Bootstrap: "127.0.0.1:1", Properties: Properties{}}
		if users != "" {
			e.Properties["socket.timeout.ms"] = users
		}
		properties := ProducerProperties(e, idempotent(), "id", 20*time.Second)
		require.Equal(t, want, properties.SocketTimeout(), users)
		p, err := NewProducer(properties, "topic")
		require.NoError(t, err, users)
		p.Close()
	}
}

func idempotent() profile.Producer {
	s := profile.Defaults().Producer
	s.Idempotence = true
	return s
}

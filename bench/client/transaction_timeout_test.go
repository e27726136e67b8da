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

func idempotent() profile.Producer {
	s := profile.Defaults().Producer
	s.Idempotence = true
	return s
}

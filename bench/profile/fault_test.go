package profile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A fault's text tells all that it says: results know their conditions by it.
func TestAFaultsText(t *testing.T) {
	for source, want := range map[string]string{
		"{kill: consumer, when: polled, at: 50%, restart: 1s}":                   "kill consumer at polled, 50%, restart 1s",
		"{lose_response: produce, of: producer, topic: input, nth: 2, count: 3}": "lose the response to produce of producer, 0s, topic input, nth 2, count 3",
		"{slow: relay, latency: 50ms, jitter: 20ms, for: 2s, at: 1s}":            "slow relay for 2s, 1s, latency 50ms, jitter 20ms",
		"{throttle: producer, bandwidth: 1MiB, for: 2s}":                         "throttle producer for 2s, 0s, bandwidth 1MiB",
		"{blackhole: consumer, direction: to-client, for: 2s}":                   "blackhole consumer for 2s, 0s, direction to-client",
		"{freeze: leader, partition: 1, for: 1s}":                                "freeze leader of partition 1 for 1s, 0s",
		"{join: consumer, for: 1s}":                                              "join consumer, 0s, for 1s",
		"{fail: consumer, messages: 5}":                                          "fail 5 messages of consumer, 0s",
	} {
		p := parse(t, "name: t\npipeline: relay\ntopic.partitions: 2\nfaults: ["+source+"]")
		require.Equal(t, want, plan(t, p, Options{}).Trials[0].Settings.Faults[0].String())
	}
}

package trial

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/fault"
	"deliverybench/bench/fault/wire"
	"deliverybench/bench/profile"
)

// What a profile says of a fault on the wire is what the proxy's rule does: to
// whose requests, about which topic, from which one on and how often.
func TestRulesOfFaultsOnTheWire(t *testing.T) {
	produce, commit := []kmsg.Key{kmsg.Produce}, []kmsg.Key{kmsg.OffsetCommit}
	for source, want := range map[string]wire.Rule{
		"{lose_response: produce}":                                               {APIs: produce, Count: 1, Do: wire.DiscardResponse{}},
		"{lose_response: produce, nth: 1}":                                       {APIs: produce, Count: 1, Do: wire.DiscardResponse{}},
		"{lose_response: produce, of: producer, topic: input, nth: 3}":           {APIs: produce, Client: "producer-", Topic: "the input", Skip: 2, Count: 1, Do: wire.DiscardResponse{}},
		"{lose_response: produce, of: relay, topic: output, nth: 2, count: 5}":   {APIs: produce, Client: "relay-", Topic: "the output", Skip: 1, Count: 5, Do: wire.DiscardResponse{}},
		"{lose_request: offset-commit, of: consumer, for: 1s}":                   {APIs: commit, Client: "consumer-", Do: wire.DiscardRequest{}},
		"{lose_request: offset-commit, of: consumer, for: 1s, count: 2}":         {APIs: commit, Client: "consumer-", Count: 2, Do: wire.DiscardRequest{}},
		"{delay_request: produce, of: relay, topic: output, nth: 4, for: 200ms}": {APIs: produce, Client: "relay-", Topic: "the output", Skip: 3, Count: 1, Do: wire.DelayRequest{For: 200 * time.Millisecond}},
		"{slow: relay, latency: 50ms, jitter: 20ms, for: 1s}":                    {Client: "relay-", Do: wire.SlowDown{Latency: 50 * time.Millisecond, Jitter: 20 * time.Millisecond}},
		"{throttle: producer, bandwidth: 1MiB, for: 1s}":                         {Client: "producer-", Do: wire.Cap{BytesPerSecond: 1 << 20}},
		"{cut: consumer}":                                      {Client: "consumer-", Do: wire.Cut{}},
		"{blackhole: consumer, for: 1s}":                       {Client: "consumer-", Do: wire.Blackhole{}},
		"{blackhole: consumer, direction: to-broker, for: 1s}": {Client: "consumer-", Do: wire.Blackhole{Way: wire.ToBroker}},
		"{blackhole: consumer, direction: to-client, for: 1s}": {Client: "consumer-", Do: wire.Blackhole{Way: wire.ToClient}},
		"{refuse: producer, for: 1s}":                          {Client: "producer-", Do: wire.Refuse{}},
	} {
		c := &conductor{input: "the input", output: "the output"}
		for _, f := range faultsOf(t, "{cut: producer}, "+source) {
			c.faults = append(c.faults, &activeFault{Scheduled: fault.Scheduled{Fault: f}})
		}
		want.Name = "1" // its place in the list
		got, err := c.ruleOf(c.faults[1])
		require.NoError(t, err, source)
		require.Equal(t, want, got, source)
	}
	c := &conductor{}
	_, err := c.ruleOf(&activeFault{Scheduled: fault.Scheduled{Fault: faultsOf(t, "{join: consumer}")[0]}})
	require.EqualError(t, err, "join consumer: no rule of the proxy does that")
}

// faultsOf are a profile's faults, from its text.
func faultsOf(t *testing.T, source string) []profile.Fault {
	t.Helper()
	p, err := profile.Parse([]byte("name: t\npipeline: relay\nconsumer.count: 2\nfaults: ["+source+"]"), "t.yaml")
	require.NoError(t, err)
	plan, err := p.Plan(profile.Options{})
	require.NoError(t, err)
	require.Len(t, plan.Trials, 1, "%v", plan.Omissions)
	return plan.Trials[0].Settings.Faults
}

// encrypted is a broker that clients speak TLS with.
type encrypted struct{ broker.Broker }

func (encrypted) Endpoint() client.Endpoint {
	return client.Endpoint{Bootstrap: "kafka.example:9094", Properties: client.Properties{"security.protocol": "SASL_SSL"}}
}

// No proxy is put before brokers that it cannot read, and no trial that needs
// none is held up by that.
func TestNoProxyBeforeATLSCluster(t *testing.T) {
	const want = "the brokers speak TLS, which no proxy can read: faults on the wire need a plaintext listener"
	c := &conductor{env: Environment{Broker: encrypted{}}}
	c.trial.Settings = profile.Defaults()
	require.NoError(t, c.openWire())
	c.trial.Settings.Proxy = true
	require.EqualError(t, c.openWire(), want)
	c.trial.Settings.Proxy = false
	c.trial.Settings.Faults = faultsOf(t, "{lose_response: produce}")
	require.EqualError(t, c.openWire(), want)
	require.Nil(t, c.wire.proxy)
}

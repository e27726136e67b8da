package wire_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/fault/wire"
)

// numbered are requests that differ in their correlation id.
func numbered(from, to int32, client string) (all [][]byte) {
	for n := from; n < to; n++ {
		all = append(all, request(opaque, 0, n, client, []byte("payload")))
	}
	return all
}

func correlations(requests [][]byte) (all []int32) {
	for _, r := range requests {
		all = append(all, correlation(r))
	}
	return all
}

func TestRulesThatMakeNoSenseAreRefused(t *testing.T) {
	p := startWith(t, options(startUpstream(t).address()))
	for _, test := range []struct {
		says string
		rule wire.Rule
	}{
		{"say what to do", wire.Rule{}},
		{"skip and count cannot be below 0", wire.Rule{Skip: -1, Do: wire.DiscardRequest{}}},
		{"say for how long to delay", wire.Rule{Do: wire.DelayRequest{}}},
		{"the latency has to be above 0", wire.Rule{Do: wire.SlowDown{}}},
		{"the jitter between 0 and the latency", wire.Rule{Do: wire.SlowDown{Latency: 1, Jitter: 2}}},
		{"the bytes per second have to be above 0", wire.Rule{Do: wire.Cap{}}},
		{"there is no direction 3", wire.Rule{Do: wire.Blackhole{Way: 3}}},
		{"cannot depend on an API or a topic", wire.Rule{APIs: []kmsg.Key{kmsg.Produce}, Do: wire.Cut{}}},
		{"none of the APIs names a topic", wire.Rule{APIs: []kmsg.Key{kmsg.EndTxn}, Topic: "t", Do: wire.DiscardRequest{}}},
	} {
		test.rule.Name = "senseless"
		_, err := p.Arm(test.rule)
		require.ErrorContains(t, err, test.says)
		require.ErrorContains(t, err, `rule "senseless"`)
	}
}

func TestProxiesThatMakeNoSenseAreRefused(t *testing.T) {
	_, err := wire.Start(wire.Options{Clock: time.Now().UnixNano})
	require.EqualError(t, err, "start the proxy: give at least one address of the cluster")
	_, err = wire.Start(wire.Options{Bootstrap: []string{"localhost"}, Clock: time.Now().UnixNano})
	require.ErrorContains(t, err, `start the proxy: "localhost" is no address such as host:9092`)
	_, err = wire.Start(wire.Options{Bootstrap: []string{"localhost:9092"}})
	require.EqualError(t, err, "start the proxy: give it a clock")
}

// Which requests a rule is about: API, client, how many go first, how many are
// hit. What it is not about passes.
func TestARuleHitsWhatItIsAbout(t *testing.T) {
	for _, test := range []struct {
		name    string
		rule    wire.Rule
		passing []int32 // of 0 to 9, whose client is "client"
	}{
		{"all", wire.Rule{}, nil},
		{"this API", wire.Rule{APIs: []kmsg.Key{kmsg.EndTxn, opaque}}, nil},
		{"another API", wire.Rule{APIs: []kmsg.Key{kmsg.EndTxn}}, []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"this client", wire.Rule{Client: "cli"}, nil},
		{"another client", wire.Rule{Client: "client-"}, []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"all but three", wire.Rule{Skip: 3}, []int32{0, 1, 2}},
		{"the fourth", wire.Rule{Skip: 3, Count: 1}, []int32{0, 1, 2, 4, 5, 6, 7, 8, 9}},
		{"the first two", wire.Rule{Count: 2}, []int32{2, 3, 4, 5, 6, 7, 8, 9}},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := startUpstream(t)
			p, record := startProxy(t, u.address())
			test.rule.Name, test.rule.Do = "rule", wire.DiscardRequest{}
			armed := arm(t, p, test.rule)
			c := dial(t, p.Bootstrap())
			c.send(numbered(0, 10, "client")...)
			eventually(t, "ten requests", func() bool { return p.Counters().Requests == 10 })
			armed.Disarm()
			last := request(opaque, 0, 10, "client", nil)
			c.send(last) // after it is answered, all have arrived that will
			for {
				answer, err := readFrame(c)
				require.NoError(t, err)
				if string(answer) == string(answerTo(last)) {
					break
				}
			}
			require.Equal(t, append(test.passing, 10), correlations(u.received()))
			require.Len(t, record.allHits(), 10-len(test.passing))
			require.Equal(t, 10-len(test.passing), armed.Hits())
		})
	}
}

// Whoever arms a rule may be the one who is told of its hits, and then hears
// nothing before.
func TestArmingDoesNotWaitForThoseWhoAreToldOfHits(t *testing.T) {
	u := startUpstream(t)
	told := make(chan wire.Hit)
	o := options(u.address())
	o.OnHit = func(h wire.Hit) { told <- h }
	p := startWith(t, o)
	c := dial(t, p.Bootstrap())
	all := numbered(0, 1, "client")
	c.send(all...)
	c.expect(all...)
	armed := make(chan *wire.Armed, 1)
	go func() {
		a, _ := p.Arm(wire.Rule{Name: "cut", Do: wire.Cut{}})
		armed <- a
	}()
	select {
	case <-armed:
	case <-time.After(5 * time.Second):
		<-told
		t.Fatal("waited 5 s for Arm to return while nobody listens to the hit")
	}
	require.Equal(t, "cut", (<-told).Rule)
	c.expectEnd()
}

func TestADiscardedAnswerIsAllThatIsMissing(t *testing.T) {
	u := startUpstream(t)
	p, record := startProxy(t, u.address())
	arm(t, p, wire.Rule{Name: "lost", Skip: 2, Count: 1, Do: wire.DiscardResponse{}})
	c := dial(t, p.Bootstrap())
	all := numbered(0, 6, "client-7")
	c.send(all...)
	c.expect(all[0], all[1], all[3], all[4], all[5])
	require.Equal(t, all, u.received())
	hits := record.allHits()
	require.Len(t, hits, 1)
	require.Positive(t, hits[0].At)
	hits[0].At = 0
	require.Equal(t, wire.Hit{
		Rule: "lost", Client: "client-7", Broker: u.address(), API: opaque, Correlation: 2, What: "the answer was discarded",
	}, hits[0])
}

// A held request stands still with all behind it, and is delivered although
// its client has left.
func TestADelayedRequestIsDeliveredAfterItsClientLeft(t *testing.T) {
	for _, test := range []struct {
		name  string
		leave func(c dialled) error
	}{
		{"closed", func(c dialled) error { return c.Close() }},
		{"reset", func(c dialled) error { require.NoError(c.t, c.SetLinger(0)); return c.Close() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := startUpstream(t)
			p, _ := startProxy(t, u.address())
			arm(t, p, wire.Rule{Name: "late", Skip: 1, Count: 1, Do: wire.DelayRequest{For: time.Second}})
			c := dial(t, p.Bootstrap())
			all := numbered(0, 5, "client")
			began := time.Now()
			c.send(all...)
			c.expect(all[0])
			eventually(t, "five requests", func() bool { return p.Counters().Requests == 5 })
			require.NoError(t, test.leave(c))
			settle(t, p, "client")
			require.Equal(t, all, u.received())
			require.GreaterOrEqual(t, time.Since(began), time.Second)
		})
	}
}

// Frames are delivered later, in order, and many at a time.
func TestASlowConnectionIsLateButKeepsItsOrderAndThroughput(t *testing.T) {
	const latency, jitter, frames = 100 * time.Millisecond, 50 * time.Millisecond, 400
	u := startUpstream(t)
	p, record := startProxy(t, u.address())
	arm(t, p, wire.Rule{Name: "slow", Client: "client", Do: wire.SlowDown{Latency: latency, Jitter: jitter}})
	c := dial(t, p.Bootstrap())
	all := numbered(0, frames, "client")
	began := time.Now()
	c.send(all...)
	c.expect(all...)
	took := time.Since(began)
	require.GreaterOrEqual(t, took, 2*(latency-jitter))
	require.Less(t, took, frames*latency, "as long as if one frame had waited for the other")
	require.Equal(t, all, u.received())
	require.Len(t, record.allHits(), 1)
	require.Equal(t, "the connection was slowed down by 100ms ± 50ms", record.allHits()[0].What)
}

func TestACapLimitsBothDirectionsTogether(t *testing.T) {
	const bytesPerSecond = 200_000
	u := startUpstream(t)
	p, _ := startProxy(t, u.address())
	arm(t, p, wire.Rule{Name: "narrow", Do: wire.Cap{BytesPerSecond: bytesPerSecond}})
	c := dial(t, p.Bootstrap())
	r := request(opaque, 0, 1, "client", make([]byte, bytesPerSecond/2))
	began := time.Now()
	c.send(r)
	c.expect(r)
	// Half a second each way; the first fiftieth costs nothing.
	require.GreaterOrEqual(t, time.Since(began), 950*time.Millisecond)
}

func TestACutResetsMatchingConnectionsOnly(t *testing.T) {
	u := startUpstream(t)
	p, record := startProxy(t, u.address())
	c, other := dial(t, p.Bootstrap()), dial(t, p.Bootstrap())
	all, others := numbered(0, 2, "client-1"), numbered(0, 2, "other-1")
	c.send(all[0])
	c.expect(all[0])
	other.send(others[0])
	other.expect(others[0])
	armed := arm(t, p, wire.Rule{Name: "cut", Client: "client-", Do: wire.Cut{}})
	c.expectEnd()
	other.send(others[1])
	other.expect(others[1])
	// Those who come while it lasts are cut too, as soon as they are known.
	again := dial(t, p.Bootstrap())
	again.send(all[1])
	again.expectEnd()
	armed.Disarm()
	again = dial(t, p.Bootstrap())
	again.send(all[1])
	again.expect(all[1])
	require.Len(t, record.allHits(), 2)
	require.Equal(t, wire.Connection, record.allHits()[0].API)
	require.Equal(t, [][]byte{all[0], others[0], others[1], all[1]}, u.received())
}

// Nothing is delivered while it lasts, and everything afterwards.
func TestABlackholeHoldsWhatItIsFor(t *testing.T) {
	for _, test := range []struct {
		way     wire.Way
		arrives bool // at the broker
	}{
		{wire.Both, false}, {wire.ToBroker, false}, {wire.ToClient, true},
	} {
		t.Run(text("way=%d", test.way), func(t *testing.T) {
			u := startUpstream(t)
			p, _ := startProxy(t, u.address())
			c := dial(t, p.Bootstrap())
			all := numbered(0, 5, "client")
			c.send(all[0])
			c.expect(all[0])
			armed := arm(t, p, wire.Rule{Name: "hole", Do: wire.Blackhole{Way: test.way}})
			c.send(all[1:]...)
			if test.arrives {
				eventually(t, "five answers", func() bool { return p.Counters().Responses == 5 })
				require.Equal(t, all, u.received())
			} else {
				eventually(t, "five requests", func() bool { return p.Counters().Requests == 5 })
				require.Equal(t, all[:1], u.received())
			}
			require.Positive(t, wire.Held(p))
			armed.Disarm()
			c.expect(all[1:]...)
			require.Equal(t, all, u.received())
		})
	}
}

// What a client sent into a blackhole arrives when it ends, also after the
// client has given up.
func TestABlackholeEndsForThoseWhoLeft(t *testing.T) {
	u := startUpstream(t)
	p, _ := startProxy(t, u.address())
	armed := arm(t, p, wire.Rule{Name: "hole", Do: wire.Blackhole{}})
	c := dial(t, p.Bootstrap())
	all := numbered(0, 3, "client")
	c.send(all...)
	eventually(t, "three requests", func() bool { return p.Counters().Requests == 3 })
	require.NoError(t, c.Close())
	require.Empty(t, u.received())
	armed.Disarm()
	settle(t, p, "client")
	require.Equal(t, all, u.received())
}

func TestRefusedConnectionsEndAtOnce(t *testing.T) {
	u := startUpstream(t)
	p, record := startProxy(t, u.address())
	all := numbered(0, 2, "client-1")
	before := dial(t, p.Bootstrap())
	before.send(all[0])
	before.expect(all[0])

	everybody := arm(t, p, wire.Rule{Name: "closed", Do: wire.Refuse{}})
	expectTurnedAway(t, p.Bootstrap()) // without having said a word
	everybody.Disarm()

	some := arm(t, p, wire.Rule{Name: "closed to clients", Client: "client-", Do: wire.Refuse{}})
	refused := dial(t, p.Bootstrap())
	refused.send(all[0])
	refused.expectEnd()
	other := dial(t, p.Bootstrap())
	others := numbered(0, 1, "other-1")
	other.send(others...)
	other.expect(others...)
	before.send(all[1]) // those that are there stay
	before.expect(all[1])
	some.Disarm()
	again := dial(t, p.Bootstrap())
	again.send(all[0])
	again.expect(all[0])

	hits := record.allHits()
	require.Len(t, hits, 2)
	require.Equal(t, []string{"closed", "closed to clients"}, []string{hits[0].Rule, hits[1].Rule})
	require.Equal(t, []string{"", "client-1"}, []string{hits[0].Client, hits[1].Client})
}

func TestABrokerThatCannotBeReachedTurnsClientsAway(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	p, record := startProxy(t, listener.Addr().String())
	for range 50 {
		expectTurnedAway(t, p.Bootstrap())
	}
	lines := record.log()
	require.Len(t, lines, 1, "the log is not flooded")
	require.Contains(t, lines[0], "a client was turned away: dial tcp "+listener.Addr().String())
	require.Contains(t, lines[0], "(50 times)")
}

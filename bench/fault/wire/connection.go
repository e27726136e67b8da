package wire

import (
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// patience bounds the wait for a broker to take a connection, and for its
// answers to a client that has left.
const patience = 10 * time.Second

// connection is a client's connection and the one to the broker behind it.
// Four goroutines serve it: two that read and decide (requests.go,
// responses.go), and a lane's for each direction.
type connection struct {
	proxy              *Proxy
	upstream           string // the broker's address
	client, broker     net.Conn
	toBroker, toClient *lane
	budget             budget
	exchanges          exchanges
	ended              chan struct{}
	// name is the client's, once the first request has told it.
	name atomic.Pointer[string]

	mu sync.Mutex
	// asked are the rules that have looked at this connection already, struck
	// those of them that apply to it.
	asked, struck []*Armed
}

func newConnection(p *Proxy, upstream string, client, broker net.Conn, number uint64) *connection {
	c := &connection{proxy: p, upstream: upstream, client: client, broker: broker, ended: make(chan struct{})}
	c.toBroker = newLane(broker, &c.budget, rand.New(rand.NewPCG(p.options.Seed, 2*number)))
	c.toClient = newLane(client, &c.budget, rand.New(rand.NewPCG(p.options.Seed, 2*number+1)))
	c.toBroker.delivered, c.toBroker.dropped = c.exchanges.sent, c.exchanges.end
	c.toClient.delivered = c.hand
	return c
}

// serve lasts as long as the connection. What a client sent is delivered and
// answered even if it has left: only then is the broker's side closed.
func (c *connection) serve() {
	defer close(c.ended)
	go c.toBroker.run()
	go c.toClient.run()
	brokerLeft := make(chan struct{})
	go func() {
		defer close(brokerLeft)
		c.explain(c.readResponses())
		c.toBroker.drop()
		c.toClient.finish()
		<-c.toClient.done
		c.proveWaiting()
		_ = c.client.Close()
	}()
	err := c.readRequests()
	c.explain(err)
	at := c.proxy.options.Clock()
	c.toClient.drop()
	c.exchanges.left()
	c.proveLast(err)
	_ = c.client.Close()
	c.toBroker.finish()
	<-c.toBroker.done
	select {
	case <-c.exchanges.settled():
	case <-brokerLeft:
	case <-time.After(patience):
	}
	_ = c.broker.Close()
	<-brokerLeft
	if u := c.exchanges.report(); u.Requests > 0 && c.proxy.options.OnUnanswered != nil {
		u.At, u.Client, u.Broker = at, c.clientName(), c.upstream
		c.proxy.options.OnUnanswered(u)
	}
}

// explain logs why the proxy ended a connection, if it did.
func (c *connection) explain(err error) {
	var reason refusal
	if errors.As(err, &reason) {
		c.proxy.log.say("connection of %q to %s ended: %v", c.clientName(), c.upstream, reason)
	}
}

func (c *connection) clientName() string {
	if name := c.name.Load(); name != nil {
		return *name
	}
	return ""
}

// abort ends the connection without delivering anything more.
func (c *connection) abort() {
	c.toBroker.drop()
	c.toClient.drop()
	_ = c.client.Close()
	_ = c.broker.Close()
}

// cut resets the client's connection, when the client has read what it has got:
// it may read on after a reset, or not.
func (c *connection) cut() {
	c.exchanges.takeCare()
	c.toBroker.drop()
	c.toClient.drop()
	c.proveWaiting()
	reset(c.client)
}

// reset closes a connection by RST.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// meet lets a rule look at the connection, and apply. A rule looks once, whether the
// connection or the rule came first.
func (c *connection) meet(a *Armed) {
	name := c.name.Load()
	if name == nil || !a.rule.onConnections() || !strings.HasPrefix(*name, a.rule.Client) {
		return
	}
	_, cut := a.rule.Do.(Cut)
	if cut && c.exchanges.gone() {
		return
	}
	c.mu.Lock()
	again := slices.Contains(c.asked, a)
	if !again {
		c.asked = append(c.asked, a)
	}
	c.mu.Unlock()
	if again || !a.claim() {
		return
	}
	c.proxy.hit(a, Hit{Client: *name, Broker: c.upstream, API: Connection})
	if cut {
		c.cut()
		return
	}
	c.exchanges.takeCare() // whatever holds answers up may make the client leave
	c.mu.Lock()
	defer c.mu.Unlock()
	c.struck = append(c.struck, a)
	c.forecast()
}

// part has a rule that was disarmed apply no more.
func (c *connection) part(a *Armed) {
	gone := func(b *Armed) bool { return a == b }
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked, c.struck = slices.DeleteFunc(c.asked, gone), slices.DeleteFunc(c.struck, gone)
	c.forecast()
}

// forecast makes the lanes' weather from the rules that apply. Latencies add
// up, the lowest cap holds.
func (c *connection) forecast() {
	var broker, client weather
	var limit int64
	for _, a := range c.struck {
		if a.disarmed.Load() {
			continue
		}
		switch do := a.rule.Do.(type) {
		case SlowDown:
			broker.latency, broker.jitter = broker.latency+do.Latency, broker.jitter+do.Jitter
			client.latency, client.jitter = broker.latency, broker.jitter
		case Cap:
			if limit == 0 || do.BytesPerSecond < limit {
				limit = do.BytesPerSecond
			}
		case Blackhole:
			broker.held = broker.held || do.Way != ToClient
			client.held = client.held || do.Way != ToBroker
		}
	}
	c.budget.set(limit)
	c.toBroker.set(broker)
	c.toClient.set(client)
}

package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what a proxy needs to know.
type Options struct {
	// Bootstrap are the cluster's addresses to begin with; the others are
	// learned from what brokers answer.
	Bootstrap []string
	// Clock tells the time of hits, in nanoseconds.
	Clock func() int64
	// Seed decides the jitter.
	Seed uint64
	// OnHit is told of every hit, a rule's in their order. OnUnanswered is told
	// of what clients did not hear of; without it Produce requests pass
	// undecoded. They are called on the proxy's goroutines and must return soon.
	// Each may be nil.
	OnHit        func(Hit)
	OnUnanswered func(Unanswered)
}

// Proxy stands before every broker of a cluster.
type Proxy struct {
	options  Options
	log      journal
	names    topicNames
	counters counters
	rules    atomic.Pointer[[]*Armed] // replaced, never changed
	running  sync.WaitGroup
	// closing is done when the proxy is being closed.
	closing context.Context
	stop    context.CancelFunc

	mu          sync.Mutex
	fronts      map[string]*front // by the broker's address
	connections map[*connection]struct{}
	accepted    uint64
}

type counters struct{ requests, responses, toBroker, toClient atomic.Int64 }

// Counters are what has passed the proxy so far.
type Counters struct {
	// Connections are those that clients have made, Open those that last.
	Connections, Open   int64
	Requests, Responses int64
	// ToBroker and ToClient are bytes.
	ToBroker, ToClient int64
}

// Start opens a listener on loopback for each bootstrap address.
func Start(o Options) (*Proxy, error) {
	if len(o.Bootstrap) == 0 {
		return nil, errors.New("start the proxy: give at least one address of the cluster")
	}
	if o.Clock == nil {
		return nil, errors.New("start the proxy: give it a clock")
	}
	p := &Proxy{
		options: o, fronts: map[string]*front{}, connections: map[*connection]struct{}{},
	}
	p.closing, p.stop = context.WithCancel(context.Background())
	p.rules.Store(new([]*Armed))
	for _, upstream := range o.Bootstrap {
		if _, _, err := splitAddress(upstream); err != nil {
			return nil, errors.Join(fmt.Errorf("start the proxy: %q is no address such as host:9092: %w", upstream, err), p.Close())
		}
		if _, err := p.front(upstream); err != nil {
			return nil, errors.Join(fmt.Errorf("start the proxy: %w", err), p.Close())
		}
	}
	return p, nil
}

// Bootstrap is what clients use in place of the cluster's bootstrap addresses.
func (p *Proxy) Bootstrap() string {
	own := make([]string, len(p.options.Bootstrap))
	for i, upstream := range p.options.Bootstrap {
		own[i] = p.Address(upstream)
	}
	return strings.Join(own, ",")
}

// Address is where the proxy stands for a broker, empty if no answer has named
// that broker yet.
func (p *Proxy) Address(upstream string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.fronts[upstream]; f != nil {
		return f.address()
	}
	return ""
}

// Counters are what has passed so far.
func (p *Proxy) Counters() Counters {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Counters{
		Connections: int64(p.accepted), Open: int64(len(p.connections)),
		Requests: p.counters.requests.Load(), Responses: p.counters.responses.Load(),
		ToBroker: p.counters.toBroker.Load(), ToClient: p.counters.toClient.Load(),
	}
}

// Log says why connections were ended, each reason once and how often it was one.
func (p *Proxy) Log() []string { return p.log.told() }

// Arm puts a rule in force, for connections that are there and those to come.
// It does not wait for what the rule does to those that are there: Met tells
// when that is done.
func (p *Proxy) Arm(r Rule) (*Armed, error) {
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("rule %q: %w", r.Name, err)
	}
	a := &Armed{rule: r, disarm: p.withdraw, met: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing.Err() != nil {
		return nil, fmt.Errorf("rule %q: %w", r.Name, errClosed)
	}
	rules := append(slices.Clone(*p.rules.Load()), a)
	p.rules.Store(&rules)
	p.running.Go(func() {
		defer close(a.met)
		var meetings sync.WaitGroup
		for _, c := range p.open() {
			meetings.Go(func() { c.meet(a) })
		}
		meetings.Wait()
	})
	return a, nil
}

func (p *Proxy) withdraw(a *Armed) {
	p.mu.Lock()
	rules := slices.DeleteFunc(slices.Clone(*p.rules.Load()), func(b *Armed) bool { return a == b })
	p.rules.Store(&rules)
	p.mu.Unlock()
	for _, c := range p.open() {
		c.part(a)
	}
}

func (p *Proxy) armed() []*Armed { return *p.rules.Load() }

// open are the connections that last.
func (p *Proxy) open() []*connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*connection, 0, len(p.connections))
	for c := range p.connections {
		all = append(all, c)
	}
	return all
}

// hit counts and reports a rule's hit.
func (p *Proxy) hit(a *Armed, h Hit) {
	a.strike(func() {
		if p.options.OnHit == nil {
			return
		}
		h.Rule, h.At, h.What = a.rule.Name, p.options.Clock(), a.rule.Do.String()
		p.options.OnHit(h)
	})
}

// Settle waits until no connection is left of the clients whose id begins with
// the prefix, so that all that they did not hear of has been reported. Call it
// when those clients have ended.
func (p *Proxy) Settle(ctx context.Context, prefix string) error {
	for _, c := range p.open() {
		if !strings.HasPrefix(c.clientName(), prefix) {
			continue
		}
		select {
		case <-c.ended:
		case <-ctx.Done():
			return fmt.Errorf("waited for the connection of %q to %s to end: %w", c.clientName(), c.upstream, context.Cause(ctx))
		}
	}
	return nil
}

// Close ends all that the proxy has opened. What it holds is not delivered.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.stop()
	for _, f := range p.fronts {
		_ = f.listener.Close()
	}
	p.mu.Unlock()
	for _, c := range p.open() {
		c.abort()
	}
	ended := make(chan struct{})
	go func() { p.running.Wait(); close(ended) }()
	const within = 5 * time.Second
	select {
	case <-ended:
		return nil
	case <-time.After(within):
		return fmt.Errorf("close the proxy: waited %s for %d connections to end", within, len(p.open()))
	}
}

var errClosed = fmt.Errorf("the proxy is closed: %w", net.ErrClosed)

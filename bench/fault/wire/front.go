package wire

import (
	"context"
	"net"
	"time"
)

// front is the proxy's listener for one broker.
type front struct {
	upstream string
	listener net.Listener
}

func (f *front) address() string { return f.listener.Addr().String() }

// front returns where the proxy stands for a broker, which it does from the
// first time that the broker is named until the proxy is closed.
func (p *Proxy) front(upstream string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.fronts[upstream]; f != nil {
		return f.address(), nil
	}
	if p.closing.Err() != nil {
		return "", errClosed
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	f := &front{upstream, listener}
	p.fronts[upstream] = f
	p.running.Go(func() { p.accept(f) })
	return f.address(), nil
}

// accept serves those who connect until the listener is closed.
func (p *Proxy) accept(f *front) {
	for {
		client, err := f.listener.Accept()
		switch {
		case err == nil:
			p.running.Go(func() { p.serve(f, client) })
		case p.closing.Err() != nil:
			return
		default:
			// No file descriptor is left, most likely: not for ever.
			p.log.say("accept a connection for %s: %v", f.upstream, err)
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// serve connects a client with the broker. If the broker cannot be reached the
// client is turned away, as a closed port would.
func (p *Proxy) serve(f *front, client net.Conn) {
	for _, a := range p.armed() {
		if all, _ := a.rule.refuses(); all && a.claim() {
			p.hit(a, Hit{Broker: f.upstream, API: Connection})
			reset(client)
			return
		}
	}
	ctx, cancel := context.WithTimeout(p.closing, patience)
	defer cancel()
	broker, err := new(net.Dialer).DialContext(ctx, "tcp", f.upstream)
	if err != nil {
		p.log.say("a client was turned away: %v", err)
		reset(client)
		return
	}
	p.mu.Lock()
	if p.closing.Err() != nil {
		p.mu.Unlock()
		reset(client)
		_ = broker.Close()
		return
	}
	c := newConnection(p, f.upstream, client, broker, p.accepted)
	p.accepted++
	p.connections[c] = struct{}{}
	p.mu.Unlock()
	c.serve()
	p.mu.Lock()
	delete(p.connections, c)
	p.mu.Unlock()
}

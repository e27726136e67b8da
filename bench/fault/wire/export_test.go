package wire

import "net"

// Serve serves a client that somebody else has accepted.
func Serve(p *Proxy, upstream string, client net.Conn) { p.serve(&front{upstream: upstream}, client) }

// Held is how many bytes the proxy holds for delivery.
func Held(p *Proxy) int {
	held := 0
	for _, c := range p.open() {
		for _, l := range []*lane{c.toBroker, c.toClient} {
			l.mu.Lock()
			held += l.waiting
			l.mu.Unlock()
		}
	}
	return held
}

// Unread is how many bytes lie in clients' sockets.
func Unread(p *Proxy) int {
	all := 0
	for _, c := range p.open() {
		if unread, _, err := peerUnread(c.client); err == nil {
			all += unread
		}
	}
	return all
}

// Left is how many connections have lost their client.
func Left(p *Proxy) int {
	left := 0
	for _, c := range p.open() {
		if c.exchanges.gone() {
			left++
		}
	}
	return left
}

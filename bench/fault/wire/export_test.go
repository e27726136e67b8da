package wire

// Held is how many bytes the proxy holds for delivery.
func Held(p *Proxy) int {
	held := 0
	for _, c := range p.open() {
		held += c.toBroker.holds() + c.toClient.holds()
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

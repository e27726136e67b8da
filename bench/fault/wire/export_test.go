package wire

// Held is how many bytes the proxy holds for delivery.
func Held(p *Proxy) int {
	held := 0
	for _, c := range p.open() {
		held += c.toBroker.holds() + c.toClient.holds()
	}
	return held
}

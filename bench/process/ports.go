package process

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
)

// Ports of programs are taken from firstPort up to where the kernel's own choices begin. A
// port that the kernel chooses for some client's connection while a node is
// down would keep the node from coming back, and a client that tries to reach
// that node may even be connected with itself.
const (
	firstPort = 10_000
	// defaultEphemeral is where Linux begins (ip(7)); others begin higher.
	defaultEphemeral = 32_768
	portTries        = 200
)

// FreePorts returns n different ports of loopback that nobody listens on.
func FreePorts(n int) ([]int, error) {
	past := ephemeralPort()
	if past < firstPort+1000 { // hardly any room below: let the kernel choose
		past = 0
	}
	var chosen []int
	var listeners []net.Listener
	// Held until all are chosen, so that they differ.
	defer func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	}()
	var failed error
	for range portTries {
		port := 0
		if past > 0 {
			port = firstPort + rand.IntN(past-firstPort)
		}
		l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			failed = err
			continue
		}
		listeners = append(listeners, l)
		if chosen = append(chosen, l.Addr().(*net.TCPAddr).Port); len(chosen) == n {
			return chosen, nil
		}
	}
	return nil, fmt.Errorf("found %d of %d free ports on 127.0.0.1 in %d tries: %w", len(chosen), n, portTries, failed)
}

// ephemeralPort is the first that the kernel gives to connections.
func ephemeralPort() int {
	port := defaultEphemeral
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		_, _ = fmt.Sscan(string(text), &port)
	}
	return port
}

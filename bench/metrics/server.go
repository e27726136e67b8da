package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// requestWithin bounds a request's headers, closeWithin the last answers.
	requestWithin = 5 * time.Second
	closeWithin   = 2 * time.Second
)

// Server answers GET /metrics.
type Server struct {
	*Progress
	listener net.Listener
	server   http.Server
	ended    chan struct{}
}

// Listen serves at an address, "9100" or "HOST:9100"; without a host at the
// loopback interface alone: what it tells is for whoever reaches it.
func Listen(address string) (*Server, error) {
	if !strings.Contains(address, ":") {
		address = ":" + address
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return nil, fmt.Errorf("%q is no address: write a port, such as 9100, or HOST:PORT", strings.TrimPrefix(address, ":"))
	}
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("%w; name another port, or 0 for any that is free", err)
	}
	s := &Server{Progress: NewProgress(), listener: listener, ended: make(chan struct{})}
	handler := http.NewServeMux()
	handler.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	s.server = http.Server{Handler: handler, ReadHeaderTimeout: requestWithin}
	go func() {
		defer close(s.ended)
		_ = s.server.Serve(listener) // ends with Close
	}()
	return s, nil
}

// URL is where it is to be read.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() + "/metrics" }

// Close ends it, after the answers under way, for a bounded time.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.server.Close()
	}
	<-s.ended
	return err
}

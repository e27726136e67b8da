package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/result"
)

// Bounds of opening, each within the one before.
const (
	// openWithin is for opening and asking for rights together, so that whatever
	// stands in the way is told within it.
	openWithin    = 15 * time.Second
	connectWithin = 3 * time.Second // one attempt; what stands in its way is then looked at
)

// External is a cluster of somebody else's: it is used, and neither started nor
// struck. It is faithful to everything but broker faults.
type External struct {
	endpoint client.Endpoint
	cluster  client.Cluster
	version  string
	left     time.Duration // of openWithin, after opening
}

// opening bounds a part of opening, which has that much time left.
func opening(ctx context.Context, left time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, left, fmt.Errorf("%s are over", openWithin))
}

// OpenExternal connects to a cluster and makes sure that every node of it can be
// reached. An error says what stands in the way and what helps.
func OpenExternal(ctx context.Context, e client.Endpoint) (*External, error) {
	began := time.Now()
	ctx, cancel := opening(ctx, openWithin)
	defer cancel()
	x, err := openExternal(ctx, e)
	if err != nil {
		return nil, errors.New(e.Hide(err.Error()))
	}
	x.left = openWithin - time.Since(began)
	return x, nil
}

func openExternal(ctx context.Context, e client.Endpoint) (*External, error) {
	admin, err := client.NewAdmin(e)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	x := &External{endpoint: e}
	if x.cluster, err = connect(ctx, admin, e); err != nil {
		return nil, err
	}
	if err := reachAll(ctx, admin, x.cluster.Nodes); err != nil {
		return nil, err
	}
	x.version = "unknown"
	if len(x.cluster.Nodes) > 0 {
		x.version = cmp.Or(knock(ctx, x.cluster.Nodes[0].Address).version, x.version)
	}
	return x, nil
}

// connect tries until somebody answers or it is clear why nobody does.
func connect(ctx context.Context, admin *client.Admin, e client.Endpoint) (client.Cluster, error) {
	for {
		attempt, cancel := context.WithTimeoutCause(ctx, connectWithin, fmt.Errorf("%s are over", connectWithin))
		c, err := admin.Cluster(attempt)
		cancel()
		if err == nil {
			return c, nil
		}
		if ctx.Err() != nil {
			return c, err
		}
		if why := obstacle(ctx, e, err); why != nil {
			return c, fmt.Errorf("connect: %w", why)
		}
	}
}

// obstacle looks at the doors of a cluster that could not be connected to, and
// says what is wrong; nil is that it may be worth another attempt.
func obstacle(ctx context.Context, e client.Endpoint, err error) error {
	trouble, addresses := &client.Trouble{}, e.Addresses()
	switch known := errors.As(err, &trouble); {
	case known && trouble.Lasting:
		return distrust(trouble, e, knock(ctx, trouble.Address))
	case known && trouble.Address != "" && !slices.Contains(addresses, trouble.Address):
		return misplaced(trouble)
	}
	var closed []error
	for _, address := range addresses {
		l := knock(ctx, address)
		if l.closed != nil {
			closed = append(closed, l.closed)
			continue
		}
		turnedAway := strings.Contains(trouble.Text, "Disconnected")
		if wrong := mismatch(address, e, l, turnedAway); wrong != nil {
			return wrong
		}
	}
	if len(closed) == len(addresses) && ctx.Err() == nil {
		return fmt.Errorf("nobody answers: %w; check -broker, and that the cluster runs", closed[0])
	}
	return nil
}

// misplaced: the way to the cluster is good, but not to where it says that one of
// its nodes is.
func misplaced(t *client.Trouble) error {
	return fmt.Errorf("the cluster says that a node of it is at %s, which is no good from here (%s); see that its advertised.listeners can be reached from this machine", t.Address, t.Text)
}

// mismatch compares what a listener speaks with what the client was told to. One
// that is only slow is no reason to change anything: that it knows users matters
// when it turned the client away who named none.
func mismatch(address string, e client.Endpoint, l listener, turnedAway bool) error {
	encrypted := l.certificate != nil
	if !l.kafka && !encrypted && l.silent {
		return nil
	}
	if !l.kafka && !encrypted {
		return fmt.Errorf("%s: somebody answers, but not as Kafka does; check the port in -broker", address)
	}
	wantsUser := len(l.mechanisms) > 0
	if encrypted == e.Encrypted() && !(wantsUser && turnedAway && !e.Authenticated()) {
		return nil
	}
	protocol, also := "PLAINTEXT", ""
	if encrypted {
		protocol = "SSL"
	}
	if wantsUser {
		protocol = "SASL_" + protocol
		also = fmt.Sprintf(", sasl.mechanism (%s), sasl.username and sasl.password", strings.Join(l.mechanisms, " or "))
	}
	return fmt.Errorf("%s speaks %s and the client %s: set security.protocol=%s%s in the file of -client-config", address, protocol, e.Protocol(), protocol, also)
}

// distrust says why a certificate is not trusted, which the library does not.
func distrust(t *client.Trouble, e client.Endpoint, l listener) error {
	c := l.certificate
	if c == nil || !strings.Contains(t.Text, "certificate verify failed") {
		return t
	}
	host, _, _ := net.SplitHostPort(t.Address)
	now := time.Now()
	switch {
	case e.Properties["ssl.endpoint.identification.algorithm"] != "none" && c.VerifyHostname(host) != nil:
		return fmt.Errorf("%s: its certificate is not for that name (%w); write a name that it is for in -broker and in the cluster's advertised.listeners, or set ssl.endpoint.identification.algorithm=none",
			t.Address, c.VerifyHostname(host))
	case now.After(c.NotAfter) || now.Before(c.NotBefore):
		return fmt.Errorf("%s: its certificate is valid from %s to %s only; renew it", t.Address, c.NotBefore.Format(time.DateTime), c.NotAfter.Format(time.DateTime))
	}
	return fmt.Errorf("%s: its certificate is signed by %q, which is not trusted; set ssl.ca.location to that authority's certificate in the file of -client-config", t.Address, c.Issuer)
}

// reachAll makes sure that the addresses which the cluster gives for its nodes
// are good from here.
func reachAll(ctx context.Context, admin *client.Admin, nodes []client.Node) error {
	failed := make([]error, len(nodes))
	var all sync.WaitGroup
	for i, n := range nodes {
		all.Go(func() { failed[i] = admin.Reach(ctx, n) })
	}
	all.Wait()
	// One is enough to know what to mend.
	for _, err := range failed {
		var trouble *client.Trouble
		if errors.As(err, &trouble) && !trouble.Lasting {
			return fmt.Errorf("connect: %w", misplaced(trouble))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Endpoint is the user's.
func (x *External) Endpoint() client.Endpoint { return x.endpoint }

// Describe says what is known of it: its version only by what it understands.
func (x *External) Describe() result.Broker {
	d := result.Broker{Kind: "external", ClusterID: x.cluster.ID, Nodes: len(x.cluster.Nodes), Version: "unknown", SharesHost: len(x.cluster.Nodes) > 0}
	if x.version != "unknown" {
		d.Version = "Kafka " + strings.TrimPrefix(x.version, "v") + ", by its protocol"
	}
	for _, n := range x.cluster.Nodes {
		d.SharesHost = d.SharesHost && isLoopback(n.Address)
	}
	return d
}

func isLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// Failed is nil: it is not this program's to watch. A trial whose cluster goes
// away ends with what its clients say.
func (x *External) Failed() error { return nil }

// Nodes are none, for they are not this program's.
func (x *External) Nodes() []Node { return nil }

// Answers says why the cluster cannot be reached any more, nil when it can.
func (x *External) Answers(ctx context.Context) error {
	_, err := OpenExternal(ctx, x.endpoint)
	return err
}

// CPUSeconds is not known.
func (x *External) CPUSeconds() float64 { return 0 }

// Close does nothing: no connection is kept.
func (x *External) Close() {}

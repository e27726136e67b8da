package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Rule says what is done to which requests or connections.
type Rule struct {
	Name string
	// APIs are the requests that it is about; none means all. Client is how
	// the client id begins; a connection's is that of its first request.
	APIs   []kmsg.Key
	Client string
	// Topic is one that the request names. Only Produce, Fetch, OffsetCommit,
	// TxnOffsetCommit and AddPartitionsToTxn name topics.
	Topic string
	// Skip lets that many go first. Count is how many are hit; 0 means every
	// one until the rule is disarmed.
	Skip, Count int
	Do          Action
}

// Action is what a rule does. DiscardResponse, DiscardRequest and DelayRequest
// are done to requests; SlowDown, Cap, Cut, Blackhole and Refuse to
// connections, which are matched by their client alone.
type Action interface {
	check() error
	// String is the hit in plain words.
	String() string
}

// DiscardResponse: the broker applies the request, the client never gets the
// answer. Everything else on the connection passes. A request that has no
// answer (acks=0) is not hit.
type DiscardResponse struct{}

// DiscardRequest: the broker never gets the request.
type DiscardRequest struct{}

// DelayRequest: from this request on, what the client sends stands still for
// the time given and is then delivered, in order, whether or not the client is
// still there.
type DelayRequest struct{ For time.Duration }

// SlowDown: every frame is delivered later by the latency, more or less by at
// most the jitter, in both directions. Order is kept, and throughput.
type SlowDown struct{ Latency, Jitter time.Duration }

// Cap limits a connection's throughput, both directions together.
type Cap struct{ BytesPerSecond int64 }

// Cut: the client's connection is reset. What the broker has got already it
// still answers, to nobody.
type Cut struct{}

// Blackhole: nothing is delivered and nothing is refused while it lasts. What
// is held is delivered at the end, as after a network's partition.
type Blackhole struct{ Way Way }

// Way is a direction.
type Way int

const (
	Both Way = iota
	ToBroker
	ToClient
)

// Refuse: new connections are closed at once: without a client prefix as soon
// as they are made, else when the first request shows the client.
type Refuse struct{}

func (DiscardResponse) check() error { return nil }
func (DiscardRequest) check() error  { return nil }
func (Cut) check() error             { return nil }
func (Refuse) check() error          { return nil }

func (a DelayRequest) check() error {
	if a.For <= 0 {
		return errors.New("say for how long to delay the request")
	}
	return nil
}

func (a SlowDown) check() error {
	if a.Latency < 0 || a.Jitter < 0 || a.Jitter > a.Latency || a.Latency == 0 {
		return errors.New("the latency has to be above 0, the jitter between 0 and the latency")
	}
	return nil
}

func (a Cap) check() error {
	if a.BytesPerSecond <= 0 {
		return errors.New("the bytes per second have to be above 0")
	}
	return nil
}

func (a Blackhole) check() error {
	if a.Way < Both || a.Way > ToClient {
		return fmt.Errorf("there is no direction %d", a.Way)
	}
	return nil
}

func (DiscardResponse) String() string { return "the answer was discarded" }
func (DiscardRequest) String() string  { return "the request was discarded" }
func (a DelayRequest) String() string  { return fmt.Sprintf("the request was held for %s", a.For) }
func (Cut) String() string             { return "the connection was cut" }
func (Refuse) String() string          { return "the connection was refused" }

func (a SlowDown) String() string {
	if a.Jitter == 0 {
		return fmt.Sprintf("the connection was slowed down by %s", a.Latency)
	}
	return fmt.Sprintf("the connection was slowed down by %s ± %s", a.Latency, a.Jitter)
}

func (a Cap) String() string {
	return fmt.Sprintf("the connection was limited to %d B/s", a.BytesPerSecond)
}

func (a Blackhole) String() string {
	return "nothing was delivered " + [...]string{"in either direction", "to the broker", "to the client"}[a.Way]
}

// onRequests says whether the rule strikes requests, not connections.
func (r Rule) onRequests() bool {
	switch r.Do.(type) {
	case DiscardResponse, DiscardRequest, DelayRequest:
		return true
	default:
		return false
	}
}

// onConnections says whether the rule strikes connections that are there, not
// requests and not those who are about to connect.
func (r Rule) onConnections() bool {
	_, refuse := r.Do.(Refuse)
	return !refuse && !r.onRequests()
}

// check returns what is wrong with the rule.
func (r Rule) check() error {
	switch {
	case r.Do == nil:
		return errors.New("say what to do")
	case r.Skip < 0 || r.Count < 0:
		return errors.New("skip and count cannot be below 0")
	case !r.onRequests() && (len(r.APIs) > 0 || r.Topic != ""):
		return errors.New("what is done to a connection cannot depend on an API or a topic: leave them out")
	case r.Topic != "" && len(r.APIs) > 0 && !slices.ContainsFunc(r.APIs, namesTopics):
		return errors.New("none of the APIs names a topic: leave the topic out, or take Produce, Fetch, OffsetCommit, TxnOffsetCommit or AddPartitionsToTxn")
	}
	return r.Do.check()
}

// about says whether a request can be one that the rule is about, as far as
// its header tells.
func (r Rule) about(client string, key kmsg.Key) bool {
	return strings.HasPrefix(client, r.Client) &&
		(len(r.APIs) == 0 || slices.Contains(r.APIs, key)) &&
		(r.Topic == "" || namesTopics(key))
}

// refuses says whether the rule turns connections away, of all clients alike or
// of those that their first request shows to be meant.
func (r Rule) refuses() (all, shown bool) {
	_, refuse := r.Do.(Refuse)
	return refuse && r.Client == "", refuse && r.Client != ""
}

// Armed is a rule in force.
type Armed struct {
	rule     Rule
	disarm   func(*Armed)
	disarmed atomic.Bool
	met      chan struct{}

	mu            sync.Mutex // also keeps the hits' reports in order
	matched, hits int
}

// Disarm ends the rule: what a blackhole holds is delivered, what was slowed down
// is not any more. A request that is held already comes as late as it was to.
// Answers that are still to be discarded are not discarded.
func (a *Armed) Disarm() {
	if a.disarmed.CompareAndSwap(false, true) {
		a.disarm(a)
	}
}

// Met is closed when the rule has been done to all connections that were there
// when it was armed.
func (a *Armed) Met() <-chan struct{} { return a.met }

// Hits is how often the rule has struck.
func (a *Armed) Hits() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.hits
}

// claim counts a match and says whether it is one to strike. Until the match
// is struck it is no hit: an answer may never come.
func (a *Armed) claim() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.disarmed.Load() || a.rule.Count > 0 && a.matched >= a.rule.Skip+a.rule.Count {
		return false
	}
	a.matched++
	return a.matched > a.rule.Skip
}

// strike counts and reports a hit.
func (a *Armed) strike(report func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hits++
	report()
}

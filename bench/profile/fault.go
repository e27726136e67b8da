package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// deed is one thing that a fault can do: its key in a profile, whom it strikes
// or which requests, and which other keys say more of it.
type deed struct {
	verb  string
	to    Role
	api   API
	takes []string
}

// deeds are all that a fault can do, in the order in which they are named. Those
// that this fault does have a role or an API.
func (f Fault) deeds() []deed {
	ofRequests := []string{"of", "topic", "nth", "count", "for"}
	return []deed{
		{verb: "kill", to: f.Kill, takes: []string{"when", "restart", "partition"}},
		{verb: "stop", to: f.Stop, takes: []string{"restart", "partition"}},
		{verb: "freeze", to: f.Freeze, takes: []string{"when", "for", "partition"}},
		{verb: "isolate", to: f.Isolate, takes: []string{"for", "restart", "partition"}},
		{verb: "join", to: f.Join, takes: []string{"for"}},
		{verb: "fail", to: f.Fail, takes: []string{"messages"}},
		{verb: "lose_response", to: f.Of, api: f.LoseResponse, takes: ofRequests},
		{verb: "lose_request", to: f.Of, api: f.LoseRequest, takes: ofRequests},
		{verb: "delay_request", to: f.Of, api: f.DelayRequest, takes: ofRequests},
		{verb: "slow", to: f.Slow, takes: []string{"latency", "jitter", "for"}},
		{verb: "throttle", to: f.Throttle, takes: []string{"bandwidth", "for"}},
		{verb: "cut", to: f.Cut},
		{verb: "blackhole", to: f.Blackhole, takes: []string{"direction", "for"}},
		{verb: "refuse", to: f.Refuse, takes: []string{"for"}},
	}
}

// ofRequests reports whether the deed is done to single requests.
func (d deed) ofRequests() bool { return d.api != "" }

// onWire reports whether a proxy between clients and brokers does it.
func (d deed) onWire() bool {
	return slices.Contains([]string{"lose_response", "lose_request", "delay_request",
		"slow", "throttle", "cut", "blackhole", "refuse"}, d.verb)
}

// done are the deeds that the fault does: one, once it is checked.
func (f Fault) done() []deed {
	return slices.DeleteFunc(f.deeds(), func(d deed) bool {
		return d.api == "" && (d.to == "" || slices.Contains(d.takes, "of"))
	})
}

// deed is what is done.
func (f Fault) deed() deed {
	if done := f.done(); len(done) > 0 {
		return done[0]
	}
	return deed{}
}

// qualifiers are the keys that say more of a deed and are set.
func (f Fault) qualifiers() []string {
	var set []string
	for _, q := range []struct {
		key string
		set bool
	}{
		{"when", f.When != ""}, {"for", f.For != 0}, {"restart", f.Restart != 0}, {"partition", f.Partition != 0},
		{"messages", f.Messages != 0}, {"of", f.Of != ""}, {"topic", f.Topic != ""}, {"nth", f.Nth != 0}, {"count", f.Count != 0},
		{"latency", f.Latency != 0}, {"jitter", f.Jitter != 0}, {"bandwidth", f.Bandwidth != 0}, {"direction", f.Direction != ""},
	} {
		if q.set {
			set = append(set, q.key)
		}
	}
	return set
}

// Name says what strikes whom and where: "kill consumer at mid-batch",
// "freeze broker for 1s", "lose response to produce of producer", "cut consumer".
func (f Fault) Name() string {
	d := f.deed()
	name := d.verb + " " + string(d.to)
	switch d.verb {
	case "lose_response":
		name = "lose the response to " + string(d.api)
	case "lose_request":
		name = "lose the request " + string(d.api)
	case "delay_request":
		name = "delay the request " + string(d.api)
	case "fail":
		name = fmt.Sprintf("fail %d messages of %s", f.Messages, d.to)
	}
	if d.ofRequests() && f.Of != "" {
		name += " of " + string(f.Of)
	}
	if f.Partition > 0 {
		name += fmt.Sprintf(" of partition %d", f.Partition)
	}
	if f.When != "" {
		name += fmt.Sprintf(" at %s", f.When)
	}
	if f.For > 0 && f.Join == "" {
		name += fmt.Sprintf(" for %s", f.For)
	}
	return name
}

// Database reports whether the fault strikes the sink's server.
func (f Fault) Database() bool { return f.deed().to == DatabaseRole }

// Broker returns the role of the brokers that the fault strikes; "" when it
// strikes a worker, what is on the wire, or nobody.
func (f Fault) Broker() Role {
	if d := f.deed(); d.to.broker() {
		return d.to
	}
	return ""
}

// Wire reports whether the fault needs a proxy between clients and brokers.
func (f Fault) Wire() bool { return f.deed().onWire() }

// Proxied reports whether a proxy stands between clients and brokers.
func (s Settings) Proxied() bool { return s.Proxy || slices.ContainsFunc(s.Faults, Fault.Wire) }

// Wired returns the requests that a fault on the wire is about, "" for those of
// whole connections, and whose clients' they are, "" for everybody's.
func (f Fault) Wired() (api API, of Role) { d := f.deed(); return d.api, d.to }

// Worker returns the role of the worker that the fault strikes; "" when it
// strikes brokers, the wire or nobody.
func (f Fault) Worker() Role {
	switch d := f.deed(); d.verb {
	case "kill", "stop", "freeze", "fail":
		if !d.to.server() {
			return d.to
		}
	}
	return ""
}

// Placed returns the role of the worker that strikes itself at the point When,
// or at its next messages; "" for all other faults.
func (f Fault) Placed() Role {
	d := f.deed()
	if d.verb == "fail" || (d.verb == "kill" || d.verb == "freeze") && !d.to.server() && f.When != PointAnywhere {
		return d.to
	}
	return ""
}

// broker reports whether brokers have this role.
func (r Role) broker() bool {
	return r != "" && r != ProducerRole && r != ConsumerRole && r != RelayRole && r != PublisherRole && r != DatabaseRole
}

// server reports whether it is none of a worker's.
func (r Role) server() bool { return r.broker() || r == DatabaseRole }

// kind is what a server of the role is.
func (r Role) kind() string {
	if r == DatabaseRole {
		return string(r)
	}
	return "broker"
}

// partitioned reports whether brokers have this role for a partition.
func (r Role) partitioned() bool {
	return r == LeaderRole || r == FollowerRole || r == FollowersRole
}

// String is the whole fault on one line: "kill consumer at mid-batch, 50%, restart 200ms".
func (f Fault) String() string {
	parts := []string{f.Name(), f.At.String()}
	if slices.Contains(f.deed().takes, "restart") {
		parts = append(parts, "restart "+f.Restart.String())
	}
	if f.Join != "" && f.For > 0 {
		parts = append(parts, "for "+f.For.String())
	}
	for _, q := range []struct {
		key   string
		value any
	}{
		{"topic", f.Topic}, {"nth", f.Nth}, {"count", f.Count},
		{"latency", f.Latency}, {"jitter", f.Jitter}, {"bandwidth", f.Bandwidth}, {"direction", f.Direction},
	} {
		if slices.Contains(f.qualifiers(), q.key) {
			parts = append(parts, fmt.Sprintf("%s %v", q.key, q.value))
		}
	}
	return strings.Join(parts, ", ")
}

func faultsText(faults []Fault) string {
	lines := make([]string, len(faults))
	for i, f := range faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "; ")
}

// check refuses a fault that means nothing, whatever the pipeline is.
func (f Fault) check() error {
	done := f.done()
	var verbs []string
	for _, d := range f.deeds() {
		verbs = append(verbs, d.verb)
	}
	switch {
	case len(done) == 0:
		return fmt.Errorf("a fault needs one of %s", orList(verbs))
	case len(done) > 1:
		return fmt.Errorf("a fault does only one thing, not both %s and %s; write several faults", done[0].verb, done[1].verb)
	case f.At.Share >= 1:
		return errors.New("at: 100% is the end of the window; the fault would never strike")
	}
	d := done[0]
	for _, key := range f.qualifiers() {
		if !slices.Contains(d.takes, key) {
			return fmt.Errorf("%s says nothing of %s, only of %s", key, d.verb, orList(f.takers(key)))
		}
	}
	if f.Partition != 0 && !d.to.partitioned() {
		return fmt.Errorf("partition belongs to %s; a %s has none", orList(words(LeaderRole, FollowerRole, FollowersRole)), d.to)
	}
	if err := f.checkTarget(d); err != nil {
		return err
	}
	return f.checkLength(d)
}

// takers are the deeds of which a key says more.
func (f Fault) takers(key string) []string {
	var verbs []string
	for _, d := range f.deeds() {
		if slices.Contains(d.takes, key) {
			verbs = append(verbs, d.verb)
		}
	}
	return verbs
}

// checkTarget refuses a deed to somebody to whom it cannot be done.
func (f Fault) checkTarget(d deed) error {
	member := d.to == ConsumerRole || d.to == RelayRole
	switch {
	case d.to == DatabaseRole && d.verb != "kill" && d.verb != "freeze":
		return fmt.Errorf("a database can be killed or frozen; write kill: %s or freeze: %s", DatabaseRole, DatabaseRole)
	case f.When != "" && d.to.server():
		return fmt.Errorf("a %s has no crash points; leave when out, it is struck at the moment at", d.to.kind())
	case d.verb == "isolate" && d.to != LeaderRole:
		return fmt.Errorf("only a leader has followers to be cut off from; write isolate: %s", LeaderRole)
	case d.verb == "join" && !member:
		return fmt.Errorf("a %s cannot join a consumer group; write join: consumer", d.to)
	case d.verb == "fail" && !member:
		return fmt.Errorf("a %s processes nothing; write fail: consumer", d.to)
	case d.verb == "stop" && (d.to == ProducerRole || d.to == PublisherRole):
		return fmt.Errorf("only a broker or a consumer can be stopped in good order, not the %s; write stop: consumer", d.to)
	case (d.verb == "kill" || d.verb == "freeze") && !d.to.server() && f.When == "":
		return fmt.Errorf("%s: %s needs its crash point; write when: %s", d.verb, d.to, orList(pointsOf(d.to)))
	case d.onWire() && d.to.broker():
		return fmt.Errorf("on the wire clients are struck, not the %s; write producer, consumer, relay or publisher", d.to)
	}
	return nil
}

// checkLength refuses a deed of no length or size.
func (f Fault) checkLength(d deed) error {
	timed := slices.Contains(d.takes, "for") && !slices.Contains([]string{"join", "lose_response", "lose_request"}, d.verb)
	switch {
	case timed && f.For == 0:
		return fmt.Errorf("%s needs its length; write for: 1s", d.verb)
	case d.verb == "fail" && f.Messages == 0:
		return errors.New("fail needs how many; write messages: 100")
	case d.verb == "slow" && f.Latency == 0:
		return errors.New("slow needs by how much; write latency: 20ms")
	case f.Jitter > f.Latency:
		return fmt.Errorf("jitter: %s is more than latency: %s; nothing arrives before it was sent", f.Jitter, f.Latency)
	case d.verb == "throttle" && f.Bandwidth == 0:
		return errors.New("throttle needs the bytes per second that pass; write bandwidth: 1MiB")
	}
	return nil
}

// pointsOf are the crash points that a role has in some configuration.
func pointsOf(role Role) []string {
	switch role {
	case ProducerRole:
		return words(PointSent, PointInserted, PointBetweenWrites, PointCommitted, PointAnywhere)
	case PublisherRole:
		return append(words(publisherPoints()...), string(PointAnywhere))
	case ConsumerRole:
		return words(PointPolled, PointCommitted, PointMidBatch, PointProcessed, PointChecked, PointAnywhere)
	case RelayRole:
		return words(PointPolled, PointCommitted, PointMidBatch, PointProcessed, PointChecked,
			PointBegun, PointProduced, PointOffsetsSent, PointCommitRequested, PointAnywhere)
	}
	return nil
}

// CrashPoints returns the points at which a worker of the role can be killed
// under these settings, in the order in which it passes them; none when the
// pipeline has no such worker. In a relay pipeline "consumer" is the relay.
func CrashPoints(role Role, s Settings) []Point {
	switch {
	case role == ProducerRole && s.Pipeline == ByOutbox:
		return s.Outbox.writerPoints()
	case role == ProducerRole:
		return []Point{PointSent}
	case role == PublisherRole && s.Publishes():
		return publisherPoints()
	}
	consuming := role == ConsumerRole && s.Pipeline.Consumes()
	relaying := (role == ConsumerRole || role == RelayRole) && s.Pipeline == RelayTo
	if !consuming && !relaying {
		return nil
	}
	points := strategyPoints(s.Consumer.Commit.When, relaying)
	if s.Sink.Enabled() && s.Sink.Write == CheckThenAct && len(points) > 0 {
		first := slices.IndexFunc(points, func(p Point) bool { return p == PointProduced || p == PointProcessed })
		points = slices.Insert(points, first, PointChecked)
	}
	return points
}

// strategyPoints are those that the strategy passes, whatever its effects are.
func strategyPoints(when CommitWhen, relaying bool) []Point {
	switch when {
	case InTransaction:
		if !relaying {
			return nil
		}
		return []Point{PointPolled, PointBegun, PointProduced, PointProcessed, PointOffsetsSent,
			PointMidBatch, PointCommitRequested, PointCommitted}
	case BeforeProcessing:
		return appendProduced(relaying, PointPolled, PointCommitted, PointMidBatch, PointProcessed)
	case WithEffect:
		// What lies between a relay's outputs and the database's commit is what
		// this strategy does not cover.
		return appendProduced(relaying, PointPolled, PointMidBatch, PointProcessed, PointCommitted)
	case AfterProcessing:
		return appendProduced(relaying, PointPolled, PointProcessed, PointMidBatch, PointCommitted)
	default: // the client commits by its own timer, so no worker is ever right after a commit
		return appendProduced(relaying, PointPolled, PointMidBatch, PointProcessed)
	}
}

// appendProduced puts the point "produced" before "processed" where the worker is a relay.
func appendProduced(relaying bool, points ...Point) []Point {
	if !relaying {
		return points
	}
	return slices.Insert(points, slices.Index(points, PointProcessed), PointProduced)
}

// unreachable says why the fault cannot strike under these settings; "" when it can.
func (f Fault) unreachable(s Settings) string {
	d := f.deed()
	switch {
	case d.to.broker():
		return f.brokerUnreachable(s)
	case d.to == DatabaseRole && s.Sink.Database != Postgres:
		return fmt.Sprintf("%s: sink.database: %s has no server; write sink.database: %s", f.Name(), s.Sink.Database, Postgres)
	case d.to == PublisherRole && !s.Publishes():
		return fmt.Sprintf("%s: only pipeline: %s with outbox.write: %s has a publisher", f.Name(), ByOutbox, InOutbox)
	case d.onWire() && d.to == ProducerRole && s.Publishes():
		return fmt.Sprintf("%s: with outbox.write: %s the producer writes to the database alone; strike the publisher", f.Name(), InOutbox)
	case d.to == RelayRole && s.Pipeline != RelayTo:
		return fmt.Sprintf("%s: pipeline: %s has no relay", f.Name(), s.Pipeline)
	case f.Topic == OutputTopic && s.Pipeline != RelayTo:
		return fmt.Sprintf("%s: pipeline: %s has no output topic", f.Name(), s.Pipeline)
	case d.to == ConsumerRole && !s.Pipeline.Consumes():
		return fmt.Sprintf("%s: pipeline: %s has no consumer", f.Name(), s.Pipeline)
	case f.When == "" || f.When == PointAnywhere || d.to == ProducerRole && f.When == PointSent:
		return ""
	}
	points := CrashPoints(d.to, s)
	if slices.Contains(points, f.When) {
		return ""
	}
	switch {
	case d.to == ProducerRole && s.Pipeline == ByOutbox:
		return fmt.Sprintf("%s: a producer with outbox.write: %s never reaches %s, only %s", f.Name(), s.Outbox.Write, f.When, orList(words(points...)))
	case d.to == ProducerRole:
		return fmt.Sprintf("%s: a producer never reaches %s, only %s", f.Name(), f.When, PointSent)
	case d.to == PublisherRole:
		return fmt.Sprintf("%s: a publisher never reaches %s, only %s", f.Name(), f.When, orList(words(points...)))
	}
	if f.When == PointChecked {
		return fmt.Sprintf("%s: only sink.write: %s passes %s, not %s", f.Name(), CheckThenAct, f.When, s.Sink.Write)
	}
	return fmt.Sprintf("%s: a %s worker with commit.when: %s never reaches %s, only %s",
		f.Name(), s.Pipeline, s.Consumer.Commit.When, f.When, orList(words(points...)))
}

// brokerUnreachable says why no broker has the role under these settings.
func (f Fault) brokerUnreachable(s Settings) string {
	transactions := s.Producer.Transaction.Enabled() || s.Pipeline.Consumes() && s.Consumer.Commit.When == InTransaction
	switch role := f.Broker(); {
	case role == GroupCoordinatorRole && !s.Pipeline.Consumes():
		return fmt.Sprintf("%s: pipeline: %s has no group", f.Name(), s.Pipeline)
	case role == TransactionCoordinatorRole && !transactions:
		return fmt.Sprintf("%s: nothing here uses transactions", f.Name())
	case role.partitioned() && f.Partition >= s.Topic.Partitions:
		return fmt.Sprintf("%s: the topic has partitions 0 to %d", f.Name(), s.Topic.Partitions-1)
	}
	return ""
}

package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/client"
	"deliverybench/bench/fault"
	"deliverybench/bench/fault/wire"
	"deliverybench/bench/profile"
	"deliverybench/bench/worker"
)

// wired is what a trial knows of the proxy between its clients and the brokers.
type wired struct{ proxy *wire.Proxy }

// disturbance is what came of a fault on the wire.
type disturbance struct {
	rule    *wire.Armed // nil before it is armed, and for all other faults
	hits    int
	lastHit int64
	// appended are the records of which the client does not know that the broker
	// has them.
	appended int64
	// doubtful are those of which the proxy cannot tell. early are those appended
	// before any fault on the wire had struck.
	doubtful, early int64
	// dropped are the commits that never arrived, per partition the highest;
	// committed is where the group stood before the first of them, nil if it could
	// not be asked.
	dropped, committed client.Offsets
}

// stepsTold is how many hits of a fault are told one by one; the rest is a number.
const stepsTold = 5

// openWire puts the proxy before the brokers, in the trials that need it. The
// trial's own questions, the observer and the auditor go past it.
func (c *conductor) openWire() error {
	if !c.trial.Settings.Proxied() {
		return nil
	}
	endpoint := c.env.Broker.Endpoint()
	if endpoint.Encrypted() {
		return errors.New("the brokers speak TLS, which no proxy can read: faults on the wire need a plaintext listener")
	}
	var err error
	c.wire.proxy, err = wire.Start(wire.Options{
		Bootstrap: endpoint.Addresses(), Clock: c.env.Clock.Now, Seed: c.trial.Seed,
		OnHit:        func(h wire.Hit) { c.tell(func() error { return c.hit(h) }) },
		OnUnanswered: func(u wire.Unanswered) { c.tell(func() error { c.unanswered(u); return nil }) },
	})
	return err
}

// tell has the conductor run a task, unless the trial is over.
func (c *conductor) tell(task func() error) {
	select {
	case c.occurrences <- occurrence{task: task}:
	case <-c.over:
	}
}

// endpointOf is where a worker finds the cluster.
func (c *conductor) endpointOf(role worker.Role) client.Endpoint {
	endpoint := c.env.Broker.Endpoint()
	if c.wire.proxy != nil && (role == worker.ProducerRole || role == worker.ConsumerRole || role == worker.PublisherRole) {
		endpoint.Bootstrap = c.wire.proxy.Bootstrap()
	}
	return endpoint
}

// clientOf tells a worker's clients apart on the wire, by its number and
// incarnation.
func (c *conductor) clientOf(m *member) string {
	if c.wire.proxy == nil {
		return ""
	}
	return fmt.Sprintf("%d.%d", m.number, m.incarnation)
}

// disturb puts the rule of a fault on the wire in force, and for a fault that has
// a length takes it away again.
func (c *conductor) disturb(f *activeFault) error {
	rule, err := c.ruleOf(f)
	if err != nil {
		return err
	}
	armed, err := c.wire.proxy.Arm(rule)
	if err != nil {
		return err
	}
	f.rule = armed
	switch {
	case f.Cut != "": // those that are there are cut; their successors live
		c.aside(func(ctx context.Context) error {
			select {
			case <-armed.Met():
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			return c.note(ctx, func() error { c.calm(f); return nil })
		})
	case f.For > 0 && f.DelayRequest == "": // a delay ends by itself
		c.at(c.env.Clock.Now()+int64(f.For), func() error { c.calm(f); return nil })
	}
	return nil
}

// calm takes a fault's rule off the wire, when its time is over or the load's.
func (c *conductor) calm(f *activeFault) {
	f.rule.Disarm()
	if f.healed == 0 {
		f.healed = c.env.Clock.Now()
	}
}

// calmAll heals what is still on the wire, before the consumers drain.
func (c *conductor) calmAll() {
	for _, f := range c.faults {
		if f.rule != nil {
			c.calm(f)
		}
	}
}

// ruleOf is the fault as the proxy understands it. It bears the fault's place in
// the list, since two faults may have one name.
func (c *conductor) ruleOf(f *activeFault) (wire.Rule, error) {
	api, of := f.Wired()
	rule := wire.Rule{
		Name:   fmt.Sprint(slices.Index(c.faults, f)),
		Client: clientPrefix(of), Skip: max(f.Nth-1, 0), Count: f.Count,
	}
	if api != "" {
		rule.APIs = []kmsg.Key{kmsg.Key(api.Key())}
		if f.Count == 0 && (f.For == 0 || f.DelayRequest != "") {
			rule.Count = 1
		}
	}
	switch f.Topic {
	case profile.InputTopic:
		rule.Topic = c.input
	case profile.OutputTopic:
		rule.Topic = c.output
	}
	rule.Do = action(f.Fault)
	if rule.Do == nil {
		return rule, fmt.Errorf("%s: no rule of the proxy does that", f.Name())
	}
	return rule, nil
}

func action(f profile.Fault) wire.Action {
	switch {
	case f.LoseResponse != "":
		return wire.DiscardResponse{}
	case f.LoseRequest != "":
		return wire.DiscardRequest{}
	case f.DelayRequest != "":
		return wire.DelayRequest{For: time.Duration(f.For)}
	case f.Slow != "":
		return wire.SlowDown{Latency: time.Duration(f.Latency), Jitter: time.Duration(f.Jitter)}
	case f.Throttle != "":
		return wire.Cap{BytesPerSecond: int64(f.Bandwidth)}
	case f.Cut != "":
		return wire.Cut{}
	case f.Blackhole != "":
		return wire.Blackhole{Way: map[profile.Direction]wire.Way{
			profile.ToBroker: wire.ToBroker, profile.ToClient: wire.ToClient}[f.Direction]}
	case f.Refuse != "":
		return wire.Refuse{}
	}
	return nil
}

// clientPrefix is how the client ids of a role begin.
func clientPrefix(of profile.Role) string {
	if of == "" {
		return ""
	}
	return string(of) + "-"
}

// hit notes that a fault struck.
func (c *conductor) hit(h wire.Hit) error {
	f := c.faultOfRule(h.Rule)
	if f == nil {
		return nil
	}
	if f.fired == 0 {
		f.fired = h.At
		if h.API == kmsg.OffsetCommit && f.LoseRequest != "" {
			c.askCommitted(f)
		}
	}
	f.hits, f.lastHit = f.hits+1, h.At
	for _, partitions := range h.Offsets {
		for partition, next := range partitions {
			f.dropped[partition] = max(f.dropped[partition], next)
		}
	}
	if f.hits <= stepsTold {
		f.noteStep(h.At, "%s", tellHit(h))
	}
	switch exhausted := f.hits >= max(f.Count, 1); {
	case f.DelayRequest != "" && exhausted:
		c.at(h.At+int64(f.For), func() error { c.calm(f); return nil })
	case f.For == 0 && f.Cut == "" && exhausted:
		c.calm(f)
	}
	return nil
}

// askCommitted asks where the group stands: since every commit from the first
// that was dropped on is dropped too, it stays there.
func (c *conductor) askCommitted(f *activeFault) {
	c.aside(func(ctx context.Context) error {
		asker, err := client.NewConsumer(client.AuditProperties(c.env.Broker.Endpoint(), c.group, profile.ReadCommitted), c.input)
		if err != nil {
			return err
		}
		defer func() { _ = asker.Close() }()
		partitions := make([]int32, c.trial.Settings.Topic.Partitions)
		for p := range partitions {
			partitions[p] = int32(p)
		}
		committed, err := asker.Committed(partitions, answerWithin)
		if err != nil {
			return err
		}
		return c.note(ctx, func() error { f.committed = committed; return nil })
	})
}

// tellHit is a hit in a few words: "consumer-0.0 EndTxn: the request was discarded".
func tellHit(h wire.Hit) string {
	text := h.Client
	if h.API != wire.Connection {
		text += " " + h.API.Name()
	}
	text += ": " + h.What
	if records := h.Records.Sum(); records > 0 {
		text += fmt.Sprintf(" (%d records)", records)
	}
	return text
}

func (c *conductor) faultOfRule(name string) *activeFault {
	for i, f := range c.faults {
		if fmt.Sprint(i) == name {
			return f
		}
	}
	return nil
}

// unanswered adds what a client does not know to have been appended to the fault
// that struck it last: the client sends it again, and a broker that cannot tell
// appends it once more. A client can give up before any struck, on a broker that
// is too busy to answer: that goes to the first that is about it.
func (c *conductor) unanswered(u wire.Unanswered) {
	var first, last *activeFault
	for _, f := range c.faults {
		_, of := f.Wired()
		if !f.Wire() || !strings.HasPrefix(u.Client, clientPrefix(of)) {
			continue
		}
		first = cmp.Or(first, f)
		struck := f.rule != nil && f.fired != 0 && f.fired <= u.At
		if struck && (last == nil || f.fired > last.fired) {
			last = f
		}
	}
	if first == nil {
		return
	}
	if last == nil {
		last = first
		last.early += u.Records.Applied.Sum()
	}
	last.appended += u.Records.Applied.Sum()
	last.doubtful += u.Records.Unknown.Sum()
}

// uncommitted are the messages whose commits were dropped, where they are what the
// consumer's end costs: every commit was dropped until it was killed, once, and it
// came back later. Otherwise the next commit has made some of them good; nil is not
// known.
func (c *conductor) uncommitted(f *activeFault) *int64 {
	if f.committed == nil || f.Count > 0 || f.For == 0 || c.trial.Settings.Consumer.Count > 1 {
		return nil
	}
	var kills int
	for _, k := range c.faults {
		if k.Worker() == "" || roleOf(k.Worker()) != worker.ConsumerRole {
			continue
		}
		if k.Kill == "" || k.fired < f.fired || k.fired > f.healed || k.healed < f.healed {
			return nil
		}
		kills++
	}
	if kills != 1 {
		return nil
	}
	var sum int64
	for partition, next := range f.dropped {
		sum += next - max(f.committed[partition], 0)
	}
	return &sum
}

// wireRecovered is when the pipeline's last stage got something done after the
// cause of a fault on the wire ended: 0 is not yet.
func (c *conductor) wireRecovered(f *activeFault) int64 {
	if f.healed == 0 {
		return 0
	}
	last := worker.ConsumerRole
	switch s := c.trial.Settings; {
	case s.Publishes():
		last = worker.PublisherRole
	case !s.Pipeline.Consumes():
		last = worker.ProducerRole
	}
	for _, m := range c.crew {
		if m.role == last && m.counts.Last > f.healed {
			return m.counts.Last
		}
	}
	return 0
}

// closeWire ends the proxy once its clients are gone, and has the predictions be
// what its log says.
func (c *conductor) closeWire() error {
	if c.wire.proxy == nil {
		return nil
	}
	closed := make(chan error, 1)
	ended := !slices.ContainsFunc(c.crew, func(m *member) bool { return !m.gone })
	go func() {
		err := c.settleWire(ended)
		c.tell(func() error { closed <- err; return nil }) // the last of what is told
	}()
	for {
		select {
		case o := <-c.occurrences:
			switch {
			case o.task != nil:
				_ = o.task()
			case o.event == nil:
				o.member.gone = true
			}
		case err := <-closed:
			c.predictFromWire()
			return err
		}
	}
}

// settleWire closes the proxy; of clients that have ended it has then told all
// that they do not know.
func (c *conductor) settleWire(ended bool) error {
	var unsettled error
	if ended {
		ctx, cancel := context.WithTimeoutCause(context.Background(), answerWithin, fmt.Errorf("%s passed", answerWithin))
		defer cancel()
		unsettled = c.wire.proxy.Settle(ctx, "")
	}
	return errors.Join(unsettled, c.wire.proxy.Close())
}

func (c *conductor) predictFromWire() {
	for _, f := range c.faults {
		if f.rule == nil {
			continue
		}
		if f.hits > stepsTold {
			f.noteStep(f.lastHit, "%d hits in all", f.hits)
		}
		f.Predicted = fault.FromWire(c.trial.Settings, f.Fault, fault.Seen{
			Appended: f.appended, Doubtful: f.doubtful, Uncommitted: c.uncommitted(f),
		})
		if p := f.Predicted; f.early > 0 && p != nil && p.Duplicates != nil && *p.Duplicates > 0 {
			c.warnings = append(c.warnings, fmt.Sprintf("%s: the prediction counts %d records whose client gave up on the answer before the fault struck", f.Name(), f.early))
		}
	}
	for _, line := range c.wire.proxy.Log() {
		c.warnings = append(c.warnings, "the proxy: "+line)
	}
}

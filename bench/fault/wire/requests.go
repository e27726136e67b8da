package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	tlsHandshake, tlsAlert = 0x16, 0x15
	tlsVersion             = 0x03
)

var (
	errClientTLS = refusal{errors.New("the client speaks TLS: a TLS cluster cannot be put behind the proxy, which has to read what is sent")}
	errBrokerTLS = refusal{errors.New("the broker speaks TLS: a TLS cluster cannot be put behind the proxy, which has to read what is sent")}
	errOldSASL   = refusal{errors.New("the client authenticates without Kafka's framing (SaslHandshake version 0), which the proxy cannot follow: use a client from after Kafka 1.0")}
	// errEnded is no refusal to explain: it is a hit.
	errEnded = errors.New("a rule has ended the connection")
)

// speaksTLS says whether a connection begins with TLS of that kind.
func (s *source) speaksTLS(kind byte) bool {
	first, err := s.r.Peek(2)
	return err == nil && first[0] == kind && first[1] == tlsVersion
}

// readRequests passes requests on until the client's side ends.
func (c *connection) readRequests() error {
	from := newSource(c.client)
	if from.speaksTLS(tlsHandshake) {
		return errClientTLS
	}
	for {
		f, err := from.next()
		if err != nil {
			return err
		}
		if err := c.request(f); err != nil {
			return err
		}
	}
}

// request decides what becomes of a request.
func (c *connection) request(f *frame) error {
	h, rest, err := requestHeader(f.body())
	if err != nil {
		return refusal{err}
	}
	c.proxy.counters.requests.Add(1)
	if c.name.Load() == nil {
		if err := c.introduce(h.client); err != nil {
			return err
		}
	}
	x := &exchange{header: h}
	if err := c.passable(h); err != nil {
		return err
	}
	mute, err := silent(h, rest)
	if err != nil {
		return refusal{fmt.Errorf("%s: %w", h.key.Name(), err)}
	}
	if err := c.decode(f, x); err != nil {
		return err
	}
	rule := c.rule(x, mute)
	hold := time.Duration(0)
	if rule != nil {
		c.exchanges.takeCare()
		hit := hitOn(c, x)
		switch do := rule.rule.Do.(type) {
		case DiscardRequest:
			c.proxy.hit(rule, hit)
			if !mute {
				c.exchanges.discarded(x)
			}
			return f.skip()
		case DelayRequest:
			c.proxy.hit(rule, hit)
			hold = do.For
		case DiscardResponse:
			x.discard = rule // the hit is when the answer comes
		}
	}
	return c.send(f, x, mute, hold)
}

// introduce notes whose connection it is, which is when rules can know it.
func (c *connection) introduce(client string) error {
	c.name.Store(&client)
	for _, a := range c.proxy.armed() {
		_, shown := a.rule.refuses()
		if shown && strings.HasPrefix(client, a.rule.Client) && a.claim() {
			c.proxy.hit(a, Hit{Client: client, Broker: c.upstream, API: Connection})
			reset(c.client)
			return errEnded
		}
		c.meet(a)
	}
	if c.toBroker.isOver() {
		return errEnded // a rule has cut it
	}
	return nil
}

// passable returns why a request cannot be passed on: what follows could not
// be read.
func (c *connection) passable(h header) error {
	if h.key == kmsg.SASLHandshake && h.version == 0 {
		return errOldSASL
	}
	if carriesAddresses(h.key, h.version) {
		return known(h.key, h.version, kmsg.ResponseForKey(h.key.Int16()).MaxVersion())
	}
	return nil
}

// decode decodes a request if somebody wants to know what it brings: the caller,
// of those whose answers clients may not get, or a rule.
func (c *connection) decode(f *frame, x *exchange) error {
	wanted := c.proxy.options.OnUnanswered != nil && brings(x.key)
	for _, a := range c.proxy.armed() {
		wanted = wanted || a.rule.onRequests() && namesTopics(x.key) && a.rule.about(c.clientName(), x.key)
	}
	if !wanted {
		return nil
	}
	if err := f.whole(); err != nil {
		return err
	}
	_, rest, err := requestHeader(f.body())
	if err != nil {
		return refusal{err}
	}
	request, err := decodeRequest(x.header, rest)
	if err != nil {
		return refusal{fmt.Errorf("decode a %s request: %w", x.key.Name(), err)}
	}
	if x.content, err = c.proxy.names.read(request); err != nil {
		return refusal{fmt.Errorf("read a %s request: %w", x.key.Name(), err)}
	}
	return nil
}

// rule is the first of those armed that strikes the request. Rules behind it
// do not count the request.
func (c *connection) rule(x *exchange, mute bool) *Armed {
	for _, a := range c.proxy.armed() {
		_, answer := a.rule.Do.(DiscardResponse)
		if !a.rule.onRequests() || answer && mute || !a.rule.about(c.clientName(), x.key) {
			continue
		}
		// A rule that was armed since the request was decoded has missed it.
		if a.rule.Topic != "" && (x.content == nil || !slices.Contains(x.content.topics, a.rule.Topic)) {
			continue
		}
		if a.claim() {
			return a
		}
	}
	return nil
}

// send passes a request on, the hold and the weather's delay later.
func (c *connection) send(f *frame, x *exchange, mute bool, hold time.Duration) error {
	if !mute {
		c.exchanges.begin(x)
	}
	delay := hold + c.toBroker.delay()
	err := f.pass(func(piece []byte, last bool) {
		c.proxy.counters.toBroker.Add(int64(len(piece)))
		if !last {
			c.toBroker.put(piece, delay, nil)
			return
		}
		c.toBroker.put(piece, delay, x)
	})
	if err != nil {
		c.exchanges.end(x)
	}
	return err
}

// hitOn describes a hit on a request.
func hitOn(c *connection, x *exchange) Hit {
	hit := Hit{Client: c.clientName(), Broker: c.upstream, API: x.key, Version: x.version, Correlation: x.correlation}
	if x.content != nil {
		hit.Records, hit.Offsets = x.content.records, x.content.offsets
	}
	return hit
}

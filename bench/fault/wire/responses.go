package wire

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// readResponses passes answers on until the broker's side ends.
func (c *connection) readResponses() error {
	from := newSource(c.broker)
	if from.speaksTLS(tlsAlert) {
		return errBrokerTLS
	}
	for {
		f, err := from.next()
		if err != nil {
			return err
		}
		if err := c.response(f); err != nil {
			return err
		}
	}
}

// response decides what becomes of an answer.
func (c *connection) response(f *frame) error {
	body := cursor{rest: f.body()}
	correlation := body.int32()
	if body.short {
		return refusal{errShort}
	}
	c.proxy.counters.responses.Add(1)
	x, err := c.exchanges.answered(correlation)
	if err != nil {
		return err
	}
	defer c.exchanges.end(x)
	if carriesAddresses(x.key, x.version) || x.content != nil && brings(x.key) {
		if err := c.reread(f, x); err != nil {
			return err
		}
	}
	// From a client that has given up on it by itself nothing is kept.
	if x.discard != nil && !x.discard.disarmed.Load() && !c.exchanges.gone() {
		c.proxy.hit(x.discard, hitOn(c, x))
		return f.skip()
	}
	delay := c.toClient.delay()
	return f.pass(func(piece []byte, last bool) {
		c.proxy.counters.toClient.Add(int64(len(piece)))
		if !last {
			c.toClient.put(piece, delay, nil)
			return
		}
		c.toClient.put(piece, delay, x)
	})
}

// reread decodes an answer, notes what it says and puts the proxy's addresses
// into it. Without an address in it the frame stays as it came.
func (c *connection) reread(f *frame, x *exchange) error {
	if err := f.whole(); err != nil {
		return err
	}
	head, response, err := decodeResponse(x, f.body())
	if err != nil {
		return refusal{fmt.Errorf("decode the answer to a %s request, version %d: %w", x.key.Name(), x.version, err)}
	}
	if metadata, ok := response.(*kmsg.MetadataResponse); ok {
		c.proxy.names.learn(metadata)
	}
	if x.content != nil {
		c.exchanges.settle(x, response, &c.proxy.names)
	}
	changed, err := rewrite(response, c.proxy.front)
	if err != nil {
		return refusal{fmt.Errorf("put the proxy's addresses into the answer to a %s request: %w", x.key.Name(), err)}
	}
	if changed {
		f.first = encodeResponse(head, response)
	}
	return nil
}

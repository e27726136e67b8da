package wire

import (
	"encoding/binary"
	"errors"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// header is what every request begins with.
type header struct {
	key         kmsg.Key
	version     int16
	correlation int32
	client      string
}

// responseHeaderBytes is the part that every response's header has.
const responseHeaderBytes = 4

var errShort = errors.New("the frame ends within its header")

// cursor reads the few fields that stand before what kmsg decodes.
type cursor struct {
	rest  []byte
	short bool
}

// take returns the next n bytes, or zeroes if the frame ends before.
func (c *cursor) take(n int) []byte {
	if n > len(c.rest) {
		c.short, c.rest = true, nil
		return nil
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) int16() int16 {
	if b := c.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (c *cursor) int32() int32 {
	if b := c.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// uvarint returns a number that counts what follows.
func (c *cursor) uvarint() int {
	v, n := binary.Uvarint(c.rest)
	if n <= 0 || v > mostFrameBytes {
		c.short, c.rest = true, nil
		return 0
	}
	c.rest = c.rest[n:]
	return int(v)
}

// nullable returns a string whose length is an int16, -1 for none.
func (c *cursor) nullable() string { return string(c.take(max(0, int(c.int16())))) }

// compact returns a string whose length plus one is a uvarint, 0 for none.
func (c *cursor) compact() string { return string(c.take(max(0, c.uvarint()-1))) }

// tags skips tagged fields.
func (c *cursor) tags() {
	for range c.uvarint() {
		c.uvarint()
		c.take(c.uvarint())
		if c.short {
			return
		}
	}
}

// requestHeader reads a request's header up to the client's name, which every
// version of it has in the same place and form.
func requestHeader(body []byte) (header, cursor, error) {
	c := cursor{rest: body}
	h := header{key: kmsg.Key(c.int16()), version: c.int16(), correlation: c.int32()}
	h.client = c.nullable()
	if c.short {
		return header{}, c, errShort
	}
	return h, c, nil
}

// silent says whether a request has no answer, which only a Produce with
// acks=0 has not. The cursor stands behind the client's name.
func silent(h header, c cursor) (bool, error) {
	const firstFlexible, firstTransactional = 9, 3
	if h.key != kmsg.Produce {
		return false, nil
	}
	switch {
	case h.version >= firstFlexible:
		c.tags()
		c.compact()
	case h.version >= firstTransactional:
		c.nullable()
	}
	acks := c.int16()
	if c.short {
		return false, errShort
	}
	return acks == 0, nil
}

// decodeRequest decodes a whole request. That kmsg returns, whatever counts a
// request holds, is what its version 1.15.1 is needed for: before it went on
// reading tagged fields, up to 2^32 of them, that nothing was left of.
func decodeRequest(h header, c cursor) (kmsg.Request, error) {
	request := kmsg.RequestForKey(h.key.Int16())
	if err := known(h.key, h.version, request.MaxVersion()); err != nil {
		return nil, err
	}
	request.SetVersion(h.version)
	if request.IsFlexible() {
		c.tags()
	}
	if c.short {
		return nil, errShort
	}
	return request, request.ReadFrom(c.rest)
}

// decodeResponse decodes a whole response and returns its header with it.
func decodeResponse(x *exchange, body []byte) (responseHeader []byte, _ kmsg.Response, _ error) {
	response := kmsg.ResponseForKey(x.key.Int16())
	response.SetVersion(x.version)
	c := cursor{rest: body}
	c.take(responseHeaderBytes)
	if response.IsFlexible() && x.key != kmsg.ApiVersions {
		c.tags()
	}
	if c.short {
		return nil, nil, errShort
	}
	return body[:len(body)-len(c.rest)], response, response.ReadFrom(c.rest)
}

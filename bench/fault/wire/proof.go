package wire

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// The way in which a connection ends tells about the last answer that was written
// to the client: a process that closes a socket without having read everything, or
// before something comes, resets the connection.
//
// A client that misses an answer leaves in the end, and just then more than one may
// lie in its socket's buffer: written by the proxy, never read by the client,
// so that their requests are sent again too. With many small requests under way
// this is common. So on a connection that misses something an answer is handed
// over only when the one before has been read.

// glance bounds the wait for a client to read, or to be gone, where all that
// depends on it is to know.
const glance = time.Second

// proof is what is known about whether a client has read an answer.
type proof int

const (
	mayBeRead proof = iota
	wasRead
	notRead
)

// hand is told of every answer that was written to the client.
func (c *connection) hand(x *exchange) {
	if !c.exchanges.handed(x) || c.proxy.options.OnUnanswered == nil {
		return
	}
	read, err := c.awaitRead(time.Time{})
	if err != nil {
		c.proxy.log.say("clients may miss more than is reported: %v", err)
	}
	if read || err != nil {
		c.exchanges.prove(wasRead)
		return
	}
	c.toClient.drop() // the connection's end has to tell of this one alone
}

// awaitRead waits until the client has read everything and says whether it has.
// It ends when the client has closed its socket, when the lane is over, or, if
// there is one, at the time given. The kernel does not tell of this by itself.
func (c *connection) awaitRead(until time.Time) (bool, error) {
	const soonest, latest = 20 * time.Microsecond, 5 * time.Millisecond
	for wait := soonest; ; wait = min(2*wait, latest) {
		unread, open, err := peerUnread(c.client)
		switch {
		case err != nil || !open:
			return false, err
		case unread == 0:
			return true, nil
		case until.IsZero() && c.toClient.isOver(), !until.IsZero() && time.Now().After(until):
			return false, nil
		}
		time.Sleep(wait)
	}
}

// proveWaiting gives a client that is there the time to read the last answer, before
// the proxy ends the connection.
func (c *connection) proveWaiting() {
	if c.proxy.options.OnUnanswered == nil || !c.exchanges.doubted() {
		return
	}
	if read, _ := c.awaitRead(time.Now().Add(glance)); read {
		c.exchanges.prove(wasRead)
	}
}

// proveLast judges the last answer by how the client left. It may be on its way
// out still.
func (c *connection) proveLast(left error) {
	if c.proxy.options.OnUnanswered == nil {
		return
	}
	until := time.Now().Add(glance)
	select {
	case <-c.toClient.done:
	case <-time.After(glance):
	}
	if c.exchanges.doubted() {
		c.exchanges.prove(c.ending(left, until))
	}
}

// ending tells from the end of a connection whether the client had read
// everything. One that was shut down first is reset only when it is closed.
func (c *connection) ending(left error, until time.Time) proof {
	if errors.Is(left, syscall.ECONNRESET) {
		return notRead
	}
	if errors.Is(left, net.ErrClosed) {
		return mayBeRead // it was the proxy that closed it
	}
	for {
		_, open, err := peerUnread(c.client)
		if err != nil {
			// Who closes what it has read ends it in order; later answers it may miss.
			c.proxy.log.say("clients may miss more than is reported: %v", err)
			return wasRead
		}
		if !open {
			break
		}
		if time.Now().After(until) {
			return mayBeRead
		}
		time.Sleep(time.Millisecond)
	}
	reset, err := wasReset(c.client)
	switch {
	case err != nil:
		return mayBeRead
	case reset:
		return notRead
	default:
		return wasRead
	}
}

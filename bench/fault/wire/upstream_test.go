package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// upstream is a broker that understands nothing: it keeps what it gets and
// answers each request with the same payload, inverted.
type upstream struct {
	listener net.Listener
	// answer makes the answer to a request, nil for none.
	answer func(request []byte) []byte

	mu       sync.Mutex
	requests [][]byte // without their sizes
	raw      []byte
	open     []net.Conn
}

// opaque is an API that no decoder knows.
const opaque kmsg.Key = 1000

func startUpstream(t testing.TB) *upstream {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	u := &upstream{listener: listener, answer: answerTo}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			u.mu.Lock()
			u.open = append(u.open, c)
			u.mu.Unlock()
			running.Go(func() { u.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		u.hangUp()
		running.Wait()
	})
	return u
}

// hangUp closes all connections.
func (u *upstream) hangUp() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range u.open {
		_ = c.Close()
	}
}

func (u *upstream) address() string { return u.listener.Addr().String() }

func (u *upstream) serve(c net.Conn) {
	defer c.Close()
	for {
		request, err := readFrame(c)
		if err != nil {
			return
		}
		u.mu.Lock()
		u.requests = append(u.requests, request)
		u.raw = append(u.raw, frame(request)...)
		u.mu.Unlock()
		answer := u.answer(request)
		if answer == nil {
			continue
		}
		both := net.Buffers{binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer}
		if _, err := both.WriteTo(c); err != nil {
			return
		}
	}
}

// received are the requests that have arrived.
func (u *upstream) received() [][]byte {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([][]byte(nil), u.requests...)
}

// forget begins anew and returns the bytes that had arrived.
func (u *upstream) forget() []byte {
	u.mu.Lock()
	defer u.mu.Unlock()
	raw := u.raw
	u.requests, u.raw = nil, nil
	return raw
}

// answerTo is the upstream's answer: the correlation id, then all that stands
// behind the request's, inverted.
func answerTo(request []byte) []byte {
	answer := bytes.Clone(request[4:8])
	for _, b := range request[8:] {
		answer = append(answer, ^b)
	}
	return answer
}

// request is a request of a client, without its size.
func request(key kmsg.Key, version int16, correlation int32, client string, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	b = binary.BigEndian.AppendUint16(b, uint16(len(client)))
	return append(append(b, client...), payload...)
}

// encoded is what kmsg makes of a request, without its size.
func encoded(r kmsg.Request, version int16, correlation int32, client string) []byte {
	r.SetVersion(version)
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID(client)).AppendRequest(nil, r, correlation)[4:]
}

// frame puts the size before a request or an answer.
func frame(body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func readFrame(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err := io.ReadFull(r, body)
	return body, err
}

// dialled is a client made by hand.
type dialled struct {
	t testing.TB
	*net.TCPConn
}

func dial(t testing.TB, address string) dialled {
	t.Helper()
	c, err := net.DialTimeout("tcp4", address, within)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(within)))
	return dialled{t, c.(*net.TCPConn)}
}

// expectTurnedAway connects and says nothing: the connection ends, perhaps
// before it is known to be made.
func expectTurnedAway(t testing.TB, address string) {
	t.Helper()
	c, err := net.DialTimeout("tcp4", address, within)
	if err != nil {
		require.ErrorIs(t, err, syscall.ECONNRESET)
		return
	}
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(within)))
	dialled{t, c.(*net.TCPConn)}.expectEnd()
}

func (d dialled) send(requests ...[]byte) {
	d.t.Helper()
	for _, r := range requests {
		_, err := d.Write(frame(r))
		require.NoError(d.t, err)
	}
}

// expect reads the answers to the requests, in order.
func (d dialled) expect(requests ...[]byte) {
	d.t.Helper()
	for _, r := range requests {
		got, err := readFrame(d)
		require.NoError(d.t, err, "read the answer to the request with correlation id %d", correlation(r))
		require.Equal(d.t, answerTo(r), got)
	}
}

// expectEnd reads to the connection's end, before which nothing may come.
func (d dialled) expectEnd() {
	d.t.Helper()
	n, err := d.Read(make([]byte, 1))
	require.Zero(d.t, n, "a byte before the connection's end")
	require.Error(d.t, err)
	var timeout net.Error
	require.False(d.t, errors.As(err, &timeout) && timeout.Timeout(), "waited %s for the connection to end", within)
}

func correlation(request []byte) int32 { return int32(binary.BigEndian.Uint32(request[4:])) }

package wire_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"runtime"
	"runtime/metrics"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"deliverybench/bench/fault/wire"
)

// Frames that the proxy need not read arrive byte for byte, in whatever sizes
// they are and in whatever pieces they come.
func TestUntouchedFramesArriveByteForByte(t *testing.T) {
	u := startUpstream(t)
	u.answer = func(r []byte) []byte {
		if binary.BigEndian.Uint16(r) == uint16(kmsg.Produce) {
			return nil
		}
		return answerTo(r)
	}
	p := startWith(t, options(u.address()))
	rapid.Check(t, func(rt *rapid.T) {
		u.forget()
		c := dial(t, p.Bootstrap())
		defer c.Close()
		var sent, expected []byte
		for n := range rapid.IntRange(1, 12).Draw(rt, "frames") {
			r := drawRequest(rt, int32(n))
			sent = append(sent, frame(r)...)
			if answer := u.answer(r); answer != nil {
				expected = append(expected, frame(answer)...)
			}
		}
		// At least one that is answered comes last, so that all have arrived.
		last := request(opaque, 0, 1000, "client", nil)
		sent, expected = append(sent, frame(last)...), append(expected, frame(answerTo(last))...)
		piece := rapid.SampledFrom([]int{1, 3, 7, 100, 4096, 65536, 1 << 20}).Draw(rt, "bytes per write")
		written := make(chan error, 1)
		go func() { written <- writeInPieces(c, sent, piece) }()
		got := make([]byte, len(expected))
		_, err := io.ReadFull(c, got)
		require.NoError(rt, err)
		require.NoError(rt, <-written)
		require.True(rt, bytes.Equal(expected, got), "what the client got")
		require.True(rt, bytes.Equal(sent, u.forget()), "what the broker got")
	})
}

// drawRequest draws one that is not read beyond its header.
func drawRequest(t *rapid.T, correlation int32) []byte {
	size := rapid.OneOf(rapid.IntRange(0, 200), rapid.IntRange(64<<10-100, 64<<10+100), rapid.IntRange(0, 2<<20)).Draw(t, "payload bytes")
	payload := make([]byte, size)
	seed := rapid.Byte().Draw(t, "payload")
	for i := range payload {
		payload[i] = seed + byte(i*7)
	}
	client := rapid.StringN(0, 20, 60).Draw(t, "client")
	key := rapid.SampledFrom([]kmsg.Key{opaque, kmsg.ApiVersions, kmsg.Heartbeat, kmsg.ListOffsets, kmsg.SASLAuthenticate, kmsg.Produce}).Draw(t, "key")
	if key == kmsg.Produce {
		noTransaction, noAcks := []byte{0xff, 0xff}, []byte{0, 0}
		return request(key, 7, correlation, client, append(append(noTransaction, noAcks...), payload...))
	}
	return request(key, int16(rapid.IntRange(0, 3).Draw(t, "version")), correlation, client, payload)
}

// writeInPieces writes all; pieces grow, since a byte each takes for ever.
func writeInPieces(w io.Writer, b []byte, piece int) error {
	for n := 0; len(b) > 0; n++ {
		if n > 1000 {
			piece = 1 << 20
		}
		part := b[:min(piece, len(b))]
		if _, err := w.Write(part); err != nil {
			return err
		}
		b = b[len(part):]
	}
	return nil
}

// A client that does not read makes the broker wait: the proxy holds no more
// than it may, however much there is.
func TestASlowReaderMakesTheOtherSideWait(t *testing.T) {
	const (
		frames, frameBytes = 25, 8 << 20
		mostHeld           = 512 << 10 // by both lanes
		mostInKernel       = 64 << 20  // in the buffers of four sockets
	)
	u := startUpstream(t)
	big := make([]byte, frameBytes)
	u.answer = func(r []byte) []byte { copy(big, r[4:8]); return big }
	p := startWith(t, options(u.address()))
	c := dial(t, p.Bootstrap())
	require.NoError(t, c.SetReadBuffer(64<<10))
	for n := range frames {
		c.send(request(opaque, 0, int32(n), "client", nil))
	}
	awaitStandstill(t, p)
	runtime.GC()
	before := heapBytes()
	buffer, read, highest := make([]byte, 1<<20), int64(0), uint64(0)
	for read < frames*(frameBytes+4) {
		require.LessOrEqual(t, wire.Held(p), mostHeld, "bytes in the proxy")
		require.LessOrEqual(t, p.Counters().ToClient-read, int64(mostHeld+mostInKernel), "bytes that the broker was ahead")
		highest = max(highest, before, heapBytes())
		n, err := c.Read(buffer)
		require.NoError(t, err)
		read += int64(n)
	}
	require.Equal(t, int64(frames*(frameBytes+4)), p.Counters().ToClient)
	require.Less(t, highest-before, uint64(64<<20), "growth of the heap")
	t.Logf("heap: %d B before, at most %d B while %d B passed", before, highest, read)
}

// awaitStandstill waits until nothing has passed for a while: a reader that
// begins then begins where the other side is as far ahead as it gets.
func awaitStandstill(t *testing.T, p *wire.Proxy) {
	t.Helper()
	last, looks := wire.Counters{}, 0
	eventually(t, "the flow to stop", func() bool {
		now := p.Counters()
		if looks++; now != last {
			last, looks = now, 0
		}
		return looks > 50
	})
}

func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func TestFramesThatAreNoneEndTheConnection(t *testing.T) {
	for _, test := range []struct {
		name, says string
		bytes      []byte
	}{
		{"negative size", "that is no Kafka frame", []byte{0xff, 0xff, 0xff, 0xff}},
		{"too long", "a frame says that it has 1000000001 bytes", []byte{0x3b, 0x9a, 0xca, 0x01}},
		{"shorter than a header", "the frame ends within its header", frame([]byte{0, 1})},
		{"client id longer than the frame", "the frame ends within its header", frame(request(opaque, 0, 1, "client", nil)[:12])},
		{"TLS", "a TLS cluster cannot be put behind the proxy", []byte{0x16, 0x03, 0x01, 0x02, 0x00, 0x01}},
		{"SASL without framing", "SaslHandshake version 0", frame(request(kmsg.SASLHandshake, 0, 1, "client", nil))},
		{"a version that nobody knows", "Metadata version 99 is newer than what the proxy can read", frame(request(kmsg.Metadata, 99, 1, "client", nil))},
		{"a Produce without acks", "Produce: the frame ends within its header", frame(request(kmsg.Produce, 9, 1, "client", nil))},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := startUpstream(t)
			p, record := startProxy(t, u.address())
			c := dial(t, p.Bootstrap())
			_, err := c.Write(test.bytes)
			require.NoError(t, err)
			c.expectEnd()
			settle(t, p, "")
			require.Len(t, record.log(), 1)
			require.Contains(t, record.log()[0], test.says)
			require.Empty(t, u.received())
		})
	}
}

package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

const (
	// mostFrameBytes is the longest frame that passes: librdkafka's own limit
	// of message.max.bytes and of receive.message.max.bytes' order.
	mostFrameBytes = 1_000_000_000
	// mostHeldBytes is the longest frame that is decoded. A client asks for
	// fetch.max.bytes at most, by default 50 MiB.
	mostHeldBytes = 128 << 20
	// pieceBytes is what is read of a frame at once. All that decides a
	// frame's fate without decoding it stands in its first piece.
	pieceBytes = 64 << 10
	sizeBytes  = 4
	// mostAheadBytes is what is made room for before it has arrived.
	mostAheadBytes = 1 << 20
)

// source reads frames from one end of a connection.
type source struct{ r *bufio.Reader }

func newSource(r io.Reader) *source { return &source{bufio.NewReaderSize(r, pieceBytes)} }

// frame is a request or a response that has begun to arrive.
type frame struct {
	// first is the size field and what follows it, all of it if the frame is
	// not longer than a piece.
	first []byte
	// left are the bytes still to be read.
	left int
	r    *bufio.Reader
}

// next reads the beginning of the next frame.
func (s *source) next() (*frame, error) {
	var size [sizeBytes]byte
	if _, err := io.ReadFull(s.r, size[:]); err != nil {
		return nil, err
	}
	n := int32(binary.BigEndian.Uint32(size[:]))
	if n < 0 || n > mostFrameBytes {
		return nil, refusal{fmt.Errorf("a frame says that it has %d bytes: that is no Kafka frame", n)}
	}
	first := make([]byte, min(pieceBytes, sizeBytes+int(n)))
	copy(first, size[:])
	if _, err := io.ReadFull(s.r, first[sizeBytes:]); err != nil {
		return nil, unexpected(err)
	}
	return &frame{first: first, left: sizeBytes + int(n) - len(first), r: s.r}, nil
}

// body is what has been read of the frame, without its size.
func (f *frame) body() []byte { return f.first[sizeBytes:] }

// whole reads the rest of a frame that has to be decoded. It takes memory for
// the bytes that arrive, not for those that the frame says it has.
func (f *frame) whole() error {
	if len(f.first)+f.left > mostHeldBytes {
		return refusal{fmt.Errorf("a frame of %d bytes would have to be held to be decoded, and %d is the most", len(f.first)+f.left, mostHeldBytes)}
	}
	if f.left == 0 {
		return nil
	}
	all := bytes.NewBuffer(f.first)
	all.Grow(min(f.left, mostAheadBytes) + bytes.MinRead)
	n, err := io.CopyN(all, f.r, int64(f.left))
	f.left -= int(n)
	f.first = all.Bytes()
	return unexpected(err)
}

// pass hands the frame on piece by piece; last is true with its last piece.
func (f *frame) pass(put func(piece []byte, last bool)) error {
	put(f.first, f.left == 0)
	for f.left > 0 {
		piece := make([]byte, min(pieceBytes, f.left))
		if _, err := io.ReadFull(f.r, piece); err != nil {
			return unexpected(err)
		}
		f.left -= len(piece)
		put(piece, f.left == 0)
	}
	return nil
}

// skip reads the rest of a frame that nobody gets.
func (f *frame) skip() error {
	n, err := io.CopyN(io.Discard, f.r, int64(f.left))
	f.left -= int(n)
	return unexpected(err)
}

// unexpected says that an end within a frame is not the end of a connection.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// refusal is why the proxy ends a connection, other than that an end left.
type refusal struct{ error }

// Unwrap returns the reason.
func (r refusal) Unwrap() error { return r.error }

package message

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// MinSize is the smallest value that holds a message: the header alone, in bytes.
const MinSize = 48

// Header identifies a message. It is the first 48 bytes of the value,
// little-endian:
//
//	 0  magic          u32   "dbm1"
//	 4  checksum       u32   CRC-32C (RFC 3720, appendix B.4) of everything after it
//	 8  run tag        u64
//	16  producer       u32
//	20  attempt        u32
//	24  sequence       u64
//	32  intended time  i64   nanoseconds on CLOCK_MONOTONIC
//	40  sent time      i64   nanoseconds on CLOCK_MONOTONIC
//	48  payload
//
// The magic is compared as a whole, so every bit of the value is checked.
type Header struct {
	// Tag is the run's, so that a leftover or foreign message is noticed.
	Tag uint64
	// Producer and Sequence are the message's identity. Sequence is dense from 0 per producer.
	Producer uint32
	// Attempt is the application's attempt at sending it, from 0; in a relayed
	// message the relay's incarnation. A publisher's count on from its incarnation.
	Attempt  uint32
	Sequence uint64
	// Intended is when the message was due, Sent when produce was called, in
	// nanoseconds on CLOCK_MONOTONIC.
	Intended int64
	Sent     int64
}

// Errors of Decode and Peek.
var (
	// ErrForeign means that the value is not a benchmark message: it is too
	// short or does not start with the magic.
	ErrForeign = errors.New("message: not a benchmark message")
	// ErrCorrupt means that a benchmark message does not match its checksum.
	ErrCorrupt = errors.New("message: checksum does not match")
)

// Offsets of the fields, in bytes.
const (
	magicAt    = 0
	checksumAt = 4
	tagAt      = 8
	producerAt = 16
	attemptAt  = 20
	sequenceAt = 24
	intendedAt = 32
	sentAt     = 40
)

// magic reads "dbm1" in the value's bytes.
const magic uint32 = 'd' | 'b'<<8 | 'm'<<16 | '1'<<24

// castagnoli selects CRC-32C, which the processor computes.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode writes the header into the first MinSize bytes of value, whose
// payload is already in place: the checksum covers it. A value shorter than
// MinSize panics.
func Encode(value []byte, h Header) {
	put(value, h)
	seal(value)
}

// put writes everything of the header but the checksum.
func put(value []byte, h Header) {
	_ = value[MinSize-1] // one bounds check for all the writes below
	binary.LittleEndian.PutUint32(value[magicAt:], magic)
	binary.LittleEndian.PutUint64(value[tagAt:], h.Tag)
	binary.LittleEndian.PutUint32(value[producerAt:], h.Producer)
	binary.LittleEndian.PutUint32(value[attemptAt:], h.Attempt)
	binary.LittleEndian.PutUint64(value[sequenceAt:], h.Sequence)
	binary.LittleEndian.PutUint64(value[intendedAt:], uint64(h.Intended))
	binary.LittleEndian.PutUint64(value[sentAt:], uint64(h.Sent))
}

// Readdress makes value, a message that Decode accepted, another attempt at
// the same message: only attempt, sent time and checksum change. A value
// shorter than MinSize panics.
func Readdress(value []byte, attempt uint32, sent int64) {
	_ = value[MinSize-1]
	binary.LittleEndian.PutUint32(value[attemptAt:], attempt)
	binary.LittleEndian.PutUint64(value[sentAt:], uint64(sent))
	seal(value)
}

// Decode returns the header after checking the whole value, payload included.
// The error is ErrForeign or ErrCorrupt; the header is then empty.
func Decode(value []byte) (Header, error) {
	h, err := Peek(value)
	if err != nil {
		return Header{}, err
	}
	if binary.LittleEndian.Uint32(value[checksumAt:]) != checksum(value) {
		return Header{}, ErrCorrupt
	}
	return h, nil
}

// Peek returns the header without checking it against the checksum, for the
// sender's own values. The error is ErrForeign.
func Peek(value []byte) (Header, error) {
	if len(value) < MinSize || binary.LittleEndian.Uint32(value[magicAt:]) != magic {
		return Header{}, ErrForeign
	}
	return Header{
		Tag:      binary.LittleEndian.Uint64(value[tagAt:]),
		Producer: binary.LittleEndian.Uint32(value[producerAt:]),
		Attempt:  binary.LittleEndian.Uint32(value[attemptAt:]),
		Sequence: binary.LittleEndian.Uint64(value[sequenceAt:]),
		Intended: int64(binary.LittleEndian.Uint64(value[intendedAt:])),
		Sent:     int64(binary.LittleEndian.Uint64(value[sentAt:])),
	}, nil
}

func seal(value []byte) {
	binary.LittleEndian.PutUint32(value[checksumAt:], checksum(value))
}

// checksum covers what follows its own field. The magic before it needs none:
// it is compared as a whole.
func checksum(value []byte) uint32 {
	return crc32.Checksum(value[tagAt:], castagnoli)
}

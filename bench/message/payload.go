package message

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"

	"deliverybench/bench/profile"
)

// How much different payload there is at least; a power of two of payloads makes
// it up to twice as much. For a codec it is more than the largest usual batch
// (1 MiB), so that it finds no repeats in one that would make it compress better
// than the entropy says. Without a codec nobody looks, and what is copied from
// should stay in the processor's cache.
const (
	codecPoolBytes = 2 << 20
	plainPoolBytes = 32 << 10
)

// Payload holds what the messages' payloads are copied from. It is read only
// after it was made, and may be shared by many goroutines.
type Payload struct {
	pool []byte
	size int // of one payload
	// sums are the checksum registers of the payloads in the pool, and advance
	// carries a register over one of them: see Seal.
	sums    []uint32
	advance register
}

// NewPayload draws payloads for values of size bytes, header included, from
// the seed. The share entropy of each payload, from its start, is random and
// does not compress; the rest is one repeated byte, which compresses to almost
// nothing. compressed says that the producer compresses. A size below MinSize and an entropy outside 0 to 1 are errors.
func NewPayload(seed uint64, size int, entropy profile.Share, compressed bool) (*Payload, error) {
	if size < MinSize {
		return nil, fmt.Errorf("message: load.message.size is %d B: use at least %d B, the header", size, MinSize)
	}
	if !(entropy >= 0 && entropy <= 1) {
		return nil, fmt.Errorf("message: load.message.entropy is %v: use 0%% to 100%%", float64(entropy))
	}
	p := &Payload{size: size - MinSize}
	if p.size == 0 {
		return p, nil
	}
	pool := plainPoolBytes
	if compressed {
		pool = codecPoolBytes
	}
	slots := 1 << bits.Len(uint((pool-1)/p.size)) // a power of two: see slot
	p.pool = make([]byte, slots*p.size)
	random := int(math.Round(float64(entropy) * float64(p.size)))
	source := rand.NewChaCha8(chachaSeed(seed))
	for i := range p.pool {
		p.pool[i] = 'x'
	}
	for slot := range slots {
		payload := p.pool[slot*p.size:][:random]
		source.Read(payload) // never fails
	}
	p.advance = newRegister(p.size)
	p.sums = make([]uint32, slots)
	for slot := range slots {
		p.sums[slot] = run(0, p.pool[slot*p.size:][:p.size])
	}
	return p, nil
}

// Seal writes message n whole: its payload as Fill does, then its header as
// Encode does, at a fraction of Encode's time. The payloads in the pool never
// change, so their part of the checksum is worked out once (checksum.go), and
// only the header's 40 bytes are summed per message.
func (p *Payload) Seal(value []byte, n int64, h Header) {
	if p.size == 0 {
		Encode(value, h)
		return
	}
	slot := p.slot(n)
	copy(value[MinSize:], p.pool[slot*p.size:][:p.size])
	put(value, h)
	header := run(^uint32(0), value[tagAt:MinSize])
	binary.LittleEndian.PutUint32(value[checksumAt:], ^(p.advance.over(header) ^ p.sums[slot]))
}

// Fill copies the payload of message n (from 0) to its place in value, behind
// the header. The value has the size that NewPayload was given.
func (p *Payload) Fill(value []byte, n int64) {
	if p.size == 0 {
		return
	}
	copy(value[MinSize:], p.pool[p.slot(n)*p.size:][:p.size])
}

// slot is which payload of the pool message n has. A mask finds it, where another
// number of slots would take a division.
func (p *Payload) slot(n int64) int { return int(n) & (len(p.sums) - 1) }

// chachaSeed spreads a short seed over the generator's long one.
func chachaSeed(seed uint64) (long [32]byte) {
	for i := range 4 {
		word := Mix(seed + uint64(i))
		for j := range 8 {
			long[8*i+j] = byte(word >> (8 * j))
		}
	}
	return long
}

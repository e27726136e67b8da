package worker

import (
	"context"

	"deliverybench/bench/message"
	"deliverybench/bench/profile"
)

// sharedReadings is how many messages in a row that are due already may share a
// reading of the clock: handing over that many takes some 8 µs, and a reading
// costs as much as the rest of what is measured of a message. Whatever blocks in
// between ends the sharing.
const sharedReadings = 8

// sharedBytes is up to which size of a message a reading of the clock is
// shared: copying or checking eight of them takes less than 5 µs.
const sharedBytes = 4096

// reading is what a producer works out at one reading of the clock: the messages
// that are due by then, with their intended times and their values. All of that
// comes before the first of them is handed over, since every call into the client
// displaces our code and data from the processor's caches: done between the
// calls, the same work takes longer.
type reading struct {
	most       int64 // messages that may share one
	now        int64
	first, end int64 // the sequences of those that do
	over       bool  // time has passed since: what is left of them needs another one
	intended   [sharedReadings]int64
	values     [sharedReadings][]byte
}

// newReading makes room for the values of one reading's messages; struck says that
// something may strike between them.
func newReading(s profile.Settings, struck bool) reading {
	r := reading{most: sharedReadings}
	// Where a producer waits between messages anyway, each has its own.
	if struck || s.Producer.Outstanding > 0 || s.Pipeline == profile.ByOutbox || s.Load.Message.Size > sharedBytes {
		r.most = 1
	}
	for n := range r.most {
		r.values[n] = make([]byte, s.Load.Message.Size)
	}
	return r
}

// holds reports whether message seq, which comes after those handed over before,
// is one of this reading's.
func (r *reading) holds(seq int64) bool { return seq < r.end && !r.over }

// drop ends the sharing, because time passes that no message of this reading
// spent waiting to be handed over.
func (r *reading) drop() { r.over = true }

// message returns one of the reading's. Its value may be used until the next reading.
func (r *reading) message(seq int64) (attempt, []byte) {
	n := seq - r.first
	return attempt{seq: seq, intended: r.intended[n]}, r.values[n]
}

// awaitDue returns when message seq is due, at rate: max at once, and has it in
// p.reading with those after it, before end, that are due as well. All before seq
// were handed over.
func (p *producer) awaitDue(ctx context.Context, start, seq, end int64) error {
	r := &p.reading
	if r.holds(seq) {
		return nil
	}
	p.recordLag(seq)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	now, err := p.waiter.Wait(ctx, p.intended(start, seq, start))
	if err != nil {
		return err
	}
	if p.measured < 0 && now >= p.windowStart {
		p.measured = seq
	}
	r.now, r.first, r.end, r.over = now, seq, seq, false
	// The first one that is not due may be of the pacer's next block, which takes
	// 0.1 ms to draw (pace/poisson.go).
	for ; r.end < min(end, seq+r.most); r.end++ {
		intended := p.intended(start, r.end, now)
		if intended > now {
			break
		}
		r.intended[r.end-seq] = intended
		p.seal(r.values[r.end-seq], attempt{seq: r.end, intended: intended}, now)
	}
	return nil
}

// intended is when message seq is due: by the schedule, or at rate: max at unpaced.
func (p *producer) intended(start, seq, unpaced int64) int64 {
	if p.pacer == nil {
		return unpaced
	}
	return start + int64(p.pacer.At(seq))
}

// recordLag records how late the reading's messages before next were handed over.
func (p *producer) recordLag(next int64) {
	if p.pacer == nil {
		return // none is late
	}
	r := &p.reading
	for seq := r.first; seq < min(next, r.end); seq++ {
		if intended := r.intended[seq-r.first]; p.sending.measures(intended) {
			p.sendLag.Record(r.now, r.now-intended)
		}
	}
	r.first = r.end // recorded; only another reading follows
}

// seal writes an attempt's message, sent now.
func (p *producer) seal(value []byte, a attempt, now int64) {
	p.payload.Seal(value, a.seq, message.Header{
		Tag: p.env.spec.RunTag, Producer: uint32(p.env.spec.Number), Attempt: a.number,
		Sequence: uint64(a.seq), Intended: a.intended, Sent: now,
	})
}

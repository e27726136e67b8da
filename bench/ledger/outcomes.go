package ledger

import (
	"bytes"
	"fmt"
)

// Outcome is what the producer knows about a message. The order is the one in
// which attempts merge: the highest that any attempt reached is the message's.
type Outcome uint8

const (
	NotSent  Outcome = iota // never handed to the client
	Rejected                // every attempt certainly not appended
	Aborted                 // aborted on purpose, with its transaction
	Unknown                 // at least one attempt may be in the log
	Sent                    // acks=0: handed to the network, no answer expected
	Acked                   // the broker, or the transaction's commit, answered yes
	outcomes = iota
)

// String returns the outcome as Verdict.Table spells it.
func (o Outcome) String() string {
	if int(o) >= outcomes {
		return fmt.Sprintf("outcome(%d)", uint8(o))
	}
	return [outcomes]string{"not_sent", "rejected", "aborted", "unknown", "sent", "acked"}[o]
}

// inFlight marks an attempt that has begun and has no report. The bits below
// it hold what the attempts before came to.
const inFlight = 0x10

// Outcomes is one producer's plane. A byte is the Outcome merged over the
// attempts that ended, and a mark while one is under way. An attempt that
// never ends, because its process was killed, is thereby unknown.
//
// Stores are plain. Calls about different messages may come from different
// goroutines at once; calls about one message must be ordered. They are where
// one goroutine calls Begin and then hands the message to the client, and
// another calls Acked after it received the report: the client passes both on
// through channels or calls into C, which order memory. Another attempt is
// begun only after the report of the one before was handled.
type Outcomes struct {
	bytes []byte // the producer's Capacity bytes of the plane
	plane *plane
}

func outcomesFile(producer int) string { return fmt.Sprintf("outcomes-%d", producer) }

// OpenOutcomes opens the producer's plane for writing and creates it where
// needed. A restarted producer finds what its predecessor marked.
func OpenOutcomes(dir string, producer int) (*Outcomes, error) {
	l, err := ReadLayout(dir)
	if err != nil {
		return nil, err
	}
	if producer < 0 || producer >= l.Producers {
		return nil, fmt.Errorf("ledger: producer %d: the layout has 0 to %d", producer, l.Producers-1)
	}
	p, err := openPlane(dir, outcomesFile(producer), l.Capacity, false)
	if err != nil {
		return nil, err
	}
	return &Outcomes{bytes: p.bytes[:l.Capacity:l.Capacity], plane: p}, nil
}

// Capacity returns how many sequences there are; from there on every method
// panics, as an index out of a slice's range does.
func (o *Outcomes) Capacity() int64 { return int64(len(o.bytes)) }

// Next returns the first sequence that was never begun: where a restarted
// producer goes on. It is Capacity when all were begun.
func (o *Outcomes) Next() int64 {
	if n := bytes.IndexByte(o.bytes, 0); n >= 0 {
		return int64(n)
	}
	return o.Capacity()
}

// Begin marks an attempt. It comes before the client's produce call, so that
// a message whose producer is killed in between is unknown, not "not sent".
func (o *Outcomes) Begin(seq int64) {
	b := o.bytes[seq]
	if b&inFlight != 0 { // the attempt before never got its report
		b = max(b, inFlight|byte(Unknown))
	}
	o.bytes[seq] = b | inFlight
}

// Acked ends an attempt: the broker has the message. Nothing outranks it. In
// a transaction call SettleRange with the outcome of the commit instead.
func (o *Outcomes) Acked(seq int64) { o.bytes[seq] = byte(Acked) }

// Sent ends an attempt with acks=0: the message was handed to the network.
func (o *Outcomes) Sent(seq int64) { o.Settle(seq, Sent) }

// Rejected ends an attempt with an error that proves "not appended".
func (o *Outcomes) Rejected(seq int64) { o.Settle(seq, Rejected) }

// Unknown ends an attempt with any other error.
func (o *Outcomes) Unknown(seq int64) { o.Settle(seq, Unknown) }

// Aborted ends an attempt whose transaction was aborted on purpose.
func (o *Outcomes) Aborted(seq int64) { o.Settle(seq, Aborted) }

// Settle ends an attempt: the message's outcome is the higher of this one and
// what it was.
func (o *Outcomes) Settle(seq int64, outcome Outcome) {
	o.bytes[seq] = max(o.bytes[seq]&^inFlight, byte(outcome))
}

// SettleRange ends the attempts that are under way of the sequences first ≤ s
// < end, which one transaction held: they all have the outcome of its commit or
// abort. A message that the client refused was never in it.
func (o *Outcomes) SettleRange(first, end int64, outcome Outcome) {
	part := o.bytes[first:end]
	for i, b := range part {
		if b&inFlight != 0 {
			part[i] = max(b&^inFlight, byte(outcome))
		}
	}
}

// Outcome returns what the message came to so far.
func (o *Outcomes) Outcome(seq int64) Outcome { return merged(o.bytes[seq]) }

// merged reads a plane's byte: an attempt without a report is unknown.
func merged(b byte) Outcome {
	if b&inFlight != 0 {
		return max(Outcome(b&^inFlight), Unknown)
	}
	return Outcome(b)
}

// Close unmaps the plane; what was marked stays in its file.
func (o *Outcomes) Close() error {
	o.bytes = nil
	return o.plane.close()
}

package wire

import "github.com/twmb/franz-go/pkg/kmsg"

// Hit is one strike of a rule.
type Hit struct {
	Rule string
	// At is when it struck, in nanoseconds of the caller's clock.
	At     int64
	Client string
	Broker string // its own address, not the proxy's
	// API is the request's, -1 if a connection was struck.
	API         kmsg.Key
	Version     int16
	Correlation int32
	// Records are those in a Produce request, Offsets those in an OffsetCommit
	// or a TxnOffsetCommit.
	Records, Offsets PerPartition
	// What happened, in plain words.
	What string
}

// Connection is the API of a hit on a connection.
const Connection kmsg.Key = -1

// Unanswered are the requests of one connection whose answers its client did
// not get, of those that bring something: Produce with an answer, OffsetCommit
// and TxnOffsetCommit. It is reported when the connection has ended and the
// broker has answered, or can be waited for no longer.
type Unanswered struct {
	// At is when the client's side of the connection ended.
	At       int64
	Client   string
	Broker   string
	Requests int
	// Records count those of Produce requests. Offsets are the highest ones
	// per partition of the commits.
	Records, Offsets Fates
}

// Fates are what the broker made of what the client never heard of.
type Fates struct {
	// Applied: the broker said so. It says so too of a batch from an
	// idempotent producer that it had already.
	Applied PerPartition
	// Absent: the broker never got it or turned it down.
	Absent PerPartition
	// Unknown: the broker got it and did not say, or its answer may have been
	// read by the client or not.
	Unknown PerPartition
}

func (f *Fates) of(which fate) *PerPartition {
	return [...]*PerPartition{untold: &f.Unknown, applied: &f.Applied, absent: &f.Absent}[which]
}

package ledger

// Verdict is what became of every message of one trial.
type Verdict struct {
	Due        int64 `json:"due"`
	NotSent    int64 `json:"not_sent"`
	Sent       int64 `json:"sent"` // acks=0: handed to the network, no answer expected
	Acked      int64 `json:"acked"`
	Rejected   int64 `json:"rejected"`
	Unknown    int64 `json:"unknown"`
	Aborted    int64 `json:"aborted"`
	Lost       Lost  `json:"lost"`
	Duplicates Dups  `json:"duplicates"`
	// UnknownAbsent are messages of unknown outcome that are not in the log: beside Lost, never in it.
	UnknownAbsent    int64 `json:"unknown_absent"`
	Reordered        int64 `json:"reordered"`
	Corrupt          int64 `json:"corrupt"`
	Foreign          int64 `json:"foreign"`
	AbortedDelivered int64 `json:"aborted_delivered"`
	// MultipleEffects are messages with more than one effect (without consumers:
	// more than one copy that readers see).
	MultipleEffects int64 `json:"multiple_effects"`
	// Undrained are present and unprocessed, at or past the committed offset;
	// when the consumers did not come to the end, before it too. Where an outbox's
	// publisher did not, they are acknowledged and not in the topic.
	Undrained int64 `json:"undrained"`
	// DeadLettered are without an effect, and in the dead-letter topic: neither
	// lost nor done.
	DeadLettered int64 `json:"dead_lettered,omitempty"`
	// Executions are effects begun, Effects those that count (in a relay: visible output copies).
	Executions int64 `json:"executions"`
	Effects    int64 `json:"effects"`
	// Saturated is how many counters reached their ceiling: 255, or attempt
	// number 7. What they count is then a lower bound.
	Saturated int64 `json:"saturated,omitempty"`
	// Table is the number of messages per "outcome/presence/handling" cell;
	// its sum is Due.
	Table map[string]int64 `json:"table"`
}

// Present returns the messages due that readers see in the input topic.
func (v Verdict) Present() (n int64) {
	for o := range Outcome(outcomes) {
		for h := range handling(handlings) {
			n += v.Table[cellName(o, present, h)]
		}
	}
	return n
}

// Lost are messages acked (or sent, for acks=0) without an effect.
type Lost struct {
	Total   int64 `json:"total"`
	Log     int64 `json:"log"`     // absent from the log, or not visible under read_committed
	Skipped int64 `json:"skipped"` // in the log, drained, no effect
}

// Dups are extra effects by cause.
type Dups struct {
	Total       int64 `json:"total"`
	Retried     int64 `json:"retried"`     // copies of one attempt: the client library's retry
	Resent      int64 `json:"resent"`      // further attempts: the application's resend
	Redelivered int64 `json:"redelivered"` // further effects of one copy
}

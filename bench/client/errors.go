package client

import (
	"errors"
	"fmt"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// Outcome is what a delivery report proves.
type Outcome uint8

const (
	// Acked: the broker confirmed the append.
	Acked Outcome = iota
	// Rejected: the error proves that the message is not in the log.
	Rejected
	// Unknown: the message may be in the log or not.
	Unknown
)

// ErrQueueFull says that the client's queue has no room: try again.
var ErrQueueFull = errors.New("the client's queue is full")

// refusesContent are the errors by which a broker refuses a batch for what is in
// it, which it does at every attempt alike, as long as nobody changes the topic
// in between. Every other error proves nothing: an earlier attempt of the same
// message may have been appended and its answer lost.
//
//   - Timeouts, disconnects, NOT_LEADER, NOT_ENOUGH_REPLICAS(_AFTER_APPEND): the
//     attempt that they are about may itself be in the log.
//   - TOPIC_AUTHORIZATION_FAILED: the right may have been taken away since.
//   - INVALID_TIMESTAMP: a message grows too old between two attempts.
//   - UNSUPPORTED_COMPRESSION_TYPE: the leader may have moved to another version.
var refusesContent = map[kafka.ErrorCode]bool{
	kafka.ErrMsgSizeTooLarge: true,
	kafka.ErrInvalidRecord:   true,
}

// batching is how the client library puts messages together.
type batching struct {
	// kept: a batch is sent again as it was, since its sequence numbers say what
	// it holds. Without idempotence a failed batch goes back to the queue, and its
	// messages into another one, with others.
	kept bool
	size int // bytes of the largest batch of more than one message
}

// constant says whether a message of that size is in the same batch at every
// attempt: in one that is kept, or alone, because no two have room.
func (b batching) constant(messageBytes int) bool { return b.kept || 2*messageBytes > b.size }

// outcomeOf is what a report's error proves about a message of that size.
func (b batching) outcomeOf(err error, messageBytes int) Outcome {
	if err == nil {
		return Acked
	}
	var ke kafka.Error
	if errors.As(err, &ke) && refusesContent[ke.Code()] && b.constant(messageBytes) {
		return Rejected
	}
	return Unknown
}

// Error is an error of the client library with what a caller must decide by.
type Error struct {
	Doing     string
	Err       error
	Fatal     bool // the client can do nothing more
	Retriable bool
	Abortable bool // the transaction must be aborted
	// Fenced: another incarnation took over, or the library cannot tell an
	// unreachable transaction coordinator from that.
	Fenced bool
	// Stuck: the library did not return in its time and may never; the producer
	// can only be given up.
	Stuck bool
	// Rebalanced: the group moved on; the member's generation is no longer valid.
	Rebalanced bool
	// Refused: the cluster does not let this client in, or not do this, and will
	// not the next time. Remedy is what helps.
	Refused bool
	Remedy  string
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %v", e.Doing, e.Err)
	if e.Remedy != "" {
		text = strings.TrimSuffix(text, ".") + "; " + e.Remedy
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// Broken reports whether the client can only be given up: it said so, or it hangs.
func (e *Error) Broken() bool { return e.Fatal || e.Stuck }

// Refused reports whether an error is the cluster's refusal, which lasts.
func Refused(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Refused
}

// wrap returns nil for nil.
func wrap(doing string, err error) error { return wrapOn(doing, "", "", err) }

// wrapOn is wrap for what needs a right on a topic.
func wrapOn(doing, right, topic string, err error) error {
	if err == nil {
		return nil
	}
	out := &Error{Doing: doing, Err: err}
	var ke kafka.Error
	if errors.As(err, &ke) {
		out.Fatal = ke.IsFatal() || ke.Code() == kafka.ErrFatal // what calls say after the fatal error itself
		out.Retriable = ke.IsRetriable()
		out.Abortable = ke.TxnRequiresAbort()
		switch ke.Code() {
		case kafka.ErrFenced, kafka.ErrProducerFenced, kafka.ErrInvalidProducerEpoch:
			out.Fenced = true
		case kafka.ErrIllegalGeneration, kafka.ErrUnknownMemberID, kafka.ErrRebalanceInProgress,
			kafka.ErrFencedInstanceID, kafka.ErrStaleMemberEpoch, kafka.ErrNoOffset, kafka.ErrAssignmentLost,
			kafka.ErrMaxPollExceeded:
			out.Rebalanced = true
		case kafka.ErrAuthentication, kafka.ErrSsl, kafka.ErrTransport:
			if t := diagnose(ke.Error()); t.Lasting {
				out.Err, out.Refused = t, true
			}
		}
		if missing := missingRight(ke.Code(), right, topic); missing != "" {
			out.Refused, out.Remedy = true, missing
		}
	}
	return out
}

// elsewhere reports whether asking again may find who leads or coordinates now.
func (e *Error) elsewhere() bool {
	var ke kafka.Error
	if !errors.As(e.Err, &ke) {
		return false
	}
	switch ke.Code() {
	case kafka.ErrFencedLeaderEpoch, kafka.ErrUnknownLeaderEpoch, kafka.ErrNotLeaderForPartition,
		kafka.ErrLeaderNotAvailable, kafka.ErrReplicaNotAvailable, kafka.ErrTransport, kafka.ErrAllBrokersDown,
		kafka.ErrTimedOut, kafka.ErrRequestTimedOut,
		kafka.ErrNotCoordinator, kafka.ErrCoordinatorNotAvailable, kafka.ErrCoordinatorLoadInProgress,
		kafka.ErrUnstableOffsetCommit,
		kafka.ErrNoent: // "No leaders found"
		return true
	}
	return false
}

// unknownTopic reports whether a broker has not heard of the topic: there is none,
// or not yet.
func (e *Error) unknownTopic() bool {
	var ke kafka.Error
	return errors.As(e.Err, &ke) && ke.Code() == kafka.ErrUnknownTopicOrPart
}

package client

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/stretchr/testify/require"
)

// Only an error that proves that no attempt was appended makes a message
// rejected. Everything else leaves it unknown: an earlier attempt may be in the
// log, its answer lost.
func TestOutcomeOfADeliveryReport(t *testing.T) {
	rejected := []kafka.ErrorCode{
		kafka.ErrMsgSizeTooLarge, kafka.ErrInvalidMsgSize, kafka.ErrInvalidTimestamp, kafka.ErrInvalidRecord,
		kafka.ErrTopicAuthorizationFailed, kafka.ErrUnsupportedCompressionType,
	}
	unknown := []kafka.ErrorCode{
		kafka.ErrMsgTimedOut, kafka.ErrTimedOut, kafka.ErrTimedOutQueue, kafka.ErrRequestTimedOut, kafka.ErrTransport,
		kafka.ErrAllBrokersDown, kafka.ErrNetworkException, kafka.ErrNotLeaderForPartition, kafka.ErrLeaderNotAvailable,
		kafka.ErrNotEnoughReplicas, kafka.ErrNotEnoughReplicasAfterAppend, kafka.ErrKafkaStorageError,
		kafka.ErrOutOfOrderSequenceNumber, kafka.ErrDuplicateSequenceNumber, kafka.ErrUnknownProducerID,
		kafka.ErrInvalidProducerEpoch, kafka.ErrProducerFenced, kafka.ErrFenced, kafka.ErrPurgeInflight,
		kafka.ErrPurgeQueue, kafka.ErrDestroy, kafka.ErrFail, kafka.ErrUnknown, kafka.ErrUnknownTopicOrPart,
		kafka.ErrUnknownTopic, kafka.ErrClusterAuthorizationFailed, kafka.ErrGaplessGuarantee, kafka.ErrInvalidMsg,
	}
	require.Len(t, notAppended, len(rejected), "every error that counts as rejected is listed here")
	for _, code := range rejected {
		require.Equal(t, Rejected, outcomeOf(kafka.NewError(code, "", false)), "%v", code)
		require.Equal(t, Rejected, outcomeOf(fmt.Errorf("produce: %w", kafka.NewError(code, "", false))), "%v", code)
	}
	for _, code := range unknown {
		require.Equal(t, Unknown, outcomeOf(kafka.NewError(code, "", false)), "%v", code)
	}
	require.Equal(t, Acked, outcomeOf(nil))
	require.Equal(t, Unknown, outcomeOf(errors.New("not the library's")))
	require.Equal(t, Unknown, outcomeOf(context.DeadlineExceeded))
}

// No code of the library is rejected but those listed.
func TestUnlistedErrorsAreUnknown(t *testing.T) {
	for code := kafka.ErrorCode(-300); code < 300; code++ {
		if code == kafka.ErrNoError || notAppended[code] {
			continue
		}
		require.Equal(t, Unknown, outcomeOf(kafka.NewError(code, "", false)), "%d", code)
	}
}

// wrap keeps the library's error and says what a caller must decide by.
func TestWrap(t *testing.T) {
	require.NoError(t, wrap("commit", nil))
	for _, test := range []struct {
		cause error
		want  Error
	}{
		{kafka.NewError(kafka.ErrFenced, "fenced", true), Error{Fatal: true, Fenced: true}},
		{kafka.NewError(kafka.ErrProducerFenced, "fenced", false), Error{Fenced: true}},
		{kafka.NewError(kafka.ErrIllegalGeneration, "moved on", false), Error{Rebalanced: true}},
		{kafka.NewError(kafka.ErrRebalanceInProgress, "moving", false), Error{Rebalanced: true}},
		{kafka.NewError(kafka.ErrUnknownMemberID, "gone", false), Error{Rebalanced: true}},
		{kafka.NewError(kafka.ErrTimedOut, "late", false), Error{}},
		{errors.New("not the library's"), Error{}},
	} {
		err := wrap("commit", test.cause)
		var got *Error
		require.ErrorAs(t, err, &got)
		require.ErrorIs(t, err, test.cause)
		require.Equal(t, "commit: "+test.cause.Error(), err.Error())
		test.want.Doing, test.want.Err = "commit", test.cause
		require.Equal(t, &test.want, got)
	}
}

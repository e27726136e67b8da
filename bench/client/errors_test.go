package client

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/stretchr/testify/require"
)

// Only an error that refuses a batch for what is in it makes a message rejected,
// and only where that batch is the same at every attempt. Everything else leaves
// the message unknown: an earlier attempt may be in the log, its answer lost.
func TestOutcomeOfADeliveryReport(t *testing.T) {
	const size = 1_000_000
	for _, test := range []struct {
		name    string
		b       batching
		message int
		refused Outcome
	}{
		{"a batch that is kept", batching{kept: true, size: size}, 100, Rejected},
		{"a message among others, put together anew", batching{size: size}, 100, Unknown},
		{"two that just fill a batch", batching{size: size}, size / 2, Unknown},
		{"one beside which no other has room", batching{size: size}, size/2 + 1, Rejected},
	} {
		for code := kafka.ErrorCode(-300); code < 300; code++ {
			want := Unknown
			switch code {
			case kafka.ErrNoError:
				continue
			case kafka.ErrMsgSizeTooLarge, kafka.ErrInvalidRecord:
				want = test.refused
			}
			err := kafka.NewError(code, "", false)
			require.Equal(t, want, test.b.outcomeOf(err, test.message), "%s: %v", test.name, code)
			require.Equal(t, want, test.b.outcomeOf(fmt.Errorf("produce: %w", err), test.message), "%s: %v", test.name, code)
		}
		require.Equal(t, Acked, test.b.outcomeOf(nil, test.message))
		require.Equal(t, Unknown, test.b.outcomeOf(errors.New("not the library's"), test.message))
		require.Equal(t, Unknown, test.b.outcomeOf(context.DeadlineExceeded, test.message))
	}
}

// What a broker refuses today it may have taken a moment ago: a right was taken
// away, a message grew old, the leader moved to a node of another version.
func TestARefusalThatMayHaveBegunSinceProvesNothing(t *testing.T) {
	kept := batching{kept: true}
	for _, code := range []kafka.ErrorCode{
		kafka.ErrTopicAuthorizationFailed, kafka.ErrClusterAuthorizationFailed, kafka.ErrInvalidTimestamp,
		kafka.ErrUnsupportedCompressionType, kafka.ErrUnknownTopicOrPart, kafka.ErrNotEnoughReplicas,
	} {
		require.Equal(t, Unknown, kept.outcomeOf(kafka.NewError(code, "", false), 100), "%v", code)
	}
}

func TestHowMessagesArePutTogether(t *testing.T) {
	for _, test := range []struct {
		properties Properties
		want       batching
	}{
		{Properties{"batch.size": "16384", "enable.idempotence": "false"}, batching{size: 16384}},
		{Properties{"batch.size": "16384", "enable.idempotence": "true"}, batching{kept: true, size: 16384}},
		{Properties{"batch.size": "16384", "transactional.id": "t"}, batching{kept: true, size: 16384}},
		{Properties{}, batching{size: math.MaxInt}},
	} {
		require.Equal(t, test.want, test.properties.batching())
	}
	alone := batching{size: math.MaxInt}
	require.False(t, alone.constant(1<<30), "a size that is not known is never full")
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

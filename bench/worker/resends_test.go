package worker

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/client"
	"deliverybench/bench/message"
)

// What failed is sent again as its next attempt, as often as the profile says; a
// message that is refused for what it is would only be refused again.
func TestWhatIsResent(t *testing.T) {
	for name, c := range map[string]struct {
		attempt uint32
		outcome client.Outcome
		err     error
		want    []attempt
	}{
		"timed out":            {0, client.Unknown, &client.Error{Err: errors.New("timed out")}, []attempt{{seq: 5, intended: 9, number: 1}}},
		"timed out again":      {1, client.Unknown, &client.Error{Err: errors.New("timed out")}, []attempt{{seq: 5, intended: 9, number: 2}}},
		"for the last time":    {2, client.Unknown, &client.Error{Err: errors.New("timed out")}, nil},
		"too large":            {0, client.Rejected, &client.Error{Err: errors.New("too large")}, nil},
		"refused for a moment": {0, client.Rejected, &client.Error{Err: errors.New("wait"), Retriable: true}, []attempt{{seq: 5, intended: 9, number: 1}}},
	} {
		r := resends{most: 2}
		r.add(&message.Header{Sequence: 5, Intended: 9, Attempt: c.attempt}, &client.Report{Outcome: c.outcome, Err: c.err})
		require.EqualValues(t, len(c.want), r.waiting.Load(), name)
		require.Equal(t, c.want, r.take(), name)
		require.Empty(t, r.take(), name)
	}
}

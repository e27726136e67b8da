package sink_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
)

// letters are the messages that tell of n effects, every second one without a key.
func letters(from, n int) []sink.Outgoing {
	all := make([]sink.Outgoing, n)
	for i := range all {
		all[i].Value = fmt.Appendf(nil, "message %d \x00\xff'", from+i)
		if i%2 == 0 {
			all[i].Key = fmt.Appendf(nil, "key %d", from+i)
		}
	}
	return all
}

// Effects and messages are written together or not at all; what is published is
// cleared, and what is not comes again, the oldest first.
func TestOutbox(t *testing.T) {
	for _, place := range places(t) {
		t.Run(string(place.database), func(t *testing.T) {
			target := place.made(t, profile.UniqueKey, profile.AddToBalance)
			writer, publisher := opened(t, target), opened(t, target)
			there := func(most int) []sink.Outgoing {
				t.Helper()
				got, err := publisher.Outbox(t.Context(), most)
				require.NoError(t, err)
				return got
			}
			require.Empty(t, there(10))

			sent := letters(0, 30)
			unseen := false
			require.NoError(t, writer.ApplyWith(t.Context(), messages(0, 30), sent, func() { unseen = len(there(10)) == 0 }))
			require.True(t, unseen, "nothing is seen before the commit")
			got := there(20)
			require.Len(t, got, 20)
			for i := range got {
				require.Equal(t, [2][]byte{sent[i].Key, sent[i].Value}, [2][]byte{got[i].Key, got[i].Value})
			}
			require.Equal(t, got, there(20), "until it is cleared")

			for range 2 { // once more changes nothing
				require.NoError(t, publisher.Clear(t.Context(), got[:15]))
			}
			require.Equal(t, got[15:], there(5))
			require.Len(t, there(100), 15)
			require.NoError(t, publisher.Clear(t.Context(), nil))

			// An effect that cannot be written leaves no message.
			outside := messages(30, 2)
			outside[1].Account = accounts
			require.ErrorContains(t, writer.ApplyWith(t.Context(), outside, letters(30, 2), nil), "1 of a batch's 2 accounts are not in")
			require.Len(t, there(100), 15)
			requireBooks(t, target, messages(0, 30), 1)
		})
	}
}

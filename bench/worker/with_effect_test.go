package worker

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/client"
	"deliverybench/bench/ledger"
	"deliverybench/bench/message"
	"deliverybench/bench/pace"
	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
)

// A message that the client library returns twice, within a batch or after it was
// stored, is in the database already: it has one effect, as a message whose offset
// lies with its effect always has.
func TestWhatTheDatabaseHasIsNotDoneAgain(t *testing.T) {
	dir, layout := t.TempDir(), ledger.Layout{Producers: 1, Capacity: 5}
	require.NoError(t, ledger.Create(dir, layout))
	marks, err := ledger.OpenEffects(dir, 0, 0)
	require.NoError(t, err)
	target := sink.Target{Database: profile.SQLite, Address: filepath.Join(dir, "effects.sqlite"),
		Write: profile.Insert, Effect: profile.AddToBalance, Accounts: 1}
	require.NoError(t, sink.Create(t.Context(), target))
	env := &environment{clock: pace.NewClock(), events: newEvents(io.Discard), log: io.Discard,
		spec: Spec{RunTag: 7, Sink: &target, Ledger: dir, Latency: filepath.Join(dir, "consumer"), Settings: profile.Defaults()}}
	c := &consumer{env: env, owned: map[int32]bool{0: true}}
	c.effect = &effect{env: env, counts: &c.counts, layout: layout, marks: marks, together: sharedReadings}
	c.effect.store, err = openStore(t.Context(), env, nil)
	require.NoError(t, err)
	require.NoError(t, c.effect.begin(0))
	c.strategy = &withEffect{consumer: c, at: client.Offsets{}}

	for _, polled := range [][]int64{{0, 1, 1, 2}, {2}, {2, 3, 4}} {
		for _, offset := range polled {
			value := make([]byte, message.MinSize)
			message.Encode(value, message.Header{Tag: 7, Sequence: uint64(offset)})
			c.hand = append(c.hand, record{partition: 0, offset: offset, value: value})
		}
		require.NoError(t, c.settle())
		require.Empty(t, c.hand)
	}
	require.NoError(t, c.effect.close())
	rows := map[int64]int64{}
	_, err = sink.Audit(t.Context(), target, func(_ int, sequence, copies int64) error { rows[sequence] = copies; return nil })
	require.NoError(t, err)
	require.Equal(t, map[int64]int64{0: 1, 1: 1, 2: 1, 3: 1, 4: 1}, rows)
	require.EqualValues(t, 5, c.counts.effects.Load())
}

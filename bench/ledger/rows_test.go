package ledger

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
)

// What a database holds decides, whatever the workers began and the topics hold.
func TestRowsAreTheEffects(t *testing.T) {
	for _, pipeline := range []profile.Pipeline{profile.Consume, profile.RelayTo} {
		tr := newTrial(t, Layout{Producers: 1, Capacity: 8, Relay: pipeline == profile.RelayTo, Rows: true})
		for seq := range int64(6) {
			tr.end(seq, []Outcome{Acked, Acked, Acked, Acked, Unknown, Acked}[seq])
			if seq != 5 { // acknowledged and gone
				tr.copy(seq, 0, true, seq == 3)
			}
			tr.effects(0, int(seq), seq)
			if tr.layout.Relay {
				tr.output(seq, true)
			}
		}
		tr.effects(1, 0, 2)
		in := Inputs{Due: []int64{6}, Pipeline: pipeline, Effects: ByRows, Drained: true}
		tr.close()
		_, err := Settle(tr.dir, in)
		require.ErrorContains(t, err, "the database was not asked to its end")

		rows, err := OpenRows(tr.dir)
		require.NoError(t, err)
		rows.Add(0, 1)
		rows.Add(2, 2)
		rows.Add(7, 1) // nobody sent it
		rows.Add(99, 3)
		require.NoError(t, errors.Join(rows.Finish(), rows.Close()))
		v, err := Settle(tr.dir, in)
		require.NoError(t, err)
		require.Equal(t, Lost{Total: 2, Log: 1, Skipped: 1}, v.Lost)
		require.Equal(t, Dups{Total: 1, Redelivered: 1}, v.Duplicates)
		require.Equal(t, [3]int64{3, 7, 1}, [3]int64{v.Effects, v.Executions, v.Undrained})
		require.Equal(t, int64(4), v.Foreign)

		var entries []Entry
		require.NoError(t, EachEntry(tr.dir, in, func(e Entry) { entries = append(entries, e) }))
		require.Equal(t, []Entry{
			{Sequence: 0, Owed: true, Rows: 1, Visible: 1},
			{Sequence: 1, Owed: true, Visible: 1}, // skipped
			{Sequence: 2, Owed: true, Rows: 2, Visible: 1},
			{Sequence: 3, Visible: 1}, // to be drained
			{Sequence: 4, Visible: 1}, // nobody knows of it
			{Sequence: 5, Owed: true}, // lost from the log
		}, entries)
	}
}

// A worker that does not know whether its batch was committed writes it again:
// the broker delivered nothing twice.
func TestRowsThatWereWrittenAgain(t *testing.T) {
	tr := newTrial(t, Layout{Producers: 1, Capacity: 1, Rows: true})
	tr.end(0, Acked)
	tr.copy(0, 0, true, false)
	tr.effects(0, 0, 0)
	tr.close()
	rows, err := OpenRows(tr.dir)
	require.NoError(t, err)
	rows.Add(0, 2)
	require.NoError(t, errors.Join(rows.Finish(), rows.Close()))
	v, err := Settle(tr.dir, Inputs{Due: []int64{1}, Pipeline: profile.Consume, Effects: ByRows, Drained: true})
	require.NoError(t, err)
	require.Equal(t, Dups{Total: 1, Retried: 1}, v.Duplicates)
	require.Equal(t, int64(1), v.MultipleEffects)
}

// What was set aside is owed no row, and neither is what may yet be drained.
func TestWhatIsOwedARow(t *testing.T) {
	tr := newTrial(t, Layout{Producers: 1, Capacity: 4, Rows: true})
	for seq := range int64(4) {
		tr.end(seq, Acked)
		tr.copy(seq, 0, true, seq == 2)
	}
	tr.deadLetter(0)
	tr.deadLetter(1)
	tr.close()
	rows, err := OpenRows(tr.dir)
	require.NoError(t, err)
	rows.Add(1, 1) // its processing failed once, and a successor's did not
	require.NoError(t, errors.Join(rows.Finish(), rows.Close()))
	owed := map[int64]bool{}
	in := Inputs{Due: []int64{4}, Pipeline: profile.Consume, Effects: ByRows, Drained: true}
	require.NoError(t, EachEntry(tr.dir, in, func(e Entry) { owed[e.Sequence] = e.Owed }))
	require.Equal(t, map[int64]bool{0: false, 1: true, 2: false, 3: true}, owed)
}

// Rows that nothing was made ready for are refused.
func TestRowsNeedTheirPlane(t *testing.T) {
	tr := newTrial(t, Layout{Producers: 1, Capacity: 1})
	tr.close()
	_, err := OpenRows(tr.dir)
	require.ErrorContains(t, err, "create the layout with Rows")
	_, err = Settle(tr.dir, Inputs{Due: []int64{1}, Pipeline: profile.Consume, Effects: ByRows})
	require.ErrorContains(t, err, "create the layout with Rows")
	_, err = Settle(tr.dir, Inputs{Due: []int64{1}, Pipeline: profile.Consume, Effects: ByOutputs})
	require.ErrorContains(t, err, "has no outputs to count as effects")
}

// Where nobody consumes, a message that has no row although it was acknowledged is
// owed one, wherever in the log it lies; and nothing is skipped or undrained.
func TestRowsWithoutConsumers(t *testing.T) {
	tr := newTrial(t, Layout{Producers: 1, Capacity: 4, Rows: true})
	for seq, outcome := range []Outcome{Acked, Acked, Acked, Unknown} {
		tr.end(int64(seq), outcome)
	}
	for _, seq := range []int64{0, 1, 3} {
		tr.copy(seq, 0, true, true)
	}
	tr.close()
	rows, err := OpenRows(tr.dir)
	require.NoError(t, err)
	rows.Add(0, 1)
	rows.Add(2, 1)
	require.NoError(t, rows.Finish())
	require.NoError(t, rows.Close())
	in := Inputs{Due: []int64{4}, Pipeline: profile.ByOutbox, Drained: true}
	v, err := Settle(tr.dir, in)
	require.NoError(t, err)
	require.Equal(t, Lost{Total: 1, Log: 1}, v.Lost)
	require.Equal(t, [2]int64{3, 0}, [2]int64{v.Present(), v.Undrained})
	var entries []Entry
	require.NoError(t, EachEntry(tr.dir, in, func(e Entry) { entries = append(entries, e) }))
	require.Equal(t, []Entry{
		{Sequence: 0, Owed: true, Rows: 1, Visible: 1},
		{Sequence: 1, Owed: true, Visible: 1},
		{Sequence: 2, Owed: true, Rows: 1}, // its message was never sent
		{Sequence: 3, Visible: 1},
	}, entries)

	// Where the publisher was not done, the message may wait in its outbox.
	in.Drained, in.Unpublished = false, true
	v, err = Settle(tr.dir, in)
	require.NoError(t, err)
	require.Equal(t, Lost{}, v.Lost)
	require.Equal(t, [2]int64{3, 1}, [2]int64{v.Present(), v.Undrained})
	want := slices.Clone(entries)
	want[2].Waiting = true
	entries = nil
	require.NoError(t, EachEntry(tr.dir, in, func(e Entry) { entries = append(entries, e) }))
	require.Equal(t, want, entries)
}

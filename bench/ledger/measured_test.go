package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEffectsBetweenCountsTheWindowOfEachProducer(t *testing.T) {
	dir := t.TempDir()
	l := Layout{Producers: 2, Capacity: 100_000}
	require.NoError(t, Create(dir, l))
	mark := func(worker int, producer int, sequences ...int64) {
		e, err := OpenEffects(dir, worker, 0)
		require.NoError(t, err)
		for _, s := range sequences {
			index, ok := l.Index(producer, s)
			require.True(t, ok)
			e.Mark(index)
		}
		require.NoError(t, e.Close())
	}
	mark(0, 0, 9, 10, 11, 11, 50_000, 69_999, 70_000) // 10 ≤ s < 70,000: five
	mark(1, 1, 0, 1, 99_999)                          // 1 ≤ s < 100,000: two
	mark(2, 0, 10)                                    // another worker's: one

	sum, err := EffectsBetween(dir, []int64{10, 1}, []int64{70_000, 100_000})
	require.NoError(t, err)
	require.EqualValues(t, 8, sum)
}

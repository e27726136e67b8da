package worker

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/client"
)

func TestBatchOffsetsAreThoseOfANaiveScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		position := map[int32]int64{}
		var b batch
		starts, nexts := client.Offsets{}, client.Offsets{}
		for _, p := range rapid.SliceOfN(rapid.Int32Range(0, 3), 0, 40).Draw(t, "partitions") {
			offset := position[p] + rapid.Int64Range(0, 2).Draw(t, "gap") // control records take offsets
			position[p] = offset + 1
			b = append(b, record{partition: p, offset: offset})
			if _, ok := starts[p]; !ok {
				starts[p] = offset
			}
			nexts[p] = offset + 1
		}
		require.Equal(t, starts, b.starts())
		require.Equal(t, nexts, b.nexts())

		kept := map[int32]bool{0: true, 2: true}
		var want []int64
		for _, r := range b {
			if kept[r.partition] {
				want = append(want, r.offset)
			}
		}
		var got []int64
		for _, r := range b.without(kept) {
			got = append(got, r.offset)
		}
		require.Equal(t, want, got)
	})
}

// What lies before a place, and what comes twice, is left out; the order stays.
func TestBatchFromPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		places := client.Offsets(rapid.MapOfN(rapid.Int32Range(0, 2), rapid.Int64Range(0, 5), 0, 3).Draw(t, "places"))
		var b, want batch
		for n := range rapid.IntRange(0, 20).Draw(t, "messages") {
			r := record{partition: rapid.Int32Range(0, 2).Draw(t, "partition"), offset: rapid.Int64Range(0, 9).Draw(t, "offset"), value: []byte{byte(n)}}
			b = append(b, r)
			behind := r.offset >= places[r.partition]
			for _, earlier := range b[:n] {
				behind = behind && (earlier.partition != r.partition || earlier.offset < r.offset)
			}
			if behind {
				want = append(want, r)
			}
		}
		before := maps.Clone(places)
		require.Equal(t, want, append(batch(nil), b.from(places)...))
		require.Equal(t, before, places)
	})
	require.Len(t, batch{{offset: 3}}.from(nil), 1)
}

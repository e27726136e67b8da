package profile

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAStormIsItsSeeds(t *testing.T) {
	pool := []Fault{{Kill: LeaderRole}, {Cut: ProducerRole}, {LoseRequest: "end-txn", Of: RelayRole}}
	const every, window = Duration(5 * time.Second), Duration(20 * time.Minute)
	one := storm(pool, every, window, 1)
	require.Equal(t, one, storm(pool, every, window, 1))
	require.NotEqual(t, one, storm(pool, every, window, 2))
}

// A draw in the window's last millisecond is still in the window.
func TestAStormsLastStrike(t *testing.T) {
	const window = Duration(20 * time.Minute)
	drawn := storm([]Fault{{Kill: LeaderRole}}, Duration(time.Second), window, 0x178b3)
	require.Equal(t, window-Duration(time.Millisecond), drawn[len(drawn)-1].At.Offset)
}

// The number of faults is Poisson with the mean window ÷ every, its standard
// deviation the root of that; every one of the pool is drawn.
func TestAStormsDensity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool := make([]Fault, rapid.IntRange(1, 5).Draw(t, "kinds"))
		for i := range pool {
			pool[i].Partition = i
		}
		window := Duration(20 * time.Minute)
		drawn := storm(pool, Duration(time.Second), window, rapid.Uint64().Draw(t, "seed"))
		const mean = 1200
		require.InDelta(t, mean, len(drawn), 6*math.Sqrt(mean))
		kinds := map[int]int{}
		for i, f := range drawn {
			kinds[f.Partition]++
			require.Less(t, f.At.Offset, window)
			if i > 0 {
				require.LessOrEqual(t, drawn[i-1].At.Offset, f.At.Offset)
			}
		}
		share := float64(len(drawn)) / float64(len(pool))
		for _, n := range kinds {
			require.InDelta(t, share, n, 6*math.Sqrt(share))
		}
		require.Len(t, kinds, len(pool))
	})
}

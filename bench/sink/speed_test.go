package sink_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
)

// BenchmarkApply tells effects per second, one writer with batches of 500.
func BenchmarkApply(b *testing.B) {
	const size = 500
	for _, p := range places(b) {
		for _, write := range []profile.SinkWrite{profile.Insert, profile.UniqueKey, profile.CheckThenAct, "with-effect"} {
			b.Run(fmt.Sprintf("%s/%s", p.database, write), func(b *testing.B) {
				target := p.target(b)
				target.Write, target.Effect, target.Accounts = write, profile.AddToBalance, 1000
				if write == "with-effect" {
					target.Write = profile.Insert
				}
				require.NoError(b, sink.Create(b.Context(), target))
				defer func() { require.NoError(b, sink.Drop(b.Context(), target)) }()
				w := opened(b, target)
				n := 0
				for b.Loop() {
					batch := messages(n*size, size)
					var err error
					if first := batch[0].Offset; write == "with-effect" {
						err = w.ApplyAt(b.Context(), batch, map[int32]int64{1: first}, map[int32]int64{1: first + size})
					} else {
						err = w.Apply(b.Context(), batch)
					}
					require.NoError(b, err)
					n++
				}
				b.ReportMetric(float64(n*size)/b.Elapsed().Seconds(), "effects/s")
			})
		}
	}
}

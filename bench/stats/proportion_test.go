package stats

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The bounds are those of R's binom.test, to four digits.
func TestProportionInterval(t *testing.T) {
	for _, c := range []struct {
		p      Proportion
		lo, hi float64
		text   string
	}{
		{Proportion{0, 10}, 0, 0.3085, "0 of 10 (95 % CI 0–31 %)"},
		{Proportion{10, 10}, 0.6915, 1, "10 of 10 (95 % CI 69–100 %)"},
		{Proportion{7, 12}, 0.2767, 0.8483, "7 of 12 (95 % CI 28–85 %)"},
		{Proportion{1, 1}, 0.0250, 1, "1 of 1 (95 % CI 2–100 %)"},
		{Proportion{0, 0}, 0, 1, None},
	} {
		lo, hi := c.p.Interval()
		require.InDelta(t, c.lo, lo, 5e-5, "%v", c.p)
		require.InDelta(t, c.hi, hi, 5e-5, "%v", c.p)
		require.Equal(t, c.text, c.p.String())
	}
}

// Summed over what can come out, the interval holds the true probability at
// least 95 % of the time.
func TestProportionCovers(t *testing.T) {
	const trials = 8
	for _, p := range []float64{0.01, 0.1, 0.25, 0.5, 0.9} {
		covered, chance := 0.0, 0.0
		for k := 0; k <= trials; k++ {
			chance = choose(trials, k)
			for range k {
				chance *= p
			}
			for range trials - k {
				chance *= 1 - p
			}
			if lo, hi := (Proportion{k, trials}).Interval(); lo <= p && p <= hi {
				covered += chance
			}
		}
		require.GreaterOrEqual(t, covered, Confidence, "p = %v", p)
	}
}

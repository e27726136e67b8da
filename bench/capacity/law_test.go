package capacity

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func samplesOf(l Law, ns ...float64) (all []Sample) {
	for _, n := range ns {
		all = append(all, Sample{n, l.At(n)})
	}
	return all
}

func requireLaw(t require.TestingT, want, got Law, tolerance float64) {
	require.InEpsilon(t, want.Lambda, got.Lambda, tolerance)
	require.InDelta(t, want.Sigma, got.Sigma, tolerance)
	require.InDelta(t, want.Kappa, got.Kappa, tolerance)
}

// Exact data gives the coefficients back.
func TestFitIsExact(t *testing.T) {
	for name, law := range map[string]Law{
		"contention and coherency": {Lambda: 995.65, Sigma: 0.02671, Kappa: 0.000769}, // of the order of Gunther's SDET example
		"Amdahl":                   {Lambda: 5000, Sigma: 0.1},
		"linear":                   {Lambda: 1000},
		"coherency alone":          {Lambda: 3, Kappa: 0.01},
		"retrograde from two on":   {Lambda: 800, Sigma: 0.3, Kappa: 0.25},
	} {
		for _, ns := range [][]float64{{1, 2, 3}, {1, 2, 4, 8, 16}, {2, 5, 9, 9, 30}} {
			got, err := Fit(samplesOf(law, ns...))
			require.NoError(t, err, name)
			requireLaw(t, law, got, 1e-6)
			require.InDelta(t, 1, got.R2, 1e-9, name)
			require.Equal(t, ns[len(ns)-1], got.Largest)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		law := Law{
			Lambda: rapid.Float64Range(1, 1e6).Draw(t, "λ"), Sigma: rapid.Float64Range(0, 1).Draw(t, "σ"), Kappa: rapid.Float64Range(0, 0.5).Draw(t, "κ"),
		}
		got, err := Fit(samplesOf(law, 1, 2, 3, 4, 6))
		require.NoError(t, err)
		requireLaw(t, law, got, 1e-6)
	})
}

// By hand: the peak is √((1 − σ)/κ), and X(20) = 1000 × 20/(1 + 0.02 × 19 + 0.0005 × 380).
func TestLawByHand(t *testing.T) {
	l := Law{Lambda: 1000, Sigma: 0.02, Kappa: 0.0005, Distinct: 3}
	require.InDelta(t, 20_000/1.57, l.At(20), 1e-9)
	peak, ok := l.Peak()
	require.True(t, ok)
	require.InDelta(t, math.Sqrt(0.98/0.0005), peak, 1e-12) // 44.27
	n, most := l.Best()
	require.Equal(t, 44.0, n)
	require.Greater(t, most, l.At(45))
	require.Zero(t, l.Spare())

	_, ok = Law{Lambda: 1, Sigma: 0.25}.Peak()
	require.False(t, ok)
	n, most = Law{Lambda: 100, Sigma: 0.25}.Best()
	require.Equal(t, []float64{math.Inf(1), 400}, []float64{n, most}, "Amdahl's limit is λ/σ")
	_, most = Law{Lambda: 100}.Best()
	require.True(t, math.IsInf(most, 1))
	n, most = Law{Lambda: 100, Sigma: 1.5}.Best()
	require.Equal(t, []float64{1, 100}, []float64{n, most})
}

func TestLeastAgainstCounting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Law{Lambda: rapid.Float64Range(1, 1000).Draw(t, "λ"), Sigma: rapid.Float64Range(0, 1).Draw(t, "σ"), Kappa: rapid.Float64Range(1e-3, 0.5).Draw(t, "κ")}
		needed := rapid.Float64Range(0.1, 5000).Draw(t, "needed")
		want := 0
		for n := 1; n <= 200 && want == 0; n++ {
			if l.At(float64(n)) >= needed {
				want = n
			}
		}
		got, ok := l.Least(needed)
		require.Equal(t, want > 0, ok)
		require.Equal(t, want, got)
	})
}

// With noise the fit obeys its bounds and is no worse, by the measure it
// minimises, than the truth or anything near itself.
func TestFitWithNoise(t *testing.T) {
	worth := func(l Law, samples []Sample) (sum float64) {
		for _, s := range samples {
			e := s.PerSecond/l.At(s.N) - 1 // N/X̂ beside N/X
			sum += e * e
		}
		return sum
	}
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		truth := Law{Lambda: 1000, Sigma: rapid.Float64Range(0, 0.5).Draw(t, "σ"), Kappa: rapid.Float64Range(0, 0.05).Draw(t, "κ")}
		var samples []Sample
		for _, n := range []float64{1, 2, 3, 4, 6, 8} {
			samples = append(samples, Sample{n, truth.At(n) * math.Exp(0.1*random.NormFloat64())})
		}
		got, err := Fit(samples)
		require.NoError(t, err)
		require.Greater(t, got.Lambda, 0.0)
		require.GreaterOrEqual(t, min(got.Sigma, got.Kappa), 0.0)
		least := worth(got, samples) * (1 + 1e-6)
		require.LessOrEqual(t, least, worth(truth, samples)*(1+1e-5)+1e-12)
		for range 50 {
			other := Law{
				Lambda: got.Lambda * math.Exp(0.05*random.NormFloat64()),
				Sigma:  math.Abs(got.Sigma + 0.02*random.NormFloat64()), Kappa: math.Abs(got.Kappa + 0.005*random.NormFloat64()),
			}
			require.LessOrEqual(t, least, worth(other, samples)*(1+1e-5)+1e-12)
		}
	})
}

func TestFitRefuses(t *testing.T) {
	_, err := Fit([]Sample{{1, 10}, {2, 20}, {2, 21}, {1, 11}})
	require.ErrorIs(t, err, ErrTooFew)
	require.ErrorContains(t, err, "and there are 2")
	for _, bad := range []Sample{{0, 1}, {1, 0}, {1, math.NaN()}, {math.NaN(), 1}, {1, math.Inf(1)}} {
		_, err = Fit([]Sample{{1, 10}, {2, 20}, {3, 30}, bad})
		require.Error(t, err, "%v", bad)
	}
	same, err := Fit([]Sample{{1, 10}, {2, 10}, {3, 10}})
	require.NoError(t, err)
	require.True(t, math.IsNaN(same.R2), "nothing varies")
	require.InDelta(t, 1, same.Sigma, 1e-6)
}

package pace_test

import (
	"fmt"
	"math"
	"math/big"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/pace"
	"deliverybench/bench/profile"
)

func load(arrivals profile.Arrivals, rate profile.Rate) profile.Load {
	return profile.Load{
		Rate: rate, Arrivals: arrivals, RampFrom: 10, BurstMessages: 100,
		Warmup: profile.Duration(time.Second), Duration: profile.Duration(9 * time.Second),
	}
}

func newPacer(t require.TestingT, load profile.Load) pace.Pacer {
	pacer, err := pace.New(load, 0, 1, 7)
	require.NoError(t, err)
	return pacer
}

func TestConstantIsEvenlySpaced(t *testing.T) {
	pacer := newPacer(t, load(profile.Constant, 20_000))
	require.Equal(t, time.Duration(0), pacer.At(0))
	require.Equal(t, 50*time.Microsecond, pacer.At(1))
	require.Equal(t, time.Second, pacer.At(20_000))
	require.Equal(t, int64(20_000), pacer.Count(time.Second))
	require.Equal(t, int64(20_001), pacer.Count(time.Second+1))
	require.Equal(t, int64(0), pacer.Count(0))
	require.Equal(t, int64(0), pacer.Count(-time.Second))
}

func TestConstantDoesNotDrift(t *testing.T) {
	for _, rate := range []float64{3, 7, 333.333333, 0.000001, 0.1, 999_999_937, 1e9} {
		pacer := newPacer(t, load(profile.Constant, profile.Rate(rate)))
		for _, n := range []int64{0, 1, 999, 1_000_000_007, 3_000_000_000_001} {
			exact := new(big.Int).Mul(big.NewInt(n), big.NewInt(1e15))
			exact.Quo(exact, big.NewInt(int64(math.Round(rate*1e6))))
			want := int64(math.MaxInt64)
			if exact.IsInt64() {
				want = exact.Int64()
			}
			require.Equal(t, time.Duration(want), pacer.At(n), "rate %v, message %d", rate, n)
		}
	}
}

func TestBurstIsDueAtOnceAndAveragesTheRate(t *testing.T) {
	pacer := newPacer(t, load(profile.Burst, 1000))
	for n := range int64(1000) {
		require.Equal(t, time.Duration(n/100)*100*time.Millisecond, pacer.At(n))
	}
	require.Equal(t, int64(100), pacer.Count(1))
	require.Equal(t, int64(100), pacer.Count(100*time.Millisecond))
	require.Equal(t, int64(200), pacer.Count(100*time.Millisecond+1))
	require.Equal(t, int64(1_000_000), pacer.Count(1000*time.Second))
}

func TestRampReachesTheRateAndHoldsIt(t *testing.T) {
	// 10/s to 1010/s in 10 s is (10 + 1010) / 2 × 10 = 5100 messages.
	pacer := newPacer(t, load(profile.Ramp, 1010))
	require.Equal(t, time.Duration(0), pacer.At(0))
	require.Equal(t, int64(5100), pacer.Count(10*time.Second))
	require.Equal(t, 10*time.Second, pacer.At(5100))
	require.Equal(t, 11*time.Second, pacer.At(5100+1010))
	// Half the time in: 10 × 5 + 100 × 25 / 2 = 1300 messages.
	require.Equal(t, 5*time.Second, pacer.At(1300))
	// A thousand million messages later the distance is still exact.
	require.Equal(t, time.Duration(10+1_000_000)*time.Second, pacer.At(5100+1010*1_000_000))

	down := load(profile.Ramp, 0.5)
	down.RampFrom = 1_000_000
	require.Equal(t, int64(5_000_003), newPacer(t, down).Count(10*time.Second))

	fromZero := load(profile.Ramp, 100)
	fromZero.RampFrom = 0
	require.Equal(t, int64(500), newPacer(t, fromZero).Count(10*time.Second))
}

func TestPoissonMeanRateIsExact(t *testing.T) {
	pacer := newPacer(t, load(profile.Poisson, 20_000))
	const block = 1 << 14
	for _, blocks := range []int64{1, 2, 1_000_000} {
		messages := blocks * block
		require.Equal(t, time.Duration(messages)*50*time.Microsecond, pacer.At(messages))
		require.Equal(t, messages, pacer.Count(time.Duration(messages)*50*time.Microsecond))
	}
}

// The gaps pass the Kolmogorov-Smirnov test against the exponential
// distribution at the 1 % level: D < 1.628 / √n.
func TestPoissonGapsAreExponential(t *testing.T) {
	pacer := newPacer(t, load(profile.Poisson, 1000))
	const count = 50_000
	gaps := make([]float64, count)
	for n := range gaps {
		gaps[n] = (pacer.At(int64(n)+1) - pacer.At(int64(n))).Seconds()
	}
	sort.Float64s(gaps)
	var distance float64
	for i, gap := range gaps {
		theory := 1 - math.Exp(-gap*1000)
		distance = max(distance, math.Abs(theory-float64(i)/count), math.Abs(theory-float64(i+1)/count))
	}
	require.Less(t, distance, 1.628/math.Sqrt(count))
}

// Counts in windows much shorter than a block pass the χ² test against the
// Poisson distribution with mean 5 at the 1 % level (12 degrees of freedom: 26.22).
func TestPoissonCountsAreIndependent(t *testing.T) {
	pacer := newPacer(t, load(profile.Poisson, 1000))
	const windows, mean, classes = 20_000, 5.0, 13
	var observed [classes]float64
	for i := range int64(windows) {
		within := pacer.Count(time.Duration(i+1)*5*time.Millisecond) - pacer.Count(time.Duration(i)*5*time.Millisecond)
		observed[min(within, classes-1)]++
	}
	var statistic, below float64
	for k := range classes {
		logGamma, _ := math.Lgamma(float64(k + 1))
		probability := math.Exp(float64(k)*math.Log(mean) - mean - logGamma)
		if k == classes-1 {
			probability = 1 - below
		}
		below += probability
		expected := probability * windows
		statistic += (observed[k] - expected) * (observed[k] - expected) / expected
	}
	require.Less(t, statistic, 26.22)
}

func TestPoissonDependsOnTheSeedOnly(t *testing.T) {
	schedule := load(profile.Poisson, 1000)
	forward, backward := newPacer(t, schedule), newPacer(t, schedule)
	other, err := pace.New(schedule, 0, 1, 8)
	require.NoError(t, err)
	const count = 40_000
	want := make([]time.Duration, count)
	var same int
	for n := range want {
		want[n] = forward.At(int64(n))
		if other.At(int64(n)) == want[n] {
			same++
		}
	}
	for n := count - 1; n >= 0; n-- {
		require.Equal(t, want[n], backward.At(int64(n)))
	}
	require.Less(t, same, 10)
}

func drawLoad(t *rapid.T) profile.Load {
	return profile.Load{
		Rate:          profile.Rate(rapid.Float64Range(0.5, 5000).Draw(t, "rate")),
		RampFrom:      profile.Rate(rapid.Float64Range(0, 5000).Draw(t, "ramp from")),
		BurstMessages: rapid.IntRange(1, 50).Draw(t, "burst"),
		Warmup:        profile.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "warmup")),
		Duration:      profile.Duration(rapid.Int64Range(1, int64(time.Second)).Draw(t, "duration")),
		Arrivals: rapid.SampledFrom([]profile.Arrivals{
			profile.Constant, profile.Poisson, profile.Ramp, profile.Burst,
		}).Draw(t, "arrivals"),
	}
}

// Count is the number of messages that At puts into the window, found by
// counting them.
func TestCountAgreesWithAt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		producers := rapid.IntRange(1, 5).Draw(t, "producers")
		producer := rapid.IntRange(0, producers-1).Draw(t, "producer")
		pacer, err := pace.New(drawLoad(t), producer, producers, rapid.Uint64().Draw(t, "seed"))
		require.NoError(t, err)
		window := time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "window"))
		if rapid.Bool().Draw(t, "at a message") {
			window = pacer.At(rapid.Int64Range(0, 3000).Draw(t, "message"))
		}
		var due int64
		var last time.Duration
		for at := pacer.At(0); at < window; at = pacer.At(due) {
			require.GreaterOrEqual(t, at, last)
			last = at
			due++
		}
		require.Equal(t, due, pacer.Count(window))
	})
}

// The producers' schedules together are exactly the schedule of one producer.
func TestProducersShareTheSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schedule, seed := drawLoad(t), rapid.Uint64().Draw(t, "seed")
		producers := rapid.IntRange(1, 7).Draw(t, "producers")
		total, err := pace.New(schedule, 0, 1, seed)
		require.NoError(t, err)
		window := time.Duration(rapid.Int64Range(0, int64(10*time.Second)).Draw(t, "window"))
		var due int64
		for producer := range producers {
			part, err := pace.New(schedule, producer, producers, seed)
			require.NoError(t, err)
			due += part.Count(window)
			for n := range int64(20) {
				require.Equal(t, total.At(n*int64(producers)+int64(producer)), part.At(n))
			}
		}
		require.Equal(t, total.Count(window), due)
	})
}

// Far out, where a sum of gaps would have drifted, every schedule still keeps
// its order and agrees with its own count.
func TestSchedulesHoldFarOut(t *testing.T) {
	for _, arrivals := range []profile.Arrivals{profile.Constant, profile.Poisson, profile.Ramp, profile.Burst} {
		t.Run(string(arrivals), func(t *testing.T) {
			pacer := newPacer(t, load(arrivals, 12_345.678))
			const far = 1_000_000_000
			last := pacer.At(far - 1)
			for n := int64(far); n < far+1000; n++ {
				at := pacer.At(n)
				require.GreaterOrEqual(t, at, last)
				last = at
			}
			window := pacer.At(far)
			count := pacer.Count(window)
			require.GreaterOrEqual(t, pacer.At(count), window)
			require.Less(t, pacer.At(count-1), window)
		})
	}
}

func TestHugeNumbersSaturate(t *testing.T) {
	for _, arrivals := range []profile.Arrivals{profile.Constant, profile.Poisson, profile.Ramp, profile.Burst} {
		pacer, err := pace.New(load(arrivals, pace.LowestRate), 1, 3, 0)
		require.NoError(t, err)
		require.Equal(t, time.Duration(math.MaxInt64), pacer.At(math.MaxInt64), arrivals)
		fast, err := pace.New(load(arrivals, pace.HighestRate), 0, 1, 0)
		require.NoError(t, err)
		require.Positive(t, fast.Count(math.MaxInt64), arrivals)
	}
}

func TestNewRefusesWhatHasNoSchedule(t *testing.T) {
	for name, c := range map[string]struct {
		change              func(*profile.Load)
		producer, producers int
		want                string
	}{
		"no producers":      {func(*profile.Load) {}, 0, 0, "at least one"},
		"producer too high": {func(*profile.Load) {}, 2, 2, "number producers from 0"},
		"max":               {func(l *profile.Load) { l.Rate = profile.RateMax }, 0, 1, "max"},
		"zero":              {func(l *profile.Load) { l.Rate = 0 }, 0, 1, "load.rate is 0"},
		"not a number":      {func(l *profile.Load) { l.Rate = profile.Rate(math.NaN()) }, 0, 1, "load.rate is NaN"},
		"too fast":          {func(l *profile.Load) { l.Rate = 2e9 }, 0, 1, "1e+09"},
		"ramp from":         {func(l *profile.Load) { l.Arrivals, l.RampFrom = profile.Ramp, -2 }, 0, 1, "load.ramp_from"},
		"no time to ramp": {func(l *profile.Load) {
			l.Arrivals, l.Warmup, l.Duration = profile.Ramp, 0, 0
		}, 0, 1, "a time to ramp over"},
		"empty burst": {func(l *profile.Load) { l.Arrivals, l.BurstMessages = profile.Burst, 0 }, 0, 1, "burst_messages"},
		"unknown":     {func(l *profile.Load) { l.Arrivals = "tidal" }, 0, 1, `"tidal"`},
	} {
		t.Run(name, func(t *testing.T) {
			given := load(profile.Constant, 1000)
			c.change(&given)
			_, err := pace.New(given, c.producer, c.producers, 0)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestAtDoesNotAllocate(t *testing.T) {
	for _, arrivals := range []profile.Arrivals{profile.Constant, profile.Poisson, profile.Ramp, profile.Burst} {
		pacer, err := pace.New(load(arrivals, 1000), 1, 3, 0)
		require.NoError(t, err)
		var n int64
		require.Zero(t, testing.AllocsPerRun(20_000, func() {
			pacer.At(n)
			n++
		}), arrivals)
	}
}

func BenchmarkAt(b *testing.B) {
	for _, arrivals := range []profile.Arrivals{profile.Constant, profile.Poisson, profile.Ramp, profile.Burst} {
		for _, producers := range []int{1, 3} {
			b.Run(fmt.Sprintf("%s/producers=%d", arrivals, producers), func(b *testing.B) {
				pacer, err := pace.New(load(arrivals, 50_000), 0, producers, 0)
				require.NoError(b, err)
				b.ReportAllocs()
				var n int64
				for b.Loop() {
					pacer.At(n)
					n++
				}
			})
		}
	}
}

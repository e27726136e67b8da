package stats

import (
	"fmt"
	"math"
	"slices"

	moremath "github.com/aclements/go-moremath/stats"
)

// Comparison sets repeated measurements beside a baseline's.
type Comparison struct {
	// Ratio is median ÷ baseline's median, with HasRatio: there is none without
	// samples, of a baseline of 0, and where a median is over range.
	Ratio    float64
	HasRatio bool
	// Least and Most are between which the ratio lies: itself; 0 or +Inf where that
	// end is not known, because a median is over range or there is no ratio.
	Least, Most float64
	// Lo and Hi are the 95 % interval of the ratio, both 0 where there are too few
	// repeats for one. A value over range leaves an end open: 0 or +Inf.
	// HasInterval is that both ends are known.
	Lo, Hi      float64
	HasInterval bool
	// P is the two-sided p-value of the test: Mann-Whitney's U.
	P float64
	// Significant is P < 0.05: the difference is more than the noise between repeats.
	Significant bool
	// Direction is 1 where the values rank above the baseline's, −1 below, 0 neither.
	Direction int
	// Missing is how many more repeats of the smaller side the U test needs
	// before it could find any difference; 0 when it could.
	Missing int
	// Tested is that a test could have found something.
	Tested       bool
	N, BaselineN int
	alike        bool // every value of both is the same
}

// Compare sets values beside baseline. Both must be in the same unit; rates and
// times are positive, and a baseline median of 0 gives no ratio.
func Compare(values, baseline []float64) Comparison {
	return compare(values, baseline, math.Inf(1))
}

// CompareLatencies is Compare of latencies in microseconds. One over range ranks
// above all others, and is no number to divide.
func CompareLatencies(micros, baseline []float64) Comparison {
	return compare(micros, baseline, OverRange)
}

// CompareCounts tells counts apart, by their ranks as the others and without a
// ratio. Those that came out the same in every repeat of either side are told apart
// by that, with fewer repeats than ranks need: Constant says whether they did.
func CompareCounts(counts, baseline []float64) Comparison {
	a, b := clean(counts), clean(baseline)
	c := rank(a, b)
	if c.alike || len(a) == 0 || len(b) == 0 {
		return c
	}
	chance := constantByChance(len(a), len(b))
	c.Tested = c.Tested || chance < 1-Confidence
	if Constant(a) && Constant(b) {
		c.P = min(c.P, chance)
		c.Significant = c.Tested && c.P < 1-Confidence
	}
	return c
}

// Constant reports whether values are all the same.
func Constant(values []float64) bool {
	return len(values) > 0 && slices.Min(values) == slices.Max(values)
}

// compare sets values beside baseline, of which those from limit on are known to be
// no less than that, and no more.
func compare(values, baseline []float64, limit float64) Comparison {
	a, b := clean(values), clean(baseline)
	c := rank(a, b)
	if len(a) == 0 || len(b) == 0 {
		return c
	}
	median, base := middle(a, limit), middle(b, limit)
	if base > 0 && base < limit {
		c.Least = median / base
	}
	if base > 0 && median < limit {
		c.Most = median / base
	}
	if c.HasRatio = c.Least == c.Most; c.HasRatio {
		c.Ratio = c.Least
	}
	var some bool
	if c.Lo, c.Hi, some = ratioInterval(a, b); !some || c.alike {
		c.Lo, c.Hi = 0, 0
		return c
	}
	above, below := a[len(a)-1] >= limit, b[len(b)-1] >= limit
	if c.HasInterval = !above && !below; above {
		c.Hi = math.Inf(1)
	}
	if below {
		c.Lo = 0
	}
	return c
}

// rank makes the U test of two sorted samples.
func rank(a, b []float64) Comparison {
	c := Comparison{N: len(a), BaselineN: len(b), P: 1, Most: math.Inf(1)}
	if len(a) == 0 || len(b) == 0 {
		return c
	}
	c.alike = a[0] == a[len(a)-1] && b[0] == b[len(b)-1] && a[0] == b[0]
	c.Missing = missingForTest(len(a), len(b))
	c.P, c.Direction = uTest(a, b)
	c.Tested = c.Missing == 0 && !c.alike
	c.Significant = c.Tested && c.P < 1-Confidence
	return c
}

// String writes the ratio as the table does: "1.12"; "~" for no significant
// difference; "1.12?" when there are too few repeats to tell; "–" for no ratio.
func (c Comparison) String() string {
	switch {
	case !c.HasRatio:
		return None
	case c.Significant:
		return Ratio(c.Ratio)
	case c.Missing > 0 && !c.alike:
		return Ratio(c.Ratio) + "?"
	}
	return "~"
}

// Interval writes the ratio with its interval, where it has one: "0.64× (95 % CI 0.53–0.81)".
func (c Comparison) Interval() string {
	if !c.HasRatio {
		return None
	}
	text := Ratio(c.Ratio) + "×"
	if c.HasInterval {
		text += fmt.Sprintf(" (95 %% CI %s)", Between(Ratio(c.Lo), Ratio(c.Hi)))
	}
	return text
}

// missingForTest returns by how many repeats the smaller side is too small for
// p < 0.05. The smallest two-sided p of samples of n and m is 2 ÷ C(n+m, n),
// reached when they do not overlap.
func missingForTest(n, m int) int {
	small, large := min(n, m), max(n, m)
	for missing := 0; ; missing++ {
		k := small + missing
		if 2/choose(k+max(large, k), k) < 1-Confidence {
			return missing
		}
	}
}

// constantByChance is a bound of how often n and m draws of one and the same thing,
// whatever its distribution, come out as one number n times and another m times. The
// n draws are some x, of probability p, with p^n; the m others are one and the same
// with (1 − p)^m at most; and of p^n × (1 − p)^m, added up over all x, there is no
// more than the largest p^(n−1) × (1 − p)^m. The sides may change places.
func constantByChance(n, m int) float64 {
	largest := func(a, b float64) float64 { return math.Pow(a/(a+b), a) * math.Pow(b/(a+b), b) }
	return min(largest(float64(n-1), float64(m)), largest(float64(m-1), float64(n)))
}

// choose is the binomial coefficient as a float: exact far beyond any number of repeats.
func choose(n, k int) float64 {
	c := 1.0
	for i := 1; i <= k; i++ {
		c = c * float64(n-k+i) / float64(i)
	}
	return c
}

// ratioInterval inverts the U test: a ratio r is believable as long as the test
// does not tell values from r × baseline, so the interval's ends are order
// statistics of all the pairwise ratios (Hodges-Lehmann, on the logarithm). The
// k-th from either end, with k the largest for which P(U < k) <= 2.5 %.
func ratioInterval(a, b []float64) (lo, hi float64, ok bool) {
	if a[0] <= 0 || b[0] <= 0 || len(a) > exactTest || len(b) > exactTest {
		return 0, 0, false
	}
	ratios := make([]float64, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			ratios = append(ratios, x/y)
		}
	}
	slices.Sort(ratios)
	u := moremath.UDist{N1: len(a), N2: len(b)}
	k := 0
	for u.CDF(float64(k)) <= (1-Confidence)/2 {
		k++
	}
	if k == 0 {
		return 0, 0, false
	}
	return ratios[k-1], ratios[len(ratios)-k], true
}

package stats

import (
	"fmt"
	"slices"

	moremath "github.com/aclements/go-moremath/stats"
	"golang.org/x/perf/benchmath"
)

// exactTest is the largest sample for which the U distribution is worked out
// exactly; its cost grows with the product of the sizes, and repeats are few.
const exactTest = 50

// Comparison sets repeated measurements beside a baseline's.
type Comparison struct {
	// Ratio is median ÷ baseline's median; 0 when there is none (no samples, or a baseline of 0).
	Ratio float64
	// Lo and Hi are the 95 % interval of the ratio; meaningful with HasInterval.
	Lo, Hi      float64
	HasInterval bool
	// P is the two-sided p-value of the Mann-Whitney U test.
	P float64
	// Significant is P < 0.05: the difference is more than the noise between repeats.
	Significant bool
	// Missing is how many more repeats of the smaller side the test needs
	// before it could find any difference; 0 when it could.
	Missing       int
	N, BaselineN  int
	Warnings      []Warning
	comparable    bool
	sameEverytime bool
}

// Compare sets values beside baseline. Both must be in the same unit; rates and
// latencies are positive, and a baseline median of 0 gives no ratio.
func Compare(values, baseline []float64) Comparison {
	a, _ := clean(values)
	b, _ := clean(baseline)
	c := Comparison{N: len(a), BaselineN: len(b), P: 1}
	if len(a) == 0 || len(b) == 0 {
		c.Warnings = append(c.Warnings, Warning{"nothing to compare with", "run the baseline in the same scenario"})
		return c
	}
	base := Summarise(b).Median
	if base == 0 {
		c.Warnings = append(c.Warnings, Warning{"the baseline's median is 0", "compare the numbers themselves"})
		return c
	}
	c.comparable = true
	c.Ratio = Summarise(a).Median / base
	c.sameEverytime = a[0] == a[len(a)-1] && b[0] == b[len(b)-1] && a[0] == b[0]
	c.Missing = missingForTest(len(a), len(b))
	if c.sameEverytime {
		return c // the U test refuses samples that are all alike
	}
	test := benchmath.AssumeNothing.Compare(newSample(a), newSample(b))
	c.P, c.Significant = test.P, test.P < test.Alpha
	c.Lo, c.Hi, c.HasInterval = ratioInterval(a, b)
	if c.Missing > 0 {
		c.Warnings = append(c.Warnings, Warning{
			fmt.Sprintf("%d and %d repeats cannot show a difference", c.N, c.BaselineN),
			fmt.Sprintf("%d more needed (repeats: %d)", c.Missing, SignificanceSamples),
		})
	}
	return c
}

// String writes the ratio as the table does: "1.12"; "~" for no significant
// difference; "1.12?" when there are too few repeats to tell; "–" for no ratio.
func (c Comparison) String() string {
	switch {
	case !c.comparable:
		return None
	case c.Significant:
		return Ratio(c.Ratio)
	case c.Missing > 0 && !c.sameEverytime:
		return Ratio(c.Ratio) + "?"
	}
	return "~"
}

// Interval writes the ratio with its interval, where it has one: "0.64× (95 % CI 0.53–0.81)".
func (c Comparison) Interval() string {
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

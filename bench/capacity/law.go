package capacity

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Sample is a capacity in messages per second at N workers or partitions.
type Sample struct{ N, PerSecond float64 }

// Law is the Universal Scalability Law (N. J. Gunther, "Guerrilla Capacity
// Planning", Springer 2007):
//
//	X(N) = λN / (1 + σ(N − 1) + κN(N − 1))
//
// λ is what one carries in messages per second, over 0. σ ≥ 0 is contention: the
// share of the work that is done one after another (alone it is Amdahl's law).
// κ ≥ 0 is coherency: what each pair costs to keep each other informed; with it,
// more can carry less.
type Law struct {
	Lambda, Sigma, Kappa float64
	// R2 is the coefficient of determination, 1 − Σ(X − X̂)² / Σ(X − X̄)²; NaN
	// where all the samples are the same.
	R2 float64
	// Distinct is at how many values of N there were samples.
	Distinct int
	Largest  float64 // of those
}

// lawSamples is how many values of N three coefficients need at the least.
const lawSamples = 3

// ErrTooFew is that the law has more coefficients than there are values of N.
var ErrTooFew = errors.New("the law has 3 coefficients and needs capacities at 3 values of N")

// Fit returns the law by least squares of the relative errors. N/X is linear in
// the coefficients,
//
//	N/X = (1 + σ(N − 1) + κN(N − 1)) / λ = a + b(N − 1) + cN(N − 1),
//
// so each row, divided by its N/X, is an ordinary least squares; relative, since
// the rungs from which capacities come are a constant ratio apart. b and c are
// not negative: of the fits with neither, either or both held at 0 the best that
// obeys is the constrained minimum, for the problem is convex.
func Fit(samples []Sample) (Law, error) {
	distinct, largest := map[float64]bool{}, 0.0
	for _, s := range samples {
		if !(s.N >= 1) || !(s.PerSecond > 0) || math.IsInf(s.N, 0) || math.IsInf(s.PerSecond, 0) {
			return Law{}, fmt.Errorf("a capacity of %v at N = %v is none to fit", s.PerSecond, s.N)
		}
		distinct[s.N], largest = true, max(largest, s.N)
	}
	if len(distinct) < lawSamples {
		return Law{}, fmt.Errorf("%w, and there are %d", ErrTooFew, len(distinct))
	}
	best, least := Law{}, math.Inf(1)
	for _, free := range [][]int{{0, 1, 2}, {0, 1}, {0, 2}, {0}} {
		law, left, ok := solve(samples, free)
		if ok && left < least {
			best, least = law, left
		}
	}
	if math.IsInf(least, 1) {
		return Law{}, errors.New("no law fits these capacities")
	}
	best.Distinct, best.Largest, best.R2 = len(distinct), largest, best.determination(samples)
	return best, nil
}

// solve is the least squares over the free columns (0: a, 1: b, 2: c), with what
// is left of the squares. Coefficients within the last bits of 0 are 0.
func solve(samples []Sample, free []int) (law Law, left float64, ok bool) {
	rows := mat.NewDense(len(samples), len(free), nil)
	ones := mat.NewVecDense(len(samples), nil)
	for i, s := range samples {
		terms := [3]float64{1, s.N - 1, s.N * (s.N - 1)}
		for j, column := range free {
			rows.Set(i, j, terms[column]*s.PerSecond/s.N)
		}
		ones.SetVec(i, 1)
	}
	var found, errs mat.VecDense
	if err := found.SolveVec(rows, ones); err != nil && !errors.As(err, new(mat.Condition)) {
		return law, 0, false
	}
	var c [3]float64
	for j, column := range free {
		c[column] = found.AtVec(j)
	}
	const bits = 1e-9
	for i := 1; i < 3; i++ {
		if math.Abs(c[i]) < bits*math.Abs(c[0]) {
			c[i] = 0
		}
	}
	if !(c[0] > 0) || c[1] < 0 || c[2] < 0 {
		return law, 0, false
	}
	errs.MulVec(rows, &found)
	errs.SubVec(&errs, ones)
	return Law{Lambda: 1 / c[0], Sigma: c[1] / c[0], Kappa: c[2] / c[0]}, mat.Dot(&errs, &errs), true
}

func (l Law) determination(samples []Sample) float64 {
	mean := 0.0
	for _, s := range samples {
		mean += s.PerSecond / float64(len(samples))
	}
	left, all := 0.0, 0.0
	for _, s := range samples {
		left += (s.PerSecond - l.At(s.N)) * (s.PerSecond - l.At(s.N))
		all += (s.PerSecond - mean) * (s.PerSecond - mean)
	}
	if all == 0 {
		return math.NaN()
	}
	return 1 - left/all
}

// At returns X(N) in messages per second.
func (l Law) At(n float64) float64 {
	return l.Lambda * n / (1 + l.Sigma*(n-1) + l.Kappa*n*(n-1))
}

// Peak returns the N from which more carries less, √((1 − σ)/κ) and at least 1,
// and whether there is one: without κ, X grows for as long as σ is under 1.
func (l Law) Peak() (n float64, ok bool) {
	switch {
	case l.Sigma >= 1:
		return 1, true
	case l.Kappa == 0:
		return math.Inf(1), false
	}
	return max(1, math.Sqrt((1-l.Sigma)/l.Kappa)), true
}

// Best returns the whole N with the highest X, and that; without a peak N is
// infinite and X the limit λ/σ, infinite without contention.
func (l Law) Best() (n, perSecond float64) {
	peak, ok := l.Peak()
	switch {
	case !ok && l.Sigma == 0:
		return peak, math.Inf(1)
	case !ok:
		return peak, l.Lambda / l.Sigma
	}
	n = math.Floor(peak)
	if l.At(n+1) > l.At(n) {
		n++
	}
	return n, l.At(n)
}

// mostWorkers bounds the search for an N.
const mostWorkers = 1 << 30

// Least returns the smallest whole N with X(N) ≥ perSecond; ok is false when
// there is none.
func (l Law) Least(perSecond float64) (n int, ok bool) {
	best, _ := l.Best()
	hi := int(min(best, mostWorkers))
	if l.At(float64(hi)) < perSecond {
		return 0, false
	}
	lo := 0 // X grows up to the peak: X(lo) is too little, X(hi) is enough
	for hi-lo > 1 {
		if middle := (lo + hi) / 2; l.At(float64(middle)) >= perSecond {
			hi = middle
		} else {
			lo = middle
		}
	}
	return hi, true
}

// Spare is how many values of N there are beyond what determines the law. With
// none its curve passes through the samples whatever they are, and says nothing
// of an N that was not measured.
func (l Law) Spare() int { return l.Distinct - lawSamples }

package stats

import (
	"fmt"

	"gonum.org/v1/gonum/stat/distuv"
)

// Proportion is how often something happened in independent trials.
type Proportion struct {
	Times, Of int
}

// Interval is the 95 % interval of the probability behind it, by Clopper and
// Pearson (Biometrika 26, 1934): the probabilities under which neither this many
// nor fewer, nor this many nor more, come out less often than 2.5 %. It is never
// too narrow, however few the trials. Of none it is 0 to 1.
func (p Proportion) Interval() (lo, hi float64) {
	const tail = (1 - Confidence) / 2
	lo, hi = 0, 1
	k, n := float64(p.Times), float64(p.Of)
	if p.Times > 0 {
		lo = distuv.Beta{Alpha: k, Beta: n - k + 1}.Quantile(tail)
	}
	if p.Times < p.Of {
		hi = distuv.Beta{Alpha: k + 1, Beta: n - k}.Quantile(1 - tail)
	}
	return lo, hi
}

// String writes it with its interval: "7 of 12 (95 % CI 28–85 %)".
func (p Proportion) String() string {
	if p.Of == 0 {
		return None
	}
	lo, hi := p.Interval()
	return fmt.Sprintf("%d of %d (95 %% CI %.0f–%.0f %%)", p.Times, p.Of, 100*lo, 100*hi)
}

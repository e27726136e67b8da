package capacity

import (
	"math"
	"strconv"

	"deliverybench/bench/profile"
)

// Grid returns the rates of a ladder in messages per second, ascending: each a
// step over the one before, to three significant digits, and to as the last.
// from is below to, step over 0.
func Grid(from, to profile.Rate, step profile.Share) []float64 {
	grid := []float64{float64(from)}
	for k := 1; ; k++ {
		rate := threeDigits(float64(from) * math.Pow(1+float64(step), float64(k)))
		if rate >= float64(to) {
			return append(grid, float64(to))
		}
		if rate > grid[len(grid)-1] {
			grid = append(grid, rate)
		}
	}
}

func threeDigits(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v))-2)
	if unit < 1 { // dividing by a power of ten is exact where multiplying by a fraction is not
		return math.Round(v*math.Round(1/unit)) / math.Round(1/unit)
	}
	return math.Round(v/unit) * unit
}

// Doublings are the places on a grid that a search visits: about twice the rate
// each time, the top last.
func Doublings(rungs int, step profile.Share) []int {
	stride := max(1, int(math.Round(math.Ln2/math.Log1p(float64(step)))))
	var places []int
	for at := 0; at < rungs; at += stride {
		places = append(places, at)
	}
	if last := len(places) - 1; places[last] < rungs-1 {
		places = append(places, rungs-1)
	}
	return places
}

// Bracket is between which places of a grid the SLO broke in a search: it held
// at Held (−1: nowhere) and did not at Broke (the grid's length: nowhere).
type Bracket struct{ Held, Broke int }

// Ladder returns the first and the last place of the grid that are measured: the
// bracket, and a rung below and above it, since one trial may have been lucky.
func (b Bracket) Ladder(rungs int) (first, last int) {
	return max(0, b.Held-1), min(rungs-1, b.Broke+1)
}

// rateName is a rate in a scenario's name: "12000".
func rateName(rate float64) string { return strconv.FormatFloat(rate, 'f', -1, 64) }

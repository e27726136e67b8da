package chart

import (
	"math"
	"strings"

	"deliverybench/bench/stats"

	"gonum.org/v1/plot/vg"
)

// scale maps numbers from lo to hi to places from a to b.
type scale struct {
	lo, hi float64
	a, b   vg.Length
	log    bool // lo and hi are above 0, and so is every number put in
}

func (s scale) at(v float64) vg.Length {
	lo, hi := s.lo, s.hi
	if s.log {
		lo, hi, v = math.Log10(lo), math.Log10(hi), math.Log10(v)
	}
	if hi == lo {
		return s.a
	}
	return s.a + vg.Length((v-lo)/(hi-lo))*(s.b-s.a)
}

// linearTicks are round numbers (1, 2 or 5 times a power of ten) from 0 to at
// least most, about count of them. most above 0.
func linearTicks(most float64, count int) []float64 {
	step := niceStep(most / float64(count))
	var ticks []float64
	for i := 0; ; i++ {
		v := step * float64(i)
		ticks = append(ticks, v)
		if v >= most {
			return ticks
		}
	}
}

// countTicks are linearTicks without fractions.
func countTicks(most float64, count int) []float64 {
	if most < float64(count) {
		most = math.Max(math.Ceil(most), 1)
		count = int(most)
	}
	return linearTicks(most, count)
}

func niceStep(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*power >= least*(1-1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// logTicks are round numbers (1, 2 or 5 times a power of ten) around lo to hi
// (both above 0): the first at or below lo, the last at or above hi.
func logTicks(lo, hi float64) []float64 {
	var ticks []float64
	for power := math.Floor(math.Log10(lo)); ; power++ {
		for _, f := range []float64{1, 2, 5} {
			v := f * math.Pow(10, power)
			if v <= lo {
				ticks = ticks[:0] // everything before it is below the range
			}
			ticks = append(ticks, v)
			if v >= hi && len(ticks) > 1 {
				return ticks
			}
		}
	}
}

// thin leaves only the powers of ten where there are more than most ticks.
func thin(ticks []float64, most int) []float64 {
	if len(ticks) <= most {
		return ticks
	}
	var powers []float64
	for _, v := range ticks {
		if exponent := math.Log10(v); math.Abs(exponent-math.Round(exponent)) < 1e-9 {
			powers = append(powers, v)
		}
	}
	return powers
}

// tickMicros writes a round latency on an axis: "1 ms", where a table has "1.0 ms".
func tickMicros(us float64) string { return strings.Replace(stats.Micros(us), ".0 ", " ", 1) }

// tickName writes a round number on an axis: "50k", where a table has "50.0k"
// so that its columns line up.
func tickName(v float64) string {
	s := stats.SI(v)
	number := strings.TrimRight(s, "kMGTPE")
	prefix := s[len(number):]
	if strings.Contains(number, ".") {
		number = strings.TrimSuffix(strings.TrimRight(number, "0"), ".")
	}
	return number + prefix
}

package stats

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"deliverybench/bench/latency"
)

// None stands where there is no number.
const None = "–"

// OverRange is what a percentile is among latencies over 10 min and messages that
// never arrived, in microseconds. It is written "> 10 min".
const OverRange = latency.OverRange

// Rate writes messages per second with three significant digits and an SI
// prefix: 212345 → "212k", 1230 → "1.23k", 950 → "950".
func Rate(perSecond float64) string { return SI(perSecond) }

// SI writes v with three significant digits and an SI prefix (k, M, G, T, P, E);
// behind a prefix the zeros stay (1.00k), so that intervals line up.
func SI(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return None
	}
	if v < 0 {
		return "−" + SI(-v)
	}
	if v >= 999.5e18 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	prefixes := []string{"", "k", "M", "G", "T", "P", "E"}
	i := 0
	// 999.5 would be written as 1000: take the next prefix already there.
	for v >= 999.5 && i < len(prefixes)-1 {
		v /= 1000
		i++
	}
	s := digits(v, 3)
	if i == 0 && strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s + prefixes[i]
}

// Plural writes so many of a thing: "1 trial", "12,000 trials".
func Plural[N int | int64](n N, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return Count(int64(n)) + " " + noun
}

// Count writes a number of things: as it is below 10,000, from there with
// thousands separators.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "−", s[1:]
	}
	if len(s) < 5 {
		return sign + s
	}
	var b strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	return sign + b.String()
}

// Micros writes a latency given in microseconds: "850 µs", "1.2 ms", "39 ms",
// "2.5 s", "3.5 min", "> 10 min"; two significant digits below ten of a unit.
func Micros(us float64) string {
	switch {
	case math.IsNaN(us) || us < 0:
		return None
	case us >= OverRange:
		return "> 10 min"
	case us >= 119.5e6:
		return twoDigits(us/60e6) + " min"
	case us >= 0.9995e6:
		return twoDigits(us/1e6) + " s"
	case us >= 999.5:
		return twoDigits(us/1e3) + " ms"
	}
	return digits(us, 2) + " µs"
}

// twoDigits keeps the zero of 2.0, so that a column's digits line up.
func twoDigits(v float64) string {
	if v < 9.95 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// Seconds writes a time given in seconds, like Micros.
func Seconds(s float64) string {
	switch {
	case s >= OverRange/1e6:
		return Count(int64(math.Round(s/60))) + " min" // a time has no upper limit, a latency has
	case s == 0:
		return "0 s"
	}
	return Micros(s * 1e6)
}

// Ratio writes a quotient: two decimals below 10, then whole ("0.60", "1.12", "38").
func Ratio(r float64) string {
	switch {
	case math.IsNaN(r) || math.IsInf(r, 0):
		return None
	case math.Abs(r) < 9.995:
		return strconv.FormatFloat(r, 'f', 2, 64)
	case math.Abs(r) < 999.5:
		return digits(r, 2)
	}
	return SI(r)
}

// Percent writes a share of 1: 0.394 → "39 %", 0.0123 → "1.2 %".
func Percent(share float64) string {
	if math.IsNaN(share) || math.IsInf(share, 0) {
		return None
	}
	return digits(share*100, 2) + " %"
}

// Bytes writes a size with a binary prefix: 256 → "256 B", 1048576 → "1 MiB".
func Bytes(n float64) string {
	prefixes := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	i := 0
	for n >= 1023.5 && i < len(prefixes)-1 {
		n /= 1024
		i++
	}
	return digits(n, 2) + " " + prefixes[i]
}

// Between writes two ends written alike: "206k–218k", or one when they are the same text.
func Between(lo, hi string) string {
	if lo == hi {
		return lo
	}
	return lo + "–" + hi
}

// digits writes v with n significant digits while it is small, whole from 10^(n−1),
// and without needless zeros: 1.2, 39, 4, 0.05.
func digits(v float64, n int) string {
	if v == 0 {
		return "0"
	}
	decimals := n - 1 - int(math.Floor(math.Log10(math.Abs(v))))
	// Rounding can carry into the next power of ten: 9.96 is "10", not "10.0".
	if rounded := math.Abs(v) + 0.5*math.Pow(10, float64(-decimals)); math.Floor(math.Log10(rounded)) > math.Floor(math.Log10(math.Abs(v))) {
		decimals--
	}
	s := strconv.FormatFloat(v, 'f', min(max(decimals, 0), 6), 64)
	if n == 3 || !strings.Contains(s, ".") {
		return s // SI decides about its zeros itself
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// Signed writes a change in percent with its sign: 0.12 → "+12 %".
func Signed(share float64) string {
	if share < 0 {
		return "−" + Percent(-share)
	}
	return fmt.Sprintf("+%s", Percent(share))
}

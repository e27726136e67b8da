package claim

import (
	"encoding"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// quantity reads a number as it is written in a claim or a setting, in the unit
// u. A percentage is also read for counts and for tolerances: isShare says so,
// and the number is then a share of something else.
func quantity(text string, u unit) (value float64, isShare bool, err error) {
	if strings.HasSuffix(text, "%") {
		var s profile.Share
		if err := s.UnmarshalText([]byte(text)); err != nil {
			return 0, false, err
		}
		return float64(s), true, nil
	}
	switch u {
	case counts:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return 0, false, fmt.Errorf("%q is not a count: write a whole number of messages, such as 500", text)
		}
		return float64(n), false, nil
	case perSecond:
		return rate(text)
	case bytesPerSecond:
		size, found := strings.CutSuffix(text, "/s")
		if !found {
			return 0, false, fmt.Errorf("%q is not bytes per second: write 10MiB/s", text)
		}
		var s profile.Size
		err := read(&s, size)
		return float64(s), false, err
	case micros:
		var d profile.Duration
		err := read(&d, text)
		return float64(time.Duration(d)) / float64(time.Microsecond), false, err
	}
	return 0, false, fmt.Errorf("%q is not a share: write it in percent, such as 80%%", text)
}

func rate(text string) (float64, bool, error) {
	var r profile.Rate
	if err := read(&r, text); err != nil {
		return 0, false, err
	}
	if r == profile.RateMax {
		return 0, false, fmt.Errorf("the rate max is no number to compare with")
	}
	return float64(r), false, nil
}

func read(into encoding.TextUnmarshaler, text string) error {
	return into.UnmarshalText([]byte(text))
}

// write prints a value of the unit u with four significant digits, counts
// exactly: a claim that is missed narrowly must show by how much.
func write(v float64, u unit) string {
	switch u {
	case counts:
		if v != math.Trunc(v) {
			return strconv.FormatFloat(v, 'f', 2, 64)
		}
		return stats.Count(int64(v))
	case perSecond:
		return stats.Count(int64(math.Round(v))) + "/s"
	case bytesPerSecond:
		return stats.Bytes(v) + "/s"
	case share:
		return four(v*100) + " %"
	}
	switch {
	case v >= stats.OverRange:
		return stats.Micros(v)
	case v >= 1e6:
		return four(v/1e6) + " s"
	case v >= 1e3:
		return four(v/1e3) + " ms"
	}
	return four(v) + " µs"
}

func four(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// settingOf returns a trial's setting: the scenario's value, else its cell's.
func settingOf(cell *result.Cell, trial *result.Trial, name string) (string, bool) {
	if v, ok := trial.Settings[name]; ok {
		return v, true
	}
	v, ok := cell.Settings[name]
	return v, ok
}

package profile

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Values with units. Each is written and read as text ("20000/s", "256B",
// "500ms", "40%") in YAML, JSON and tables alike. The text is canonical: what
// is printed reads back as the same value.
type (
	// Rate is messages per second, from 0 to 1e9; RateMax is "max". It is
	// read with the decimal prefixes k and M: "20k/s" is 20000/s.
	Rate float64
	// Size is bytes, at least 0: B, KB, MB, GB are powers of 1000, KiB, MiB,
	// GiB of 1024.
	Size int64
	// Duration is a time.Duration, at least 0, in Go's syntax.
	Duration time.Duration
	// Period is a Duration that is also read, and if it can be is written, in days: "7d".
	Period time.Duration
	// Share is a part of a whole, 0 to 1, written in percent.
	Share float64
	// TopicName is the name of a topic of users; "" is none.
	TopicName string
)

// RateMax is "as fast as the client takes it".
const RateMax Rate = -1

// rateLimit is far above what any client sends; it keeps sums of due messages
// within an int64 for a run of centuries.
const rateLimit = 1e9

// Moment is a place in the measured window: a share of it or a time into it.
type Moment struct {
	Share  Share
	Offset Duration
}

// In returns the moment's time into a window of the given length.
func (m Moment) In(window time.Duration) time.Duration {
	if m.Share > 0 {
		return time.Duration(float64(m.Share) * float64(window))
	}
	return time.Duration(m.Offset)
}

// decimal is the only form of a number that is read: no sign, no exponent, no
// "Inf". The bounds on its length keep every printed value readable again.
var decimal = regexp.MustCompile(`^[0-9]{1,18}(\.[0-9]{1,18})?$`)

// number reads text × 10^exponent. The exponent is given to the parser, so
// that 1.1k is exactly 1100 and not 1.1 × 1000 in binary.
func number(text string, exponent int) (float64, error) {
	if strings.HasPrefix(text, "-") {
		return 0, fmt.Errorf("%s is negative", text)
	}
	if !decimal.MatchString(text) {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return strconv.ParseFloat(text+"e"+strconv.Itoa(exponent), 64)
}

// MarshalText writes "20000/s" or "max".
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func (r Rate) String() string {
	if r == RateMax {
		return "max"
	}
	return strconv.FormatFloat(float64(r), 'f', -1, 64) + "/s"
}

// UnmarshalText reads "20000/s", "20k/s", "1.5M/s" or "max".
func (r *Rate) UnmarshalText(source []byte) error {
	text := string(source)
	if text == "max" {
		*r = RateMax
		return nil
	}
	count, found := strings.CutSuffix(text, "/s")
	if !found {
		if _, err := number(strings.TrimRight(text, "kM"), 0); err == nil {
			return fmt.Errorf("%s has no unit; write %s/s", text, text)
		}
		return fmt.Errorf("%q is not a rate; write 20000/s, 20k/s or max", text)
	}
	exponent := 0
	switch {
	case strings.HasSuffix(count, "k"):
		count, exponent = strings.TrimSuffix(count, "k"), 3
	case strings.HasSuffix(count, "M"):
		count, exponent = strings.TrimSuffix(count, "M"), 6
	}
	value, err := number(count, exponent)
	if err != nil {
		return fmt.Errorf("%q is not a rate: %w; write 20000/s, 20k/s or max", text, err)
	}
	if value > rateLimit {
		return fmt.Errorf("%s is over 1000M/s; write max for no limit", text)
	}
	*r = Rate(value)
	return nil
}

// sizeUnits are in the order in which a printed size tries them.
var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1},
}

// MarshalText writes the size in the largest unit of which it is a whole multiple.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s Size) String() string {
	if s != 0 {
		for _, unit := range sizeUnits {
			if int64(s)%unit.bytes == 0 {
				return strconv.FormatInt(int64(s)/unit.bytes, 10) + unit.name
			}
		}
	}
	return "0B"
}

// UnmarshalText reads "256B", "1KiB", "1.5MB"; a part of a byte is refused.
func (s *Size) UnmarshalText(source []byte) error {
	text := string(source)
	for _, unit := range sizeUnits {
		count, found := strings.CutSuffix(text, unit.name)
		if !found {
			continue
		}
		value, err := number(count, 0)
		if err != nil {
			return fmt.Errorf("%q is not a size: %w; write 256B, 1KiB or 1MB", text, err)
		}
		bytes := value * float64(unit.bytes)
		// Above 2^53 a float64 no longer holds every whole number.
		if bytes != math.Trunc(bytes) || bytes > 1<<53 {
			return fmt.Errorf("%s is not a whole number of bytes up to 8PiB", text)
		}
		*s = Size(bytes)
		return nil
	}
	if _, err := number(text, 0); err == nil {
		return fmt.Errorf("%s has no unit; write %sB", text, text)
	}
	return fmt.Errorf("%q is not a size; write 256B, 1KiB or 1MB", text)
}

// MarshalText writes Go's syntax without trailing zero units: "1m", not "1m0s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// UnmarshalText reads Go's syntax: "500ms", "1m30s".
func (d *Duration) UnmarshalText(source []byte) error {
	text := string(source)
	value, err := time.ParseDuration(text)
	if err != nil {
		if _, numeric := number(text, 0); numeric == nil {
			return fmt.Errorf("%s has no unit; write %sms or %ss", text, text, text)
		}
		return fmt.Errorf("%q is not a duration; write 500ms, 2s or 1m30s", text)
	}
	if value < 0 {
		return fmt.Errorf("%s is negative; a duration is at least 0s", text)
	}
	*d = Duration(value)
	return nil
}

const day = 24 * time.Hour

// MarshalText writes whole days as such, else as a Duration.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

func (p Period) String() string {
	if p != 0 && time.Duration(p)%day == 0 {
		return strconv.FormatInt(int64(time.Duration(p)/day), 10) + "d"
	}
	return Duration(p).String()
}

// wholeDays keeps the product with a day within an int64.
var wholeDays = regexp.MustCompile(`^([0-9]{1,5})d$`)

// UnmarshalText reads "7d", or a Duration.
func (p *Period) UnmarshalText(source []byte) error {
	if match := wholeDays.FindSubmatch(source); match != nil {
		days, err := strconv.Atoi(string(match[1]))
		*p = Period(time.Duration(days) * day)
		return err
	}
	var d Duration
	if err := d.UnmarshalText(source); err != nil {
		return fmt.Errorf("%q is not a period; write 7d or 12h", source)
	}
	*p = Period(d)
	return nil
}

// MarshalText writes percent: "40%".
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String shifts the shortest decimal form by two places as text: multiplying
// by 100 in binary would print 0.07 as 7.000000000000001%.
func (s Share) String() string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(float64(s), 'e', -1, 64), "e")
	power, err := strconv.Atoi(exponent)
	if err != nil { // Inf and NaN have no exponent
		return strconv.FormatFloat(float64(s), 'f', -1, 64) + "%"
	}
	digits := strings.Replace(mantissa, ".", "", 1)
	point := power + 1 + 2 // digits before the point, in percent
	if point <= 0 {
		digits, point = strings.Repeat("0", 1-point)+digits, 1
	}
	if len(digits) <= point {
		whole := strings.TrimLeft(digits+strings.Repeat("0", point-len(digits)), "0")
		if whole == "" {
			whole = "0"
		}
		return whole + "%"
	}
	return digits[:point] + "." + digits[point:] + "%"
}

// UnmarshalText reads percent, 0% to 100%.
func (s *Share) UnmarshalText(source []byte) error {
	text := string(source)
	count, found := strings.CutSuffix(text, "%")
	if !found {
		if _, err := number(text, 0); err == nil {
			return fmt.Errorf("%s has no unit; write a share in percent, such as 40%%", text)
		}
		return fmt.Errorf("%q is not a share; write it in percent, such as 40%%", text)
	}
	value, err := number(count, -2)
	if err != nil {
		return fmt.Errorf("%q is not a share: %w; write 0%% to 100%%", text, err)
	}
	if value > 1 {
		return fmt.Errorf("%s is over 100%%", text)
	}
	*s = Share(value)
	return nil
}

// MarshalText writes "50%" or "2s".
func (m Moment) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

func (m Moment) String() string {
	if m.Share > 0 {
		return m.Share.String()
	}
	return m.Offset.String()
}

// UnmarshalText reads a share of the measured window ("50%") or a time into it ("2s").
func (m *Moment) UnmarshalText(source []byte) error {
	text := string(source)
	var read Moment
	var err error
	if strings.HasSuffix(text, "%") {
		err = read.Share.UnmarshalText(source)
	} else {
		err = read.Offset.UnmarshalText(source)
	}
	if err != nil {
		if _, numeric := number(text, 0); numeric == nil {
			return fmt.Errorf("%s has no unit; write %s%% of the window or %ss", text, text, text)
		}
		return err
	}
	*m = read
	return nil
}

// topicName is what Kafka takes for one (org.apache.kafka.common.internals.Topic).
var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// UnmarshalText reads a name, or nothing.
func (n *TopicName) UnmarshalText(source []byte) error {
	text := string(source)
	switch {
	case text == "":
	case !topicName.MatchString(text) || text == "." || text == "..":
		return fmt.Errorf(`%q cannot be a topic's name: it has up to 249 letters, digits, ".", "_" and "-"`, text)
	case strings.HasPrefix(text, "__"):
		return fmt.Errorf("%s is a topic of the brokers' own; name one of yours", text)
	}
	*n = TopicName(text)
	return nil
}

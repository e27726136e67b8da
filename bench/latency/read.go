package latency

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// mostCounted bounds the latencies that a file may state for one interval, so
// that sums of sums stay far from overflow.
const mostCounted = 1 << 40

var errNoGrid = errors.New("an interval before the grid: the file is not a log of this program, or lacks its header")

// ReadLog reads a .hlog file that this package wrote. A last line without its
// newline is what a process killed while writing leaves: it is ignored and
// counted in Torn. Intervals of one role and index are added up. Any other
// departure from the format is an error that names the line.
func ReadLog(r io.Reader) (*Log, error) {
	l := &Log{roles: map[string][]Interval{}}
	lines := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			if line != "" {
				l.Torn++
			}
			break
		}
		if err != nil {
			return nil, fmt.Errorf("latency: read the log: %w", err)
		}
		if err := l.readLine(strings.TrimRight(line, "\r\n")); err != nil {
			return nil, fmt.Errorf("latency: log line %d: %w", number, err)
		}
	}
	for role, intervals := range l.roles {
		l.roles[role] = mergeEqual(intervals)
	}
	return l, nil
}

func (l *Log) readLine(line string) error {
	if rest, ok := strings.CutPrefix(line, startComment); ok {
		return l.readStart(rest)
	}
	if rest, ok := strings.CutPrefix(line, gridComment); ok {
		return l.readGrid(rest)
	}
	if rest, ok := strings.CutPrefix(line, rangeComment); ok {
		return l.readOutOfRange(rest)
	}
	if line == "" || line[0] == '#' || line[0] == '"' {
		return nil
	}
	return l.readInterval(line)
}

func (l *Log) readStart(rest string) error {
	text, _, _ := strings.Cut(rest, " ")
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(seconds) > 1e12 || math.IsNaN(seconds) {
		return fmt.Errorf("start time %q is not seconds since the epoch", text)
	}
	l.Started = time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
	return nil
}

func (l *Log) readGrid(rest string) error {
	text, _, _ := strings.Cut(rest, " ")
	fields, err := wholeNumbers(text, 2)
	if err != nil {
		return fmt.Errorf("grid %q is not origin,interval in nanoseconds", text)
	}
	grid := Grid{Origin: fields[0], Interval: time.Duration(fields[1])}
	if err := grid.check(); err != nil {
		return err
	}
	if l.Grid.Interval != 0 && l.Grid != grid {
		return errors.New("a second grid: the file holds more than one log")
	}
	l.Grid = grid
	return nil
}

func (l *Log) readOutOfRange(rest string) error {
	if l.Grid.Interval == 0 {
		return errNoGrid
	}
	text, _, _ := strings.Cut(rest, " ")
	role, numbers, _ := strings.Cut(text, ",")
	fields, err := wholeNumbers(numbers, 3)
	if err != nil || !roleName.MatchString(role) {
		return fmt.Errorf("out of range %q is not role,interval,under,over", text)
	}
	for i, bound := range []int64{l.Grid.lastIndex(), mostCounted, mostCounted} {
		if fields[i] < 0 || fields[i] > bound {
			return fmt.Errorf("out of range %q: %d is not between 0 and %d", text, fields[i], bound)
		}
	}
	l.roles[role] = append(l.roles[role], Interval{Index: fields[0], Under: fields[1], Over: fields[2]})
	return nil
}

func (l *Log) readInterval(line string) error {
	if l.Grid.Interval == 0 {
		return errNoGrid
	}
	fields := strings.Split(line, ",")
	if len(fields) != 5 {
		return fmt.Errorf("%d fields, want Tag=role,start,length,max,histogram", len(fields))
	}
	role, tagged := strings.CutPrefix(fields[0], "Tag=")
	if !tagged || !roleName.MatchString(role) {
		return fmt.Errorf("%q is not Tag=role", fields[0])
	}
	start, err := strconv.ParseFloat(fields[1], 64)
	if err != nil {
		return fmt.Errorf("start %q is not a number of seconds", fields[1])
	}
	index := math.Round(start * float64(time.Second) / float64(l.Grid.Interval))
	if !(index >= 0 && index < float64(l.Grid.lastIndex())) {
		return fmt.Errorf("start %q lies outside the grid", fields[1])
	}
	h, err := decodeHistogram(fields[4])
	if err != nil {
		return err
	}
	l.roles[role] = append(l.roles[role], intervalOf(int64(index), h))
	return nil
}

func decodeHistogram(text string) (*hdrhistogram.Histogram, error) {
	h, err := hdrhistogram.Decode([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("histogram: %w", err)
	}
	if h.LowestTrackableValue() != lowestMicros || h.HighestTrackableValue() != highestMicros ||
		h.SignificantFigures() != significantDigits {
		return nil, errors.New("histogram: not 1 µs to 10 min with 3 digits")
	}
	if h.TotalCount() > mostCounted {
		return nil, fmt.Errorf("histogram: %d latencies in one interval cannot be", h.TotalCount())
	}
	return h, nil
}

func wholeNumbers(text string, want int) ([]int64, error) {
	fields := strings.Split(text, ",")
	if len(fields) != want {
		return nil, fmt.Errorf("%d fields, want %d", len(fields), want)
	}
	numbers := make([]int64, want)
	for i, field := range fields {
		number, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return nil, err
		}
		numbers[i] = number
	}
	return numbers, nil
}

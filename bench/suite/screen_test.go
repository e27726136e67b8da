package suite_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// screen is a terminal that knows what Live uses: carriage return, line feed,
// cursor up, erase to the end of the line and of the screen. Everything else,
// and a line that would wrap, fails the test.
type screen struct {
	t           testing.TB
	width       int
	rows        [][]rune
	row, column int
	writes      int
}

var control = regexp.MustCompile(`^\x1b\[(\d*)([AJK])`)

func (s *screen) Write(p []byte) (int, error) {
	s.writes++
	for text := string(p); text != ""; {
		if m := control.FindStringSubmatch(text); m != nil {
			s.control(m[2], m[1])
			text = text[len(m[0]):]
			continue
		}
		r := []rune(text)[0]
		text = text[len(string(r)):]
		s.put(r)
	}
	return len(p), nil
}

func (s *screen) control(command, argument string) {
	switch command {
	case "A":
		n, _ := strconv.Atoi(argument)
		if s.row -= n; s.row < 0 {
			s.t.Fatalf("the cursor went over the top of the screen")
		}
	case "K":
		s.grow()
		s.rows[s.row] = s.rows[s.row][:min(s.column, len(s.rows[s.row]))]
	case "J":
		s.grow()
		s.rows[s.row] = s.rows[s.row][:min(s.column, len(s.rows[s.row]))]
		s.rows = s.rows[:s.row+1]
	}
}

func (s *screen) put(r rune) {
	switch {
	case r == '\r':
		s.column = 0
	case r == '\n':
		s.row, s.column = s.row+1, 0
	case r < ' ':
		s.t.Fatalf("control character %q on the terminal", r)
	default:
		s.grow()
		for len(s.rows[s.row]) <= s.column {
			s.rows[s.row] = append(s.rows[s.row], ' ')
		}
		s.rows[s.row][s.column] = r
		if s.column++; s.column >= s.width {
			s.t.Fatalf("a line of %d columns would wrap: %s", s.width, string(s.rows[s.row]))
		}
	}
}

func (s *screen) grow() {
	for len(s.rows) <= s.row {
		s.rows = append(s.rows, nil)
	}
}

// String is what stands on the screen; the cursor is "▮".
func (s *screen) String() string {
	s.grow()
	var b strings.Builder
	for i, row := range s.rows {
		text := string(row)
		if i == s.row {
			text = fmt.Sprintf("%-*s▮", s.column, string(row[:min(s.column, len(row))])) + string(row[min(s.column, len(row)):])
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	return b.String()
}

package wire

import (
	"fmt"
	"slices"
	"sync"
)

// mostLines is how many different lines the log keeps: a client that is turned
// away comes back at once, for as long as its broker is down.
const mostLines = 20

// journal is why connections were ended, each reason once.
type journal struct {
	mu    sync.Mutex
	lines []string
	times map[string]int
	more  int // that were different again
}

func (j *journal) say(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case slices.Contains(j.lines, line):
	case len(j.lines) == mostLines:
		j.more++
		return
	default:
		j.lines = append(j.lines, line)
	}
	if j.times == nil {
		j.times = map[string]int{}
	}
	j.times[line]++
}

// told are the lines, in the order in which they were first said, and how often.
func (j *journal) told() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []string
	for _, line := range j.lines {
		if n := j.times[line]; n > 1 {
			line = fmt.Sprintf("%s (%d times)", line, n)
		}
		all = append(all, line)
	}
	if j.more > 0 {
		all = append(all, fmt.Sprintf("%d more lines", j.more))
	}
	return all
}

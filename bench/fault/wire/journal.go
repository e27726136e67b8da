package wire

import (
	"fmt"
	"sync"
	"time"
)

// mostLines is how many lines the log gets in a second: a client that is
// turned away comes back at once.
const mostLines = 10

// journal is the log, at a bounded rate.
type journal struct {
	write func(line string)

	mu            sync.Mutex
	since         time.Time
	lines, hushed int
}

func newJournal(write func(string)) *journal {
	if write == nil {
		write = func(string) {}
	}
	return &journal{write: write}
}

func (j *journal) say(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if time.Since(j.since) >= time.Second {
		j.since, j.lines = time.Now(), 0
	}
	if j.lines++; j.lines > mostLines {
		j.hushed++
		return
	}
	line := fmt.Sprintf(format, args...)
	if j.hushed > 0 {
		line = fmt.Sprintf("%s (%d lines before this one were left out)", line, j.hushed)
		j.hushed = 0
	}
	j.write(line)
}

package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const layoutFile = "layout.json"

// maxMessages bounds a ledger at a size that no plane's file can overflow.
const maxMessages = 1 << 40

// Layout says how the messages of one trial are numbered. Message s of
// producer p has the index p·Capacity + s, the same in every plane.
type Layout struct {
	// Producers is how many producer numbers there are, from 0.
	Producers int `json:"producers"`
	// Capacity is the most messages that one producer can begin. Planes are
	// sparse, so room that is not used costs nothing.
	Capacity int64 `json:"capacity"`
	// Relay adds the two planes of the relay's output topic.
	Relay bool `json:"relay"`
	// Rows adds the plane of what a database holds.
	Rows bool `json:"rows,omitempty"`
}

// Create writes the layout into the trial's directory, where every other
// process of the trial finds it. It refuses a directory that has one already.
func Create(dir string, l Layout) error {
	if err := l.check(); err != nil {
		return err
	}
	path := filepath.Join(dir, layoutFile)
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("ledger: %s exists: give every trial a directory of its own", path)
	}
	return saveJSON(path, l)
}

// ReadLayout returns what Create wrote.
func ReadLayout(dir string) (Layout, error) {
	var l Layout
	if err := readJSON(filepath.Join(dir, layoutFile), &l, "call ledger.Create first"); err != nil {
		return l, err
	}
	return l, l.check()
}

func (l Layout) check() error {
	switch {
	case l.Producers < 1:
		return fmt.Errorf("ledger: %d producers: a ledger needs at least 1", l.Producers)
	case l.Capacity < 1:
		return fmt.Errorf("ledger: a capacity of %d messages: a ledger needs at least 1", l.Capacity)
	case l.Capacity > maxMessages/int64(l.Producers):
		return fmt.Errorf("ledger: %d producers × %d messages are more than the %d that fit", l.Producers, l.Capacity, int64(maxMessages))
	}
	return nil
}

// Messages returns how many indexes there are.
func (l Layout) Messages() int64 { return int64(l.Producers) * l.Capacity }

// Index returns the index of message seq of the producer, and false when the
// layout has no such message: what carries that identity is foreign.
func (l Layout) Index(producer int, seq int64) (int64, bool) {
	if producer < 0 || producer >= l.Producers || seq < 0 || seq >= l.Capacity {
		return -1, false
	}
	return int64(producer)*l.Capacity + seq, true
}

// BytesPerMessage returns the most bytes that one message takes in all planes
// together: outcome, copies, attempts, visible and past (5), one for each
// consumer incarnation, two for a relay's output, and one for a database's rows.
func (l Layout) BytesPerMessage(incarnations int) int {
	bytes := 5 + incarnations
	if l.Relay {
		bytes += 2
	}
	if l.Rows {
		bytes++
	}
	return bytes
}

// Bytes returns the room that the given number of messages (0 is all of them)
// takes: the room to make sure of before a trial.
func (l Layout) Bytes(messages int64, incarnations int) int64 {
	if messages <= 0 || messages > l.Messages() {
		messages = l.Messages()
	}
	// Each plane ends in a page of its own, and so does each producer's part.
	planes := int64(l.BytesPerMessage(incarnations))
	return planes * (messages + int64(l.Producers+1)*int64(os.Getpagesize()))
}

// saveJSON writes the whole file or nothing: a reader never sees half of it.
func saveJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	draft := path + ".new"
	if err := os.WriteFile(draft, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if err := os.Rename(draft, path); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// readJSON reads what saveJSON wrote. missing says what it means that nothing is there.
func readJSON(path string, v any, missing string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("ledger: %s is missing: %s", path, missing)
	}
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("ledger: %s: %w", path, err)
	}
	return nil
}

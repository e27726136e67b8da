package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	markPrefix = "mark-"
	markBytes  = 8
)

// Mark is one instant in a mapped file: a crash point notes there that it
// fired, right before it sends itself SIGKILL.
type Mark struct{ plane *plane }

// OpenMark creates the mark of this name, or opens it with what it holds. The
// name becomes part of a file name.
func OpenMark(dir, name string) (*Mark, error) {
	file, err := markFile(name)
	if err != nil {
		return nil, err
	}
	p, err := openPlane(dir, file, markBytes, false)
	if err != nil {
		return nil, err
	}
	return &Mark{plane: p}, nil
}

// Fired stores the time, in nanoseconds of the caller's clock within ±2^62. It
// is in the file when Fired returns, whatever happens to the process then.
func (m *Mark) Fired(nanos int64) {
	// The lowest bit says that there is a time, so one store does both.
	binary.NativeEndian.PutUint64(m.plane.bytes, uint64(nanos<<1|1))
}

// Close unmaps the mark; the file stays.
func (m *Mark) Close() error { return m.plane.close() }

// ReadMark returns the time that the mark holds, and false when it never
// fired or was never opened. Read it after its process has ended.
func ReadMark(dir, name string) (nanos int64, fired bool, err error) {
	file, err := markFile(name)
	if err != nil {
		return 0, false, err
	}
	f, err := os.Open(filepath.Join(dir, file))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("ledger: %w", err)
	}
	defer f.Close()
	var word [markBytes]byte
	if _, err := f.ReadAt(word[:], 0); err != nil {
		if errors.Is(err, io.EOF) { // killed before the file had its size
			return 0, false, nil
		}
		return 0, false, fmt.Errorf("ledger: %w", err)
	}
	value := int64(binary.NativeEndian.Uint64(word[:]))
	return value >> 1, value&1 == 1, nil
}

func markFile(name string) (string, error) {
	if name == "" || strings.ContainsAny(name, "/\\\x00") {
		return "", fmt.Errorf("ledger: mark name %q: use a name that can be part of a file name", name)
	}
	return markPrefix + name, nil
}

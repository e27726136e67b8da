package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// source reads a plane's file. It reads with system calls, not through a
// mapping: reading a hole through a mapping makes tmpfs allocate the page.
type source struct {
	file *os.File
	// data is where the next byte that is not in a hole may lie.
	data int64
}

// openSource opens a plane for reading. A plane that was never created is all
// holes when it is optional.
func openSource(dir, name string, optional bool) (*source, error) {
	file, err := os.Open(filepath.Join(dir, name))
	if optional && errors.Is(err, fs.ErrNotExist) {
		return &source{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return &source{file: file}, nil
}

// read fills buf from the offset and reports whether anything but zeros can
// be in it; when not, buf is left alone.
func (s *source) read(buf []byte, offset int64) (bool, error) {
	if s.file == nil {
		return false, nil
	}
	if offset+int64(len(buf)) <= s.data {
		return false, nil
	}
	data, err := nextData(s.file, offset)
	if err != nil {
		return false, fmt.Errorf("ledger: %s: %w", s.file.Name(), err)
	}
	s.data = data
	if offset+int64(len(buf)) <= s.data {
		return false, nil
	}
	n, err := s.file.ReadAt(buf, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("ledger: %w", err)
	}
	// The file of a writer that was killed while it created it is short.
	clear(buf[n:])
	return true, nil
}

func (s *source) close() error {
	if s == nil || s.file == nil {
		return nil
	}
	return s.file.Close()
}

// Begun returns, per producer, how many messages were begun: what is due when
// no schedule says it (load.rate: max).
func Begun(dir string) ([]int64, error) {
	l, err := ReadLayout(dir)
	if err != nil {
		return nil, err
	}
	begun := make([]int64, l.Producers)
	for p := range begun {
		if begun[p], err = begunBy(dir, p, l.Capacity); err != nil {
			return nil, err
		}
	}
	return begun, nil
}

func begunBy(dir string, producer int, capacity int64) (int64, error) {
	s, err := openSource(dir, outcomesFile(producer), true)
	if err != nil {
		return 0, err
	}
	defer s.close()
	buf := make([]byte, windowBytes)
	for first := int64(0); first < capacity; first += int64(len(buf)) {
		part := buf[:min(int64(len(buf)), capacity-first)]
		data, err := s.read(part, first)
		if err != nil {
			return 0, err
		}
		if !data {
			return first, nil
		}
		if n := bytes.IndexByte(part, 0); n >= 0 {
			return first + int64(n), nil
		}
	}
	return capacity, nil
}

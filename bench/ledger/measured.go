package ledger

import (
	"errors"
	"path/filepath"
)

// EffectsFrom returns the effects of the messages from a sequence per producer
// on (first[p] is producer p's): of the measured window, when that is where it
// begins. In a relay these are the output copies visible under read_committed.
func EffectsFrom(dir string, first []int64) (int64, error) {
	l, err := ReadLayout(dir)
	if err != nil {
		return 0, err
	}
	pattern := effectsPrefix + "*"
	if l.Relay {
		pattern = auditPlanes[outVisibleByte-copiesByte]
	}
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, path := range paths {
		n, err := sumFrom(dir, filepath.Base(path), l, first)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func sumFrom(dir, name string, l Layout, first []int64) (sum int64, err error) {
	s, err := openSource(dir, name, false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	buf := make([]byte, windowBytes)
	for producer, from := range first {
		base := int64(producer) * l.Capacity
		for at := from; at < l.Capacity; at += int64(len(buf)) {
			part := buf[:min(int64(len(buf)), l.Capacity-at)]
			data, err := s.read(part, base+at)
			if err != nil {
				return 0, err
			}
			if !data {
				continue
			}
			for _, b := range part {
				sum += int64(b)
			}
		}
	}
	return sum, nil
}

package ledger

import (
	"errors"
	"path/filepath"
)

// EffectsBetween returns the effects of producer p's messages first[p] ≤ s <
// end[p], for every p: of the measured window, when those are its bounds. In a
// relay these are the output copies visible under read_committed.
func EffectsBetween(dir string, first, end []int64) (int64, error) {
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
		n, err := sumBetween(dir, filepath.Base(path), l, first, end)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func sumBetween(dir, name string, l Layout, first, end []int64) (sum int64, err error) {
	s, err := openSource(dir, name, false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	buf := make([]byte, windowBytes)
	for producer, from := range first {
		base := int64(producer) * l.Capacity
		until := min(end[producer], l.Capacity)
		for at := from; at < until; at += int64(len(buf)) {
			part := buf[:min(int64(len(buf)), until-at)]
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

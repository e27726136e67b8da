//go:build !linux

package ledger

import "os"

// nextData takes everything for data where holes are not asked for.
func nextData(_ *os.File, offset int64) (int64, error) { return offset, nil }

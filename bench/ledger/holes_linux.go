package ledger

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// nextData returns the first offset from the given one on that is not in a
// hole of the file (lseek(2), SEEK_DATA).
func nextData(file *os.File, offset int64) (int64, error) {
	data, err := unix.Seek(int(file.Fd()), offset, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO): // nothing but a hole up to the end
		return math.MaxInt64, nil
	case errors.Is(err, unix.EINVAL): // this file system does not tell
		return offset, nil
	}
	return data, err
}

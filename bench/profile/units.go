package profile

import "time"

// Values with units. Each is written and read as text ("20000/s", "256B",
// "500ms", "40%") in YAML, JSON and tables alike.
type (
	// Rate is messages per second; RateMax is "max".
	Rate float64
	// Size is bytes.
	Size int64
	// Duration is a time.Duration.
	Duration time.Duration
	// Share is a part of a whole, 0 to 1, written in percent.
	Share float64
)

// RateMax is "as fast as the client takes it".
const RateMax Rate = -1

// Moment is a place in the measured window: a share of it or a time into it.
type Moment struct {
	Share  Share
	Offset Duration
}

// In returns the moment's time into a window of the given length.
func (m Moment) In(window time.Duration) time.Duration {
	if m.Share > 0 {
		return time.Duration(float64(m.Share) * float64(window))
	}
	return time.Duration(m.Offset)
}

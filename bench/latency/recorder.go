package latency

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The histograms' range and precision.
const (
	// Highest is the longest latency that is recorded.
	Highest           = 10 * time.Minute
	lowestMicros      = 1
	highestMicros     = int64(Highest / time.Microsecond)
	significantDigits = 3
)

// NewHistogram returns an empty histogram of microseconds with this package's
// range and precision. It takes 170 KB.
func NewHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(lowestMicros, highestMicros, significantDigits)
}

// Recorder collects the latencies of one role. It is used by one goroutine.
type Recorder struct {
	histogram *hdrhistogram.Histogram
	under     int64
	over      int64
}

// NewRecorder returns an empty recorder.
func NewRecorder() *Recorder { return &Recorder{histogram: NewHistogram()} }

// Record counts one latency of nanos nanoseconds, rounded up to a whole
// microsecond; 0 counts as 1 µs. A negative one counts as under range, one
// longer than Highest as over range. It does not allocate.
func (r *Recorder) Record(nanos int64) {
	if nanos < 0 {
		r.under++
		return
	}
	if nanos > int64(Highest) {
		r.over++
		return
	}
	micros := max(lowestMicros, (nanos+999)/1000)
	// The range was checked above, so this cannot fail.
	_ = r.histogram.RecordValue(micros)
}

// Histogram returns what was recorded within range. It goes on changing with the recorder.
func (r *Recorder) Histogram() *hdrhistogram.Histogram { return r.histogram }

// OutOfRange returns how many latencies were negative and how many longer than Highest.
func (r *Recorder) OutOfRange() (under, over int64) { return r.under, r.over }

// Summary summarises what was recorded, the over-range latencies included.
func (r *Recorder) Summary() Summary { return Summarize(r.histogram, r.over) }

func (r *Recorder) empty() bool {
	return r.histogram.TotalCount() == 0 && r.under == 0 && r.over == 0
}

func (r *Recorder) reset() {
	r.histogram.Reset()
	r.under, r.over = 0, 0
}

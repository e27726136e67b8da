package latency

import (
	"fmt"
	"io"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// OverRange stands for a percentile that falls among latencies longer than
// Highest or among messages never delivered, in microseconds. Its text form
// is "> 10 min".
const OverRange = 600_000_001

// Summary is what is kept of one histogram. Values are microseconds.
//
// A percentile is the value at rank ⌊q × N + ½⌋, at least 1, of the N = Count + Over
// values in ascending order, as in HdrHistogram; like there it is the highest
// value that the histogram does not distinguish from it (at most 0.1 % above).
type Summary struct {
	// Count is how many values were recorded within range.
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p999"`
	// Max is OverRange when Over is not 0.
	Max float64 `json:"max"`
	// Mean is of the values within range alone.
	Mean float64 `json:"mean"`
	// Over is how many values were over the histogram's range, or never
	// arrived; they count in the percentiles as longer than everything recorded.
	Over int64 `json:"over_range,omitempty"`
}

// Summarize returns the percentiles of what h recorded and of over further
// messages that took longer than everything recorded: those over range and
// those never delivered. Without either it is the zero Summary.
func Summarize(h *hdrhistogram.Histogram, over int64) Summary {
	s := Summary{Count: h.TotalCount(), Over: over, Mean: h.Mean()}
	s.P50 = atPermille(h, over, 500)
	s.P90 = atPermille(h, over, 900)
	s.P99 = atPermille(h, over, 990)
	s.P999 = atPermille(h, over, 999)
	s.Max = atPermille(h, over, 1000)
	return s
}

// atPermille returns the value at a quantile in thousandths. Whole numbers
// keep the rank exact.
func atPermille(h *hdrhistogram.Histogram, over, permille int64) float64 {
	recorded := h.TotalCount()
	all := recorded + over
	if all == 0 {
		return 0
	}
	// The count is split so that the product does not overflow.
	rank := all/1000*permille + (all%1000*permille+500)/1000
	rank = max(1, rank)
	if rank > recorded {
		return OverRange
	}
	micros := h.ValueAtPercentile(100 * float64(rank) / float64(recorded))
	// The last bucket reaches beyond the range that values are recorded in.
	return float64(min(micros, highestMicros))
}

// WritePercentiles writes the percentile distribution of h as a .hgrm file,
// values in milliseconds, which HdrHistogram's plotters read. A comment states
// over, the messages longer than everything recorded, where there are any.
func WritePercentiles(w io.Writer, h *hdrhistogram.Histogram, over int64) error {
	const ticksPerHalfDistance, microsPerMilli = 5, 1000
	if _, err := h.PercentilesPrint(w, ticksPerHalfDistance, microsPerMilli); err != nil {
		return fmt.Errorf("latency: write percentiles: %w", err)
	}
	if over == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "#[Over range = %d messages took longer than 10 min or never arrived; the lines above leave them out]\n", over)
	if err != nil {
		return fmt.Errorf("latency: write percentiles: %w", err)
	}
	return nil
}

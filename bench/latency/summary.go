package latency

// Summary is what is kept of one histogram. Values are microseconds.
type Summary struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p999"`
	Max   float64 `json:"max"`
	Mean  float64 `json:"mean"`
	// Over is how many values were over the histogram's range, or never
	// arrived; they count in the percentiles as longer than everything recorded.
	Over int64 `json:"over_range,omitempty"`
}

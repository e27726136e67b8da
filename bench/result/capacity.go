package result

// Capacity is what a capacity run asks, and the rungs that it has planned so
// far. Runs of any other verb have none.
type Capacity struct {
	SLO           []string `json:"slo"` // expressions in the grammar of claims, each judged in every trial
	FromPerSecond float64  `json:"from_per_second"`
	ToPerSecond   float64  `json:"to_per_second"`
	StepShare     float64  `json:"step_share"` // each rung over the one before
	Repeats       int      `json:"repeats"`    // of every rung that is measured
	Over          string   `json:"over,omitempty"`
	Rungs         []Rung   `json:"rungs"`
	Target        *Target  `json:"target,omitempty"`
}

// Phase is what a rung is for.
type Phase string

const (
	Searched Phase = "search"  // to find out where to measure; never part of a knee
	Measured Phase = "measure" // of a ladder that was fixed before its first trial
)

// Rung is one rate at which a cell is loaded. Its trials are those of the
// scenario.
type Rung struct {
	Cell          string  `json:"cell"`
	Scenario      string  `json:"scenario"`
	Phase         Phase   `json:"phase"`
	PerSecond     float64 `json:"per_second"`
	WindowSeconds float64 `json:"window_seconds"`
	Repeats       int     `json:"repeats"`
}

// Target is the load that is to be provided for.
type Target struct {
	PerSecond        float64 `json:"per_second"`
	MessageBytes     int64   `json:"message_bytes,omitempty"` // 0 is what was measured
	GrowthShare      float64 `json:"growth_share"`            // a year, compounded
	Years            int     `json:"years"`
	HeadroomShare    float64 `json:"headroom_share"`
	Replication      int     `json:"replication"`
	RetentionSeconds float64 `json:"retention_seconds"`
}

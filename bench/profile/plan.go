package profile

import "time"

// Plan is what one run will do: the cells, the trials in the order in which
// they run, and what cannot be run with the reason.
type Plan struct {
	Profile   *Profile
	Seed      uint64
	Cells     []Cell
	Trials    []Trial
	Omissions []Omission
}

// Cell is one arm with one combination of the matrix.
type Cell struct {
	// Name is the arm's name, followed by "/dotted.setting=value" parts where the profile has a matrix.
	Name string
	Arm  string
	// Matrix maps the varied dotted settings to this cell's values.
	Matrix map[string]string
	// Settings are the cell's own, before any scenario.
	Settings Settings
}

// Trial is one cell in one scenario, once.
type Trial struct {
	// ID is unique and file-name-safe: "003-at-most-once-crash-1".
	ID       string
	Cell     string
	Arm      string
	Scenario string
	Repeat   int // from 1
	Seed     uint64
	Settings Settings
}

// Omission is a cell (Scenario is empty) or one scenario of a cell that cannot be run.
type Omission struct {
	Cell     string
	Scenario string
	Reason   string
}

// Estimate returns how long the plan will take.
func (p *Plan) Estimate() time.Duration { return 0 }

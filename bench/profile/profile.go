package profile

// Profile is a parsed and validated YAML profile.
type Profile struct {
	Name     string
	About    string
	Baseline string // an arm; "" is none
	Seed     uint64
	// Arms, Scenarios and Claims are in the order of the file. A profile
	// without arms has one, named like the profile; without scenarios one, "steady".
	Arms      []Arm
	Matrix    []Axis
	Exclude   []map[string]string
	Scenarios []Scenario
	Claims    []Claim
	// Source is the file as given, Path where it came from.
	Source []byte
	Path   string
}

type Arm struct{ Name string }
type Scenario struct{ Name string }

// Axis is one varied setting.
type Axis struct {
	Setting string
	Values  []string
}

// Claim is what must come out in the cells and scenarios that the glob
// "arm/scenario" matches.
type Claim struct {
	Glob       string // as written
	Expression string // "lost == consumer.commit.every"
	Abort      bool   // a trial that does not meet it stops its cell
	Line       int
}

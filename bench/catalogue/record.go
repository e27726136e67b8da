package catalogue

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// Schema names the form of claims.json.
const Schema = "deliverybench/claims/v1"

// Names of the files in a suite run's folder. Each profile's run has a folder
// of the profile's name beside them.
const (
	RecordFile = "claims.json"
	SuiteFile  = "suite.yaml"
	TableFile  = "claims.md"
)

// Record is what one command made of a suite.
type Record struct {
	Schema string `json:"schema"`
	Suite  Header `json:"suite"`
	// Environment is where it ran; its broker is each profile's own.
	Environment result.Environment `json:"environment"`
	Profiles    []Entry            `json:"profiles"` // in the order in which they run
	Rows        []Judgement        `json:"rows"`
}

// Header identifies the suite run, with the flags that its runs share.
type Header struct {
	ID          string    `json:"id"` // "<suite>-<UTC>"
	Name        string    `json:"name"`
	About       string    `json:"about"`
	Started     time.Time `json:"started"`
	Finished    time.Time `json:"finished,omitzero"`
	Interrupted bool      `json:"interrupted,omitempty"`
	Command     []string  `json:"command"`
	Version     string    `json:"version"`
	SuiteSHA256 string    `json:"suite_sha256"`
	Seed        string    `json:"seed,omitempty"`   // "" is each profile's own
	Broker      string    `json:"broker,omitempty"` // "" is each profile's own
	Scale       float64   `json:"scale"`
}

// State is how far a profile of the suite came.
type State string

const (
	Waiting    State = "not run"
	Finished   State = "finished"
	Unfinished State = "unfinished" // interrupted, or it could not go on: see Reason
	LeftOut    State = "omitted"    // the broker cannot show it: see Reason
)

// Entry is one profile of the suite.
type Entry struct {
	Profile string `json:"profile"`
	State   State  `json:"state"`
	Reason  string `json:"reason,omitempty"`
	// Seconds is how long its trials took, Trials how many there are, Limited in
	// how many of them the load itself was late.
	Seconds float64 `json:"seconds,omitempty"`
	Trials  int     `json:"trials,omitempty"`
	Limited int     `json:"generator_limited,omitempty"`
}

// Measure sums up the trials of its run.
func (e *Entry) Measure(run *result.Run) {
	e.Seconds, e.Trials, e.Limited = 0, 0, 0
	for _, c := range run.Cells {
		for _, t := range c.Trials {
			if t.Status == result.Omitted {
				continue
			}
			e.Seconds += t.TookSecond
			e.Trials++
			if t.Generator.Limited {
				e.Limited++
			}
		}
	}
}

// Judgement is what became of a row.
type Judgement struct {
	Row      int     `json:"row"`
	Claim    string  `json:"claim"`
	Profile  string  `json:"profile"` // and its run's folder
	Outcome  Outcome `json:"outcome"`
	Reason   string  `json:"reason,omitempty"`
	Shows    Outcome `json:"shows"` // what it comes to when everything comes out
	Conclude string  `json:"conclude"`
	Setup    Setup   `json:"setup"`
	Sides    []Side  `json:"sides,omitempty"`
}

// Setup is the experiment that the sides have in common.
type Setup struct {
	About  string        `json:"about,omitempty"`
	Broker result.Broker `json:"broker"`
}

// Kind is which side of a row it is.
type Kind string

const (
	Breaks  Kind = "breaks"
	Holds   Kind = "holds"
	Counted Kind = "counted" // it decides nothing
)

// Side is what was measured under one glob of a row.
type Side struct {
	Side     Kind     `json:"side"`
	Glob     string   `json:"glob"`
	Where    []string `json:"where,omitempty"` // cell/scenario
	Settings []string `json:"settings,omitempty"`
	Faults   []string `json:"faults,omitempty"`
	Trials   int      `json:"trials"`           // completed
	Reason   string   `json:"reason,omitempty"` // why some are not
	Facts    []Fact   `json:"facts,omitempty"`

	// What outcome works with: the first of Where that was omitted, with the
	// reason, and a trial of a breaking side in which nothing had to break.
	omitted, clean string
}

// Fact is what the trials of a side say of one metric.
type Fact struct {
	Metric string `json:"metric"`
	// Of are the cells, or some of their scenarios, that claim it; none is all of the side's.
	Of       []string           `json:"of,omitempty"`
	Claims   []string           `json:"claims"`
	Expected string             `json:"expected"`
	Observed string             `json:"observed"`
	Status   result.ClaimStatus `json:"status"`
	Reason   string             `json:"reason,omitempty"`
	// Sometimes is how often a draw came out.
	Sometimes *result.Frequency `json:"sometimes,omitempty"`

	// What Judge works with: whether it is compared with the baseline, the cells
	// and scenarios that claim it, and the trials that decided its claims.
	ratio   bool
	places  []at
	decided []string
}

func (f Fact) frequency() stats.Proportion {
	return stats.Proportion{Times: f.Sometimes.Times, Of: f.Sometimes.Of}
}

// Entry returns the record's entry of a profile.
func (r *Record) Entry(profile string) *Entry {
	i := slices.IndexFunc(r.Profiles, func(e Entry) bool { return e.Profile == profile })
	if i < 0 {
		return nil
	}
	return &r.Profiles[i]
}

// Save writes claims.json, whole or not at all.
func (r *Record) Save(dir string) error {
	return result.WriteFile(filepath.Join(dir, RecordFile), func(w io.Writer) error { return Encode(w, r) })
}

// Encode writes a record as claims.json.
func Encode(w io.Writer, r *Record) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// HasRecord reports whether a folder is that of a suite run.
func HasRecord(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, RecordFile))
	return err == nil
}

// Load reads the record of a suite run's folder.
func Load(dir string) (*Record, error) {
	path := filepath.Join(dir, RecordFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no %s: give the folder of a suite's run, such as results/claims-20261121T101500Z", dir, RecordFile)
	}
	if err != nil {
		return nil, err
	}
	r := &Record{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%s: not a saved suite: %w", path, err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("%s: its schema is %q and this program reads %q: use the version of deliverybench that wrote it", path, r.Schema, Schema)
	}
	return r, nil
}

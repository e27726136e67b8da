package catalogue

import (
	"slices"

	"deliverybench/bench/profile"
)

// Suite is a parsed and checked suite file.
type Suite struct {
	Name  string
	About string
	Rows  []Row
	// Profiles are those of the rows, each once, in the order of the rows.
	Profiles []*profile.Profile
	// Source is the file as given, Path where it came from.
	Source []byte
	Path   string
}

// Row is one claim of the articles.
type Row struct {
	Number  int
	Claim   string // what is said, in our words
	Profile string
	// Breaks and Holds are arm/scenario globs over the profile: the setting
	// that breaks and the one that holds, under the same fault.
	Breaks, Holds []string
	// Counts are globs of which is told how often something came out, and
	// which decide nothing.
	Counts []Count
	// Shows is what it comes to when everything that the profile says comes out.
	Shows    Outcome
	Conclude string // what to conclude
}

// Count is a claim whose frequency is reported.
type Count struct{ Glob, Expression string }

// Outcome is what became of a row.
type Outcome string

const (
	Confirmed  Outcome = "confirmed"
	MoreSubtle Outcome = "more subtle" // it holds, and not as it is commonly worded
	Refuted    Outcome = "refuted"     // as it is worded, and for this client

	NotMet       Outcome = "not met"      // something that the profile says did not come out
	Inconclusive Outcome = "inconclusive" // something could not be judged
	Omitted      Outcome = "omitted"      // the broker cannot show it
	NotRun       Outcome = "not run"
)

// shown are the outcomes that a suite file can state.
var shown = []string{string(Confirmed), string(MoreSubtle), string(Refuted)}

// Profile returns a profile of the suite by its name.
func (s *Suite) Profile(name string) *profile.Profile {
	i := slices.IndexFunc(s.Profiles, func(p *profile.Profile) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return s.Profiles[i]
}

package profile

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"
)

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
	// Name is the arm's name, in a profile with a matrix followed by its
	// values under the shortest names that are unambiguous: "arm/acks=1,retries=3".
	Name string
	Arm  string
	// Matrix maps the varied dotted settings to this cell's values.
	Matrix map[string]string
	// Settings are the cell's own, before any scenario.
	Settings Settings
}

// Trial is one cell in one scenario, once.
type Trial struct {
	// ID is unique and file-name-safe: "003-at-most-once-crash-1". The number
	// is the trial's place in the whole plan, whatever -only leaves of it.
	ID       string
	Cell     string
	Arm      string
	Scenario string
	Repeat   int // from 1
	// Seed depends on the plan's seed, the cell, the scenario and the repeat
	// only, not on the place in the order.
	Seed     uint64
	Settings Settings
}

// Omission is a cell (Scenario is empty) or one scenario of a cell that cannot be run.
type Omission struct {
	Cell     string
	Scenario string
	Reason   string
}

// Options are what the command line adds to a profile.
type Options struct {
	// Set are "dotted.setting=value" entries; they win over everything in the
	// profile, and a later one over an earlier one.
	Set []string
	// Seed replaces the profile's; nil leaves it, 0 is the default seed 1.
	Seed *uint64
	// Only leaves the trials whose "cell/scenario" it matches; nil leaves all.
	Only *regexp.Regexp
	// Scale multiplies load.warmup, load.duration and the faults' times into
	// the window, so that faults keep their place; 0 is 1.
	Scale float64
	// Cluster is what the plan is for; what it cannot show is omitted.
	Cluster Cluster
}

// Plan resolves the profile into trials: body < arm < matrix < scenario < Set.
// Within each round of repeats the trials are in a random order of their own,
// so that a machine that drifts does so for every cell alike. The error joins
// one *Error per contradiction that the options make.
func (p *Profile) Plan(o Options) (*Plan, error) {
	scale := o.Scale
	if scale == 0 {
		scale = 1
	}
	if !(scale > 0 && scale <= 1000) {
		return nil, fmt.Errorf("-scale %v: it must be more than 0 and at most 1000", o.Scale)
	}
	d := &document{path: p.Path}
	sets := d.sets(p, o.Set)
	if len(d.errs) > 0 {
		return nil, d.err()
	}
	cells := d.expand(p, sets, scale, o.Cluster)
	if len(d.errs) > 0 {
		return nil, d.err()
	}
	plan := &Plan{Profile: p, Seed: p.Seed}
	if o.Seed != nil {
		plan.Seed = cmp.Or(*o.Seed, defaultSeed)
	}
	plan.fill(cells, o.Only)
	plan.order(cells, o.Only, 0)
	if o.Only != nil && len(plan.Cells) == 0 {
		return nil, fmt.Errorf("-only %s matches nothing; the first that there is: %s/%s",
			o.Only, cells[0].Name, cells[0].cases[0].scenario)
	}
	return plan, nil
}

func selected(only *regexp.Regexp, cell, scenario string) bool {
	return only == nil || only.MatchString(cell+"/"+scenario)
}

// fill lists the cells of which anything was selected, and what they omit.
func (p *Plan) fill(cells []cell, only *regexp.Regexp) {
	for _, c := range cells {
		var omissions []Omission
		wanted := 0
		for _, k := range c.cases {
			if !selected(only, c.Name, k.scenario) {
				continue
			}
			wanted++
			if k.omitted != "" {
				omissions = append(omissions, Omission{c.Name, k.scenario, k.omitted})
			}
		}
		if wanted == 0 {
			continue
		}
		if c.impossible {
			omissions = []Omission{{Cell: c.Name, Reason: c.cases[0].omitted}}
		}
		p.Cells = append(p.Cells, c.Cell)
		p.Omissions = append(p.Omissions, omissions...)
	}
}

// order numbers the trials round by round, each round shuffled, after the
// number that came before.
func (p *Plan) order(cells []cell, only *regexp.Regexp, before int) {
	var trials []Trial
	for repeat := 1; ; repeat++ {
		var round []Trial
		for _, c := range cells {
			for _, k := range c.cases {
				if k.omitted == "" && repeat <= k.settings.Repeats {
					seed := trialSeed(p.Seed, c.Name, k.scenario, repeat)
					round = append(round, Trial{
						Cell: c.Name, Arm: c.Arm, Scenario: k.scenario, Repeat: repeat,
						Seed: seed, Settings: k.settings.struck(seed),
					})
				}
			}
		}
		if len(round) == 0 {
			break
		}
		random := rand.New(rand.NewPCG(p.Seed, uint64(repeat)))
		random.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
		trials = append(trials, round...)
	}
	width := max(3, len(fmt.Sprint(before+len(trials))))
	for i, t := range trials {
		t.ID = fmt.Sprintf("%0*d-%s-%s-%d", width, before+i+1, fileSafe(t.Cell), t.Scenario, t.Repeat)
		if selected(only, t.Cell, t.Scenario) {
			p.Trials = append(p.Trials, t)
		}
	}
}

// trialSeed hashes, so that the trials' random numbers are unrelated.
func trialSeed(seed uint64, cell, scenario string, repeat int) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%s\n%s\n%d", seed, cell, scenario, repeat))
	return binary.LittleEndian.Uint64(sum[:])
}

var unsafeInFile = regexp.MustCompile(`[^A-Za-z0-9._=-]+`)

// fileSafe shortens too: a file name has at most 255 bytes.
func fileSafe(name string) string {
	name = unsafeInFile.ReplaceAllString(name, "-")
	return strings.TrimRight(name[:min(len(name), 150)], "-")
}

// ClaimsOn returns the profile's claims about a trial, in the order of the file.
func (p *Plan) ClaimsOn(t Trial) []Claim {
	var claims []Claim
	for _, c := range p.Profile.Claims {
		if c.Matches(t.Arm, t.Cell, t.Scenario) {
			claims = append(claims, c)
		}
	}
	return claims
}

// Estimate returns how long the plan will take; see Trial.Estimate.
func (p *Plan) Estimate() time.Duration {
	var total time.Duration
	for _, t := range p.Trials {
		total += t.Estimate()
	}
	return total
}

// What a trial costs beside its window, rounded up from a two-core machine
// with the embedded broker. They are estimates for the plan's first line and
// decide nothing.
const (
	// trialOverhead is topics, worker start, joining the group and settling.
	trialOverhead = 1400 * time.Millisecond
	// auditRate is messages per second through one pass of the auditor.
	auditRate = 400_000
	// saturatedRate is what load.rate: max is taken to be, messages per second.
	saturatedRate = 200_000
	// brokerOverhead is a killed broker's session of 9 s, its start, and the
	// time until every replica is in sync again.
	brokerOverhead = 15 * time.Second
)

// Estimate returns how long the trial will take: warm-up, window, the faults'
// own times, and an overhead for start, drain and audit.
func (t Trial) Estimate() time.Duration {
	s := t.Settings
	running := time.Duration(s.Load.Length())
	rate := float64(s.Load.Rate)
	if s.Load.Rate == RateMax {
		rate = saturatedRate
	}
	// Each topic is read once under either isolation level.
	passes := 2.0
	if s.Pipeline == RelayTo {
		passes = 4
	}
	audit := rate * running.Seconds() * passes / auditRate
	total := running.Seconds() + trialOverhead.Seconds() + audit
	for _, f := range s.Faults {
		total += (time.Duration(f.Restart) + time.Duration(f.For)).Seconds()
		if f.Broker() != "" && f.Freeze == "" {
			total += brokerOverhead.Seconds()
		}
	}
	return time.Duration(math.Min(total, math.MaxInt64/1e10) * 1e9).Round(time.Millisecond)
}

// cellName appends the matrix values to the arm's name.
func cellName(arm string, combination []assignment) string {
	if len(combination) == 0 {
		return arm
	}
	parts := make([]string, len(combination))
	for i, a := range combination {
		parts[i] = shortName(a) + "=" + a.text()
	}
	return arm + "/" + strings.Join(parts, ",")
}

// shortName is the shortest tail of a setting's dotted name that no other
// setting has, so that it stays the same whatever else is varied: "acks", but
// "commit.every". A librdkafka entry keeps its map's name.
func shortName(a assignment) string {
	if a.key != "" {
		return a.name()
	}
	parts := strings.Split(a.setting.name, ".")
	for from := len(parts) - 1; from > 0; from-- {
		tail := strings.Join(parts[from:], ".")
		if !slices.ContainsFunc(settingTree.settings, func(other *setting) bool {
			return other != a.setting && (other.name == tail || strings.HasSuffix(other.name, "."+tail))
		}) {
			return tail
		}
	}
	return a.setting.name
}

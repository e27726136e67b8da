package profile

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Bounds on a plan: more is a mistake in the matrix, not a wish.
const (
	maxCells  = 4096
	maxTrials = 100_000
)

// cell is a Cell with its scenarios resolved.
type cell struct {
	Cell
	cases []resolved
	// impossible says that the same reason omits every scenario.
	impossible bool
}

// resolved is one cell in one scenario.
type resolved struct {
	scenario string
	settings Settings
	origins  map[string]origin // of the settings that the profile states
	omitted  string            // why it cannot be run
}

type origin struct {
	assignment
	layer int
}

// resolve applies layers in order, later wins.
func resolve(layers ...[]assignment) (Settings, map[string]origin) {
	settings := Defaults()
	origins := map[string]origin{}
	target := reflect.ValueOf(&settings).Elem()
	for i, layer := range layers {
		for _, a := range layer {
			a.setting.apply(target, a.key, a.value)
			origins[a.name()] = origin{a, i}
		}
	}
	return settings, origins
}

// override is what the command line changes, in scenarios that match or, without a
// pattern, everywhere.
type override struct {
	assignments []assignment
	scenarios   *regexp.Regexp
}

// inScenario are the assignments of those that hold in a scenario; the empty name is
// that of none, in which only those hold that hold everywhere.
func inScenario(overrides []override, name string) []assignment {
	var all []assignment
	for _, o := range overrides {
		if o.scenarios == nil || name != "" && o.scenarios.MatchString(name) {
			all = append(all, o.assignments...)
		}
	}
	return all
}

// expand resolves every cell in every scenario and refuses contradictions.
func (d *document) expand(p *Profile, sets []override, scale float64, cluster Cluster) []cell {
	combinations, ok := d.combinations(p)
	if !ok {
		return nil
	}
	var cells []cell
	trials := 0
	for _, arm := range p.Arms {
		for _, combination := range combinations {
			own, _ := resolve(p.body, arm.assignments, combination)
			if slices.ContainsFunc(p.exclude, func(e exclusion) bool { return e.matches(own) }) {
				continue
			}
			c := p.cell(arm, combination, sets, scale)
			for i := range c.cases {
				d.contradictions(c.cases[i])
				trials += c.cases[i].settings.Repeats
			}
			c.place(cluster)
			cells = append(cells, c)
		}
	}
	if len(cells) == 0 && len(d.errs) == 0 {
		d.failAt(p.exclude[0].line, p.exclude[0].column, "the exclusions leave no cell; remove one")
	}
	if trials > maxTrials {
		d.failAt(1, 1, "the profile makes %d trials; at most %d are planned, so lower repeats or the matrix", trials, maxTrials)
	}
	return cells
}

func (p *Profile) cell(arm Arm, combination []assignment, sets []override, scale float64) cell {
	c := cell{Cell: Cell{Name: cellName(arm.Name, combination), Arm: arm.Name}}
	c.Settings, _ = resolve(p.body, arm.assignments, combination, inScenario(sets, ""))
	c.Settings.scale(scale)
	for _, a := range combination {
		if c.Matrix == nil {
			c.Matrix = map[string]string{}
		}
		c.Matrix[a.name()] = a.text()
	}
	for _, s := range p.Scenarios {
		k := resolved{scenario: s.Name}
		k.settings, k.origins = resolve(p.body, arm.assignments, combination, s.assignments, inScenario(sets, s.Name))
		k.settings.scale(scale)
		c.cases = append(c.cases, k)
	}
	return c
}

// place puts the cell on the cluster, and omits what cannot be run there.
func (c *cell) place(cluster Cluster) {
	c.Settings.Fit(cluster)
	c.impossible = true
	for i := range c.cases {
		k := &c.cases[i]
		k.settings.Fit(cluster)
		k.omitted = cmp.Or(k.impossible(), cluster.unfaithful(k.settings))
		if k.omitted == "" {
			c.impossible = false
			k.omitted = cmp.Or(k.unreachable(), cluster.unfaithfulFaults(k.settings))
		}
		c.impossible = c.impossible && k.omitted == c.cases[0].omitted
		k.origins = nil // nobody needs them any more, and a plan may have many
	}
}

// combinations is the product of the matrix's axes, the last varying fastest;
// without a matrix the one empty combination.
func (d *document) combinations(p *Profile) ([][]assignment, bool) {
	count := len(p.Arms)
	for _, axis := range p.Matrix {
		count *= len(axis.values)
		if count > maxCells {
			first := p.Matrix[0].values[0]
			d.failAt(first.line, first.column, "the matrix makes more than %d cells; vary less", maxCells)
			return nil, false
		}
	}
	if count*len(p.Scenarios) > maxTrials {
		d.failAt(1, 1, "the profile makes more than %d trials; it has too many scenarios", maxTrials)
		return nil, false
	}
	combinations := [][]assignment{nil}
	for _, axis := range p.Matrix {
		var longer [][]assignment
		for _, combination := range combinations {
			for _, value := range axis.values {
				longer = append(longer, append(slices.Clone(combination), value))
			}
		}
		combinations = longer
	}
	return combinations, true
}

// scale shortens or lengthens the load; faults and the consumers' start keep
// their place in it.
func (s *Settings) scale(factor float64) {
	if factor == 1 {
		return
	}
	scaled := func(d Duration) Duration {
		if d == 0 {
			return 0
		}
		length := time.Duration(float64(d) * factor).Round(time.Millisecond)
		return Duration(max(length, time.Millisecond))
	}
	s.Load.Warmup, s.Load.Duration = scaled(s.Load.Warmup), scaled(s.Load.Duration)
	s.Consumer.StartAfter, s.Consumer.JoinAfter = scaled(s.Consumer.StartAfter), scaled(s.Consumer.JoinAfter)
	s.Faults = slices.Clone(s.Faults)
	for i := range s.Faults {
		s.Faults[i].At.Offset = Duration(float64(s.Faults[i].At.Offset) * factor)
	}
}

// sets reads the command line's "dotted.setting=value" entries, before which a glob
// of scenarios may stand: "paced/load.rate=5/s". A value of a map or list is YAML, as
// in the profile.
func (d *document) sets(p *Profile, entries []string) []override {
	var all []override
	for _, entry := range entries {
		one := &document{}
		all = append(all, one.set(p, entry))
		for _, mistake := range one.errs {
			d.failAt(0, 0, "-set %s: %s", entry, mistake.Text)
		}
	}
	return all
}

// cutSet takes "scenarios/setting=value" apart; scenarios may be missing.
func cutSet(entry string) (scenarios, setting, value string, valued bool) {
	key, value, valued := strings.Cut(entry, "=")
	if at := strings.IndexByte(key, '/'); at > 0 {
		return key[:at], key[at+1:], value, valued
	}
	return "", key, value, valued
}

func (d *document) set(p *Profile, entry string) (o override) {
	glob, key, text, found := cutSet(entry)
	if !found {
		d.failAt(0, 0, "it has no value; write -set %s=VALUE", entry)
		return o
	}
	if glob != "" {
		var err error
		if o.scenarios, err = globPattern(glob); err != nil {
			d.failAt(0, 0, "%q names no scenarios: %v", glob, err)
			return o
		}
		if !slices.ContainsFunc(p.Scenarios, func(s Scenario) bool { return o.scenarios.MatchString(s.Name) }) {
			d.failAt(0, 0, "%q matches no scenario; scenarios: %s", glob, p.scenarioNames())
			return o
		}
	}
	if slices.ContainsFunc(p.Matrix, func(a Axis) bool { return a.Setting == key }) {
		d.failAt(0, 0, "the matrix varies %s; choose among its cells with -only", key)
		return o
	}
	var l collector
	if value := d.setValue(key, text); value != nil {
		d.entry(settingTree, key, pair{&yaml.Node{}, value}, nil, l.collect(d))
	}
	for i := range l.assignments {
		l.assignments[i].line, l.assignments[i].column = 0, 0
	}
	o.assignments = l.assignments
	return o
}

// setValue takes a scalar setting's text as it is, and anything else as YAML.
func (d *document) setValue(key, text string) *yaml.Node {
	s, free, found := settingTree.find(key)
	if found && (free != "" || !s.free && s.kind != settingTree.byName["faults"].kind) {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	}
	var value yaml.Node
	if len(text) > MaxSourceSize {
		d.failAt(0, 0, "the value is too long")
		return nil
	}
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		d.failAt(0, 0, "this is no YAML: %v", err)
		return nil
	}
	if len(value.Content) == 0 {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	}
	return value.Content[0]
}

// checkExclusions refuses an exclusion that excludes nothing.
func (d *document) checkExclusions(p *Profile) {
	combinations, _ := d.combinations(p)
	for _, e := range p.exclude {
		hit := slices.ContainsFunc(p.Arms, func(arm Arm) bool {
			return slices.ContainsFunc(combinations, func(combination []assignment) bool {
				own, _ := resolve(p.body, arm.assignments, combination)
				return e.matches(own)
			})
		})
		if !hit {
			d.failAt(e.line, e.column, "this exclusion matches no cell; remove it or correct a value")
		}
	}
}

// checkClaims refuses a claim about nothing.
func (d *document) checkClaims(p *Profile, cells []cell) {
	for _, c := range p.Claims {
		if !slices.ContainsFunc(cells, func(cell cell) bool {
			return slices.ContainsFunc(cell.cases, func(k resolved) bool {
				return c.Matches(cell.Arm, cell.Name, k.scenario)
			})
		}) {
			d.failAt(c.Line, c.Column, "%q matches no cell and scenario; %s", c.Glob, fmt.Sprintf(
				"arms: %s; scenarios: %s", p.armNames(), p.scenarioNames()))
		}
	}
}

func (p *Profile) armNames() string {
	var names []string
	for _, a := range p.Arms {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}

func (p *Profile) scenarioNames() string {
	var names []string
	for _, s := range p.Scenarios {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

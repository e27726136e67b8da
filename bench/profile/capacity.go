package profile

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
	"gopkg.in/yaml.v3"
)

// Capacity is a profile's capacity block: which service level the load has to
// keep, which rates are stepped through, and what is to be provided for.
type Capacity struct {
	SLO []Objective
	// Arms are those that are sized; empty is all.
	Arms []string
	// Over is the setting over which the law of scaling is fitted; nil is none.
	Over *Axis
	Sizing
	// HasTarget says that the block has a target.
	HasTarget    bool
	Line, Column int // of the block's rates

	arms []place
}

// Objective is one expression of the service level, in the grammar of claims.
type Objective struct {
	Expression   string
	Line, Column int
}

// place is a word and where it stands.
type place struct {
	text         string
	line, column int
}

// CapacityAxes are the settings that capacity.over may name.
func CapacityAxes() []string {
	return []string{"producer.count", "consumer.count", "topic.partitions"}
}

// capacityKeys stand beside the single values in a capacity block.
var capacityKeys = []string{"slo", "arms", "over"}

// defaultSizing is what a capacity block that states nothing more is read as.
func defaultSizing() Sizing {
	return Sizing{
		Rates: Ladder{Step: 0.10}, Repeats: 6,
		Target: Target{Years: 1, Headroom: 0.30, Replication: 3, Retention: Period(7 * day)},
	}
}

// sizingDefaults are the defaults as text; what has none must be stated.
func sizingDefaults() map[string]string {
	defaults := map[string]string{}
	root := reflect.ValueOf(defaultSizing())
	for _, s := range sizingTree.settings {
		if value := root.FieldByIndex(s.index); s.low.exclusive && value.IsZero() {
			continue
		}
		defaults[s.name] = textOf(root.FieldByIndex(s.index))
	}
	return defaults
}

// capacity reads the block.
func (d *document) capacity(n *yaml.Node) *Capacity {
	c := &Capacity{Sizing: defaultSizing(), Line: n.Line, Column: n.Column}
	given := map[string]*yaml.Node{}
	var seen collector
	visit := func(name string, s *setting, key string, p pair) {
		if !seen.once(d, name, p) {
			return
		}
		if value, ok := d.value("capacity."+name, s, key, p.value); ok {
			s.apply(reflect.ValueOf(&c.Sizing).Elem(), key, value)
			given[name] = p.value
		}
	}
	before := len(d.errs)
	for _, entry := range d.pairs(n, `"capacity"`) {
		switch key := entry.key.Value; key {
		case "slo":
			c.SLO = d.objectives(entry.value)
		case "arms":
			c.arms = d.words(entry.value, "capacity.arms")
		case "over":
			c.Over = d.over(entry.value)
		default:
			if key == "rates" {
				c.Line, c.Column = entry.value.Line, entry.value.Column
			}
			c.HasTarget = c.HasTarget || key == "target" || strings.HasPrefix(key, "target.")
			d.entry(sizingTree, key, entry, capacityKeys, visit)
		}
	}
	for _, arm := range c.arms {
		c.Arms = append(c.Arms, arm.text)
	}
	if len(d.errs) == before {
		d.completeCapacity(c, n, given)
	}
	return c
}

// completeCapacity refuses a block that leaves out what has no default, or
// whose rates are no ladder.
func (d *document) completeCapacity(c *Capacity, n *yaml.Node, given map[string]*yaml.Node) {
	if len(c.SLO) == 0 {
		d.fail(n, `"capacity" has no slo; write slo: [end_to_end.p99 < 50ms, lost == 0]`)
	}
	for _, name := range []string{"rates.from", "rates.to"} {
		if given[name] == nil {
			d.fail(n, `"capacity" has no %s; write rates: {from: 1000/s, to: 100000/s, step: 10%%}`, name)
		}
	}
	if c.HasTarget && given["target.rate"] == nil {
		d.fail(n, `"capacity.target" has no rate; write target: {rate: 5000/s}`)
	}
	for name, rate := range map[string]Rate{"rates.from": c.Rates.From, "rates.to": c.Rates.To, "target.rate": c.Target.Rate} {
		if rate == RateMax && given[name] != nil {
			d.fail(given[name], `"capacity.%s" is a number of messages per second, not max`, name)
		}
	}
	if at := given["rates.to"]; at != nil && c.Rates.To != RateMax && c.Rates.From >= c.Rates.To {
		d.fail(at, `"capacity.rates.to" %s is not over rates.from %s`, c.Rates.To, c.Rates.From)
	}
}

func (d *document) objectives(n *yaml.Node) []Objective {
	var all []Objective
	for _, w := range d.words(n, "capacity.slo") {
		all = append(all, Objective{w.text, w.line, w.column})
	}
	return all
}

// words reads a list of texts, or one that stands alone.
func (d *document) words(n *yaml.Node, what string) []place {
	if !d.plain(n) {
		return nil
	}
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	if len(list) == 0 {
		d.fail(n, "%q is an empty list; give it a value or remove it", what)
	}
	var words []place
	for _, item := range list {
		if text := strings.TrimSpace(d.text(item, what)); text != "" {
			words = append(words, place{text, item.Line, item.Column})
		}
	}
	return words
}

// over reads the one varied setting with its values.
func (d *document) over(n *yaml.Node) *Axis {
	var axes Profile
	d.walk(settingTree, n, "", func(name string, s *setting, key string, p pair) {
		if !slices.Contains(CapacityAxes(), name) {
			d.fail(p.key, `"capacity.over" is %s, not %q`, orList(CapacityAxes()), name)
			return
		}
		d.axis(&axes, name, s, key, p)
	})
	switch len(axes.Matrix) {
	case 0:
		return nil
	case 1:
		return &axes.Matrix[0]
	}
	d.fail(n, `"capacity.over" takes one setting, not %d`, len(axes.Matrix))
	return nil
}

// capacityReferences checks what the block names elsewhere in the profile.
func (d *document) capacityReferences(p *Profile) {
	c := p.Capacity
	if c == nil {
		return
	}
	var arms []string
	for _, arm := range p.Arms {
		arms = append(arms, arm.Name)
	}
	for _, arm := range c.arms {
		if !slices.Contains(arms, arm.text) {
			d.failAt(arm.line, arm.column, `"capacity.arms": %q is no arm; it may be %s`, arm.text, orList(arms))
		}
	}
	if c.Over != nil && slices.ContainsFunc(p.Matrix, func(a Axis) bool { return a.Setting == c.Over.Setting }) {
		at := c.Over.values[0]
		d.failAt(at.line, at.column, `"capacity.over": the matrix varies %s already; remove it there or here`, c.Over.Setting)
	}
}

// CapacityScenario is what the base of a capacity run's trials is called, in
// -only too.
const CapacityScenario = "capacity"

// sized is the profile whose cells a capacity run measures: those of its arms,
// times the values of over, in a scenario that changes nothing.
func (p *Profile) sized() *Profile {
	q := *p
	q.Scenarios, q.Claims, q.Baseline = []Scenario{{Name: CapacityScenario}}, nil, ""
	if c := p.Capacity; len(c.Arms) > 0 {
		q.Arms = slices.DeleteFunc(slices.Clone(p.Arms), func(a Arm) bool { return !slices.Contains(c.Arms, a.Name) })
	}
	if p.Capacity.Over != nil {
		q.Matrix = append(slices.Clone(p.Matrix), *p.Capacity.Over)
	}
	return &q
}

// CapacityPlan is the base of a capacity run: its cells, each with one trial that
// has their settings. Steps makes trials of it. It refuses what has no capacity.
func (p *Profile) CapacityPlan(o Options) (*Plan, error) {
	for _, entry := range o.Set {
		if _, name, _, _ := cutSet(entry); name == "load.rate" {
			return nil, fmt.Errorf("-set %s: capacity steps through the rates; change capacity.rates in the profile", entry)
		}
	}
	plan, err := p.sized().Plan(o)
	if err != nil {
		return nil, err
	}
	plan.Trials = slices.DeleteFunc(plan.Trials, func(t Trial) bool { return t.Repeat > 1 })
	for _, t := range plan.Trials {
		if why := t.Settings.unsized(); why != "" {
			return nil, fmt.Errorf("%s has no capacity to measure: %s", t.Cell, why)
		}
	}
	return plan, nil
}

// unsized says why a capacity run can measure nothing under these settings.
func (s Settings) unsized() string {
	switch {
	case len(s.Faults) > 0:
		return "it has faults in every trial; move them into a scenario"
	case s.Producer.Outstanding > 0:
		return "producer.outstanding makes the load wait for the broker; leave it out"
	case s.Load.Arrivals == Ramp:
		return "load.arrivals: ramp has no rate of its own; write constant, poisson or burst"
	}
	return ""
}

// Step is trials of one cell that are alike.
type Step struct {
	Cell     string
	Scenario string
	Repeats  int
	Rate     Rate
	Duration Duration // of the measured window
}

// Steps is the plan with other trials: those of the steps, numbered after the
// trials that came before, each round of repeats in a random order of its own.
func (p *Plan) Steps(steps []Step, before int) *Plan {
	profile := *p.Profile
	profile.Scenarios = nil
	made := &Plan{Profile: &profile, Seed: p.Seed, Cells: p.Cells, Omissions: p.Omissions}
	var cells []cell
	for _, c := range p.Cells {
		own := cell{Cell: c}
		at := slices.IndexFunc(p.Trials, func(t Trial) bool { return t.Cell == c.Name })
		for _, step := range steps {
			if step.Cell != c.Name || at < 0 {
				continue
			}
			settings := p.Trials[at].Settings
			settings.Load.Rate, settings.Load.Duration, settings.Repeats = step.Rate, step.Duration, step.Repeats
			own.cases = append(own.cases, resolved{scenario: step.Scenario, settings: settings})
		}
		cells = append(cells, own)
	}
	for _, step := range steps {
		if !slices.ContainsFunc(profile.Scenarios, func(s Scenario) bool { return s.Name == step.Scenario }) {
			profile.Scenarios = append(profile.Scenarios, Scenario{Name: step.Scenario})
		}
	}
	made.order(cells, nil, before)
	return made
}

// capacity is the block's schema.
func (b *schemaBuilder) capacity() *jsonschema.Schema {
	block := b.leaves(sizingTree, reflect.TypeFor[Sizing](), sizingDefaults())
	block.Description = "What the verb capacity asks: how much load keeps the SLO, and what a target needs."
	words := func(about string) *jsonschema.Schema {
		return &jsonschema.Schema{Description: about, AnyOf: []*jsonschema.Schema{{Type: "string"}, listOf(&jsonschema.Schema{Type: "string"})}}
	}
	block.Properties.Set("slo", words("The service level: expressions as in claims, each judged in every trial, for example end_to_end.p99 < 50ms."))
	block.Properties.Set("arms", words("The arms that are sized; all without it."))
	over := &jsonschema.Schema{Type: "object", AdditionalProperties: jsonschema.FalseSchema, Properties: jsonschema.NewProperties(),
		Description: "One of " + orList(CapacityAxes()) + " with a list of values, over which the Universal Scalability Law is fitted."}
	for _, name := range CapacityAxes() {
		over.Properties.Set(name, reference("matrix."+name))
		group, key, _ := strings.Cut(name, ".")
		nested := &jsonschema.Schema{Type: "object", AdditionalProperties: jsonschema.FalseSchema, Properties: jsonschema.NewProperties()}
		nested.Properties.Set(key, reference("matrix."+name))
		over.Properties.Set(group, nested)
	}
	block.Properties.Set("over", over)
	block.Required = []string{"slo"}
	return block
}

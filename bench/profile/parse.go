package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// MaxSourceSize bounds a profile in bytes; every shipped one is a hundredth of it.
const MaxSourceSize = 1 << 20

// defaultSeed orders the trials of a profile that states no seed, so that a
// plan is the same every time.
const defaultSeed = 1

// namePattern keeps names usable in file names, globs and cell names.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// topKeys are what stands beside the settings at the top of a profile.
var topKeys = []string{"name", "about", "broker", "baseline", "seed", "arms", "matrix", "scenarios", "claims", "capacity"}

// Parse reads and validates a profile. path is only for messages and
// Profile.Path. The error joins one *Error per mistake, in the order of the
// file, each "path:line:column: what is wrong and what to write".
func Parse(source []byte, path string) (*Profile, error) {
	d := &document{path: path, kind: "profile"}
	root, err := d.root(source)
	if err != nil {
		return nil, err
	}
	p := &Profile{Seed: defaultSeed, Source: source, Path: path}
	d.profile(p, root)
	if len(d.errs) > 0 {
		return nil, d.err()
	}
	p.complete()
	d.references(p, root)
	d.capacityReferences(p)
	if len(d.errs) > 0 {
		return nil, d.err()
	}
	cells := d.expand(p, nil, 1, Cluster{})
	d.checkExclusions(p)
	d.checkClaims(p, cells)
	if p.Capacity != nil {
		d.expand(p.sized(), nil, 1, Cluster{})
	}
	if len(d.errs) > 0 {
		return nil, d.err()
	}
	return p, nil
}

// syntaxLine is how yaml.v3 names the line of a syntax error.
var syntaxLine = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?`)

// countedFromZero are the errors of yaml.v3's parser, as opposed to its
// scanner, whose line it counts from 0.
var countedFromZero = regexp.MustCompile(`^did not find expected (<document start>|node content|'-' indicator|key|',')`)

// root returns the mapping of a source that holds exactly one document.
func (d *document) root(source []byte) (*yaml.Node, error) {
	if len(source) > MaxSourceSize {
		d.failAt(1, 1, "the %s has %d bytes; at most %d are read", d.kind, len(source), MaxSourceSize)
		return nil, d.err()
	}
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	var document, more yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) || err == nil && isNull(document.Content[0]) {
		d.failAt(1, 1, `the %s is empty; it needs at least a name, as in "name: mine"`, d.kind)
		return nil, d.err()
	}
	if err == nil {
		if end := decoder.Decode(&more); end == nil {
			d.fail(&more, "a %s is one YAML document; remove the second", d.kind)
		} else if !errors.Is(end, io.EOF) {
			err = end
		}
	}
	if err != nil {
		line := 1
		text := err.Error()
		if match := syntaxLine.FindStringSubmatch(text); match != nil {
			line, _ = strconv.Atoi(match[1])
			text = strings.TrimPrefix(text, match[0])
			if line > 0 && countedFromZero.MatchString(text) {
				line++
			}
		}
		d.failAt(max(line, 1), 1, "this is no YAML: %s", text)
	}
	if len(d.errs) > 0 {
		return nil, d.err()
	}
	return document.Content[0], nil
}

// profile reads the top level.
func (d *document) profile(p *Profile, root *yaml.Node) {
	var body collector
	for _, entry := range d.pairs(root, "a profile") {
		switch key := entry.key.Value; key {
		case "name":
			p.Name = d.name(entry.value, "the profile's name")
		case "about":
			p.About = strings.TrimSpace(d.text(entry.value, key))
		case "broker":
			p.Broker = d.text(entry.value, key)
			if _, err := ClusterOf(p.Broker); err != nil && p.Broker != "" {
				d.fail(entry.value, "%q: %v", key, err)
			}
		case "baseline":
			p.Baseline = d.text(entry.value, key)
		case "seed":
			p.Seed = d.seed(entry.value)
		case "arms":
			for _, arm := range d.pairs(entry.value, `"arms"`) {
				p.Arms = append(p.Arms, Arm{d.name(arm.key, "an arm's name"), d.layer(arm.value)})
			}
		case "scenarios":
			for _, scenario := range d.pairs(entry.value, `"scenarios"`) {
				name := d.name(scenario.key, "a scenario's name")
				p.Scenarios = append(p.Scenarios, Scenario{name, d.layer(scenario.value)})
			}
		case "matrix":
			d.matrix(p, entry.value)
		case "claims":
			for _, claims := range d.pairs(entry.value, `"claims"`) {
				d.claims(p, claims)
			}
		case "capacity":
			p.Capacity = d.capacity(entry.value)
		default:
			d.entry(settingTree, key, entry, topKeys, body.collect(d))
		}
	}
	p.body = body.assignments
	if p.Name == "" && len(d.errs) == 0 {
		d.fail(root, `the profile has no name; write "name: mine"`)
	}
}

// complete gives a profile that has no arms or scenarios its one.
func (p *Profile) complete() {
	if len(p.Arms) == 0 {
		p.Arms = []Arm{{Name: p.Name}}
	}
	if len(p.Scenarios) == 0 {
		p.Scenarios = []Scenario{{Name: "steady"}}
	}
}

// references checks what names something else in the profile.
func (d *document) references(p *Profile, root *yaml.Node) {
	if p.Baseline == "" {
		return
	}
	var arms []string
	for _, arm := range p.Arms {
		arms = append(arms, arm.Name)
	}
	if !slices.Contains(arms, p.Baseline) {
		at := root
		for _, entry := range d.pairs(root, "a profile") {
			if entry.key.Value == "baseline" {
				at = entry.value
			}
		}
		d.fail(at, "baseline %q is no arm; it may be %s", p.Baseline, orList(arms))
	}
}

// text reads a scalar that is no setting.
func (d *document) text(n *yaml.Node, what string) string {
	if !d.plain(n) {
		return ""
	}
	if n.Kind != yaml.ScalarNode || isNull(n) {
		d.fail(n, "%q takes a text, not %s", what, kindOf(n))
		return ""
	}
	return n.Value
}

func (d *document) name(n *yaml.Node, what string) string {
	text := d.text(n, what)
	if n.Kind == yaml.ScalarNode && !isNull(n) && !namePattern.MatchString(text) {
		d.fail(n, `%q cannot be %s: it has up to 64 letters, digits, ".", "_" and "-"`, text, what)
		return ""
	}
	return text
}

func (d *document) seed(n *yaml.Node) uint64 {
	text := d.text(n, "seed")
	if text == "" {
		return defaultSeed
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		d.fail(n, `"seed": %q is not a whole number from 0 to 18446744073709551615`, text)
	}
	if seed == 0 {
		return defaultSeed
	}
	return seed
}

// matrix reads the axes, each a list of values, and their exclusions.
func (d *document) matrix(p *Profile, n *yaml.Node) {
	var axes collector
	visit := func(name string, s *setting, key string, at pair) {
		if axes.once(d, name, at) {
			d.axis(p, name, s, key, at)
		}
	}
	for _, entry := range d.pairs(n, `"matrix"`) {
		if entry.key.Value == "exclude" {
			d.exclusions(p, entry.value)
			continue
		}
		d.entry(settingTree, entry.key.Value, entry, []string{"exclude"}, visit)
	}
}

func (d *document) axis(p *Profile, name string, s *setting, key string, at pair) {
	switch {
	case s.kind == settingTree.byName["faults"].kind:
		d.fail(at.key, "%q cannot be varied in a matrix; make scenarios of them", name)
		return
	case key != "" && IsSecret(key):
		d.fail(at.key, "%q is a secret and cannot be varied: its value would be in the cells' names", name)
		return
	case at.value.Kind != yaml.SequenceNode:
		d.fail(at.value, "%q takes a list of values in a matrix, such as [a, b], not %s", name, kindOf(at.value))
		return
	case len(at.value.Content) == 0:
		d.fail(at.value, "%q has an empty list, which leaves no cell; give it a value or remove it", name)
		return
	}
	axis := Axis{Setting: name}
	for _, item := range at.value.Content {
		value, ok := d.value(name, s, key, item)
		if !ok {
			continue
		}
		a := assignment{s, key, value, item.Line, item.Column}
		if slices.Contains(axis.Values, a.text()) {
			d.fail(item, "%q lists %s twice", name, a.text())
			continue
		}
		axis.Values, axis.values = append(axis.Values, a.text()), append(axis.values, a)
	}
	p.Matrix = append(p.Matrix, axis)
}

func (d *document) exclusions(p *Profile, n *yaml.Node) {
	if !d.plain(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.fail(n, `"exclude" takes a list of maps, such as [{producer.acks: all, producer.retries: 0}], not %s`, kindOf(n))
		return
	}
	for _, item := range n.Content {
		e := exclusion{d.layer(item), item.Line, item.Column}
		if len(e.assignments) == 0 {
			d.fail(item, "an exclusion without settings would exclude everything")
			continue
		}
		shown := map[string]string{}
		for _, a := range e.assignments {
			shown[a.name()] = a.text()
		}
		p.Exclude, p.exclude = append(p.Exclude, shown), append(p.exclude, e)
	}
}

// claims reads one glob with its expression or list of expressions.
func (d *document) claims(p *Profile, entry pair) {
	cells, scenarios, err := compileGlob(entry.key.Value)
	if err != nil {
		d.fail(entry.key, "claims of %q: %v", entry.key.Value, err)
		return
	}
	list := []*yaml.Node{entry.value}
	if entry.value.Kind == yaml.SequenceNode {
		list = entry.value.Content
	}
	if len(list) == 0 {
		d.fail(entry.value, "%q claims nothing; write [lost == 0]", entry.key.Value)
	}
	for _, item := range list {
		c := Claim{Glob: entry.key.Value, Line: item.Line, Column: item.Column, cells: cells, scenarios: scenarios}
		if d.claim(&c, item) {
			p.Claims = append(p.Claims, c)
		}
	}
}

func (d *document) truth(n *yaml.Node, what string) bool {
	text := d.text(n, what)
	if text != "true" && text != "false" {
		d.fail(n, "%q: %q is neither true nor false", what, text)
	}
	return text == "true"
}

// claim reads "lost == 0" or {claim: "lost == 0", abort: true}.
func (d *document) claim(c *Claim, n *yaml.Node) bool {
	before := len(d.errs)
	if n.Kind != yaml.MappingNode {
		c.Expression = strings.TrimSpace(d.text(n, "a claim"))
	} else {
		for _, p := range d.pairs(n, "a claim") {
			switch p.key.Value {
			case "claim":
				c.Line, c.Column = p.value.Line, p.value.Column
				c.Expression = strings.TrimSpace(d.text(p.value, "claim"))
			case "abort":
				c.Abort = d.truth(p.value, "abort")
			case "sometimes":
				c.Sometimes = d.truth(p.value, "sometimes")
			default:
				d.fail(p.key, "unknown key %q in a claim; it may be claim, sometimes or abort", p.key.Value)
			}
		}
		if c.Abort && c.Sometimes {
			d.fail(n, "a claim that need not hold in every trial cannot stop its cell; leave abort or sometimes out")
		}
	}
	if c.Expression == "" && len(d.errs) == before {
		d.fail(n, "%s", fmt.Sprintf("%q has an empty claim; write lost == 0", c.Glob))
	}
	return len(d.errs) == before
}

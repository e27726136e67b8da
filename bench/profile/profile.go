package profile

import (
	"reflect"
	"regexp"

	"gopkg.in/yaml.v3"
)

// Profile is a parsed and validated YAML profile.
type Profile struct {
	Name     string
	About    string
	Broker   string // what it is meant for where -broker says nothing; "" is DefaultBroker
	Baseline string // an arm; "" is none
	Seed     uint64 // of the order of trials; 1 when the file states none
	// Arms, Scenarios and Claims are in the order of the file. A profile
	// without arms has one, named like the profile; without scenarios one, "steady".
	Arms      []Arm
	Matrix    []Axis
	Exclude   []map[string]string // setting → value, as written
	Scenarios []Scenario
	Claims    []Claim
	// Capacity is what the verb capacity asks; nil where the profile says nothing of it.
	Capacity *Capacity
	// Source is the file as given, Path where it came from.
	Source []byte
	Path   string

	body    []assignment
	exclude []exclusion
}

// Arm is a named configuration.
type Arm struct {
	Name        string
	assignments []assignment
}

// Scenario is what goes wrong while a cell runs, or how it is loaded.
type Scenario struct {
	Name        string
	assignments []assignment
}

// Axis is one varied setting.
type Axis struct {
	Setting string   // dotted
	Values  []string // in canonical text
	values  []assignment
}

// Claim is what must come out in the cells and scenarios that the glob
// "arm/scenario" matches.
type Claim struct {
	Glob       string // as written
	Expression string // "lost == consumer.commit.every"
	Abort      bool   // a trial that does not meet it stops its cell
	Sometimes  bool   // one trial that meets it is enough: what it says is a draw
	Line       int    // of the expression in the file
	Column     int

	cells     *regexp.Regexp
	scenarios *regexp.Regexp
}

// assignment gives one setting a value. Line 0 is the command line.
type assignment struct {
	setting      *setting
	key          string // of a librdkafka map
	value        reflect.Value
	line, column int
}

func (a assignment) name() string {
	if a.key == "" {
		return a.setting.name
	}
	return a.setting.name + "." + a.key
}

// text is the canonical form of a value that fits on a line.
func (a assignment) text() string {
	if faults, is := a.value.Interface().([]Fault); is {
		return faultsText(faults)
	}
	return redact(a.key, textOf(a.value))
}

// exclusion removes the matrix cells in which every assignment holds.
type exclusion struct {
	assignments  []assignment
	line, column int
}

func (e exclusion) matches(s Settings) bool {
	root := reflect.ValueOf(s)
	for _, a := range e.assignments {
		field := root.FieldByIndex(a.setting.index)
		if a.key != "" {
			field = field.MapIndex(reflect.ValueOf(a.key))
		}
		if !field.IsValid() || !reflect.DeepEqual(field.Interface(), a.value.Interface()) {
			return false
		}
	}
	return true
}

// Redacted returns the source with the values of secret client properties
// replaced, so that it can be saved beside results. Without a secret in it,
// it is the source as it was given.
func (p *Profile) Redacted() ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(p.Source, &document); err != nil {
		return nil, err
	}
	if redactNodes(&document) == 0 {
		return p.Source, nil
	}
	return yaml.Marshal(&document)
}

// redactNodes replaces and counts the secrets below a node.
func redactNodes(n *yaml.Node) int {
	count := 0
	for i, child := range n.Content {
		secret := n.Kind == yaml.MappingNode && i%2 == 1 && IsSecret(n.Content[i-1].Value)
		if secret && child.Kind == yaml.ScalarNode {
			*child = yaml.Node{Kind: yaml.ScalarNode, Value: redacted, Style: yaml.DoubleQuotedStyle}
			count++
			continue
		}
		count += redactNodes(child)
	}
	return count
}

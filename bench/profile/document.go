package profile

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"gopkg.in/yaml.v3"
)

// Error is one mistake in a profile. A Line of 0 is a mistake that has no
// place in the file, such as one in -set.
type Error struct {
	Path         string
	Line, Column int
	Text         string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Text)
}

// document reads a YAML tree and collects what is wrong with it. The tree is
// walked by hand, since yaml.v3's decoder reports a line without its column
// and stops at the first unknown key.
type document struct {
	path string
	kind string // what it is called in messages
	errs []*Error
}

func (d *document) fail(at *yaml.Node, format string, args ...any) {
	d.failAt(at.Line, at.Column, format, args...)
}

func (d *document) failAt(line, column int, format string, args ...any) {
	mistake := Error{d.path, line, column, fmt.Sprintf(format, args...)}
	for _, known := range d.errs {
		if *known == mistake { // the same contradiction in another cell
			return
		}
	}
	d.errs = append(d.errs, &mistake)
}

// err joins all mistakes in the order of the file.
func (d *document) err() error {
	slices.SortStableFunc(d.errs, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	list := make([]error, len(d.errs))
	for i, e := range d.errs {
		list[i] = e
	}
	return errors.Join(list...)
}

type pair struct{ key, value *yaml.Node }

// pairs returns a mapping's entries. Aliases and merge keys are refused: a
// setting must stand where it is read, and expanding them is how small
// documents become huge ones.
func (d *document) pairs(n *yaml.Node, what string) []pair {
	if !d.plain(n) {
		return nil
	}
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.fail(n, "%s takes a map of settings, not %s", what, kindOf(n))
		return nil
	}
	first := map[string]*yaml.Node{}
	var pairs []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Tag == "!!merge" || key.Value == "<<":
			d.fail(key, "merge keys are not supported; write the settings out, or put them in the body")
		case key.Kind != yaml.ScalarNode:
			d.fail(key, "a key must be a word, not %s", kindOf(key))
		case first[key.Value] != nil:
			d.fail(key, "%q is given twice; it stands in line %d already", key.Value, first[key.Value].Line)
		default:
			first[key.Value] = key
			pairs = append(pairs, pair{key, value})
		}
	}
	return pairs
}

// plain reports whether a node is no alias.
func (d *document) plain(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode {
		d.fail(n, "aliases are not supported; write the value of *%s out", n.Value)
		return false
	}
	return true
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case isNull(n):
		return "nothing"
	}
	return fmt.Sprintf("%q", n.Value)
}

// leaf receives one setting where it is given.
type leaf func(name string, s *setting, key string, p pair)

// walk reads a mapping whose keys are settings below prefix, nested or dotted
// or both, and calls the leaf for each.
func (d *document) walk(t *tree, n *yaml.Node, prefix string, visit leaf) {
	what := fmt.Sprintf("%q", prefix)
	if prefix == "" {
		what = "this"
	}
	for _, p := range d.pairs(n, what) {
		d.entry(t, join(prefix, p.key.Value), p, nil, visit)
	}
}

// entry reads one key of which name is the dotted name. also are words that
// may stand beside the settings, for suggestions.
func (d *document) entry(t *tree, name string, p pair, also []string, visit leaf) {
	if !d.plain(p.value) {
		return
	}
	if t.isGroup(name) {
		if isNull(p.value) || p.value.Kind != yaml.MappingNode {
			d.fail(p.value, "%q holds settings, not %s; write %s: {...}", name, kindOf(p.value), name)
			return
		}
		d.walk(t, p.value, name, visit)
		return
	}
	s, key, found := t.find(name)
	switch {
	case !found:
		d.fail(p.key, "unknown key %q%s", name, didYouMean(name, append(t.names(), also...)))
	case s.free && key == "":
		for _, q := range d.pairs(p.value, fmt.Sprintf("%q", name)) {
			if q.key.Value == "" {
				d.fail(q.key, "%q has an entry without a name", name)
				continue
			}
			visit(join(name, q.key.Value), s, q.key.Value, q)
		}
	default:
		visit(name, s, key, p)
	}
}

// layer reads a mapping of settings into assignments.
func (d *document) layer(n *yaml.Node) []assignment {
	var l collector
	d.walk(settingTree, n, "", l.collect(d))
	return l.assignments
}

// collector gathers one layer's assignments, each setting once.
type collector struct {
	assignments []assignment
	first       map[string]int // line by dotted name
}

func (l *collector) collect(d *document) leaf {
	return func(name string, s *setting, key string, p pair) {
		if !l.once(d, name, p) {
			return
		}
		if value, ok := d.value(name, s, key, p.value); ok {
			l.assignments = append(l.assignments, assignment{s, key, value, p.key.Line, p.key.Column})
		}
	}
}

// once refuses a setting that is given nested and dotted in one layer.
func (l *collector) once(d *document, name string, p pair) bool {
	if line, twice := l.first[name]; twice {
		d.fail(p.key, "%q is given twice; it stands in line %d already", name, line)
		return false
	}
	if l.first == nil {
		l.first = map[string]int{}
	}
	l.first[name] = p.key.Line
	return true
}

// value reads a setting's value.
func (d *document) value(name string, s *setting, key string, n *yaml.Node) (reflect.Value, bool) {
	if !d.plain(n) {
		return reflect.Value{}, false
	}
	if s.kind == reflect.TypeFor[[]Fault]() {
		return d.faults(n)
	}
	if n.Kind != yaml.ScalarNode || isNull(n) {
		d.fail(n, "%q takes one value, not %s", name, kindOf(n))
		return reflect.Value{}, false
	}
	if owner := ownerOf(s, key); owner != "" {
		d.fail(n, "%q is decided by %s; set that, so that the results show it", name, owner)
		return reflect.Value{}, false
	}
	if why := Reserved(key); why != "" {
		d.fail(n, "%q cannot be set: %s", name, why)
		return reflect.Value{}, false
	}
	value, err := s.read(n.Value)
	if err != nil {
		d.fail(n, "%q: %v", name, err)
	}
	return value, err == nil
}

// ownerOf returns the setting that decides a librdkafka property; "" when it
// is free. The relay's producer is configured by producer's settings too.
func ownerOf(s *setting, property string) string {
	if property == "" {
		return ""
	}
	for _, owner := range settingTree.settings {
		if slices.Contains(owner.owned, property) && (owner.index[0] == s.index[0] ||
			s.name == "relay.librdkafka" && owner.index[0] == settingTree.byName["producer.acks"].index[0]) {
			return owner.name
		}
	}
	return ""
}

// faults reads a list of maps.
func (d *document) faults(n *yaml.Node) (reflect.Value, bool) {
	if n.Kind != yaml.SequenceNode {
		d.fail(n, `"faults" takes a list of maps, not %s`, kindOf(n))
		return reflect.Value{}, false
	}
	faults := []Fault{}
	before := len(d.errs)
	for _, item := range n.Content {
		if !d.plain(item) {
			continue
		}
		if item.Kind != yaml.MappingNode {
			d.fail(item, "a fault is a map such as {kill: consumer, when: mid-batch, at: 50%%}, not %s", kindOf(item))
			continue
		}
		var fault Fault
		known := len(d.errs)
		d.walk(faultTree, item, "", func(name string, s *setting, key string, p pair) {
			if value, ok := d.value(name, s, key, p.value); ok {
				s.apply(reflect.ValueOf(&fault).Elem(), key, value)
			}
		})
		if len(d.errs) > known {
			continue // what is left of it would only be blamed twice
		}
		if err := fault.check(); err != nil {
			d.fail(item, "%v", err)
		}
		faults = append(faults, fault)
	}
	return reflect.ValueOf(faults), len(d.errs) == before
}

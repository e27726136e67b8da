package profile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
)

// Schema returns the JSON schema of a profile, for editors: every setting,
// nested and dotted, with its description, default and allowed values. Parse
// stays the judge; the schema accepts everything that Parse accepts.
func Schema() ([]byte, error) {
	comments, err := fieldComments()
	if err != nil {
		return nil, err
	}
	b := schemaBuilder{comments: comments, definitions: jsonschema.Definitions{}}
	root := b.profile()
	root.Definitions = b.definitions
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err = encoder.Encode(root)
	return out.Bytes(), err
}

type schemaBuilder struct {
	comments    map[string]string
	definitions jsonschema.Definitions
}

// profile builds the root. Each setting is a definition named by its dotted
// name, so that the nested and the dotted key share it.
func (b *schemaBuilder) profile() *jsonschema.Schema {
	defaults := Defaults().Dotted()
	for _, s := range settingTree.settings {
		definition := b.setting(s, reflect.TypeFor[Settings](), defaults[s.name])
		b.definitions[s.name] = definition
		if !s.free && s.kind != reflect.TypeFor[[]Fault]() {
			b.definitions["matrix."+s.name] = listOf(reference(s.name))
		}
	}
	b.definitions["fault"] = b.leaves(faultTree, reflect.TypeFor[Fault](), nil)
	for _, group := range settingTree.groups {
		b.definitions[group] = b.group(group, "")
		b.definitions["matrix."+group] = b.group(group, "matrix.")
	}
	layer := b.group("", "")
	b.definitions["settings"] = layer
	matrix := b.group("", "matrix.")
	exclude := listOf(reference("settings"))
	exclude.Description = "Combinations to leave out, each a map of settings to values."
	matrix.Properties.Set("exclude", exclude)
	matrix.Description = "Dotted settings, each with a list of values: every arm runs every combination."
	b.definitions["matrix"] = matrix

	root := b.group("", "")
	root.Version = jsonschema.Version
	root.Title = "deliverybench profile"
	root.Required = []string{"name"}
	b.frame(root)
	return root
}

// frame adds what stands beside the settings at the top.
func (b *schemaBuilder) frame(root *jsonschema.Schema) {
	named := func(text string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "object", Description: text,
			PropertyNames: &jsonschema.Schema{Pattern: namePattern.String()},
			AdditionalProperties: &jsonschema.Schema{
				AnyOf: []*jsonschema.Schema{reference("settings"), {Type: "null"}}}}
	}
	text := func(text string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Description: text}
	}
	name := text("The profile's name; results are kept under it.")
	name.Pattern = namePattern.String()
	root.Properties.Set("name", name)
	root.Properties.Set("about", text("What the profile shows, in a sentence or two."))
	root.Properties.Set("broker", text("The broker that the profile is meant for where -broker says nothing: "+BrokerUsage+"."))
	root.Properties.Set("baseline", text("The arm with which the others are compared."))
	root.Properties.Set("seed", &jsonschema.Schema{Type: "integer", Minimum: "0",
		Description: "Of the random order of trials. Default 1."})
	root.Properties.Set("arms", named("Named configurations, compared with each other."))
	root.Properties.Set("matrix", reference("matrix"))
	root.Properties.Set("scenarios", named("What goes wrong while a cell runs, or how it is loaded."))
	entry := jsonschema.NewProperties()
	entry.Set("claim", text("A claim: lost == 0."))
	entry.Set("abort", &jsonschema.Schema{Type: "boolean",
		Description: "A trial that does not meet the claim stops its cell."})
	entry.Set("sometimes", &jsonschema.Schema{Type: "boolean",
		Description: "One trial that meets the claim is enough, for what is a draw; the table says in how many it was met."})
	claim := &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {
		Type: "object", Required: []string{"claim"},
		Properties: entry, AdditionalProperties: jsonschema.FalseSchema}}}
	root.Properties.Set("claims", &jsonschema.Schema{Type: "object",
		Description: "What must come out, by arm/scenario glob: lost == 0, duplicates == consumer.commit.every.",
		AdditionalProperties: &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
			claim, listOf(claim)}}})
	root.Properties.Set("capacity", b.capacity())
}

func reference(name string) *jsonschema.Schema {
	return &jsonschema.Schema{Ref: "#/$defs/" + name}
}

func listOf(item *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "array", Items: item}
}

// group builds the object of everything below a dotted prefix. kind is
// "matrix." where each value is a list.
func (b *schemaBuilder) group(prefix, kind string) *jsonschema.Schema {
	object := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(),
		AdditionalProperties: jsonschema.FalseSchema}
	below := func(name string) (string, bool) {
		if prefix == "" {
			return name, true
		}
		return strings.CutPrefix(name, prefix+".")
	}
	for _, name := range settingTree.groups {
		if key, under := below(name); under {
			object.Properties.Set(key, reference(kind+name))
		}
	}
	for _, s := range settingTree.settings {
		key, under := below(s.name)
		if !under || kind != "" && s.kind == reflect.TypeFor[[]Fault]() {
			continue
		}
		if !s.free {
			object.Properties.Set(key, reference(kind+s.name))
			continue
		}
		entry := scalar()
		if kind == "" {
			object.Properties.Set(key, reference(s.name))
		} else {
			entry = listOf(entry)
			object.Properties.Set(key, &jsonschema.Schema{Type: "object", AdditionalProperties: entry})
		}
		if object.PatternProperties == nil {
			object.PatternProperties = map[string]*jsonschema.Schema{}
		}
		object.PatternProperties["^"+regexp.QuoteMeta(key)+`\..+`] = entry
	}
	return object
}

// scalar is any one value: the client library reads its properties as text.
func scalar() *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
		{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
}

// leaves builds the object of a small tree that is no layer of settings, each
// key as it is written: nested or, where a group has one, dotted.
func (b *schemaBuilder) leaves(t *tree, root reflect.Type, defaults map[string]string) *jsonschema.Schema {
	empty := func() *jsonschema.Schema {
		return &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(),
			AdditionalProperties: jsonschema.FalseSchema}
	}
	object := empty()
	groups := map[string]*jsonschema.Schema{}
	for _, group := range t.groups {
		groups[group] = empty()
		object.Properties.Set(group, groups[group])
	}
	for _, s := range t.settings {
		leaf := b.setting(s, root, defaults[s.name])
		object.Properties.Set(s.name, leaf)
		if group, key, nested := strings.Cut(s.name, "."); nested {
			groups[group].Properties.Set(key, leaf)
		}
	}
	return object
}

// patterns are the units' texts; what they let through Parse still judges.
var patterns = map[reflect.Type]string{
	reflect.TypeFor[Rate]():     `^([0-9]+(\.[0-9]+)?[kM]?/s|max)$`,
	reflect.TypeFor[Size]():     `^[0-9]+(\.[0-9]+)?([KMG]i?)?B$`,
	reflect.TypeFor[Duration](): `^(\+?([0-9]*\.?[0-9]*(ns|us|µs|μs|ms|s|m|h))+|[+-]?0)$`,
	reflect.TypeFor[Period]():   `^([0-9]{1,5}d|\+?([0-9]*\.?[0-9]*(ns|us|µs|μs|ms|s|m|h))+)$`,
	reflect.TypeFor[Share]():    `^[0-9]+(\.[0-9]+)?%$`,
	reflect.TypeFor[Moment]():   `^([0-9]+(\.[0-9]+)?%|\+?([0-9]*\.?[0-9]*(ns|us|µs|μs|ms|s|m|h))+|[+-]?0)$`,
}

// setting builds one leaf.
func (b *schemaBuilder) setting(s *setting, root reflect.Type, standard string) *jsonschema.Schema {
	leaf := &jsonschema.Schema{Description: s.describe(root, b.comments)}
	if allowed := s.rangeText(); allowed != "" {
		leaf.Description += " Range: " + allowed + "."
	}
	if standard != "" {
		leaf.Description += " Default: " + standard + "."
	}
	switch {
	case s.kind == reflect.TypeFor[[]Fault]():
		leaf.Type, leaf.Items = "array", reference("fault")
	case s.free:
		leaf.Type, leaf.AdditionalProperties = "object", scalar()
	case s.kind == reflect.TypeFor[TopicName]():
		leaf.AnyOf = scalar().AnyOf // a topic may be called 2026
	case patterns[s.kind] != "":
		leaf.AnyOf = []*jsonschema.Schema{{Type: "string", Pattern: patterns[s.kind]}}
		if pattern := regexp.MustCompile(patterns[s.kind]); pattern.MatchString("0") {
			leaf.AnyOf = append(leaf.AnyOf, &jsonschema.Schema{Const: 0}) // "0" needs no unit, and is a number to YAML
		}
	case s.kind.Kind() == reflect.Int:
		leaf.Type = "integer"
		leaf.Minimum, leaf.Maximum = json.Number(s.low.text), json.Number(s.high.text)
	case s.kind.Kind() == reflect.Bool:
		leaf.Type = "boolean"
	default:
		for _, word := range vocabularies[s.kind] {
			leaf.Enum = append(leaf.Enum, word)
			if isDigits(word) { // acks: 1 is a number to YAML
				leaf.Enum = append(leaf.Enum, json.Number(word))
			}
		}
	}
	return leaf
}

func isDigits(word string) bool {
	return !slices.ContainsFunc([]byte(word), func(c byte) bool { return c < '0' || c > '9' })
}

// rangeText is the allowed range for people; "" is none.
func (s *setting) rangeText() string {
	low := s.low.text
	if s.low.exclusive {
		low = "more than " + low
	}
	switch {
	case low != "" && s.high.text != "" && !s.low.exclusive:
		return fmt.Sprintf("%s to %s", low, s.high.text)
	case low != "" && s.high.text != "":
		return fmt.Sprintf("%s, at most %s", low, s.high.text)
	case low != "" && !s.low.exclusive:
		return "at least " + low
	case s.high.text != "":
		return "at most " + s.high.text
	}
	return low
}

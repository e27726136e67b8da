package profile

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// setting is one field of Settings (or of Fault) that takes a value: a leaf of
// the tree that the yaml tags span.
type setting struct {
	name  string // dotted
	index []int  // of the field, for reflect's FieldByIndex
	kind  reflect.Type
	// free is a librdkafka map: its keys are whatever the client library knows.
	free bool
	// low and high are the allowed range in the setting's base unit, as given in the tag.
	low, high bound
	// owned are the librdkafka properties that this setting decides.
	owned []string
}

type bound struct {
	value     float64
	text      string // "" is no bound
	exclusive bool
}

// tree is a struct type's settings by dotted name.
type tree struct {
	settings []*setting // in the order of the struct
	byName   map[string]*setting
	groups   []string // dotted names that hold settings
}

var (
	settingTree = grow(reflect.TypeFor[Settings]())
	faultTree   = grow(reflect.TypeFor[Fault]())
	sizingTree  = grow(reflect.TypeFor[Sizing]())
)

// grow walks a struct type. It panics on a malformed tag, which is a mistake
// in this package that its first test shows.
func grow(root reflect.Type) *tree {
	t := &tree{byName: map[string]*setting{}}
	t.add(root, "", nil)
	return t
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

func (t *tree) add(group reflect.Type, prefix string, index []int) {
	for i := range group.NumField() {
		field := group.Field(i)
		name := join(prefix, field.Tag.Get("yaml"))
		path := append(slices.Clone(index), i)
		text := reflect.PointerTo(field.Type).Implements(textUnmarshaler)
		if field.Type.Kind() == reflect.Struct && !text {
			t.groups = append(t.groups, name)
			t.add(field.Type, name, path)
			continue
		}
		s := &setting{name: name, index: path, kind: field.Type, free: field.Type.Kind() == reflect.Map}
		s.readTags(field.Tag)
		t.settings = append(t.settings, s)
		t.byName[name] = s
	}
}

func (s *setting) readTags(tag reflect.StructTag) {
	if owned := tag.Get("librdkafka"); owned != "" {
		s.owned = strings.Split(owned, ",")
	}
	allowed := tag.Get("range")
	if allowed == "" {
		return
	}
	low, high, _ := strings.Cut(allowed, "..")
	s.low, s.high = s.readBound(low), s.readBound(high)
}

func (s *setting) readBound(text string) bound {
	text, exclusive := strings.CutPrefix(text, ">")
	if text == "" {
		return bound{}
	}
	value, err := readText(s.kind, text)
	if err != nil {
		panic(fmt.Sprintf("range of %s: %v", s.name, err))
	}
	return bound{amount(value), text, exclusive}
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}

// find returns the setting of a dotted name. For a librdkafka entry key is the
// client property's whole name, dots and all.
func (t *tree) find(name string) (s *setting, key string, found bool) {
	if s, found = t.byName[name]; found {
		return s, "", true
	}
	for _, s := range t.settings {
		if key, found := strings.CutPrefix(name, s.name+"."); found && s.free && key != "" {
			return s, key, true
		}
	}
	return nil, "", false
}

func (t *tree) isGroup(name string) bool { return slices.Contains(t.groups, name) }

// names are all groups and settings, for suggestions.
func (t *tree) names() []string {
	names := slices.Clone(t.groups)
	for _, s := range t.settings {
		names = append(names, s.name)
	}
	return names
}

// SettingNames returns every setting's dotted name in the order of the
// settings. The librdkafka maps appear as their own name; their entries are
// below it: "producer.librdkafka.socket.timeout.ms".
func SettingNames() []string {
	names := make([]string, len(settingTree.settings))
	for i, s := range settingTree.settings {
		names[i] = s.name
	}
	return names
}

// read turns a value's text into the setting's type and checks its range.
func (s *setting) read(text string) (reflect.Value, error) {
	kind := s.kind
	if s.free {
		kind = kind.Elem()
	}
	value, err := readText(kind, text)
	if err != nil {
		return value, err
	}
	return value, s.checkRange(value)
}

func readText(kind reflect.Type, text string) (reflect.Value, error) {
	value := reflect.New(kind)
	if reader, ok := value.Interface().(encoding.TextUnmarshaler); ok {
		return value.Elem(), reader.UnmarshalText([]byte(text))
	}
	switch kind.Kind() {
	case reflect.String:
		if allowed, closed := vocabularies[kind]; closed && !slices.Contains(allowed, text) {
			return value.Elem(), fmt.Errorf("%q is not known; it may be %s", text, orList(allowed))
		}
		value.Elem().SetString(text)
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, strconv.IntSize)
		if err != nil {
			return value.Elem(), fmt.Errorf("%q is not a whole number", text)
		}
		value.Elem().SetInt(n)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return value.Elem(), fmt.Errorf("%q is neither true nor false", text)
		}
		value.Elem().SetBool(text == "true")
	default:
		return value.Elem(), fmt.Errorf("it takes a list or a map, not %q", text)
	}
	return value.Elem(), nil
}

func (s *setting) checkRange(value reflect.Value) error {
	if value.Type() == reflect.TypeFor[Rate]() && Rate(value.Float()) == RateMax {
		return nil
	}
	x := amount(value)
	switch {
	case s.low.text != "" && s.low.exclusive && x <= s.low.value:
		return fmt.Errorf("%s is too little; it must be more than %s", textOf(value), s.low.text)
	case s.low.text != "" && x < s.low.value:
		return fmt.Errorf("%s is too little; the minimum is %s", textOf(value), s.low.text)
	case s.high.text != "" && x > s.high.value:
		return fmt.Errorf("%s is too much; the maximum is %s", textOf(value), s.high.text)
	}
	return nil
}

// amount is a value as a number in its base unit: seconds, bytes, messages per
// second (+Inf for max), 0 to 1; NaN for what is no number.
func amount(value reflect.Value) float64 {
	switch v := value.Interface().(type) {
	case Rate:
		if v == RateMax {
			return math.Inf(1)
		}
		return float64(v)
	case Duration:
		return float64(v) / 1e9
	case Period:
		return float64(v) / 1e9
	case Share:
		return float64(v)
	case Size:
		return float64(v)
	case int:
		return float64(v)
	case string: // a librdkafka entry
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			return n
		}
	}
	return math.NaN()
}

// textOf is a value as it is written in YAML, for scalars.
func textOf(value reflect.Value) string { return fmt.Sprint(value.Interface()) }

// apply sets the setting in a Settings or Fault. Maps are replaced by a copy,
// since earlier layers go on holding theirs.
func (s *setting) apply(target reflect.Value, key string, value reflect.Value) {
	field := target.FieldByIndex(s.index)
	if key == "" {
		field.Set(value)
		return
	}
	entries := reflect.MakeMap(field.Type())
	for _, k := range field.MapKeys() {
		entries.SetMapIndex(k, field.MapIndex(k))
	}
	entries.SetMapIndex(reflect.ValueOf(key), value)
	field.Set(entries)
}

// Dotted returns every setting as text by its dotted name. Entries of the
// librdkafka maps stand under their whole name, with secrets redacted; faults
// are one readable line.
func (s Settings) Dotted() map[string]string {
	dotted := map[string]string{}
	root := reflect.ValueOf(s)
	for _, leaf := range settingTree.settings {
		switch value := root.FieldByIndex(leaf.index).Interface().(type) {
		case map[string]string:
			for key, text := range value {
				dotted[leaf.name+"."+key] = redact(key, text)
			}
		case []Fault:
			dotted[leaf.name] = faultsText(value)
		default:
			dotted[leaf.name] = fmt.Sprint(value)
		}
	}
	return dotted
}

// Get returns one setting by its dotted name: as a number in base units
// (seconds, bytes, messages per second with +Inf for max, shares from 0 to 1;
// NaN when it is no number) and as text. ok is false for a name that is no
// setting and for a librdkafka entry that is not set.
func (s Settings) Get(dotted string) (value float64, text string, ok bool) {
	leaf, key, found := settingTree.find(dotted)
	if !found {
		return math.NaN(), "", false
	}
	field := reflect.ValueOf(s).FieldByIndex(leaf.index)
	if leaf.free {
		entry := field.MapIndex(reflect.ValueOf(key))
		if !entry.IsValid() {
			return math.NaN(), "", false
		}
		return amount(entry), redact(key, entry.String()), true
	}
	if faults, is := field.Interface().([]Fault); is {
		return math.NaN(), faultsText(faults), true
	}
	return amount(field), textOf(field), true
}

// DecidedBy returns the setting that decides a librdkafka property; "" when
// none does.
func DecidedBy(property string) string {
	for _, s := range settingTree.settings {
		if slices.Contains(s.owned, property) {
			return s.name
		}
	}
	return ""
}

// reserved are librdkafka properties that neither a profile nor a file may set:
// trials stand on what this program gives them.
var reserved = map[string]string{
	"bootstrap.servers":          "-broker names the cluster",
	"metadata.broker.list":       "-broker names the cluster",
	"group.id":                   "each trial has a group of its own",
	"transactional.id":           "each trial has ids of its own",
	"auto.offset.reset":          "consumer.offset_reset in a profile decides it",
	"enable.partition.eof":       "it tells when a trial is drained",
	"delivery.report.only.error": "every message's report is counted",
	"log.queue":                  "the clients' logs are read by this program",
}

// Reserved says why a librdkafka property cannot be set; "" when it can.
func Reserved(property string) string { return reserved[property] }

const redacted = "[redacted]"

// IsSecret reports whether a librdkafka property's value must not be shown:
// passwords, private keys and what carries them.
func IsSecret(property string) bool {
	property = strings.ToLower(property)
	for _, part := range []string{"password", "passphrase", "secret", "key.pem", "ssl.key",
		"private.key", "jaas", "sasl.oauthbearer.config", "token.value"} {
		if strings.Contains(property, part) {
			return true
		}
	}
	return false
}

func redact(property, text string) string {
	if IsSecret(property) {
		return redacted
	}
	return text
}

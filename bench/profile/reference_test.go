package profile

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	referenceFile  = "../../docs/PROFILES.md"
	referenceStart = "<!-- The part below is written by `go test ./bench/profile -update`. -->\n"
)

// docs/PROFILES.md is written by hand down to a mark, and below it from the
// Go types.
func TestReferenceIsCurrent(t *testing.T) {
	file, err := os.ReadFile(referenceFile)
	require.NoError(t, err)
	introduction, _, found := strings.Cut(string(file), referenceStart)
	require.True(t, found, "%s has lost the line %q", referenceFile, referenceStart)
	golden(t, referenceFile, []byte(introduction+referenceStart+settingsReference(t)))
}

func settingsReference(t *testing.T) string {
	comments, err := fieldComments()
	require.NoError(t, err)
	var out strings.Builder
	section := func(title string, list []*setting, root reflect.Type, defaults map[string]string) {
		fmt.Fprintf(&out, "\n### %s\n\n| Setting | Default | Values | Meaning |\n|---|---|---|---|\n", title)
		for _, s := range list {
			standard := ""
			if text := defaults[s.name]; text != "" {
				standard = "`" + text + "`"
			}
			fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", s.name, standard, s.values(),
				strings.ReplaceAll(s.describe(root, comments), "|", `\|`))
		}
	}
	defaults := Defaults().Dotted()
	top := []string{"", "load", "topic", "producer", "consumer", "relay", "sink"}
	for _, group := range top {
		var list []*setting
		for _, s := range settingTree.settings {
			head, _, nested := strings.Cut(s.name, ".")
			if nested && head == group || !nested && group == "" {
				list = append(list, s)
			}
		}
		title := group
		if group == "" {
			title = "the trial"
		}
		section(title, list, reflect.TypeFor[Settings](), defaults)
	}
	section("a fault", faultTree.settings, reflect.TypeFor[Fault](), nil)
	section("capacity", sizingTree.settings, reflect.TypeFor[Sizing](), sizingDefaults())
	return out.String()
}

// values says in a few words what a setting takes, with its unit.
func (s *setting) values() string {
	units := map[reflect.Type]string{
		reflect.TypeFor[Rate]():      "rate (`20000/s`, `20k/s`, `max`)",
		reflect.TypeFor[Size]():      "size (`256B`, `1KiB`)",
		reflect.TypeFor[Duration]():  "time (`500ms`, `1m30s`)",
		reflect.TypeFor[Period]():    "period (`7d`, `12h`)",
		reflect.TypeFor[Share]():     "share (`40%`)",
		reflect.TypeFor[Moment]():    "moment (`50%`, `2s`)",
		reflect.TypeFor[TopicName](): "topic",
		reflect.TypeFor[[]Fault]():   "list of faults",
	}
	text := units[s.kind]
	switch {
	case text != "":
	case s.free:
		return "map of properties"
	case s.kind.Kind() == reflect.Int:
		text = "number"
	case s.kind.Kind() == reflect.Bool:
		text = "`true`, `false`"
	default:
		text = "`" + strings.Join(vocabularies[s.kind], "`, `") + "`"
	}
	if allowed := s.rangeText(); allowed != "" {
		text += ", " + allowed
	}
	return text
}

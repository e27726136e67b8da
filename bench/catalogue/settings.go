package catalogue

import (
	"fmt"
	"slices"
	"strings"
)

// ownLine are settings that are told by other means, or say nothing of a cause.
var ownLine = []string{"guarantee", "repeats", "faults"}

// compareSettings tells of each side the settings in which the sides differ (not
// those that each of them varies alike), and its faults.
func (m measurement) compareSettings(sides []Side) {
	all := make([][]map[string]string, len(sides))
	for i, s := range sides {
		for _, a := range m.places(s.Glob) {
			all[i] = append(all[i], settingsOf(a))
		}
	}
	names := differing(slices.Concat(all...))
	for i := range sides {
		for _, name := range names {
			values := valuesOf(all[i], name)
			if slices.ContainsFunc(all, func(other []map[string]string) bool { return !slices.Equal(valuesOf(other, name), values) }) {
				sides[i].Settings = append(sides[i].Settings, name+": "+strings.Join(values, " | "))
			}
		}
		for _, text := range valuesOf(all[i], "faults") {
			if text != "" {
				sides[i].Faults = append(sides[i].Faults, text)
			}
		}
	}
}

// settingsOf is what the trials of a place ran with.
func settingsOf(a at) map[string]string {
	settings := map[string]string{}
	for name, value := range a.cell.Settings {
		settings[name] = value
	}
	for _, t := range a.cell.InScenario(a.scenario) {
		for name, value := range t.Settings {
			settings[name] = value
		}
	}
	return settings
}

func differing(all []map[string]string) []string {
	names := map[string]bool{}
	for _, settings := range all {
		for name, value := range settings {
			if other, ok := all[0][name]; !ok || other != value {
				names[name] = true
			}
		}
	}
	var list []string
	for name := range names {
		if !slices.Contains(ownLine, name) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// valuesOf are a setting's values, each once.
func valuesOf(all []map[string]string, name string) []string {
	var list []string
	for _, settings := range all {
		if value := settings[name]; !slices.Contains(list, value) {
			list = append(list, value)
		}
	}
	return list
}

// String is a fact as a table writes it: "lost 500", "lost 0–3, lost > 0 in 7
// of 12 (95 % CI 28–85 %)".
func (f Fact) String() string {
	text := f.Metric + " " + f.Observed
	if f.Sometimes != nil {
		text += fmt.Sprintf(", %s in %s", f.Claims[len(f.Claims)-1], f.frequency())
	}
	return text
}

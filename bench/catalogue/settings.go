package catalogue

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"deliverybench/bench/stats"
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
				sides[i].Settings = append(sides[i].Settings, name+": "+orElse(strings.Join(values, " | "), stats.None))
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

// differing names the settings that are not the same everywhere, or not there.
func differing(all []map[string]string) []string {
	names := map[string]bool{}
	for _, settings := range all {
		for name := range settings {
			names[name] = true
		}
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(names)), func(name string) bool {
		return slices.Contains(ownLine, name) || len(valuesOf(all, name)) < 2
	})
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

// String is a fact as a table writes it: "lost 500", "lost 0 (process-first)",
// "lost 0–3, lost > 0 in 7 of 12 (95 % CI 28–85 %)".
func (f Fact) String() string {
	text := f.Metric + " " + f.observed()
	if len(f.Of) > 0 {
		text += " (" + strings.Join(f.Of, ", ") + ")"
	}
	if f.Sometimes != nil {
		text += fmt.Sprintf(", %s in %s", f.Claims[0], f.frequency())
	}
	return text
}

func (f Fact) observed() string { return orElse(f.Observed, stats.None) }

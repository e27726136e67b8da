package claim

import (
	"path"
	"strings"
)

// Match reports whether a claim's glob, "arm/scenario", covers an arm and a
// scenario, in every cell of the matrix. Each half may use *, ?, [a-z] and
// {one,other}. A malformed glob matches nothing.
func Match(glob, arm, scenario string) bool {
	for _, g := range expand(glob) {
		armGlob, scenarioGlob, found := strings.Cut(g, "/")
		if found && matches(armGlob, arm) && matches(scenarioGlob, scenario) {
			return true
		}
	}
	return false
}

func matches(glob, name string) bool {
	ok, err := path.Match(glob, name)
	return err == nil && ok
}

// expand writes out the first {a,b} and then the rest, until there is none.
func expand(glob string) []string {
	open := strings.IndexByte(glob, '{')
	if open < 0 {
		return []string{glob}
	}
	length := strings.IndexByte(glob[open:], '}')
	if length < 0 {
		return []string{glob}
	}
	var out []string
	for _, choice := range strings.Split(glob[open+1:open+length], ",") {
		out = append(out, expand(glob[:open]+strings.TrimSpace(choice)+glob[open+length+1:])...)
	}
	return out
}

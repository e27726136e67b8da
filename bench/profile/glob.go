package profile

import (
	"errors"
	"regexp"
	"strings"
)

// Matches reports whether the claim is about this arm or matrix cell in this
// scenario. A glob's part before its last "/" matches the arm, so that it
// holds for every matrix cell, or a cell by its whole name; "*" is any text,
// {a,b} is either.
func (c Claim) Matches(arm, cell, scenario string) bool {
	cells, scenarios := c.cells, c.scenarios
	if cells == nil || scenarios == nil { // a claim that was not parsed from a profile
		var err error
		if cells, scenarios, err = compileGlob(c.Glob); err != nil {
			return false
		}
	}
	return scenarios.MatchString(scenario) && (cells.MatchString(arm) || cells.MatchString(cell))
}

func compileGlob(glob string) (cells, scenarios *regexp.Regexp, err error) {
	slash := strings.LastIndexByte(glob, '/')
	if slash <= 0 || slash == len(glob)-1 {
		return nil, nil, errors.New(`it must be written arm/scenario, where "*" is any`)
	}
	if cells, err = globPattern(glob[:slash]); err != nil {
		return nil, nil, err
	}
	scenarios, err = globPattern(glob[slash+1:])
	return cells, scenarios, err
}

func globPattern(glob string) (*regexp.Regexp, error) {
	var pattern strings.Builder
	open := false
	pattern.WriteString(`^(?:`)
	for _, r := range glob {
		switch {
		case r == '*':
			pattern.WriteString(`.*`)
		case r == '{' && !open:
			open = true
			pattern.WriteString(`(?:`)
		case r == '}' && open:
			open = false
			pattern.WriteString(`)`)
		case r == ',' && open:
			pattern.WriteString(`|`)
		case r == '{':
			return nil, errors.New("{ within { is not supported; write the alternatives out")
		case r == '}':
			return nil, errors.New("} has no {")
		default:
			pattern.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	if open {
		return nil, errors.New("{ has no }")
	}
	pattern.WriteString(`)$`)
	return regexp.Compile(pattern.String())
}

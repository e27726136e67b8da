package stats

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Plain makes s one line without control characters and needless spaces: names and
// reasons come from a profile or a broker, and must not move the cursor.
func Plain(s string) string { return strings.Join(strings.Fields(Printable(s)), " ") }

// Printable has a space for each character of s that cannot be written: controls,
// invisible ones, and what is no UTF-8. All that it leaves may stand in XML.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
}

// Sentence writes the first letter large.
func Sentence(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

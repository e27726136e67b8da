package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"

	"deliverybench/bench/stats"
)

// width is how many terminal columns s takes.
func width(s string) int { return text.StringWidthWithoutEscSequences(s) }

// plain makes s one line without control characters: names and reasons come
// from a profile or a broker, and must not move the cursor.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Noncharacter_Code_Point) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	return strings.Join(strings.Fields(s), " ")
}

// truncate shortens s to at most columns, the last of which is then "…".
func truncate(s string, columns int) string {
	if width(s) <= columns {
		return s
	}
	for width(s) > columns-1 && s != "" {
		runes := []rune(s)
		s = string(runes[:len(runes)-1])
	}
	return s + "…"
}

// wrap breaks a line into lines of at most columns; those after the first are
// indented by two.
func wrap(s string, columns int) []string {
	lines := strings.Split(strings.TrimRight(text.WrapSoft(s, columns), "\n"), "\n")
	if len(lines) == 1 {
		return lines
	}
	first := strings.TrimRight(lines[0], " ")
	rest := strings.TrimSpace(strings.Join(lines[1:], " "))
	if hard := strings.TrimPrefix(s, first); !strings.HasPrefix(hard, " ") {
		rest = strings.TrimSpace(hard) // a word longer than the line was cut
	}
	out := []string{first}
	for _, line := range strings.Split(text.WrapSoft(rest, columns-2), "\n") {
		out = append(out, "  "+strings.TrimSpace(line))
	}
	return out
}

// list joins up to limit names, and says how many more there are.
func list(names []string, limit int) string {
	if len(names) <= limit {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %s more", strings.Join(names[:limit], ", "), stats.Count(int64(len(names)-limit)))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return stats.Count(int64(n)) + " " + noun + "s"
}

// sentence writes the first letter large.
func sentence(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

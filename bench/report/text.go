package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"

	"deliverybench/bench/stats"
)

// width is how many terminal columns s takes.
func width(s string) int { return text.StringWidthWithoutEscSequences(s) }

// plain makes s one line without control characters.
func plain(s string) string { return stats.Plain(s) }

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

// wrap breaks a line between words into lines of at most columns; those after
// the first are indented by two. A word longer than a line is cut.
func wrap(s string, columns int) []string {
	var out []string
	line, empty := "", true
	for _, word := range strings.Fields(s) {
		for {
			next := line + word
			if !empty {
				next = line + " " + word
			}
			if width(next) <= columns {
				line, empty = next, false
				break
			}
			if empty {
				head := cut(word, columns-width(line))
				line, word = line+head, word[len(head):]
			}
			out = append(out, line)
			line, empty = "  ", true
		}
	}
	return append(out, line)
}

// cut returns as much of a word's beginning as fits, at least one rune.
func cut(word string, columns int) string {
	for i, r := range word {
		if end := i + utf8.RuneLen(r); i > 0 && width(word[:end]) > columns {
			return word[:i]
		}
	}
	return word
}

// list joins up to limit names, and says how many more there are.
func list(names []string, limit int) string {
	if len(names) <= limit {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %s more", strings.Join(names[:limit], ", "), stats.Count(int64(len(names)-limit)))
}

func plural[N int | int64](n N, noun string) string { return stats.Plural(n, noun) }

// sentence writes the first letter large.
func sentence(s string) string { return stats.Sentence(s) }

package profile

import (
	"cmp"
	"slices"
	"strings"
)

// nearest returns up to limit candidates that were probably meant, best first:
// those of which the word is the tail ("commit.every"), then those within an
// edit distance of a third of the word.
func nearest(word string, candidates []string, limit int) []string {
	type guess struct {
		name     string
		distance int
	}
	var guesses []guess
	for _, name := range candidates {
		if strings.HasSuffix(name, "."+word) {
			guesses = append(guesses, guess{name, 0})
			continue
		}
		if d := editDistance(word, name); d <= max(1, len(word)/3) {
			guesses = append(guesses, guess{name, d})
		}
	}
	slices.SortStableFunc(guesses, func(a, b guess) int { return cmp.Compare(a.distance, b.distance) })
	var names []string
	for _, g := range guesses[:min(limit, len(guesses))] {
		names = append(names, g.name)
	}
	return names
}

// didYouMean is the end of an error about an unknown word; "" when nothing is near.
func didYouMean(word string, candidates []string) string {
	if best := nearest(word, candidates, 1); len(best) > 0 {
		return `; did you mean "` + best[0] + `"?`
	}
	return ""
}

// editDistance is Levenshtein's, over bytes. Words longer than any name are
// not compared: a document is not trusted to keep them short.
func editDistance(a, b string) int {
	const longest = 80
	if len(a) > longest || len(b) > longest {
		return longest
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

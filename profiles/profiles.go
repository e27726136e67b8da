// Package profiles holds the profiles that ship with the program, and the
// suites of them.
package profiles

import (
	"bytes"
	"embed"
	"io/fs"
	"strings"
)

// FS holds the shipped profiles as "NAME.yaml".
//
//go:embed *.yaml
var FS embed.FS

// List returns the names of the shipped profiles, without ".yaml", sorted.
func List() []string { return list(false) }

// Suites returns the names of the shipped suites in the same way.
func Suites() []string { return list(true) }

func list(suites bool) []string {
	entries, err := fs.ReadDir(FS, ".")
	if err != nil {
		return nil // an embedded root always reads
	}
	var names []string
	for _, entry := range entries {
		source, err := FS.ReadFile(entry.Name())
		if err == nil && bytes.Contains(source, []byte("\nsuite: ")) == suites {
			names = append(names, strings.TrimSuffix(entry.Name(), ".yaml"))
		}
	}
	return names
}

// Find returns the text of a shipped profile or suite by its name, with or without ".yaml".
// The error is fs.ErrNotExist when there is none.
func Find(name string) ([]byte, error) {
	return FS.ReadFile(strings.TrimSuffix(name, ".yaml") + ".yaml")
}

// Package profiles holds the profiles that ship with the program.
package profiles

import (
	"embed"
	"io/fs"
	"strings"
)

// FS holds the shipped profiles as "NAME.yaml".
//
//go:embed *.yaml
var FS embed.FS

// List returns the names of the shipped profiles, without ".yaml", sorted.
func List() []string {
	entries, err := fs.ReadDir(FS, ".")
	if err != nil {
		return nil // an embedded root always reads
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".yaml"))
	}
	return names
}

// Find returns a shipped profile's text by its name, with or without ".yaml".
// The error is fs.ErrNotExist when there is none.
func Find(name string) ([]byte, error) {
	return FS.ReadFile(strings.TrimSuffix(name, ".yaml") + ".yaml")
}

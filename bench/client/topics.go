package client

import (
	"slices"
	"strings"
	"time"
)

// Topics returns the names of the cluster's topics that begin with the prefix, sorted.
func (a *Admin) Topics(prefix string, timeout time.Duration) ([]string, error) {
	m, err := a.a.GetMetadata(nil, true, int(timeout.Milliseconds()))
	if err != nil {
		return nil, wrap("list topics", err)
	}
	var names []string
	for name := range m.Topics {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

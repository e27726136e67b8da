package profile

import "gopkg.in/yaml.v3"

// Document is another YAML file of this program, read as strictly as a
// profile: every mistake with its line and column, all of them at once.
type Document struct{ d document }

// Pair is one entry of a map.
type Pair struct{ Key, Value *yaml.Node }

// ReadDocument returns the top of a source that holds one document. kind is
// what messages call it.
func ReadDocument(source []byte, path, kind string) (*Document, *yaml.Node, error) {
	x := &Document{document{path: path, kind: kind}}
	root, err := x.d.root(source)
	return x, root, err
}

// Fail notes a mistake.
func (x *Document) Fail(at *yaml.Node, format string, args ...any) { x.d.fail(at, format, args...) }

// Err joins all mistakes in the order of the file; nil is none.
func (x *Document) Err() error { return x.d.err() }

// Pairs returns a map's entries in their order, each key once.
func (x *Document) Pairs(n *yaml.Node, what string) []Pair {
	var pairs []Pair
	for _, p := range x.d.pairs(n, what) {
		pairs = append(pairs, Pair{p.key, p.value})
	}
	return pairs
}

// List returns a list's items; what stands alone is a list of one.
func (x *Document) List(n *yaml.Node) []*yaml.Node {
	switch {
	case !x.d.plain(n):
		return nil
	case n.Kind == yaml.SequenceNode:
		return n.Content
	}
	return []*yaml.Node{n}
}

// Text returns a scalar as it is written.
func (x *Document) Text(n *yaml.Node, what string) string { return x.d.text(n, what) }

// Name returns a scalar that can be a name: of a file, or in a glob.
func (x *Document) Name(n *yaml.Node, what string) string { return x.d.name(n, what) }

// DidYouMean is the end of a message about an unknown word; "" when none of
// the candidates is near.
func DidYouMean(word string, candidates []string) string { return didYouMean(word, candidates) }

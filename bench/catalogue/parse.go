package catalogue

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"deliverybench/bench/profile"
)

// Is reports whether a file's text is a suite and not a profile.
func Is(source []byte) bool {
	var top struct {
		Suite yaml.Node `yaml:"suite"`
	}
	return yaml.Unmarshal(source, &top) == nil && top.Suite.Kind != 0
}

// Open reads a suite by its path or by the name of one that ships, with its
// profiles: those beside its file, then those that ship. It is nil, without an
// error, when there is no such file or the file is no suite; profile.Open has the
// words for that.
func Open(pathOrName string, shipped fs.FS) (s *Suite, took string, err error) {
	source, path, took, err := profile.Read(pathOrName, shipped)
	if err != nil || !Is(source) {
		return nil, "", nil
	}
	beside := func(name string) (*profile.Profile, error) {
		file := filepath.Join(filepath.Dir(path), name+".yaml")
		if _, missing := os.Stat(file); path != took || missing != nil { // the suite ships, or that profile does
			file = name
		}
		p, _, err := profile.Open(file, shipped)
		return p, err
	}
	s, err = Parse(source, path, beside)
	return s, took, err
}

// Parse reads a suite and, where open returns its profiles by name, checks it
// against them; a saved one was. The error joins every mistake, each "path:line:column: what is wrong and what to write".
func Parse(source []byte, path string, open func(name string) (*profile.Profile, error)) (*Suite, error) {
	d, root, err := profile.ReadDocument(source, path, "suite")
	if err != nil {
		return nil, err
	}
	s := &Suite{Source: source, Path: path}
	var rows []placed
	for _, p := range d.Pairs(root, "a suite") {
		switch p.Key.Value {
		case "suite":
			s.Name = d.Name(p.Value, "the suite's name")
		case "about":
			s.About = strings.TrimSpace(d.Text(p.Value, "about"))
		case "rows":
			for _, n := range d.List(p.Value) {
				rows = append(rows, parseRow(d, n, rows))
			}
		default:
			unknown(d, p.Key, "suite", "about", "rows")
		}
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	if s.Name == "" {
		d.Fail(root, `the suite has no name; write "suite: mine"`)
	}
	if len(rows) == 0 {
		d.Fail(root, "the suite has no rows; list at least one claim")
	}
	for _, r := range rows {
		s.Rows = append(s.Rows, r.Row)
	}
	if open != nil {
		s.check(d, rows, open)
	}
	return s, d.Err()
}

// placed is a row with where its parts stand in the file.
type placed struct {
	Row
	number, profile       *yaml.Node
	breaks, holds, counts []*yaml.Node
}

// keys are those of a row, all of them needed but counts.
var keys = []string{"row", "claim", "profile", "breaks", "holds", "counts", "shows", "conclude"}

func parseRow(d *profile.Document, n *yaml.Node, before []placed) placed {
	var r placed
	found := map[string]bool{"counts": true}
	for _, p := range d.Pairs(n, "a row") {
		key := p.Key.Value
		found[key] = true
		switch key {
		case "row":
			r.number = p.Value
			r.Number = number(d, p.Value, before)
		case "claim":
			r.Claim = prose(d, p.Value, key)
		case "profile":
			r.profile = p.Value
			r.Profile = d.Name(p.Value, "a profile's name")
		case "breaks":
			r.Breaks, r.breaks = globs(d, p.Value, key)
		case "holds":
			r.Holds, r.holds = globs(d, p.Value, key)
		case "counts":
			for _, c := range d.Pairs(p.Value, `"counts"`) {
				r.Counts = append(r.Counts, Count{c.Key.Value, d.Text(c.Value, "a claim that is counted")})
				r.counts = append(r.counts, c.Key)
			}
		case "shows":
			r.Shows = Outcome(d.Text(p.Value, key))
			if !slices.Contains(shown, string(r.Shows)) {
				d.Fail(p.Value, `"shows": %q is none of %s`, r.Shows, strings.Join(shown, ", "))
			}
		case "conclude":
			r.Conclude = prose(d, p.Value, key)
		default:
			unknown(d, p.Key, keys...)
		}
	}
	for _, key := range keys {
		if !found[key] && n.Kind == yaml.MappingNode {
			d.Fail(n, "the row has no %s; a row needs %s", key, strings.Join(slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == "counts" }), ", "))
			break
		}
	}
	return r
}

// prose is a text that says something.
func prose(d *profile.Document, n *yaml.Node, key string) string {
	text := strings.TrimSpace(d.Text(n, key))
	if text == "" && n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		d.Fail(n, "%q is empty", key)
	}
	return text
}

func unknown(d *profile.Document, key *yaml.Node, known ...string) {
	d.Fail(key, "unknown key %q%s", key.Value, orElse(profile.DidYouMean(key.Value, known), "; it may be "+strings.Join(known, ", ")))
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func number(d *profile.Document, n *yaml.Node, before []placed) int {
	text := d.Text(n, "row")
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 {
		d.Fail(n, `"row": %q is no number from 1`, text)
		return 0
	}
	for _, r := range before {
		if r.Number == value {
			d.Fail(n, "row %d is given twice; it stands in line %d already", value, r.number.Line)
		}
	}
	return value
}

func globs(d *profile.Document, n *yaml.Node, key string) (texts []string, nodes []*yaml.Node) {
	for _, item := range d.List(n) {
		if text := d.Text(item, key); text != "" {
			texts, nodes = append(texts, text), append(nodes, item)
		}
	}
	if len(nodes) == 0 {
		d.Fail(n, `%q names nothing; write an arm/scenario glob, such as "*/crash"`, key)
	}
	return texts, nodes
}

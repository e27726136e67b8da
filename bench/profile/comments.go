package profile

import (
	_ "embed"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
)

// settingsSource carries the doc comments into the binary: they are the
// descriptions in the schema and the reference.
//
//go:embed settings.go
var settingsSource []byte

// fieldComments returns the fields' doc comments as "Commit.Every".
func fieldComments() (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "settings.go", settingsSource, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	comments := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		declared, is := n.(*ast.TypeSpec)
		if !is {
			return true
		}
		fields, is := declared.Type.(*ast.StructType)
		if !is {
			return false
		}
		for _, field := range fields.Fields.List {
			for _, name := range field.Names {
				text := strings.Join(strings.Fields(field.Doc.Text()), " ")
				comments[declared.Name.Name+"."+name.Name] = text
			}
		}
		return false
	})
	return comments, nil
}

// describe returns a setting's comment. Where it starts with the Go field's
// name, the name in YAML takes its place.
func (s *setting) describe(root reflect.Type, comments map[string]string) string {
	owner := root
	last := len(s.index) - 1
	for _, i := range s.index[:last] {
		owner = owner.Field(i).Type
	}
	field := owner.Field(s.index[last])
	text := comments[owner.Name()+"."+field.Name]
	if rest, named := strings.CutPrefix(text, field.Name+" "); named {
		return field.Tag.Get("yaml") + " " + rest
	}
	return text
}

package sink_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/sink"
)

// Saved runs are audited again with these: they stay what they are.
func TestAmountsAndAccountsStay(t *testing.T) {
	require.EqualValues(t, 7536, sink.Amount(0, 0))
	require.EqualValues(t, 667, sink.Amount(2, 7))
	require.EqualValues(t, 215, sink.Account(nil, 2, 7, 1000))
	require.EqualValues(t, 815, sink.Account([]byte("key-07"), 2, 7, 1000))
	require.Equal(t, sink.Account([]byte("key-07"), 2, 7, 1000), sink.Account([]byte("key-07"), 9, 9, 1000), "a key's account is one")
	rapid.Check(t, func(t *rapid.T) {
		producer, sequence := rapid.IntRange(0, 1<<20).Draw(t, "producer"), rapid.Int64Range(0, 1<<40-1).Draw(t, "sequence")
		n := rapid.IntRange(1, 1_000_000).Draw(t, "accounts")
		amount, account := sink.Amount(producer, sequence), sink.Account(nil, producer, sequence, n)
		if amount < 1 || amount > 10_000 || account < 0 || account >= int64(n) {
			t.Fatalf("amount %d, account %d of %d", amount, account, n)
		}
	})
}

func TestParseURL(t *testing.T) {
	t.Setenv("PGPASSFILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("PGPASSWORD", "")
	for text, want := range map[string][2]string{
		"postgres://me:s3cret@db:5433/bank?sslmode=disable":            {"postgres://me@db:5433/bank?sslmode=disable", "s3cret"},
		"postgresql://me:p%40ss%2Fw@db/bank":                           {"postgresql://me@db/bank", "p@ss/w"},
		"postgres://me@db/bank?password=s3cret&sslmode=disable#s3cret": {"postgres://me@db/bank?sslmode=disable", "s3cret"},
		"postgres://me@db/bank":                                        {"postgres://me@db/bank", ""},
	} {
		address, password, err := sink.ParseURL(text)
		require.NoError(t, err, text)
		require.Equal(t, want, [2]string{address, password}, text)
	}
	for _, text := range []string{"", "db:5432", "mysql://me:s3cret@db/bank", "postgres:s3cret", "postgres://me:s3%zzcret@db/bank",
		"postgres://me:s3cret@db:none/bank", "host=db password=s3cret", "postgres://me@db/bank?sslmode=s3cret", "postgres://me@db/bank?sslpassword=s3cret"} {
		_, _, err := sink.ParseURL(text)
		require.Error(t, err, text)
		require.NotContains(t, err.Error(), "s3cret")
		require.Contains(t, err.Error(), "use ")
	}
	t.Setenv("PGPASSWORD", "from elsewhere")
	_, password, err := sink.ParseURL("postgres://me@db/bank")
	require.NoError(t, err)
	require.Equal(t, "from elsewhere", password)
}

// Whatever the URL is, no password is left in the address. A property and not a
// fuzz target: for those SQLite's C code would be compiled once more.
func TestNoPasswordIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := "postgres://" + rapid.StringMatching(`([a-z%:]{0,5}:)?[ -~]{0,8}@?([a-z:\[\]0-9]{1,8})?(/[a-z]{0,3})?(\?([a-z=&%]|password=|sslmode=disable){0,6})?(#[ -~]{0,3})?`).Draw(t, "url")
		address, _, err := sink.ParseURL(text)
		if err != nil {
			return
		}
		u, err := url.Parse(address)
		require.NoError(t, err)
		_, has := u.User.Password()
		require.False(t, has)
		require.False(t, u.Query().Has("password"))
		again, _, err := sink.ParseURL(address)
		require.NoError(t, err)
		require.Equal(t, address, again)
	})
}

var looksLikeSQL = regexp.MustCompile(`\b(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|COMMENT|PRAGMA|BEGIN|COMMIT|ROLLBACK)\b`)

// Every SQL text is a constant, or constants with a name that the driver's own
// function has quoted: no value gets into one.
func TestSQLIsConstant(t *testing.T) {
	set := token.NewFileSet()
	var files []*ast.File
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range names {
		if !strings.HasSuffix(name, "_test.go") {
			file, err := parser.ParseFile(set, name, nil, 0)
			require.NoError(t, err)
			files = append(files, file)
		}
	}
	constants := map[string]bool{}
	inspect(files, func(node ast.Node) {}, func(spec *ast.ValueSpec) {
		for _, name := range spec.Names {
			constants[name.Name] = true
		}
	})
	require.Contains(t, constants, "createSchema")
	inspect(files, func(node ast.Node) {
		switch node := node.(type) {
		case *ast.BasicLit:
			if looksLikeSQL.MatchString(node.Value) {
				require.Contains(t, node.Value, "GRANT CREATE ON DATABASE", "%s: SQL outside a constant", set.Position(node.Pos()))
			}
		case *ast.BinaryExpr:
			if parts := summands(node); slices.ContainsFunc(parts, func(e ast.Expr) bool { return isName(e, constants) }) {
				for _, part := range parts {
					require.True(t, isName(part, constants) || isSanitized(part), "%s: neither a constant nor quoted", set.Position(part.Pos()))
				}
			}
		}
	}, func(*ast.ValueSpec) {})
}

// inspect shows the files' nodes, and in their place the specs of constants.
func inspect(files []*ast.File, node func(ast.Node), constant func(*ast.ValueSpec)) {
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if declaration, ok := n.(*ast.GenDecl); ok && declaration.Tok == token.CONST {
				for _, spec := range declaration.Specs {
					constant(spec.(*ast.ValueSpec))
				}
				return false
			}
			node(n)
			return true
		})
	}
}

// summands are what a chain of + adds.
func summands(e ast.Expr) []ast.Expr {
	if sum, ok := e.(*ast.BinaryExpr); ok && sum.Op == token.ADD {
		return append(summands(sum.X), summands(sum.Y)...)
	}
	return []ast.Expr{e}
}

func isName(e ast.Expr, names map[string]bool) bool {
	name, ok := e.(*ast.Ident)
	return ok && names[name.Name]
}

func isSanitized(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	return ok && selector.Sel.Name == "Sanitize"
}

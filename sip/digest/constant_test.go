package digest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// kept are the words for what a stranger must not find out byte by byte.
var kept = []string{"response", "right", "given", "raw", "mac", "sum", "ha1", "ha1md5", "ha1sha256", "secret", "password", "key"}

// secretOf is the word in an expression that means a secret.
func secretOf(x ast.Expr) (word string) {
	ast.Inspect(x, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && slices.Contains(kept, strings.ToLower(id.Name)) {
			word = id.Name
		}
		return true
	})
	return word
}

// TestConstantTime (A12): a secret is compared by crypto/subtle alone, or with a
// constant to see whether there is one.
func TestConstantTime(t *testing.T) {
	subtle := 0
	for _, name := range []string{"authority.go", "nonce.go"} { // what verifies
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				_, left := n.X.(*ast.BasicLit)
				_, right := n.Y.(*ast.BasicLit)
				if (n.Op == token.EQL || n.Op == token.NEQ) && !left && !right {
					for _, x := range []ast.Expr{n.X, n.Y} {
						if word := secretOf(x); word != "" && !isCall(x, "len") {
							t.Errorf("%v compares %s", set.Position(n.Pos()), word)
						}
					}
				}
			case *ast.CallExpr:
				for _, f := range []string{"Equal", "EqualFold", "Compare", "HasPrefix", "Index", "Contains"} {
					if isCall(n, f) && slices.ContainsFunc(n.Args, func(x ast.Expr) bool { return secretOf(x) != "" }) {
						t.Errorf("%v compares a secret by %s", set.Position(n.Pos()), f)
					}
				}
				if isCall(n, "ConstantTimeCompare") {
					subtle++
				}
			}
			return true
		})
	}
	if subtle < 2 {
		t.Errorf("%d comparisons in constant time: of the response and of a nonce's MAC", subtle)
	}
}

// isCall tells whether x calls a function of that name, of whatever package.
func isCall(x ast.Expr, name string) bool {
	call, ok := x.(*ast.CallExpr)
	if !ok {
		return false
	}
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name == name
	case *ast.SelectorExpr:
		return f.Sel.Name == name
	}
	return false
}

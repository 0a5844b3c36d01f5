// Tests that guard how the code lives: imports, sizes and a few habits. Each list
// of architecture_rules_test.go is the rule.
package cordpair_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unfinished are words nothing may hold.
var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b|/(home|root|work)/[a-z]`)

// vague are endings of type names that say nothing, or name a layer we do not have.
var vague = regexp.MustCompile(`(Manager|Helper|Util|Utils|Impl|Service|Repository|UseCase|DTO|Info2)$`)

// file is a parsed Go file of the module.
type file struct {
	name  string // slash-separated, from the root of the module
	lines []string
	ast   *ast.File
	set   *token.FileSet
	// bubbles: some test of the folder runs in a synctest bubble.
	bubbles bool
}

func (f *file) dir() string          { return path.Dir(f.name) }
func (f *file) line(p token.Pos) int { return f.set.Position(p).Line }
func (f *file) isTest() bool         { return strings.HasSuffix(f.name, "_test.go") }

// isTestSupport: a package such as sip/siptest exists for tests only.
func (f *file) isTestSupport() bool { return strings.HasSuffix(f.dir(), "test") }

// at is where a finding points to.
func (f *file) at(p token.Pos) string { return fmt.Sprintf("%s:%d", f.name, f.line(p)) }

// load parses every Go file of the module.
func load(t *testing.T) []*file {
	t.Helper()
	var files []*file
	bubbles := map[string]bool{}
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		switch base := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (base == "testdata" || base == "bin" || base[0] == '.'):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(base, ".go"):
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f := &file{name: name, lines: strings.Split(string(text), "\n"), set: token.NewFileSet()}
		f.ast, err = parser.ParseFile(f.set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		files = append(files, f)
		bubbles[f.dir()] = bubbles[f.dir()] || f.isTest() && strings.Contains(string(text), `"testing/synctest"`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		f.bubbles = bubbles[f.dir()]
	}
	return files
}

// group finds the entry of arrows that a folder belongs to, and the folder that
// stands for it: two folders below features/* are different places.
func group(dir string) (name, place string) {
	for at := dir; ; at = path.Dir(at) {
		if _, ok := arrows[at]; ok && (at != "." || dir == ".") {
			return at, at
		}
		if _, ok := arrows[path.Dir(at)+"/*"]; ok {
			return path.Dir(at) + "/*", at
		}
		if at == "." {
			return "", dir
		}
	}
}

func TestImportArrows(t *testing.T) {
	for _, f := range load(t) {
		from, place := group(f.dir())
		if from == "" {
			t.Errorf("%s: folder is not in arrows", f.name)
			continue
		}
		for _, spec := range f.ast.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			rest, ours := strings.CutPrefix(name+"/", module+"/")
			if !ours || f.isTest() {
				continue // a test may bring a whole switch
			}
			to, target := group(path.Clean(rest))
			if target != place && !slices.Contains(arrows[from], to) {
				t.Errorf("%s: %s must not import %s", f.at(spec.Pos()), place, target)
			}
		}
	}
}

func TestGuestModules(t *testing.T) {
	for _, f := range load(t) {
		for _, spec := range f.ast.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") || strings.HasPrefix(name, module) {
				continue
			}
			if !welcome(f, name) {
				t.Errorf("%s: %s has no place here", f.at(spec.Pos()), name)
			}
		}
	}
}

// welcome reports whether a file may import a package of another module.
func welcome(f *file, name string) bool {
	from, _ := group(f.dir())
	for guest, places := range guests {
		if name != guest && !strings.HasPrefix(name, guest+"/") {
			continue
		}
		for _, p := range places {
			if p == from || p == path.Base(f.name) || p == "_test.go" && f.isTest() {
				return true
			}
		}
	}
	return false
}

func TestSizes(t *testing.T) {
	used := map[string]bool{}
	check := func(key string, n, most int) {
		if n <= most {
			return
		}
		if used[key] = true; tooLarge[key] == "" {
			t.Errorf("%s: %d lines, at most %d", key, n, most)
		}
	}
	for _, f := range load(t) {
		check(f.name, len(f.lines)-1, maxFile)
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil && !plainSwitch(fn.Body) {
				check(f.name+":"+fn.Name.Name, f.line(fn.End())-f.line(fn.Pos())+1-f.tableLines(fn.Body), maxFunction)
			}
		}
	}
	for key := range tooLarge {
		if !used[key] {
			t.Errorf("%s is small enough now: take it off the list", key)
		}
	}
}

// plainSwitch: a function that is little more than one switch may be long.
func plainSwitch(body *ast.BlockStmt) bool {
	return len(body.List) <= 3 && slices.ContainsFunc(body.List, func(s ast.Stmt) bool {
		switch s.(type) {
		case *ast.SwitchStmt, *ast.TypeSwitchStmt:
			return true
		}
		return false
	})
}

// tableLines counts the lines inside a function's tables, which may be long.
func (f *file) tableLines(body *ast.BlockStmt) int {
	n := 0
	ast.Inspect(body, func(node ast.Node) bool {
		lit, ok := node.(*ast.CompositeLit)
		if ok {
			n += f.line(lit.Rbrace) - f.line(lit.Lbrace)
		}
		return !ok // what lies inside is counted already
	})
	return n
}

func TestPackageComments(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range load(t) {
		if f.isTest() {
			continue
		}
		doc, dir := f.ast.Doc.Text(), f.dir()
		want := "Package " + f.ast.Name.Name + " "
		if f.ast.Name.Name == "main" {
			want = "Command " + path.Base(dir) + " "
		}
		if _, seen := documented[dir]; !seen {
			documented[dir] = false
		}
		if path.Base(f.name) == "doc.go" || f.ast.Name.Name == "main" && doc != "" {
			documented[dir] = strings.HasPrefix(doc, want) && strings.Count(doc, "\n") >= 3
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: doc.go with purpose, owner, ordering and example is missing", dir)
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	for _, f := range load(t) {
		if f.isTest() {
			continue
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil {
					t.Errorf("%s: %s has no comment", f.at(d.Pos()), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if name := undocumented(d, s); name != "" {
						t.Errorf("%s: %s has no comment", f.at(s.Pos()), name)
					}
				}
			}
		}
	}
}

// exportedReceiver: methods of unexported types are nobody's API.
func exportedReceiver(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return true
	}
	exported := false
	ast.Inspect(fn.Recv.List[0].Type, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		exported = exported || ok && id.IsExported()
		return !ok
	})
	return exported
}

// undocumented names what a declaration exports without a comment of its own or
// of its group.
func undocumented(d *ast.GenDecl, s ast.Spec) string {
	switch s := s.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && s.Doc == nil && (d.Doc == nil || d.Lparen.IsValid()) {
			return s.Name.Name
		}
	case *ast.ValueSpec:
		if s.Names[0].IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
			return s.Names[0].Name
		}
	}
	return ""
}

func TestHabits(t *testing.T) {
	for _, f := range load(t) {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s: init: what happens should be called", f.at(n.Pos()))
				}
			case *ast.GoStmt:
				if !f.isTest() && !f.commented(f.line(n.Pos())) {
					t.Errorf("%s: say on the line before what ends this goroutine", f.at(n.Pos()))
				}
			case *ast.CallExpr:
				if isSleep(n) && !f.maySleep() {
					t.Errorf("%s: time.Sleep outside a bubble", f.at(n.Pos()))
				}
			case *ast.TypeSpec:
				if vague.MatchString(n.Name.Name) {
					t.Errorf("%s: %s: name it after what it is", f.at(n.Pos()), n.Name.Name)
				}
			}
			return true
		})
	}
}

// commented reports whether a comment ends on the line before, or stands on it.
func (f *file) commented(line int) bool {
	return slices.ContainsFunc(f.ast.Comments, func(c *ast.CommentGroup) bool {
		return f.line(c.End()) == line-1 || f.line(c.Pos()) == line
	})
}

func isSleep(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Sleep" {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && pkg.Name == "time"
}

// maySleep: in a synctest bubble a sleep costs nothing. Packages for tests are
// called from bubbles; system tests drive foreign programs in real time.
func (f *file) maySleep() bool {
	return f.isTest() && f.bubbles || f.isTestSupport() || pauses[f.name] != "" ||
		strings.HasPrefix(f.lines[0], "//go:build system")
}

func TestNothingUnfinished(t *testing.T) {
	for _, f := range load(t) {
		if f.name == "architecture_test.go" {
			continue // names the words
		}
		for i, line := range f.lines {
			if word := unfinished.FindString(line); word != "" {
				t.Errorf("%s:%d: %q", f.name, i+1, word)
			}
		}
	}
}

func TestGroup(t *testing.T) {
	for dir, want := range map[string][2]string{
		"cmd/other":           {"", "cmd/other"},
		"features/basic":      {"features/*", "features/basic"},
		"features/ivr/menu":   {"features/*", "features/ivr"},
		"dialplan/call/actor": {"dialplan/call", "dialplan/call"},
		"sip/siptest":         {"sip", "sip"},
	} {
		if name, place := group(dir); name != want[0] || place != want[1] {
			t.Errorf("group(%q) = %q, %q; want %q", dir, name, place, want)
		}
	}
}

package store

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestPrefixes reads keys.go: every prefix has the right form and none is the
// beginning of another.
func TestPrefixes(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "keys.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^[a-z][a-z0-9]*/$`)
	found := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != "Prefix" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil || !form.MatchString(text) {
			t.Errorf("%s is %q", spec.Names[0], text)
		}
		for other, name := range found {
			if strings.HasPrefix(other, text) || strings.HasPrefix(text, other) {
				t.Errorf("%s and %s overlap", spec.Names[0], name)
			}
		}
		found[text] = spec.Names[0].Name
		return true
	})
	if len(found) < 5 {
		t.Errorf("found only %v", found)
	}
}

func TestKeysSortAsTheirParts(t *testing.T) {
	part := rapid.Custom(func(t *rapid.T) string {
		return rapid.StringOfN(rapid.SampledFrom([]rune{0, 1, 'a', 'b', 0xff, 0x10ffff}), 0, 5, -1).Draw(t, "s")
	})
	rapid.Check(t, func(t *rapid.T) {
		s1, s2 := part.Draw(t, "s1"), part.Draw(t, "s2")
		n1, n2 := rapid.Int64().Draw(t, "n1"), rapid.Int64().Draw(t, "n2")
		if got, want := cmp.Compare(Int(n1), Int(n2)), cmp.Compare(n1, n2); got != want {
			t.Fatalf("Int %d %d: %d", n1, n2, got)
		}
		if got, want := cmp.Compare(Join(Str(s1), Int(n1)), Join(Str(s2), Int(n2))), cmp.Or(cmp.Compare(s1, s2), cmp.Compare(n1, n2)); got != want {
			t.Fatalf("%q %d, %q %d: %d, want %d", s1, n1, s2, n2, got, want)
		}
		if s1 != s2 && strings.HasPrefix(string(Str(s2)), string(Str(s1))) {
			t.Fatalf("%q begins %q", s1, s2)
		}
		s, rest, err := Join(Str(s1), Int(n1)).CutStr()
		n, end, err2 := rest.CutInt()
		if s != s1 || n != n1 || end != "" || err != nil || err2 != nil {
			t.Fatalf("%q %d came back as %q %d %v %v", s1, n1, s, n, err, err2)
		}
	})
	early, late := time.Unix(5, 1000), time.Unix(5, 2000).In(time.FixedZone("x", 3600))
	if Time(early) >= Time(late) {
		t.Error("time does not sort")
	}
}

func FuzzKey(f *testing.F) {
	for _, k := range []Key{"", Int(1), Str("x"), Str("\x00"), Join(Str(""), Int(-1)), "\x00", "\x00\x02"} {
		f.Add(string(k))
	}
	f.Fuzz(func(t *testing.T, k string) {
		if s, rest, err := Key(k).CutStr(); err == nil && Join(Str(s), rest) != Key(k) {
			t.Errorf("%q came back as %q", k, Join(Str(s), rest))
		}
		if n, rest, err := Key(k).CutInt(); err == nil && Join(Int(n), rest) != Key(k) {
			t.Errorf("%q came back as %q", k, Join(Int(n), rest))
		}
	})
}

func FuzzRow(f *testing.F) {
	f.Add(row0{version: 1}.bytes(0))
	f.Add(append(row0{version: 1, flags: flagExpiry | flagSealed, expiry: 5, sealed: []byte("abc")}.bytes(2), "{}"...))
	f.Add([]byte{1, flagSealed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, body, err := parseRow(raw)
		if err != nil {
			return
		}
		again, body2, err := parseRow(append(h.bytes(len(body)), body...))
		if err != nil || again.expiry != h.expiry || string(again.sealed) != string(h.sealed) || string(body) != string(body2) {
			t.Errorf("%x: %+v, then %+v, %v", raw, h, again, err)
		}
	})
}

func FuzzLog(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 100))
	f.Add(append(make([]byte, logHeader), 0x40, 0, 9, 1, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, end, _ := readLog(b); end > len(b) {
			t.Errorf("ended at %d of %d", end, len(b))
		}
	})
}

package escape

import (
	"strings"
	"testing"
)

func TestEqual(t *testing.T) {
	for _, tt := range []struct {
		a, b        string
		equal, fold bool
	}{
		{"", "", true, true},
		{"*43", "%2A43", true, true},
		{"*43", "%2a43", true, true},
		{"%41", "a", false, true},
		{"Bob", "bob", false, true},
		{"%", "%", true, true},
		{"%4", "%4", true, true},
		{"%zz", "%zz", true, true},
		{"%zz", "%ZZ", false, true},
		{"10", "102", false, false},
		{"", "%00", false, false},
	} {
		if got := Equal(tt.a, tt.b); got != tt.equal {
			t.Errorf("Equal(%q, %q) = %v", tt.a, tt.b, got)
		}
		if got := EqualFold(tt.b, tt.a); got != tt.fold {
			t.Errorf("EqualFold(%q, %q) = %v", tt.b, tt.a, got)
		}
	}
}

func TestDecodeAndHeader(t *testing.T) {
	for _, tt := range []struct{ plain, escaped string }{
		{"", ""}, {"a@b;to-tag=1", "a%40b%3Bto-tag%3D1"}, {"100% \r\né", "100%25%20%0D%0A%C3%A9"}, {"[::1]:5060/?$", "[::1]:5060/?$"},
	} {
		if got := Header(tt.plain); got != tt.escaped {
			t.Errorf("Header(%q) = %q", tt.plain, got)
		}
		if got := Decode(tt.escaped); got != tt.plain {
			t.Errorf("Decode(%q) = %q", tt.escaped, got)
		}
	}
	if got := Decode("%zz%4"); got != "%zz%4" {
		t.Error(got)
	}
}

// FuzzHeader: what is escaped reads back, and holds nothing that ends a header
// of a URI or the URI itself.
func FuzzHeader(f *testing.F) {
	for _, s := range []string{"", "a@b;to-tag=1", "100%", "\x00\xff&=?<>\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		escaped := Header(s)
		if Decode(escaped) != s || strings.ContainsAny(escaped, "&=;<>\"@ \r\n\x00") {
			t.Fatalf("%q became %q", s, escaped)
		}
		if !Equal(s, escaped) && strings.IndexByte(s, '%') < 0 {
			t.Fatalf("%q is not %q", s, escaped)
		}
	})
}

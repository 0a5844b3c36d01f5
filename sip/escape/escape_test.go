package escape

import "testing"

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

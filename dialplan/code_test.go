package dialplan

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestCodeValidate(t *testing.T) {
	tests := []struct {
		code Code
		ok   bool
	}{
		{Code{ContextDialled, "*43", StepEcho}, true},
		{Code{ContextDialled, "#1", StepMusic}, true},
		{Code{ContextDialled, "*55<ext>", StepRing}, true},
		{Code{"room", "*43", StepEcho}, false},
		{Code{"", "*43", StepEcho}, false},
		{Code{ContextDialled, "*43", "park"}, false},          // no such feature
		{Code{ContextDialled, "*43", StepReject}, false},      // a step, but not one to dial
		{Code{ContextDialled, "*55", StepRing}, false},        // whom?
		{Code{ContextDialled, "*43<ext>", StepEcho}, false},   // echo has no use for it
		{Code{ContextDialled, "*68[slot]", StepMusic}, false}, // nothing has slots
		{Code{ContextDialled, "43", StepEcho}, false},
		{Code{ContextDialled, "*", StepEcho}, false},
		{Code{ContextDialled, "", StepEcho}, false},
		{Code{ContextDialled, "<ext>", StepRing}, false},
		{Code{ContextDialled, "*<ext>5", StepRing}, false},
		{Code{ContextDialled, "*4a", StepEcho}, false},
		{Code{ContextDialled, "*0123456789012345", StepEcho}, false},
	}
	for _, tt := range tests {
		if err := tt.code.Validate(); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.code, err)
		}
	}
}

func TestPatternMatch(t *testing.T) {
	tests := []struct {
		pattern, in, rest string
		ok                bool
	}{
		{"*43", "*43", "", true},
		{"*43", "*431", "", false},
		{"*43", "*4", "", false},
		{"*61<ext>", "*61101", "101", true},
		{"*61<ext>", "*61", "", false},
		{"*61<ext>", "*6110", "", false},
		{"*61<ext>", "*611010", "", false},
		{"*61<ext>", "*6110*", "", false},
		{"*68[slot]", "*68", "", true},
		{"*68[slot]", "*6812", "12", true},
		{"*68[slot]", "*681234", "", false},
	}
	for _, tt := range tests {
		p, err := parsePattern(tt.pattern, 3)
		if err != nil {
			t.Fatal(err)
		}
		if rest, ok := p.match(tt.in); ok != tt.ok || ok && rest != tt.rest {
			t.Errorf("%s on %s: %q, %v", tt.pattern, tt.in, rest, ok)
		}
	}
}

func TestPatternOverlap(t *testing.T) {
	tests := []struct {
		p, q string
		want bool
	}{
		{"*43", "*43", true},
		{"*43", "*44", false},
		{"*4", "*43", false}, // whole strings are compared, not beginnings
		{"*8<ext>", "*8101", true},
		{"*8<ext>", "*810", false},
		{"*8<ext>", "*8<ext>", true},
		{"*8<ext>", "*81<ext>", false}, // *8 and 3 digits, or *8 and 4
		{"*68[slot]", "*68", true},
		{"*68[slot]", "*68<ext>", true},
		{"*68[slot]", "*681[slot]", true},
		{"*68[slot]", "*6812345", false},
		{"*6[slot]", "*6*1", false},
		{"*1", "#1", false},
	}
	for _, tt := range tests {
		p, _ := parsePattern(tt.p, 3)
		q, _ := parsePattern(tt.q, 3)
		if p.overlaps(q) != tt.want || q.overlaps(p) != tt.want {
			t.Errorf("%s and %s: %v and %v, want %v", tt.p, tt.q, p.overlaps(q), q.overlaps(p), tt.want)
		}
	}
}

// every lists all strings of a pattern.
func (p pattern) every() []string {
	all := []string{}
	if p.min == 0 {
		all = append(all, p.literal)
	}
	for n, size := 1, 10; n <= p.max; n, size = n+1, size*10 {
		for i := 0; n >= p.min && i < size; i++ {
			all = append(all, fmt.Sprintf("%s%0*d", p.literal, n, i))
		}
	}
	return all
}

// TestPatternOverlapIsExact compares overlaps with listing every string.
func TestPatternOverlapIsExact(t *testing.T) {
	patterns := rapid.Custom(func(t *rapid.T) pattern {
		s := rapid.StringMatching(`\*[12*]{1,4}(<ext>|\[slot\]|)`).Draw(t, "pattern")
		p, err := parsePattern(s, 2)
		if err != nil {
			t.Fatal(err)
		}
		return p
	})
	rapid.Check(t, func(t *rapid.T) {
		p, q := patterns.Draw(t, "p"), patterns.Draw(t, "q")
		want := false
		for _, s := range p.every() {
			if _, ok := p.match(s); !ok {
				t.Fatalf("%+v does not match its own %s", p, s)
			}
			_, ok := q.match(s)
			want = want || ok
		}
		if p.overlaps(q) != want {
			t.Fatalf("%+v and %+v: %v, want %v", p, q, p.overlaps(q), want)
		}
	})
}

func TestCompileCodesRefusesClashes(t *testing.T) {
	echo := func(p string) Code { return Code{ContextDialled, p, StepEcho} }
	ring := func(p string) Code { return Code{ContextDialled, p, StepRing} }
	tests := []struct {
		codes []Code
		want  error
	}{
		{[]Code{echo("*50"), ring("*55<ext>")}, nil},
		{[]Code{echo("*50"), echo("*50")}, ErrCodeClash},
		{[]Code{ring("*55<ext>"), echo("*55101")}, ErrCodeClash},
		{[]Code{echo("*43")}, ErrCodeClash},      // taken by the demo
		{[]Code{echo("*735")}, ErrCodeClash},     // programmed keys
		{[]Code{echo("*7351")}, ErrCodeClash},    // programmed keys
		{[]Code{ring("*7<ext>")}, ErrCodeClash},  // *7351
		{[]Code{ring("*73<ext>")}, ErrCodeClash}, // *73512
		{[]Code{echo("*73")}, nil},
	}
	for _, tt := range tests {
		rows := testRows()
		rows.Client.Codes = tt.codes
		_, err := Compile(rows)
		if !errors.Is(err, tt.want) {
			t.Errorf("%v: %v, want %v", tt.codes, err, tt.want)
		}
		var at *RowError
		if tt.want != nil && (!errors.As(err, &at) || at.Row != "client 1") {
			t.Errorf("%v: %v names no row", tt.codes, err)
		}
	}
}

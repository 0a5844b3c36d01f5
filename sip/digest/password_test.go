package digest

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestGeneratePassword(t *testing.T) {
	if bits := float64(generatedLen) * math.Log2(float64(len(passwordAlphabet))); bits < 96 {
		t.Errorf("only %.1f bits", bits)
	}
	count := map[rune]int{}
	seen := map[string]bool{}
	const n = 2000
	for range n {
		p := GeneratePassword()
		if len(p) != generatedLen || strings.Trim(p, passwordAlphabet) != "" || seen[p] {
			t.Fatalf("generated %q", p)
		}
		if err := CheckPassword(p, "9999"); err != nil {
			t.Fatalf("own password %q refused: %v", p, err)
		}
		seen[p] = true
		for _, r := range p {
			count[r]++
		}
	}
	mean := float64(n*generatedLen) / float64(len(passwordAlphabet))
	for _, r := range passwordAlphabet {
		// Six standard deviations: a false alarm is a matter of centuries.
		if d := math.Abs(float64(count[r]) - mean); d > 6*math.Sqrt(mean) {
			t.Errorf("%c came %d times, expected about %.0f", r, count[r], mean)
		}
	}
}

func TestCheckPassword(t *testing.T) {
	tests := []struct {
		password, number string
		ok               bool
	}{
		{"tree-lamp-river", "101", true},
		{"grün-blau-gelb", "101", true},
		{"elevenchars", "101", false},
		{"zwölfzeichen", "101", true},
		{"", "101", false},
		{"x101yzw-abcdef", "101", false},
		{"0001*101", "101", false},
		{"0001*101-longer", "101", false},
		{"0001*102-longer", "101", true},
		{"Password1234", "101", false},
		{"aaaaaaaaaaaaaa", "101", false},
		{"abcabcabcabcab", "101", false},
		{"wxyzwxyzwxyz", "101", false},
		{"tree\nlamp\nriver", "101", false},
		{"tree\x00lamp-river", "101", false},
		{"\xff\xfe-lamp-river-x", "101", false},
		{strings.Repeat("tree-lamp-", 13), "101", false},
	}
	for _, tt := range tests {
		err := CheckPassword(tt.password, tt.number)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrWeakPassword) {
			t.Errorf("CheckPassword(%q, %q) = %v", tt.password, tt.number, err)
		}
		if err != nil && len(tt.password) > 3 && strings.Contains(err.Error(), tt.password) {
			t.Errorf("the error repeats the password: %v", err)
		}
	}
}

// A shorter entry would never be reached, one in capitals never met.
func TestCommonPasswords(t *testing.T) {
	for _, p := range strings.Fields(commonPasswords) {
		if len(p) < minPasswordLen || p != strings.ToLower(p) {
			t.Errorf("useless entry %q", p)
		}
	}
}

package dialplan

import (
	"errors"
	"strings"
	"testing"
)

func TestCleanDialled(t *testing.T) {
	long := strings.Repeat("1", MaxDialled)
	tests := []struct{ in, want string }{
		{"101", "101"},
		{"0001*101", "0001*101"},
		{"0001%2A101", "0001*101"},
		{"0001%2a101", "0001*101"},
		{"%2A43", "*43"},
		{"%2343", "#43"},
		{"+44 (20) 7946-0123", "+442079460123"},
		{"+44%20(20)%207946.0123", "+442079460123"},
		{"101;phone-context=example.org", "101"},
		{"101;ext=5;isub=2", "101"},
		{"ABCD", "ABCD"},
		{"reception", "reception"},
		{"*735%2A12***225", "*735*12***225"},
		{long, long},
		{"(" + long + ")", long},
	}
	for _, tt := range tests {
		got, err := CleanDialled(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("CleanDialled(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestCleanDialledRefuses(t *testing.T) {
	for _, in := range []string{
		"", " ", "-.()", ";phone-context=1", "%20",
		"101&102", "101%26102", "101,102", "101|102", "101/102", "101%2F102", "..%2F..%2Fetc",
		"101%3B102", "101@evil", "101%40evil", "101:secret", "101?x", "101=1", "a_b", "sip:101", "<101>", "\"101\"",
		"101\r\nVia: x", "101%0d%0a", "101%00", "101\t", "101\x7f",
		"１０１", "%EF%BC%91", "١٠١", "101é", "\xff",
		"%", "%2", "%2G", "1%G0", "101%",
		"%252A43", // encoded twice: undone once, and a percent sign is no digit
		strings.Repeat("1", MaxDialled+1), strings.Repeat("-", 1<<16) + "1", strings.Repeat("%31", MaxDialled+1),
	} {
		if got, err := CleanDialled(in); !errors.Is(err, ErrDialled) || got != "" {
			t.Errorf("CleanDialled(%.40q) = %q, %v; want ErrDialled", in, got, err)
		}
	}
}

func TestCleanDialledDoesNotAllocate(t *testing.T) {
	allocs(t, 0, func() { _, _ = CleanDialled("0001*101") })
}

func FuzzCleanDialled(f *testing.F) {
	for _, s := range []string{"101", "0001%2A101", "+44 (20) 7946-0123", "101;phone-context=x", "1%", "%252A", "１", "a&b", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := CleanDialled(in)
		if err != nil {
			if !errors.Is(err, ErrDialled) || got != "" {
				t.Fatalf("CleanDialled(%q) = %q, %v", in, got, err)
			}
			return
		}
		if got == "" || len(got) > MaxDialled {
			t.Fatalf("CleanDialled(%q) = %d bytes", in, len(got))
		}
		const allowed = "0123456789*#+ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		if rest := strings.Trim(got, allowed); rest != "" {
			t.Fatalf("CleanDialled(%q) = %q holds %q", in, got, rest)
		}
		if again, err := CleanDialled(got); err != nil || again != got {
			t.Fatalf("cleaning %q again gives %q, %v", got, again, err)
		}
	})
}

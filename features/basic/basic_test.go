package basic

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDigitSounds(t *testing.T) {
	tests := []struct {
		number string
		want   []string
	}{
		{"", []string{}},
		{"101", []string{"digits/1", "digits/0", "digits/1"}},
		{"+9*#", []string{"digits/plus", "digits/9", "digits/star", "digits/hash"}},
		{"a1 ٣-2\x00", []string{"digits/1", "digits/2"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, digitSounds(tt.number)); diff != "" {
			t.Errorf("%q: %s", tt.number, diff)
		}
	}
}

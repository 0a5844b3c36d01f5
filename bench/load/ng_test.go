package load

import "testing"

func TestBencode(t *testing.T) {
	b := dictionary("command", "ping", "sdp", "")
	if string(b) != "d7:command4:ping3:sdp0:e" {
		t.Errorf("%s", b)
	}
	for _, c := range []struct{ text, key, want string }{
		{"d6:result2:ok3:sdp3:v=0e", "sdp", "v=0"},
		{"d6:result2:oke", "sdp", ""},
		{"d6:result99:oke", "result", ""},
		{"d-1:xe", "x", ""},
		{"i4e", "x", ""},
		{"", "x", ""},
	} {
		if got := string(bencoded([]byte(c.text), c.key)); got != c.want {
			t.Errorf("%s of %q: %q", c.key, c.text, got)
		}
	}
}

// FuzzBencoded: no answer makes it panic.
func FuzzBencoded(f *testing.F) {
	f.Add([]byte("d6:result2:ok3:sdp3:v=0e"), "sdp")
	f.Fuzz(func(_ *testing.T, b []byte, key string) { bencoded(b, key) })
}

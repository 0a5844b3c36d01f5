package wire

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

func addCorpus(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "rfc*", "*.dat"))
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(typicalInvite))
	f.Add([]byte(typicalRegister))
}

// FuzzPeek: what Peek says of a message is what Parse finds in it.
func FuzzPeek(f *testing.F) {
	addCorpus(f)
	f.Add([]byte("\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := Peek(b)
		m, err := Parse(b)
		if err != nil {
			return
		}
		switch {
		case !ok || h.KeepAlive:
			t.Fatal("Peek drops what Parse reads")
		case h.Request != m.IsRequest() || h.Status != m.Status():
			t.Fatalf("Peek sees %+v", h)
		case m.IsRequest() && string(h.Method) != m.Method():
			t.Fatalf("Peek sees method %q, Parse %q", h.Method, m.Method())
		case string(h.CallID) != m.CallID():
			t.Fatalf("Peek sees Call-ID %q, Parse %q", h.CallID, m.CallID())
		case m.ToTag() != "" && !h.InDialog:
			t.Fatalf("Peek misses To tag %q", m.ToTag())
		case len(h.ToTag) > 0 && !h.InDialog:
			t.Fatalf("Peek sees a tag and no dialog: %+v", h)
		}
	})
}

// FuzzMessage: whatever parses renders to something that parses to the same; an
// answer to it can be read; nothing we send has a control character.
func FuzzMessage(f *testing.F) {
	addCorpus(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		var fault *Fault
		switch {
		case errors.As(err, &fault):
			answerable(t, fault.Reply(testSource, "tag"))
			return
		case err != nil:
			return
		}
		if fault := testRules.Validate(m); fault != nil {
			answerable(t, fault.Reply(testSource, "tag"))
		}
		if m.IsRequest() {
			answerable(t, StatelessReply(m, testSource, 404, "Not Found", "tag"))
			w := Answer(nil, m, testSource, 200, "OK", "tag")
			answerable(t, w.End("", nil))
		}
		checkRoundTrip(t, m)
		for c := range m.Values("Contact") {
			var a address
			_ = a.parse(c) // must not panic whatever it says
		}
		_ = m.Reasons()
		_ = m.Part("application/sdp")
	})
}

// answerable checks an answer: readable, and clean above the body.
func answerable(t *testing.T, b []byte) {
	t.Helper()
	if b == nil {
		return
	}
	head, _, _ := strings.Cut(string(b), "\r\n\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		if Clean(line) != line {
			t.Fatalf("control character or broken UTF-8 in %q", line)
		}
	}
	var s section
	s.split(string(b))
	if e := newEcho(&s); s.err != nil || !e.answerable {
		t.Fatalf("answer cannot be read: %v\n%q", s.err, b)
	}
}

// FuzzURI: a URI that parses renders to one that parses to the same.
func FuzzURI(f *testing.F) {
	for _, s := range []string{"sip:a@b", "sips:a:p@[::1]:5061;transport=tcp;lr?Subject=x&Route=%3Csip:x%3E", "tel:+1-201",
		`sip:a;b=c@d;x="q,z"`, "soap.beep://x", "sip:a@[2001:db8:::1.2.3.4]", "sip:user;par=u%40example.net@example.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var a, b URI
		if a.scan(s) != nil {
			return
		}
		built := a.build()
		text := built.String()
		if err := b.scan(text); err != nil {
			t.Fatalf("%q became %q: %v", s, text, err)
		}
		built = b.build()
		if again := built.String(); again != text {
			t.Fatalf("%q became %q, then %q", s, text, again)
		}
		var c URI
		if err := c.scan(a.Text); err != nil || c.User != a.User || c.Host != a.Host || c.Port != a.Port || c.Scheme != a.Scheme {
			t.Fatalf("%q is handed out as %q: %v", s, a.Text, err)
		}
	})
}

// FuzzAddress does the same for the values of From, To and Contact, and for Via.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{`"A \"B\"" <sip:a@b>;tag=1`, "sip:a@b;tag = x", "a b <sip:x@y;p>;q=0.5", "<sip:a@b>;p=\"x y\"",
		"SIP / 2.0 / UDP [::1]:5060 ; branch = z9hG4bK1;rport"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var a, again address
		s = trim(Clean(s))
		if a.parse(s) == nil {
			h := sip.FromHeader{DisplayName: a.display, Address: a.uri, Params: a.params}
			if err := again.parse(h.Value()); err != nil {
				t.Fatalf("%q became %q: %v", s, h.Value(), err)
			}
			h2 := sip.FromHeader{DisplayName: again.display, Address: again.uri, Params: again.params}
			if h.Value() != h2.Value() {
				t.Fatalf("%q, then %q", h.Value(), h2.Value())
			}
		}
		var v, v2 hop
		if v.scan(s, false) == nil {
			text := v.build().Value()
			if err := v2.scan(text, false); err != nil || v2.build().Value() != text {
				t.Fatalf("%q became %q: %v", s, text, err)
			}
		}
	})
}

// FuzzEscape: quoting and reading back gives the cleaned text.
func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "a", `a"b`, `\`, "a\x00b\r\n", "é\xff", "\u0085"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q := Quote(s)
		if n := quotedEnd(q); n != len(q) {
			t.Fatalf("%q quotes to %q", s, q)
		}
		if got := Unescape(q[1 : len(q)-1]); got != Clean(s) {
			t.Fatalf("%q reads back as %q", s, got)
		}
		if bytes.ContainsAny([]byte(q), "\r\n\x00") {
			t.Fatalf("%q", q)
		}
	})
}

package wire

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
)

var refusal = Refusal{Status: "503 Service Unavailable", Tag: []byte("0123456789abcdef"), Lines: []byte("Retry-After: 7\r\n")}

const refusable = "INVITE sip:102@acme.example SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport\r\n" +
	"Max-Forwards: 70\r\n" +
	"From: \"Jörg\" <sip:101@acme.example>;tag=a\r\n" +
	"To: <sip:102@acme.example>\r\n" +
	"Call-ID: one\r\n" +
	"CSeq: 1 INVITE\r\n" +
	"Content-Length: 0\r\n\r\n"

func TestRefusal(t *testing.T) {
	source := netip.MustParseAddrPort("192.0.2.1:4321")
	via := func(value string) string {
		return strings.Replace(refusable, "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport", value, 1)
	}
	for _, c := range []struct {
		name, request, via, to string
	}{
		{"rport", refusable, "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport=4321;received=192.0.2.1", "192.0.2.1:4321"},
		{"no rport", via("SIP/2.0/UDP 192.0.2.1:5070;branch=x"), "SIP/2.0/UDP 192.0.2.1:5070;branch=x", "192.0.2.1:5070"},
		{"no port", via("SIP/2.0/UDP 192.0.2.1;branch=x"), "SIP/2.0/UDP 192.0.2.1;branch=x", "192.0.2.1:5060"},
		{"other host", via("SIP/2.0/UDP 10.0.0.9:5070;branch=x"), "SIP/2.0/UDP 10.0.0.9:5070;branch=x;received=192.0.2.1", "192.0.2.1:4321"},
		{"longer host", via("SIP/2.0/UDP 192.0.2.10;branch=x"), "SIP/2.0/UDP 192.0.2.10;branch=x;received=192.0.2.1", "192.0.2.1:4321"},
		{"claims", via("SIP/2.0/UDP h;rport=1;branch=x;received=10.1.1.1"), "SIP/2.0/UDP h;rport=4321;branch=x;received=192.0.2.1", "192.0.2.1:4321"},
		{"two in a line", via("SIP/2.0/UDP h;rport, SIP/2.0/TCP g;rport"), "SIP/2.0/UDP h;rport=4321;received=192.0.2.1, SIP/2.0/TCP g;rport", "192.0.2.1:4321"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, to, ok := refusal.Append(nil, []byte(c.request), source)
			want := "SIP/2.0 503 Service Unavailable\r\nVia: " + c.via + "\r\nFrom: \"Jörg\" <sip:101@acme.example>;tag=a\r\n" +
				"To: <sip:102@acme.example>;tag=0123456789abcdef\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
			if !ok || string(b) != want || to.String() != c.to {
				t.Errorf("%v to %s:\n%s", ok, to, b)
			}
		})
	}
}

// TestRefusalOfTheUnplain: what is not plain gets no answer from a template.
func TestRefusalOfTheUnplain(t *testing.T) {
	source := netip.MustParseAddrPort("192.0.2.1:4321")
	for name, text := range map[string]string{
		"no Via":      strings.Replace(refusable, "Via:", "Vib:", 1),
		"no CSeq":     strings.Replace(refusable, "CSeq:", "CSeg:", 1),
		"two To":      strings.Replace(refusable, "CSeq", "To: <sip:103@acme.example>\r\nCSeq", 1),
		"folded":      strings.Replace(refusable, "Call-ID: ", "Call-ID:\r\n ", 1),
		"NUL":         strings.Replace(refusable, "one", "o\x00e", 1),
		"bare CR":     strings.Replace(refusable, "one", "o\re", 1),
		"not UTF-8":   strings.Replace(refusable, "ö", "\xff", 1),
		"quoted Via":  strings.Replace(refusable, ";rport", ";x=\";rport\"", 1),
		"no colon":    strings.Replace(refusable, "Max-Forwards: 70", "Max-Forwards 70", 1),
		"nothing":     "",
		"start alone": "INVITE sip:a@b SIP/2.0\r\n",
	} {
		if b, _, ok := refusal.Append([]byte("x"), []byte(text), source); ok || string(b) != "x" {
			t.Errorf("%s: %v %q", name, ok, b)
		}
	}
}

func TestRefusalAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	source := netip.MustParseAddrPort("192.0.2.1:4321")
	room, request := make([]byte, 0, 2048), []byte(refusable)
	if n := testing.AllocsPerRun(100, func() { _, _, _ = refusal.Append(room, request, source) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestDialled(t *testing.T) {
	for line, want := range map[string]string{
		"INVITE sip:112@acme.example SIP/2.0":          "112",
		"INVITE sip:112;phone-context=x@acme SIP/2.0":  "112",
		"INVITE tel:112;phone-context=+49 SIP/2.0":     "112",
		"INVITE sip:acme.example SIP/2.0":              "",
		"INVITE  sips:911@[2001:db8::1]:5061  SIP/2.0": "911",
		"INVITE": "",
	} {
		if got := Dialled([]byte(line + "\r\n")); string(got) != want {
			t.Errorf("%s: %q", line, got)
		}
	}
}

// FuzzRefusal: whatever a refusal is made of, it is one response that we can
// read ourselves, with the tag and the dialog of its request if we can read that.
func FuzzRefusal(f *testing.F) {
	f.Add([]byte(refusable))
	f.Add([]byte(strings.ReplaceAll(refusable, "\r\n", "\n")))
	f.Add([]byte("OPTIONS sip:a SIP/2.0\r\nv:SIP/2.0/UDP [2001:db8::1]:5070;rport,SIP/2.0/UDP b\r\nv:SIP/2.0/TCP c\r\nf:<sip:a@b>;tag=1\r\nt:sip:b\r\ni:x\r\nCSeq:1 OPTIONS\r\n\r\n"))
	source := netip.MustParseAddrPort("192.0.2.1:4321")
	f.Fuzz(func(t *testing.T, request []byte) {
		b, to, ok := refusal.Append(nil, request, source)
		if !ok {
			return
		}
		if to.Addr() != source.Addr() {
			t.Errorf("sent to %s", to)
		}
		if bytes.IndexByte(b, 0) >= 0 || bytes.Count(b, []byte("\r\n\r\n")) != 1 || !bytes.HasSuffix(b, []byte("\r\n\r\n")) {
			t.Errorf("not one message: %q", b)
		}
		m, err := Parse(request)
		if err != nil || !m.IsRequest() {
			return
		}
		r, err := Parse(b)
		if err != nil {
			t.Fatalf("%v: %q", err, b)
		}
		seq, method := m.CSeq()
		rseq, rmethod := r.CSeq()
		if r.Status() != 503 || r.CallID() != m.CallID() || seq != rseq || method != rmethod || r.Branch() != m.Branch() || r.FromTag() != m.FromTag() {
			t.Errorf("of another request: %q", b)
		}
		if m.ToTag() == "" && r.ToTag() != string(refusal.Tag) || m.ToTag() != "" && r.ToTag() != m.ToTag() {
			t.Errorf("To tag %q: %q", r.ToTag(), b)
		}
	})
}

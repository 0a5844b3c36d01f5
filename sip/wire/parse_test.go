package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestSigned(t *testing.T) {
	const start = "INVITE sip:102@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n"
	for _, c := range []struct {
		lines string
		want  bool
	}{
		{"Authorization: Digest x=1\r\n\r\n", true},
		{"Proxy-Authorization: Digest x=1\r\n\r\n", true},
		{"PROXY-AUTHORIZATION \t: Digest x=1\r\n\r\n", true},
		{"authorization:\r\n Digest x=1\r\n\r\n", true},
		{"Authorization : Digest x=1\nTo: <sip:102@example.com>\n\n", true},
		{"\r\nAuthorization: Digest x=1\r\n", false},                                  // the body
		{"Subject: a\r\n Authorization: Digest x=1\r\n\r\n", false},                   // a folded line
		{"WWW-Authenticate: Digest x=1\r\nX-Authorization: 1\r\nA: b\r\n\r\n", false}, // others
		{"", false},
	} {
		if got := Signed([]byte(start + c.lines)); got != c.want {
			t.Errorf("Signed(…%q) = %v, want %v", c.lines, got, c.want)
		}
	}
}

func TestPeek(t *testing.T) {
	for _, c := range []struct {
		in   string
		ok   bool
		want Head
	}{
		{"", true, Head{KeepAlive: true}},
		{"\r\n\r\n", true, Head{KeepAlive: true}},
		{request(options), true, Head{Request: true, Method: []byte("OPTIONS"), CallID: []byte("test@192.0.2.1")}},
		{"BYE sip:x SIP/2.0\r\nTo: <sip:x>;tag=1\r\ni:a\r\n\r\n", true,
			Head{Request: true, InDialog: true, Method: []byte("BYE"), CallID: []byte("a"), ToTag: []byte("1")}},
		{"BYE sip:x SIP/2.0\nt: x\n ;\n tag = 1\nCALL-id :\n\t\n b\n\n", true,
			Head{Request: true, InDialog: true, Method: []byte("BYE"), CallID: []byte("b"), ToTag: []byte("1")}},
		{"BYE sip:x SIP/2.0\r\nTo: <sip:x;tag=1>;tagged=1\r\nCall-ID: a\r\n\r\n", true,
			Head{Request: true, Method: []byte("BYE"), CallID: []byte("a")}},
		{"SIP/2.0 200 OK\r\nCall-ID: a\r\n\r\n", true, Head{Status: 200, CallID: []byte("a")}},
		{"sip/2.0 100\r\n\r\nCall-ID: in the body", true, Head{Status: 100}},
		{"B<E sip:x SIP/2.0\r\n\r\n", true, Head{Request: true, Method: []byte("B<E")}},
		{"SIP/2.0 99 x\r\n", false, Head{}},
		{"SIP/2.0 700 x\r\n", false, Head{}},
		{"SIP/2.0 2000 x\r\n", false, Head{}},
		{"SIP/2.0\r\n", false, Head{}},
		{"\x80\x00\x00\x01RTP", false, Head{}},
		{"junk", false, Head{}},
		{" INVITE sip:x SIP/2.0", false, Head{}},
	} {
		h, ok := Peek([]byte(c.in))
		if ok != c.ok || fmt.Sprintf("%+v", h) != fmt.Sprintf("%+v", c.want) {
			t.Errorf("%q: %+v %v, want %+v", c.in, h, ok, c.want)
		}
	}
}

// TestParseRefuses replaces one line of a good request and expects a 400 that
// names the header.
func TestParseRefuses(t *testing.T) {
	for header, values := range map[string][]string{
		"From": {"", "sip", "<sip:a@b", "sip:a@b>", `"a <sip:a@b>`, `"a" sip:a@b`, "<sip:>", "<sip:@b>", "<sip:a@b>x", "sip:a b@c",
			"<sip:a@b>;tag=1;tag=2", "<sip:a@b>;=1", "<sip:a@b>;tag=\"1", "<sip:a@b>;a b", "<1:x>", "<sip:a@[::1>", "<sip:a@[::g]>",
			"<sip:a@[fe80::1%25eth0]>", "<sip:a@[1.2.3.4]>", "<sip:a@b:0>", "<sip:a@b:65536>", "<sip:a@b:x>", "<sip:a@b/c>", `a "b" <sip:a@b>`},
		"To":             {"*", "sip:a@b,sip:c@d", "a, b <sip:a@b>"},
		"Call-ID":        {"", "a b", "a\x01", "\xff"},
		"CSeq":           {"", "1", "x OPTIONS", "-1 OPTIONS", "1 OPT IONS", "4294967296 OPTIONS", "1 "},
		"Max-Forwards":   {"", "x", "-1", "256", "70, 70"},
		"Via":            {"", "SIP/2.0/UDP", "SIP/2.0 h", "SIP/2.0/ h", "/2.0/UDP h", "SIP/2.0/UDP h,", "SIP/2.0/UDP h;;", "SIP/2.0/UDP ;branch=a"},
		"Contact":        {"", "<sip:a@b>,", "<sip:a@b>;", `"a`, "*;q=1"},
		"Route":          {"", "<sip:a>,<", "sip:a?b=c"},
		"Record-Route":   {"x"},
		"Content-Length": {"", "-1", "+1", "1.0", "0x1", "70000", "1"},
	} {
		for _, v := range values {
			s := request(options, "Contact: <sip:a@b>", "Route: <sip:c>", "Record-Route: <sip:c>", "Content-Length: 0")
			i := strings.Index(s, "\r\n"+header+": ") + 2
			s = s[:i] + header + ": " + v + s[i+strings.Index(s[i:], "\r\n"):]
			_, err := Parse([]byte(s))
			var f *Fault
			if header == "Via" && err != nil && !errors.As(err, &f) {
				continue // nobody to answer
			}
			if !errors.As(err, &f) || f.Status != 400 || !strings.Contains(f.Reason, header) {
				t.Errorf("%s: %s: %v", header, v, err)
			}
		}
	}
}

func TestParseRefusesRepeated(t *testing.T) {
	for _, line := range []string{"From: <sip:101@example.com>;tag=a", "t: <sip:102@example.com>", "i: test@192.0.2.1",
		"CSeq: 7 OPTIONS", "Max-Forwards: 70"} {
		_, err := Parse([]byte(request(options, line)))
		var f *Fault
		if !errors.As(err, &f) || f.Status != 400 || !strings.Contains(f.Reason, "more than one") {
			t.Errorf("second %s: %v", line, err)
		}
	}
}

func TestParseStartLines(t *testing.T) {
	for _, start := range []string{"", "OPTIONS", "OPTIONS sip:x", "OPTIONS sip:x HTTP/1.1", "OPTIONS sip:x SIP/2",
		"OPTIONS sip:x SIP/2.x", "OPTIONS  SIP/2.0", "OPT(ONS sip:x SIP/2.0", "OPTIONS x SIP/2.0", "OPTIONS sip:a@b@c SIP/2.0",
		"OPTIONS * SIP/2.0", "OPTIONS sip:x SIP/2.0 "} {
		s := strings.Replace(request(options), options, start, 1)
		_, err := Parse([]byte(s))
		var f *Fault
		if start == "" {
			continue // then the Via line is the first one
		}
		if !errors.As(err, &f) || f.Status != 400 {
			t.Errorf("%q: %v", start, err)
		}
	}
	for _, start := range []string{"SIP/2.0 0200 OK", "SIP/2.0 20 OK", "SIP/2.0 2xx OK", "SIP/2.0 700 x", "SIP/2.0 "} {
		_, err := Parse([]byte(strings.Replace(request(options), options, start, 1)))
		if !errors.Is(err, ErrUnreadable) {
			t.Errorf("%q: %v", start, err)
		}
	}
}

func TestTooLargeMessage(t *testing.T) {
	s := request(options, "X-Long: y") + strings.Repeat("x", MaxMessage)
	_, err := Parse([]byte(s))
	var f *Fault
	if !errors.As(err, &f) || f.Status != 513 {
		t.Errorf("%v", err)
	}
}

// TestBrokenFirstViaIsNotReplaced: when the first hop cannot be read, the answer
// must not go by the second one.
func TestBrokenFirstViaIsNotReplaced(t *testing.T) {
	s := strings.Replace(request(options, "Via: SIP/2.0/UDP 203.0.113.5"), "SIP/2.0/UDP 192.0.2.1;", "SIP/2.0/UDP <;", 1)
	if _, err := Parse([]byte(s)); !errors.Is(err, ErrUnreadable) {
		t.Errorf("%v", err)
	}
}

func TestCorpusBodies(t *testing.T) {
	m := mustParse(t, string(readCorpus(t, "rfc4475", "dblreq")))
	if m.Method() != "REGISTER" || m.Body() != nil {
		t.Errorf("what follows Content-Length: %s %q", m.Method(), m.Body())
	}
	m = mustParse(t, string(readCorpus(t, "rfc4475", "mpart01")))
	if got := string(m.Part("text/plain")); got != "Hello" {
		t.Errorf("text part %q", got)
	}
	if got := m.Part("application/octet-stream"); !bytes.HasPrefix(got, []byte("0\x82")) || len(got) < 300 {
		t.Errorf("binary part of %d bytes", len(got))
	}
	m = mustParse(t, string(readCorpus(t, "rfc4475", "inv2543")))
	if len(m.Body()) == 0 || m.Branch() != "" || m.FromTag() != "" {
		t.Errorf("RFC 2543: body of %d, branch %q, tag %q", len(m.Body()), m.Branch(), m.FromTag())
	}
}

func TestParseKeepsNothingOfItsInput(t *testing.T) {
	b := []byte(typicalInvite)
	m := mustParse(t, typicalInvite)
	again, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	if d := difference(m, again); d != "" {
		t.Error(d)
	}
}

func ExampleParse() {
	m, err := Parse([]byte("OPTIONS sip:101@example.com SIP/2.0\r\n" +
		"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n" +
		"f: \"Alice\" <sip:alice@example.com> ; tag = 7\r\n" +
		"t: sip:101@example.com\r\n" +
		"i: 1@192.0.2.1\r\n" +
		"CSeq: 1 OPTIONS\r\n\r\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Method(), m.From().Address.User, m.FromTag())
	// Output: OPTIONS alice 7
}

func TestDisplayNames(t *testing.T) {
	for in, want := range map[string]string{
		`"Alice"`: "Alice", `Alice  B`: "Alice  B", `"A \"B\" \\ C"`: `A "B" \ C`, `Jörg`: "Jörg", "J\xf6rg": "J?rg",
		"\"a\x00\\\x01b\"": "a  b", `Back\slash`: `Back\slash`, "": "", `""`: "", `"a,b;c<d>"`: "a,b;c<d>",
	} {
		m := mustParse(t, strings.Replace(request(options), "From: ", "From: "+in+" ", 1))
		if got := Unescape(m.From().DisplayName); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		again := mustParse(t, string(render(m)))
		if got := Unescape(again.From().DisplayName); got != want {
			t.Errorf("%q after rendering: %q, want %q", in, got, want)
		}
	}
}

package wire

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// These tests hold the faults of sipgo 1.7.2 that concern reading and writing
// messages away from users.

// request builds a well-formed request with the given request line and further
// header lines.
func request(start string, more ...string) string {
	method, _, _ := strings.Cut(start, " ")
	lines := append([]string{start,
		"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKtest;rport",
		"From: <sip:101@example.com>;tag=a",
		"To: <sip:102@example.com>",
		"Call-ID: test@192.0.2.1",
		"CSeq: 7 " + method,
		"Max-Forwards: 70"}, more...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

func mustParse(t testing.TB, s string) *Message {
	t.Helper()
	m, err := Parse([]byte(s))
	if err != nil {
		t.Fatalf("%v\n%s", err, s)
	}
	return m
}

func TestBlanksAroundEqualsDoNotHideTags(t *testing.T) {
	m := mustParse(t, string(readCorpus(t, "rfc4475", "wsinv")))
	if m.FromTag() != "98asjd8" || m.ToTag() != "1918181833n" {
		t.Errorf("tags %q and %q", m.FromTag(), m.ToTag())
	}
	if m.Branch() != "390skdjuw" || m.Vias() != 3 {
		t.Errorf("branch %q of %d Via", m.Branch(), m.Vias())
	}
	if tag, _ := m.From().Params.Get("tag"); tag != "98asjd8" {
		t.Errorf("sipgo sees tag %q", tag)
	}
	if c := m.Contacts()[0]; c.Q() != 330 {
		t.Errorf("q is %d", c.Q())
	}
	if s, ok := m.Header("subject"); !ok || s != "" {
		t.Errorf("compact Subject: %q, %v", s, ok)
	}
	if hops, _ := m.MaxForwards(); hops != 68 {
		t.Errorf("Max-Forwards %d", hops)
	}
}

func TestQuotedCommaIsNotDuplicated(t *testing.T) {
	const uri = `sip:101@example.com;x="q,z";y;z=%41`
	m := mustParse(t, request("INVITE "+uri+" SIP/2.0",
		`Contact: "A, B" <sip:101@192.0.2.1;x="q,z">;p="a,b";+sip.instance="<urn:uuid:1>"`,
		`Contact: <sip:two@192.0.2.1>`))
	out := string(render(m))
	for _, want := range []string{
		"INVITE " + uri + " SIP/2.0\r\n",
		`Contact: "A, B" <sip:101@192.0.2.1;x="q,z">;p="a,b";+sip.instance="<urn:uuid:1>"` + "\r\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if got := m.Contacts()[0].Instance(); got != "urn:uuid:1" {
		t.Errorf("instance %q", got)
	}
	if got := m.Contacts()[0].URI.User; got != "101" {
		t.Errorf("first Contact is that of %q", got)
	}
}

func TestQuotedValuesKeepTheirQuotes(t *testing.T) {
	for _, value := range []string{`"a b"`, `"a"`, `"a\"b"`, `"a \" b"`, `"a;b"`, `""`, `"a,b"`} {
		m := mustParse(t, request("OPTIONS sip:x@example.com SIP/2.0", "Contact: <sip:a@b>;p="+value))
		out := render(m)
		if !bytes.Contains(out, []byte("p="+value+"\r\n")) {
			t.Errorf("%s became\n%s", value, out)
		}
		want := Unescape(value[1 : len(value)-1])
		if got, ok := m.Contacts()[0].Param("p"); !ok || got != want {
			t.Errorf("%s reads %q, want %q", value, got, want)
		}
	}
}

func TestLineEnds(t *testing.T) {
	whole := request("OPTIONS sip:x@example.com SIP/2.0", "Content-Type: text/plain", "Content-Length: 4") + "a\r\nb"
	for name, s := range map[string]string{
		"leading CRLF": "\r\n\r\n" + whole,
		"leading NUL":  "\x00\x00" + whole,
		"bare LF":      strings.ReplaceAll(whole, "\r\n", "\n"),
		"mixed":        strings.Replace(whole, "\r\n", "\n", 3),
	} {
		m, err := Parse([]byte(s))
		if name == "bare LF" {
			// The body got shorter with its line end.
			var f *Fault
			if !errors.As(err, &f) || !strings.Contains(f.Reason, "Content-Length") {
				t.Errorf("%s: %v", name, err)
			}
			m, err = Parse([]byte(strings.ReplaceAll(s, "Content-Length: 4", "Content-Length: 3")))
		}
		if err != nil || m.CallID() != "test@192.0.2.1" || m.Method() != "OPTIONS" {
			t.Errorf("%s: %v", name, err)
		}
		if h, ok := Peek([]byte(s)); !ok || string(h.CallID) != "test@192.0.2.1" || string(h.Method) != "OPTIONS" {
			t.Errorf("%s: Peek gives %+v", name, h)
		}
	}
	for _, s := range []string{"", "\r\n", "\r\n\r\n", "\x00", "\x00\x00\x00\x00", "\n"} {
		if h, ok := Peek([]byte(s)); !ok || !h.KeepAlive {
			t.Errorf("%q is no keep-alive: %+v %v", s, h, ok)
		}
	}
}

func TestMethodsKeepTheirSpelling(t *testing.T) {
	for _, method := range []string{"invite", "Invite", "MyMethod", "x-Ping"} {
		b := []byte(request(method + " sip:x@example.com SIP/2.0"))
		m, err := Parse(b)
		if err != nil || m.Method() != method {
			t.Fatalf("%s: %v", method, err)
		}
		f := testRules.Validate(m)
		if f == nil || f.Status != 501 || f.Extra[0].Name != "Allow" {
			t.Errorf("%s: %v", method, f)
		}
		if h, _ := Peek(b); string(h.Method) != method {
			t.Errorf("Peek sees %s", h.Method)
		}
	}
	m := mustParse(t, request("SUBSCRIBE sip:x@example.com SIP/2.0"))
	if f := testRules.Validate(m); f == nil || f.Status != 405 {
		t.Errorf("known method that is not served: %v", f)
	}
}

func TestLargeDatagrams(t *testing.T) {
	body := strings.Repeat("a=candidate:1 1 UDP 1 192.0.2.1 9 typ host\r\n", 150)
	m := mustParse(t, request("INVITE sip:x@example.com SIP/2.0", "Contact: <sip:a@192.0.2.1>",
		"Content-Type: application/sdp", "Content-Length: "+strconv.Itoa(len(body)))+body)
	out := render(m)
	if len(out) < 6000 || !bytes.HasSuffix(out, []byte(body)) {
		t.Errorf("%d bytes", len(out))
	}
	w := Answer(nil, m, testSource, 200, "OK", "b")
	if out := w.End("application/sdp", []byte(body)); len(out) < 6000 {
		t.Errorf("answer of %d bytes", len(out))
	}
}

func TestFailuresAreNotLogged(t *testing.T) {
	var seen bytes.Buffer
	old, oldSIP := slog.Default(), sip.DefaultLogger()
	loud := slog.New(slog.NewTextHandler(&seen, &slog.HandlerOptions{Level: slog.LevelDebug}))
	slog.SetDefault(loud)
	sip.SetDefaultLogger(loud)
	defer func() {
		slog.SetDefault(old)
		sip.SetDefaultLogger(oldSIP)
	}()
	loud.Log(context.Background(), slog.LevelDebug, "ready")
	seen.Reset()
	for _, s := range []string{
		"SECRET", "SIP/2.0 SECRET\r\n\r\n", "SECRET SECRET SECRET\r\nSECRET\r\n",
		request("INVITE sip:x@example.com SIP/2.0", "CSeq: SECRET", "Authorization: SECRET", "Contact: SECRET"),
		request("INVITE sip:x@example.com SIP/2.0", "SECRET", "To: SECRET<"),
	} {
		m, err := Parse([]byte(s))
		if err == nil {
			t.Fatalf("accepted %q: %v", s, m)
		}
		if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("the error quotes the message: %v", err)
		}
	}
	if seen.Len() > 0 {
		t.Errorf("logged: %s", seen.String())
	}
}

func TestIPv6HostsKeepTheirBrackets(t *testing.T) {
	m := mustParse(t, string(readCorpus(t, "rfc5118", "ipv4-mapped-ipv6")))
	out := string(render(m))
	for _, want := range []string{"UDP [::ffff:192.0.2.10]:19823;", "UDP [::ffff:192.0.2.2];", "<sip:ted@[::ffff:192.0.2.2]>"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if ip, ok := HostAddr("[2001:db8:::192.0.2.1]"); !ok || ip.String() != "2001:db8::c000:201" {
		t.Errorf("three colons: %v %v", ip, ok)
	}
}

func TestMissingHeadersAreAnswered(t *testing.T) {
	whole := request("OPTIONS sip:x@example.com SIP/2.0")
	for _, name := range []string{"From", "To", "Call-ID", "CSeq", "Via"} {
		i := strings.Index(whole, name+":")
		s := whole[:i] + whole[i+strings.Index(whole[i:], "\r\n")+2:]
		_, err := Parse([]byte(s))
		var f *Fault
		if name == "Via" {
			if !errors.Is(err, ErrUnreadable) {
				t.Errorf("no Via: %v", err)
			}
			continue
		}
		if !errors.As(err, &f) || !strings.Contains(f.Reason, name) || f.Reply(testSource, "t") == nil {
			t.Errorf("no %s: %v", name, err)
		}
	}
}

func TestSingleCopiesOfSipgoHeaders(t *testing.T) {
	// sipgo takes two blanks in CSeq into the method's name, and a Via with a
	// broken port for one without a port.
	m := mustParse(t, strings.Replace(request("OPTIONS sip:x@example.com SIP/2.0"), "CSeq: 7 ", "CSeq: 007 \t ", 1))
	if seq, method := m.CSeq(); seq != 7 || method != "OPTIONS" {
		t.Errorf("CSeq %d %q", seq, method)
	}
	for _, via := range []string{"192.0.2.1:99999", "192.0.2.1:0", "192.0.2.1:x", "[::1", "[::1]x", "192.0.2.1 x", "a b"} {
		s := strings.Replace(request("OPTIONS sip:x@example.com SIP/2.0"), "192.0.2.1;branch", via+";branch", 1)
		if m, err := Parse([]byte(s)); err == nil {
			t.Errorf("Via %q gives %v", via, m.Via())
		}
	}
}

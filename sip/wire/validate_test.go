package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	invite   = "INVITE sip:102@example.com SIP/2.0"
	register = "REGISTER sip:example.com SIP/2.0"
	options  = "OPTIONS sip:example.com SIP/2.0"
)

func repeat(n int, line string) []string { return slices.Repeat([]string{line}, n) }

// values is "name: v, v, …" with n values.
func values(name, value string, n int) string {
	return name + ": " + strings.Join(slices.Repeat([]string{value}, n), ", ")
}

var digestLine = `Authorization: Digest username="1", realm="r", nonce="n", uri="sip:x", response="` + strings.Repeat("a", 32) + `"`

// validateCases: start is a request line, or a whole message; status 0 accepts.
var validateCases = []struct {
	name   string
	start  string
	more   []string
	status int
	reason string
}{
	{"plain", invite, nil, 0, ""},
	{"other version", "INVITE sip:102@example.com SIP/3.0", nil, 505, ""},
	{"lower-case version", "INVITE sip:102@example.com sip/2.0", nil, 0, ""},
	{"tel", "INVITE tel:+4930123 SIP/2.0", nil, 416, ""},
	{"no more hops", strings.Replace(request(options), "Forwards: 70", "Forwards: 0", 1), nil, 483, ""},
	{"ACK without hops", strings.Replace(request("ACK sip:a@b SIP/2.0"), "Forwards: 70", "Forwards: 0", 1), nil, 0, ""},
	{"too many hops left", options, []string{"Max-Forwards: 256"}, 400, "Max-Forwards"},
	{"required and known", invite, []string{"Require: Replaces"}, 0, ""},
	{"required and unknown", invite, []string{"Require: replaces, x, y"}, 420, ""},
	{"required by ACK", "ACK sip:102@example.com SIP/2.0", []string{"Require: x"}, 0, ""},
	{"required by CANCEL", "CANCEL sip:102@example.com SIP/2.0", []string{"Require: x"}, 0, ""},

	{"date", options, []string{"Date: Sat, 13 Nov 2010 23:29:00 GMT"}, 0, ""},
	{"two dates", options, []string{"Date: Sat, 13 Nov 2010 23:29:00 GMT", "Date: Sat, 13 Nov 2010 23:29:01 GMT"}, 400, "Date"},
	{"two Event", options, []string{"Event: dialog", "o: presence"}, 400, "Event"},
	{"two From", options, []string{"f: <sip:a@b>"}, 400, "From"},
	{"two Content-Type", invite, []string{"Content-Type: application/sdp", "c: text/plain"}, 400, "Content-Type"},

	{"headers at the limit", options, repeat(194, "Xx: y"), 0, ""},
	{"too many headers", options, repeat(195, "Xx: y"), 400, "headers"},
	{"line at the limit", options, []string{"X: " + strings.Repeat("y", 8<<10-3)}, 0, ""},
	{"line too long", options, []string{"X: " + strings.Repeat("y", 8<<10-2)}, 400, "line"},
	{"70 Via", options, repeat(69, "Via: SIP/2.0/UDP h"), 0, ""},
	{"71 Via", options, repeat(70, "Via: SIP/2.0/UDP h"), 400, "Via"},
	{"30 Route", options, []string{values("Route", "<sip:h;lr>", 30)}, 0, ""},
	{"31 Route", options, []string{values("Route", "<sip:h;lr>", 31)}, 400, "Route"},
	{"10 Contacts", register, []string{values("Contact", "<sip:a@h>", 10)}, 0, ""},
	{"11 Contacts", register, []string{values("m", "<sip:a@h>", 11)}, 400, "Contact"},
	{"32 values", options, []string{values("Supported", "a", 32)}, 0, ""},
	{"33 values", options, []string{values("k", "a", 33)}, 400, "Supported"},
	{"33 values on lines", options, repeat(33, "Allow: X"), 400, "Allow"},

	{"Contact *", register, []string{"Contact: *", "Expires: 0"}, 0, ""},
	{"Contact * and time", register, []string{"Contact: *", "Expires: 60"}, 400, "Contact"},
	{"Contact * without Expires", register, []string{"Contact: *"}, 400, "Contact"},
	{"Contact * and another", register, []string{"Contact: *, <sip:a@b>", "Expires: 0"}, 400, "Contact"},
	{"Contact * in INVITE", invite, []string{"Contact: *", "Expires: 0"}, 400, "Contact"},
	{"two Contacts in INVITE", invite, []string{"Contact: <sip:a@b>, <sip:c@d>"}, 400, "Contact"},
	{"mail Contact in INVITE", invite, []string{"Contact: <mailto:a@b>"}, 400, "Contact"},
	{"mail Contact in REGISTER", register, []string{"Contact: <mailto:a@b>"}, 0, ""},
	{"our address", register, []string{"Contact: <sip:a@192.0.2.77>"}, 400, "Contact"},
	{"our address, other port", register, []string{"Contact: <sip:a@192.0.2.77:5062>"}, 0, ""},
	{"our mapped address", register, []string{"Contact: <sip:a@[::ffff:192.0.2.77]>"}, 400, "Contact"},
	{"multicast", register, []string{"Contact: <sip:a@224.0.1.75>"}, 400, "Contact"},
	{"IPv6 multicast", register, []string{"Contact: <sip:a@[ff02::1]>"}, 400, "Contact"},
	{"broadcast", register, []string{"Contact: <sip:a@255.255.255.255>"}, 400, "Contact"},
	{"unspecified", register, []string{"Contact: <sip:a@0.0.0.0:5060>"}, 400, "Contact"},
	{"port 0", register, []string{"Contact: <sip:a@192.0.2.9:0>"}, 400, "Contact"},
	{"port 65536", register, []string{"Contact: <sip:a@192.0.2.9:65536>"}, 400, "Contact"},
	{"q", register, []string{"Contact: <sip:a@b>;q=0.5"}, 0, ""},
	{"q of 2", register, []string{"Contact: <sip:a@b>;q=2"}, 400, "Contact"},
	{"trailing semicolon", register, []string{"Contact: <sip:a@b>;"}, 400, "Contact"},
	{"two branches", options, []string{"v: SIP/2.0/UDP h;branch=a;Branch=b"}, 400, "Via"},

	{"credentials", register, []string{digestLine}, 0, ""},
	{"credentials for two realms", register, []string{digestLine, digestLine}, 0, ""},
	{"mutilated credentials", register, []string{"Authorization: Digest"}, 0, ""}, // whoever asks for them refuses them
	{"11 credentials", register, slices.Repeat([]string{digestLine}, 11), 400, "Authorization"},

	{"SDP accepted", invite, []string{"Accept: text/plain, application/*;q=0.3"}, 0, ""},
	{"SDP not accepted", invite, []string{"Accept: text/plain"}, 406, ""},
	{"Accept of OPTIONS", options, []string{"Accept: text/plain"}, 0, ""},

	{"header without colon", options, []string{"nonsense"}, 400, "header line"},
	{"blank in name", options, []string{"X Y: z"}, 400, "header line"},
	{"carriage return", options, []string{"X: a\rb"}, 400, "carriage return"},
	{"long Expires", register, []string{"Expires: 99999999999999999999"}, 0, ""},
	{"CSeq at the limit", strings.Replace(request(options), "CSeq: 7", "CSeq: 2147483647", 1), nil, 0, ""},
	{"CSeq above the limit", strings.Replace(request(options), "CSeq: 7", "CSeq: 2147483648", 1), nil, 400, "CSeq"},
	{"control in Call-ID", strings.Replace(request(options), "test@", "te\x01st@", 1), nil, 400, "Call-ID"},
	{"NUL in tag", strings.Replace(request(options), "tag=a", "tag=a\x00", 1), nil, 400, "From"},
}

func TestValidate(t *testing.T) {
	for _, c := range validateCases {
		in := c.start
		if !strings.Contains(in, "\n") {
			in = request(c.start, c.more...)
		}
		m, err := Parse([]byte(in))
		var fault *Fault
		if err == nil {
			fault = testRules.Validate(m)
		} else if !errors.As(err, &fault) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		switch {
		case fault == nil && c.status != 0:
			t.Errorf("%s: accepted, want %d", c.name, c.status)
		case fault != nil && (fault.Status != c.status || !strings.Contains(fault.Reason, c.reason)):
			t.Errorf("%s: %v, want %d …%s…", c.name, fault, c.status, c.reason)
		}
	}
}

func TestValidateBodies(t *testing.T) {
	const sdp = "v=0\r\n"
	part := "--b\r\nContent-Type: application/sdp\r\n\r\n" + sdp
	nested := "--x\r\nContent-Type: multipart/alternative;boundary=\"b\"\r\n\r\n" + part + "\r\n--b--\r\n--x--\r\n"
	nest := func(levels int) string {
		body := sdp
		typ := "application/sdp"
		for i := range levels {
			body = fmt.Sprintf("--n%d\r\nContent-Type: %s\r\n\r\n%s\r\n--n%d--\r\n", i, typ, body, i)
			typ = fmt.Sprintf("multipart/mixed;boundary=n%d", i)
		}
		return body
	}
	for _, c := range []struct {
		name, headers, body string
		status              int
		sdp                 string
	}{
		{"nested thrice", "Content-Type: multipart/mixed;boundary=n2", nest(3), 0, sdp},
		{"nested four times", "Content-Type: multipart/mixed;boundary=n3", nest(4), 415, ""},
		{"SDP", "Content-Type: application/sdp", sdp, 0, sdp},
		{"SDP with parameter", "c: Application/SDP ; charset = utf-8", sdp, 0, sdp},
		{"none", "", "", 0, ""},
		{"unknown", "Content-Type: application/x", "x", 415, ""},
		{"no type", "X: y", "x", 400, ""},
		{"bad type", "Content-Type: sdp", "x", 400, ""},
		{"packed", "Content-Type: application/sdp\r\nContent-Encoding: gzip", "x", 415, ""},
		{"not packed", "Content-Type: application/sdp\r\ne: identity", sdp, 0, sdp},
		{"optional", "Content-Type: application/x\r\nContent-Disposition: render;handling=optional", "x", 0, ""},
		{"required", "Content-Type: application/x\r\nContent-Disposition: render;handling=required", "x", 415, ""},
		{"multipart", "Content-Type: multipart/mixed;boundary=b", part + "\r\n--b--\r\n", 0, sdp},
		{"multipart, second", "Content-Type: multipart/mixed;boundary=b", "--b\r\n\r\nhello\r\n" + part + "\r\n--b--", 0, sdp},
		{"multipart in multipart", "Content-Type: multipart/mixed;boundary=x", nested, 0, sdp},
		{"multipart without boundary", "Content-Type: multipart/mixed", part + "\r\n--b--\r\n", 415, ""},
		{"multipart never closed", "Content-Type: multipart/mixed;boundary=b", part, 415, ""},
		{"too many parts", "Content-Type: multipart/mixed;boundary=b", strings.Repeat("--b\r\n\r\nx\r\n", 16) + part + "\r\n--b--", 415, ""},
	} {
		s := request(invite, fmt.Sprintf("Content-Length: %d", len(c.body)), c.headers) + c.body
		if c.headers == "" {
			s = request(invite)
		}
		m := mustParse(t, s)
		status := 0
		if f := testRules.Validate(m); f != nil {
			status = f.Status
			if status == 415 && len(f.Extra) == 0 {
				t.Errorf("%s: 415 does not say what is accepted", c.name)
			}
		}
		if status != c.status {
			t.Errorf("%s: %d, want %d", c.name, status, c.status)
		}
		if got := string(m.Part("application/sdp")); got != c.sdp && c.status == 0 {
			t.Errorf("%s: part %q, want %q", c.name, got, c.sdp)
		}
	}
}

func TestFaultsSayWhatWouldDo(t *testing.T) {
	for start, want := range map[string]Field{
		"NEW sip:a@b SIP/2.0":     {"Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE"},
		"PUBLISH sip:a@b SIP/2.0": {"Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE"},
	} {
		f := testRules.Validate(mustParse(t, request(start)))
		if f == nil || !slices.Contains(f.Extra, want) || f.CallID() != "test@192.0.2.1" {
			t.Errorf("%s: %+v", start, f)
		}
		if b := string(f.Reply(testSource, "x")); !strings.Contains(b, "\r\nAllow: INVITE, ") {
			t.Errorf("answer:\n%s", b)
		}
	}
}

func TestFaultOfACKHasNoAnswer(t *testing.T) {
	_, err := Parse([]byte(request("ACK sip:a@b SIP/2.0", "Content-Length: x")))
	var f *Fault
	if !errors.As(err, &f) || f.Reply(testSource, "x") != nil {
		t.Errorf("%v", err)
	}
	if b := StatelessReply(mustParse(t, request("ACK sip:a@b SIP/2.0")), testSource, 400, "x", "x"); b != nil {
		t.Errorf("answered:\n%s", b)
	}
}

func TestFaultDoesNotAmplify(t *testing.T) {
	in := []byte("A\nv:A/A/A A\n\n")
	_, err := Parse(in)
	var f *Fault
	if !errors.As(err, &f) {
		t.Fatal(err)
	}
	if b := f.Reply(testSource, "tag"); b != nil {
		t.Errorf("%d bytes answered with %d", len(in), len(b))
	}
}

func TestReplyTo(t *testing.T) {
	source := netip.MustParseAddrPort("192.0.2.1:4321")
	source6 := netip.MustParseAddrPort("[2001:db8::1]:4321")
	mapped := netip.MustParseAddrPort("[::ffff:192.0.2.1]:4321")
	for _, c := range []struct {
		via    string
		source netip.AddrPort
		port   uint16
		want   string // parameters in the answer
	}{
		{"SIP/2.0/UDP 192.0.2.1:5070;rport;branch=x", source, 4321, "rport=4321;branch=x;received=192.0.2.1"},
		{"SIP/2.0/UDP 192.0.2.1:5070;branch=x", source, 5070, "branch=x"},
		{"SIP/2.0/UDP 192.0.2.1;branch=x", source, 5060, "branch=x"},
		{"SIP/2.0/UDP 192.0.2.1:5070;branch=x", mapped, 5070, "branch=x"},
		{"SIP/2.0/UDP 10.0.0.9:5070;branch=x", source, 4321, "branch=x;received=192.0.2.1"},
		{"SIP/2.0/UDP phone.example.com:5070;branch=x", source, 4321, "branch=x;received=192.0.2.1"},
		{"SIP/2.0/UDP 192.0.2.1:5070;received=203.0.113.9;branch=x", source, 5070, "branch=x"},
		{"SIP/2.0/UDP 10.0.0.9;received=203.0.113.9;rport=99;maddr=203.0.113.8", source, 4321,
			"received=192.0.2.1;rport=4321;maddr=203.0.113.8"},
		{"SIP/2.0/UDP [2001:db8::1]:5070;branch=x", source6, 5070, "branch=x"},
		{"SIP/2.0/UDP [2001:db8::2];RPORT;branch=x", source6, 4321, ";rport=4321;branch=x;received=2001:db8::1"},
	} {
		s := strings.Replace(request(options), "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKtest;rport", c.via, 1)
		m := mustParse(t, s)
		to := m.ReplyTo(c.source)
		if to.Addr() != c.source.Addr() || to.Port() != c.port {
			t.Errorf("%s: answer goes to %v", c.via, to)
		}
		if !strings.Contains(string(StatelessReply(mustParse(t, s), c.source, 404, "Not Found", "t")), c.want+"\r\n") {
			t.Errorf("%s: not in the answer", c.via)
		}
	}
}

func TestExpires(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"0": 0, "3600": time.Hour, "4294967295": 4294967295 * time.Second,
		"4294967296": 4294967295 * time.Second, "99999999999999999999999": 4294967295 * time.Second,
		"x": time.Hour, "-1": time.Hour, "": time.Hour,
	} {
		m := mustParse(t, request(register, "Expires: "+value, "Contact: <sip:a@b>;expires="+value))
		if d, ok := m.Expires(); !ok || d != want {
			t.Errorf("header %q: %v %v", value, d, ok)
		}
		if d, ok := m.Contacts()[0].Expires(); !ok || d != want {
			t.Errorf("parameter %q: %v %v", value, d, ok)
		}
	}
	m := mustParse(t, request(register, "Contact: <sip:a@b>"))
	if _, ok := m.Expires(); ok {
		t.Error("absent header found")
	}
	if _, ok := m.Contacts()[0].Expires(); ok {
		t.Error("absent parameter found")
	}
}

func TestContact(t *testing.T) {
	m := mustParse(t, request(register,
		`Contact: "Desk" <sip:101@192.0.2.9:5062;transport=tcp>;Q=0.25;reg-id=2;+SIP.instance="<urn:uuid:abc>"`,
		"Contact: <sip:b@c>;q=1.000;reg-id=x, sip:d@e;q=0"))
	c := m.Contacts()
	if len(c) != 3 || c[0].Q() != 250 || c[1].Q() != 1000 || c[2].Q() != 0 {
		t.Fatalf("%v", c)
	}
	if c[0].Instance() != "urn:uuid:abc" || c[0].RegID() != 2 || c[1].Instance() != "" || c[1].RegID() != 0 {
		t.Errorf("%q %d, %q %d", c[0].Instance(), c[0].RegID(), c[1].Instance(), c[1].RegID())
	}
	for s, ok := range map[string]bool{"0": true, "1": true, "0.": true, "0.123": true, "1.000": true,
		"1.001": false, "0.1234": false, "2": false, "": false, ".5": false, "-1": false, "0.x": false} {
		if _, got := qvalue(s); got != ok {
			t.Errorf("q=%s: %v", s, got)
		}
	}
}

func TestReason(t *testing.T) {
	m := mustParse(t, request("CANCEL sip:a@b SIP/2.0",
		`Reason: SIP ;cause=200 ;text="Call completed, elsewhere", Q.850;cause=16`, "Reason: ;cause=1", "Reason: X;cause=y"))
	want := []Reason{{"SIP", 200, "Call completed, elsewhere"}, {"Q.850", 16, ""}, {"X", 0, ""}}
	if got := m.Reasons(); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if s := (Reason{"SIP", 200, `a "b"` + "\r\n"}).String(); s != `SIP;cause=200;text="a \"b\"  "` {
		t.Errorf("got %s", s)
	}
}

func TestAccessors(t *testing.T) {
	m := mustParse(t, request(invite, "Supported: timer, 100rel", "k: Replaces", "Subject: a\x00b\xff",
		"Route: <sip:p1;lr>, <sip:p2;lr>", "Record-Route: <sip:r1;lr>", "Content-Type: Text/Plain"))
	if !m.Has("supported", "REPLACES") || !m.Has("Supported", "100rel") || m.Has("Supported", "path") {
		t.Error("option tags")
	}
	if s, _ := m.Header("SUBJECT"); s != "a b?" {
		t.Errorf("Subject %q", s)
	}
	if len(m.RecordRoutes()) != 1 || m.MediaType() != "text/plain" {
		t.Errorf("%v %s", m.RecordRoutes(), m.MediaType())
	}
	w := Answer(nil, m, testSource, 200, "OK", "ours")
	answer := mustParse(t, string(w.End("", nil)))
	if n := len(answer.RecordRoutes()); n != 1 {
		t.Errorf("%d Record-Route in an answer a dialog may come of", n)
	}
	w = Answer(nil, m, testSource, 404, "x", "y")
	if refusal := mustParse(t, string(w.End("", nil))); len(refusal.RecordRoutes()) != 0 || refusal.ToTag() != "y" {
		t.Error("Record-Route in a refusal")
	}
	if answer.ToTag() != "ours" || m.ToTag() != "" {
		t.Errorf("tag %q, the request now has %q", answer.ToTag(), m.ToTag())
	}
	if answer.IsRequest() || answer.Status() != 200 || answer.Method() != "INVITE" || answer.TargetURI().Text != "" {
		t.Errorf("answer %+v", answer)
	}
	if f := testRules.Validate(answer); f != nil {
		t.Errorf("our own answer: %v", f)
	}
}

// TestNothingOutsideSplitsAHeader builds a message from hostile text in every
// place and looks for lines that should not be there (S15).
func TestNothingOutsideSplitsAHeader(t *testing.T) {
	const evil = "x\r\nEvil: 1\r\n\r\n\x00\x7f"
	m := mustParse(t, request(invite))
	answer := Answer(nil, m, testSource, 486, evil, evil)
	answer.Fields(Field{"Warning", evil}, Field{"X-" + evil, "y"})
	answer.Open(evil).Text(evil).Quoted(evil).Close()
	ask := StartRequest(nil, "BYE", "sip:"+evil+"@b")
	ask.Open("From").Quoted(evil).Text("<sip:a@b>;tag=", evil).Close()
	outs := map[string][]byte{
		"response": answer.End(evil, nil),
		"reply":    StatelessReply(m, testSource, 486, evil, evil, Field{"Warning", evil}, Field{evil, evil}),
		"request":  ask.End(evil, nil),
	}
	for name, b := range outs {
		head, rest, _ := strings.Cut(string(b), "\r\n\r\n")
		if strings.Contains(head, "\r\nEvil") || strings.ContainsAny(head, "\x00\x7f") || rest != "" {
			t.Errorf("%s:\n%q", name, b)
		}
	}
}

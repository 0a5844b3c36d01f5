package wire

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testRules are those of a plain user agent with SDP and text messages.
var testRules = Rules{
	Methods:    []string{"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "MESSAGE"},
	Extensions: []string{"replaces"},
	Bodies: map[string][]string{
		"INVITE":  {"application/sdp"},
		"MESSAGE": {"text/plain"},
	},
	Listening: func(a netip.AddrPort) bool { return a == netip.MustParseAddrPort("192.0.2.77:5060") },
}

var testSource = netip.MustParseAddrPort("198.51.100.7:40000")

// verdict is what must become of a message of the corpus.
type verdict struct {
	file   string
	status int    // of the answer; accepted or dropped otherwise
	reason string // part of the reason phrase, or why it is dropped
	skip   string // a message not handled yet stays here with the reason
}

const (
	accepted = 0
	dropped  = -1
)

// rfc4475 holds all 49 messages in the order of the RFC's section 3.
var rfc4475 = []verdict{
	{file: "wsinv"}, {file: "intmeth", status: 501}, {file: "esc01"}, {file: "escnull"},
	{file: "esc02", status: 501}, {file: "lwsdisp"}, {file: "longreq"}, {file: "dblreq"},
	{file: "semiuri"}, {file: "transports"}, {file: "mpart01"}, {file: "unreason"}, {file: "noreason"},

	{file: "badinv01", status: 400, reason: "Via"},
	{file: "clerr", status: 400, reason: "Content-Length"},
	{file: "ncl", status: 400, reason: "Content-Length"},
	{file: "scalar02", status: 400, reason: "CSeq"},
	{file: "scalarlg", status: dropped, reason: "CSeq"},
	{file: "quotbal", status: 400, reason: "To"},
	{file: "ltgtruri", status: 400, reason: "Request-URI"},
	{file: "lwsruri", status: 400, reason: "request line"},
	{file: "lwsstart", status: 400, reason: "request line"},
	{file: "trws", status: 400, reason: "request line"},
	{file: "escruri", status: 400, reason: "Request-URI"},
	{file: "baddate", status: 400, reason: "Date"},
	{file: "regbadct", status: 400, reason: "Contact"},
	{file: "badaspec", status: 400, reason: "To"},
	{file: "baddn", status: 400, reason: "From"},
	{file: "badvers", status: 505},
	{file: "mismatch01", status: 400, reason: "CSeq"},
	{file: "mismatch02", status: 501},
	{file: "bigcode", status: dropped, reason: "status line"},

	{file: "badbranch", status: 400, reason: "Via"},

	{file: "insuf", status: 400, reason: "missing"},
	{file: "unkscm", status: 416}, {file: "novelsc", status: 416},
	{file: "unksm2"}, // the registrar answers 404: no such address of record
	{file: "bext01", status: 420}, {file: "invut", status: 415},
	{file: "regaut01"}, // the registrar challenges: credentials nobody can check
	{file: "multi01", status: 400, reason: "CSeq"},
	{file: "mcl01", status: 400, reason: "Content-Length"},
	{file: "bcast", status: dropped, reason: "Via"},
	{file: "zeromf", status: 483},
	{file: "cparam01"}, {file: "cparam02"}, {file: "regescrt"},
	{file: "sdp01", status: 406},

	{file: "inv2543"},
}

// rfc5118 holds all 12 messages. In the three with SDP the RFC's Content-Length
// counts other line ends than CRLF; here it counts these.
var rfc5118 = []verdict{
	{file: "ipv6-good"},
	{file: "ipv6-bad", status: 400, reason: "Request-URI"},
	{file: "port-ambiguous"}, {file: "port-unambiguous"},
	{file: "via-received-param-with-delim"}, {file: "via-received-param-no-delim"},
	{file: "ipv6-in-sdp"}, {file: "mult-ip-in-header"}, {file: "mult-ip-in-sdp"},
	{file: "ipv4-mapped-ipv6"}, {file: "ipv6-bug-abnf-3-colons"}, {file: "ipv6-correct-abnf-2-colons"},
}

func readCorpus(t testing.TB, dir, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", dir, file+".dat"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// judge runs the whole way in. The status is accepted, dropped or that of the
// answer, the message is nil unless it parsed.
func judge(b []byte) (status int, reason string, fault *Fault, m *Message) {
	head, ok := Peek(b)
	if !ok || head.KeepAlive {
		return dropped, "status line", nil, nil
	}
	m, err := Parse(b)
	switch {
	case errors.As(err, &fault):
	case err != nil:
		return dropped, err.Error(), nil, nil
	default:
		fault = testRules.Validate(m)
	}
	switch {
	case fault == nil:
		return accepted, "", nil, m
	case fault.Reply(testSource, "x") == nil:
		return dropped, fault.Reason, fault, m
	}
	return fault.Status, fault.Reason, fault, m
}

func testCorpus(t *testing.T, dir string, table []verdict, want int) {
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.dat"))
	if err != nil || len(files) != want || len(table) != want {
		t.Fatalf("%d files and %d verdicts, want %d: %v", len(files), len(table), want, err)
	}
	for _, v := range table {
		t.Run(v.file, func(t *testing.T) {
			if v.skip != "" {
				t.Skip(v.skip)
			}
			b := readCorpus(t, dir, v.file)
			status, reason, fault, m := judge(b)
			if status != v.status || !strings.Contains(reason, v.reason) {
				t.Fatalf("got %d %q, want %d …%s…", status, reason, v.status, v.reason)
			}
			if status > 0 {
				checkReply(t, fault.Reply(testSource, "ourtag"), fault.Status)
			}
			if status == accepted && m.IsRequest() {
				checkReply(t, StatelessReply(m, testSource, 480, "Temporarily Unavailable", "ourtag"), 480)
			}
			if status == accepted {
				checkRoundTrip(t, m)
			}
		})
	}
}

func TestRFC4475(t *testing.T) { testCorpus(t, "rfc4475", rfc4475, 49) }
func TestRFC5118(t *testing.T) { testCorpus(t, "rfc5118", rfc5118, 12) }

// checkReply reads an answer back and compares it with what it was made from.
func checkReply(t *testing.T, b []byte, status int) {
	t.Helper()
	head, _, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if i := bytes.IndexFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
			t.Errorf("control character in %q", line)
		}
	}
	var s section
	s.split(string(b))
	if s.err != nil || !strings.HasPrefix(s.start, "SIP/2.0 ") {
		t.Fatalf("answer cannot be read: %v\n%s", s.err, b)
	}
	e := newEcho(&s)
	if !e.answerable || e.to != "" && !e.toTag {
		t.Errorf("answer without Via or To tag:\n%s", b)
	}
	if got, _ := param(e.via.params, "received"); got != testSource.Addr().String() {
		t.Errorf("received is %q:\n%s", got, b)
	}
	if h, ok := Peek(b); !ok || h.Status != status {
		t.Errorf("Peek sees %+v, want %d", h, status)
	}
}

// checkRoundTrip renders a message and reads it again.
func checkRoundTrip(t testing.TB, m *Message) {
	t.Helper()
	b := render(m)
	again, err := Parse(b)
	if err != nil {
		t.Fatalf("rendered message: %v\n%s", err, b)
	}
	if d := difference(m, again); d != "" {
		t.Fatalf("%s\n%s", d, b)
	}
	// A control character that became a space at the end of a value is gone
	// in the second rendering; from then on nothing may change.
	second := render(again)
	third, err := Parse(second)
	if err != nil {
		t.Fatalf("second rendering: %v\n%s", err, second)
	}
	if last := render(third); !bytes.Equal(last, second) {
		t.Fatalf("rendering is not stable:\n%s\n%s", second, last)
	}
}

// render writes m again: its lines as they came, those that sipgo's headers can
// stand for as these write them.
func render(m *Message) []byte {
	var w Writer
	if m.IsRequest() {
		w = StartRequest(nil, m.Method(), m.TargetURI().Text)
	} else {
		w.Text("SIP/2.0 ").Int(int64(m.Status())).Text(" ", m.Reason()).Close()
	}
	for i := range m.fields {
		f := &m.fields[i]
		value := m.value(f)
		switch f.id {
		case hdrVia:
			if m.Vias() == 1 {
				value = m.Via().Value()
			}
		case hdrFrom:
			value = m.From().Value()
		case hdrTo:
			value = m.To().Value()
		case hdrContentLength, hdrContentType:
			continue
		}
		w.Open(m.name(f)).Text(value).Close()
	}
	contentType, _ := m.Header("Content-Type")
	if m.BodySize() == 0 {
		w.Field("Content-Type", contentType)
	}
	return w.End(contentType, m.Body())
}

// difference names what two readings of one message disagree about.
func difference(a, b *Message) string {
	aSeq, aMethod := a.CSeq()
	bSeq, bMethod := b.CSeq()
	aHops, _ := a.MaxForwards()
	bHops, _ := b.MaxForwards()
	for _, c := range []struct {
		what string
		same bool
	}{
		{"method", a.Method() == b.Method()},
		{"status", a.Status() == b.Status()},
		{"Request-URI", a.TargetURI().Text == b.TargetURI().Text},
		{"Call-ID", a.CallID() == b.CallID()},
		{"From tag", a.FromTag() == b.FromTag()},
		{"To tag", a.ToTag() == b.ToTag()},
		{"branch", a.Branch() == b.Branch()},
		{"number of Via", a.Vias() == b.Vias()},
		{"CSeq", aSeq == bSeq && aMethod == bMethod},
		{"Max-Forwards", aHops == bHops},
		{"Contact", len(a.Contacts()) == len(b.Contacts())},
		{"Record-Route", len(a.RecordRoutes()) == len(b.RecordRoutes())},
		{"body", bytes.Equal(a.Body(), b.Body())},
		{"media type", a.MediaType() == b.MediaType()},
	} {
		if !c.same {
			return c.what + " changed on the way"
		}
	}
	return ""
}

package load

import (
	"bytes"
	"strings"
	"testing"
)

func lines(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

func TestScan(t *testing.T) {
	var m message
	err := m.scan(lines(`SIP/2.0 401 Unauthorized
v: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKa
VIA: SIP/2.0/UDP 127.0.0.1:5071;branch=z9hG4bKb
f: <sip:101@a.test>;tag=1
To : "A" <sip:101@a.test>;tag=2
i: r1-run@bench
CSeq: 7 REGISTER
m: <sip:101@127.0.0.1:5070>;expires=60
Record-Route: <sip:127.0.0.1;lr>
WWW-Authenticate: Digest realm="a", nonce="b"
www-authenticate: Digest realm="a", nonce="c"
l: 4

body`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, got, want string }{
		{"method", string(m.method), "REGISTER"},
		{"from", string(m.from), "<sip:101@a.test>;tag=1"},
		{"to", string(m.to), `"A" <sip:101@a.test>;tag=2`},
		{"call-id", string(m.callID), "r1-run@bench"},
		{"contact", string(m.contact), "sip:101@127.0.0.1:5070"},
		{"body", string(m.body), "body"},
		{"vias", string(bytes.Join(m.vias, []byte("|"))), "v: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKa|VIA: SIP/2.0/UDP 127.0.0.1:5071;branch=z9hG4bKb"},
		{"routes", string(bytes.Join(m.routes, nil)), "<sip:127.0.0.1;lr>"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
	if m.status != 401 || number(m.cseq) != 7 || len(m.challenges) != 2 {
		t.Errorf("status %d, CSeq %q, %d challenges", m.status, m.cseq, len(m.challenges))
	}
}

// TestScanRefuses: what a phone could not work with is refused, and nothing of
// the message before it stays.
func TestScanRefuses(t *testing.T) {
	whole := "SIP/2.0 200 OK\nVia: x\nFrom: a\nTo: b\nCall-ID: c\nCSeq: 1 BYE\n\n"
	var m message
	if err := m.scan(lines(whole)); err != nil {
		t.Fatal(err)
	}
	for _, drop := range []string{"Via: x\n", "From: a\n", "To: b\n", "Call-ID: c\n", "CSeq: 1 BYE\n"} {
		if err := m.scan(lines(strings.Replace(whole, drop, "", 1))); err == nil {
			t.Errorf("accepted without %q", drop)
		}
	}
	for _, text := range []string{"", "\n\n", "SIP/2.0 20\n\n", "SIP/2.0 099 x\n\n", "SIP/2.0 700 x\n\n", "HELLO\n\n", "A b HTTP/1.1\n\n", strings.TrimSuffix(whole, "\n")} {
		if err := m.scan(lines(text)); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}

func TestPieces(t *testing.T) {
	for _, c := range []struct{ uri, user string }{
		{"sip:101@127.0.0.1:5060", "101"}, {"sip:127.0.0.1", ""}, {"101", ""},
	} {
		if got := string(userOf([]byte(c.uri))); got != c.user {
			t.Errorf("user of %s: %q", c.uri, got)
		}
	}
	for _, c := range []struct {
		sdp  string
		port uint16
	}{
		{"v=0\nm=audio 4000 RTP/AVP 0\n", 4000}, {"m=audio 70000 RTP/AVP 0", 0}, {"m=audio 99999999999 RTP/AVP 0", 0}, {"m=image 4 udptl t38", 0}, {"", 0},
	} {
		if got := mediaPort(lines(c.sdp)); got != c.port {
			t.Errorf("port of %q: %d", c.sdp, got)
		}
	}
}

// FuzzScan: no input makes it panic, and everything found lies in the input.
func FuzzScan(f *testing.F) {
	f.Add(lines("SIP/2.0 200 OK\nVia: x\nFrom: a\nTo: b\nCall-ID: c\nCSeq: 1 BYE\nContact: <sip:a@b>\n\nm=audio 1 RTP"))
	f.Add(lines("INVITE sip:101@127.0.0.1 SIP/2.0\nv: x\nf: a\nt: b\ni: c\nCSeq: 1 INVITE\nm: <\n\n"))
	f.Add([]byte("\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m message
		if m.scan(b) != nil {
			return
		}
		for _, part := range append([][]byte{m.method, m.uri, m.cseq, m.from, m.to, m.callID, m.contact, m.body}, m.vias...) {
			if !bytes.Contains(b, part) {
				t.Errorf("%q is not in %q", part, b)
			}
		}
		mediaPort(m.body)
		userOf(m.uri)
	})
}

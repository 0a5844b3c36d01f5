package sip_test

import (
	"strings"
	"testing"
)

// TestPlainOptions: an OPTIONS that is answered from its bytes has the answer of one
// that was read, which an empty line before it makes it (RFC 3261 7.5); and what is
// to be refused is.
func TestPlainOptions(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		text := u.text(request{method: "OPTIONS", uri: "sip:" + domain})
		for name, c := range map[string]struct {
			old, new string
			status   int
		}{
			"as it is":          {"", "", 200},
			"no rport":          {";rport", "", 200},
			"a proxy before it": {"Max-Forwards", "Via: SIP/2.0/UDP 192.0.2.9:5080;branch=z9hG4bKa\r\nMax-Forwards", 200},
			"no hops left":      {"Forwards: 70", "Forwards: 0", 483},
			"Require":           {"Max-Forwards", "Require: nothing\r\nMax-Forwards", 420},
			"in no dialog":      {"\r\nCall-ID", ";tag=x\r\nCall-ID", 481},
			"our address":       {"Max-Forwards", "Contact: <sip:a@" + e.net.Switch.String() + ">\r\nMax-Forwards", 400},
			"other method":      {" OPTIONS\r\n", " INFO\r\n", 400},
		} {
			ask := strings.Replace(text, c.old, c.new, 1)
			if ask == text && c.old != "" {
				t.Fatalf("%s: nothing changed in\n%s", name, text)
			}
			u.send(ask)
			plain := u.expect(c.status).raw
			u.send("\r\n" + ask)
			if read := u.expect(c.status).raw; c.status == 200 && plain != read {
				t.Errorf("%s:\n%s\nwant\n%s", name, plain, read)
			}
		}
	})
}

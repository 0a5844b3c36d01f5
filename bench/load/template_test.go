package load

import (
	"bytes"
	"strings"
	"testing"
)

// TestTemplates: every template renders to a message that the scanner reads back
// with what was put in, and nothing is left unfilled.
func TestTemplates(t *testing.T) {
	var v values
	for i, name := range fieldNames {
		v[i] = []byte("<" + name + ">")
	}
	v[fUser], v[fTo], v[fDomain], v[fLocal] = []byte("101"), []byte("102"), []byte("a.test"), []byte("127.0.0.1:5070")
	v[fCallID], v[fCSeq], v[fTarget], v[fMethod] = []byte("c1-r@bench"), []byte("3"), []byte("sip:102@127.0.0.1:5071"), []byte("BYE")
	v[fAuth], v[fRoutes], v[fPort] = []byte("Authorization: x\r\n"), []byte("Route: <sip:127.0.0.1;lr>\r\n"), []byte("4000")
	v[fBody] = sdpText.render(nil, &v)
	for _, c := range []struct {
		text        *template
		method, uri string
		auth, route bool
		port        uint16
	}{
		{&registerText, "REGISTER", "sip:a.test", true, false, 0},
		{&optionsText, "OPTIONS", "sip:a.test", false, false, 0},
		{&inviteText, "INVITE", "sip:102@a.test", true, false, 4000},
		{&refusedText, "ACK", "sip:102@a.test", false, false, 0},
		{&insideText, "BYE", "sip:102@127.0.0.1:5071", true, true, 0},
	} {
		b := c.text.render(nil, &v)
		var m message
		if err := m.scan(b); err != nil {
			t.Errorf("%s: %v\n%s", c.method, err, b)
			continue
		}
		if string(m.method) != c.method || string(m.uri) != c.uri || string(m.callID) != "c1-r@bench" || number(m.cseq) != 3 {
			t.Errorf("%s: read back as %s %s %s %s", c.method, m.method, m.uri, m.callID, m.cseq)
		}
		if !bytes.HasSuffix(m.cseq, []byte(" "+c.method)) || bytes.Contains(b, []byte("{")) {
			t.Errorf("%s:\n%s", c.method, b)
		}
		text := string(b)
		if strings.Contains(text, "Authorization: x") != c.auth || strings.Contains(text, "Route: <") != c.route || mediaPort(m.body) != c.port {
			t.Errorf("%s:\n%s", c.method, b)
		}
		if strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n") {
			t.Errorf("%s: a line ends without CR", c.method)
		}
	}
}

func TestUnknownField(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a template with an unknown field was taken")
		}
	}()
	parseTemplate("{nobody}")
}

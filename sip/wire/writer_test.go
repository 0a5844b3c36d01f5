package wire

import (
	"net/netip"
	"strings"
	"testing"
)

func TestAnswer(t *testing.T) {
	m := with(t, invite, "Record-Route: <sip:p;lr>", "Timestamp: 54")
	w := Answer(nil, m, testSource, 180, "Ringing", "ours")
	w.Open("Contact").Text("<sip:", "a", "@").Addr(netip.MustParseAddrPort("[::1]:5060")).Text(">;expires=").Int(30).Text(";x=").Quoted(`a"b`).Close()
	w.Field("Evil", "a\r\nb")
	w.Field("Empty", "")
	got := string(w.End(typeTest, []byte("body")))
	for _, line := range []string{"SIP/2.0 180 Ringing", "Record-Route: <sip:p;lr>", `Contact: <sip:a@[::1]:5060>;expires=30;x="a\"b"`,
		"Evil: a  b", "Content-Type: text/plain", "Content-Length: 4"} {
		if !strings.Contains(got, line+"\r\n") {
			t.Errorf("%q is missing:\n%s", line, got)
		}
	}
	if strings.Contains(got, "Empty") || strings.Contains(got, "Timestamp") || !strings.HasSuffix(got, "\r\n\r\nbody") {
		t.Error(got)
	}
	checkReply(t, []byte(got), 180)
	w = Answer(nil, m, testSource, 100, "Trying", "ours")
	trying := string(w.End("", nil))
	if !strings.Contains(trying, "Timestamp: 54\r\n") || strings.Contains(trying, "ours") || strings.Contains(trying, "Record-Route") {
		t.Error(trying)
	}
}

const typeTest = "text/plain"

func TestAppendReply(t *testing.T) {
	m := with(t, options)
	b := AppendReply([]byte("x"), m, testSource, 200, "OK", "ours", Field{"Allow", "INVITE"})
	if b[0] != 'x' || string(b[1:]) != string(StatelessReply(m, testSource, 200, "OK", "ours", Field{"Allow", "INVITE"})) {
		t.Errorf("%s", b)
	}
	if b := AppendReply(nil, with(t, "ACK sip:a@b SIP/2.0"), testSource, 200, "OK", "ours"); b != nil {
		t.Errorf("%s", b)
	}
}

func TestStartRequest(t *testing.T) {
	w := StartRequest(nil, "BYE", "sip:a@b")
	w.Fields(Field{"CSeq", "1 BYE"})
	if got := string(w.End("", nil)); got != "BYE sip:a@b SIP/2.0\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n" {
		t.Error(got)
	}
}

func TestReader(t *testing.T) {
	var r Reader
	first, err := r.Parse([]byte(typicalInvite))
	if err != nil {
		t.Fatal(err)
	}
	from, tag := first.From(), first.FromTag()
	first.Keep()
	second, err := r.Parse([]byte(typicalRegister))
	if err != nil || second == first {
		t.Fatal("a kept message is used again", err)
	}
	to := second.To()
	third, err := r.Parse([]byte(request(options)))
	if err != nil {
		t.Fatal(err)
	}
	if first.Method() != "INVITE" || first.FromTag() != tag || from.DisplayName != "Alice Adams" {
		t.Error("what was kept has changed")
	}
	if to.Address.User != "101" || third.Method() != "OPTIONS" {
		t.Error("what was given out has changed")
	}
}

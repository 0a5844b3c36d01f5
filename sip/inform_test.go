package sip_test

import (
	"strings"
	"testing"
	"time"
)

// TestInfoRelay: what is no key press crosses to the peer, within bounds; what
// cannot is refused as the RFCs say.
func TestInfoRelay(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := ringing(e)
		callee.accept(invite, "far")
		callee.one()
		ok := caller.lastOf(200)
		caller.send(caller.text(inDialog(r, ok, "ACK")))
		seq := 0
		info := func(kind, body string, head ...string) request {
			seq++
			q := inDialog(r, ok, "INFO")
			q.cseq += seq
			q.contentType, q.body, q.head = kind, body, head
			return q
		}
		const picture = "<media_control><vc_primitive/></media_control>"
		caller.send(caller.text(info("application/media_control+xml", picture)))
		caller.expect(200)
		crossed := callee.one()
		if crossed.Method() != "INFO" || crossed.MediaType() != "application/media_control+xml" || string(crossed.Body()) != picture {
			t.Errorf("callee got %q", crossed.raw)
		}
		callee.send(reply(crossed, 415, "", nil, "")) // which is nobody else's business

		caller.send(caller.text(info("application/x-any", strings.Repeat("x", 9000))))
		caller.expect(413)
		caller.send(caller.text(info("application/x-any", "x", "Info-Package: foo")))
		if res := caller.expect(469); !strings.Contains(res.raw, "\r\nRecv-Info:") {
			t.Errorf("refused with %q", res.raw)
		}
		caller.send(caller.text(info("multipart/mixed;boundary=b", "--b\r\n\r\nx\r\n--b--")))
		caller.expect(415)
		callee.expect()

		wait(2 * time.Second)
		passed := 0
		for range 20 {
			caller.send(caller.text(info("application/x-any", "x")))
			if caller.one().Status() == 200 {
				passed++
			}
		}
		if passed != 10 || len(callee.heard()) != 10 {
			t.Errorf("%d of 20 in an instant passed", passed)
		}
		back := fromCallee(invite, "far", "INFO", 1)
		back.contentType, back.body = "text/plain", "hello"
		callee.send(callee.text(back))
		callee.expect(200)
		if got := caller.one(); string(got.Body()) != "hello" {
			t.Errorf("caller got %q", got.raw)
		}
	})
}

// TestTextInCall: a MESSAGE inside a call crosses to the peer, within bounds.
func TestTextInCall(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := ringing(e)
		callee.accept(invite, "far")
		callee.one()
		ok := caller.lastOf(200)
		caller.send(caller.text(inDialog(r, ok, "ACK")))
		text := inDialog(r, ok, "MESSAGE")
		text.contentType, text.body = "text/plain;charset=utf-8", "bonjour, ça va?"
		caller.send(caller.text(text))
		caller.expect(202)
		crossed := callee.one()
		if crossed.Method() != "MESSAGE" || crossed.header("Content-Type") != text.contentType || string(crossed.Body()) != text.body {
			t.Errorf("callee got %q", crossed.raw)
		}
		callee.send(reply(crossed, 405, "", nil, "")) // which is nobody else's business
		back := fromCallee(invite, "far", "MESSAGE", 1)
		back.contentType, back.body = "text/plain", strings.Repeat("x", 9000)
		callee.send(callee.text(back))
		callee.expect(413)
		back = fromCallee(invite, "far", "MESSAGE", 2)
		back.contentType, back.body = "text/plain", "hello"
		callee.send(callee.text(back))
		callee.expect(202)
		if got := caller.one(); got.Method() != "MESSAGE" || string(got.Body()) != "hello" {
			t.Errorf("caller got %q", got.raw)
		}
	})
}

// TestTextAlone: nobody is there to read it.
func TestTextAlone(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r, ok := u.talk()
		text := inDialog(r, ok, "MESSAGE")
		text.contentType, text.body = "text/plain", "hello"
		u.send(u.text(text))
		u.expect(480)
	})
}

// TestInfoAlone: who talks with nobody has nobody to tell.
func TestInfoAlone(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r, ok := u.talk()
		q := inDialog(r, ok, "INFO")
		q.contentType, q.body = "text/plain", "hello"
		u.send(u.text(q))
		if res := u.expect(415); !strings.Contains(res.header("Accept"), "dtmf") {
			t.Errorf("refused with %q", res.raw)
		}
	})
}

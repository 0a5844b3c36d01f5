package sip_test

import (
	"strings"
	"testing"
	"time"
)

// referring has 101 (word by word) talk to 102 and send a REFER to a number; it
// returns the NOTIFY that follows the 202.
func referring(e *edge, to string) (u *rawUA, r request, ok, notify got) {
	e.t.Helper()
	u, callee, r, invite := ringing(e)
	callee.accept(invite, "far")
	callee.one()
	ok = u.lastOf(200)
	u.send(u.text(inDialog(r, ok, "ACK")))
	refer := inDialog(r, ok, "REFER")
	refer.head = append(refer.head, "Refer-To: <sip:"+to+"@"+domain+">")
	u.send(u.text(refer))
	list := u.heard()
	if len(list) < 2 || list[0].Status() != 202 || list[1].Method() != "NOTIFY" {
		e.t.Fatalf("got %v", starts(list))
	}
	return u, refer, ok, list[1]
}

// TestOneNotifyAtATime: what happens while a NOTIFY waits for its answer is told in
// the next, which is the last one; it is repeated until it is answered.
func TestOneNotifyAtATime(t *testing.T) {
	inEdge(t, func(e *edge) {
		u, _, _, first := referring(e, "199")
		wait(ms(600))
		again := u.one()
		if again.raw != first.raw || !strings.HasSuffix(first.raw, "SIP/2.0 100 Trying\r\n") {
			t.Errorf("got %q", again.raw)
		}
		u.send(reply(first, 200, "", nil, ""))
		last := u.one()
		state, _ := last.Header("Subscription-State")
		if state != "terminated;reason=noresource" || !strings.HasSuffix(last.raw, "SIP/2.0 404 Not Found\r\n") {
			t.Errorf("got %q", last.raw)
		}
		u.send(reply(last, 200, "", nil, ""))
		wait(20 * time.Second)
		u.expect()
		if n := e.registry.Len(); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

// TestReferNotifyRefused: a phone that knows nothing of the subscription is left alone,
// and its call goes on.
func TestReferNotifyRefused(t *testing.T) {
	inEdge(t, func(e *edge) {
		u, _, _, first := referring(e, "199")
		u.send(reply(first, 481, "", nil, ""))
		wait(20 * time.Second)
		u.expect()
		if n := e.registry.Len(); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

// TestReferSubscribe: the subscription of a REFER can be ended by the phone; there
// is no other in a call.
func TestReferSubscribe(t *testing.T) {
	inEdge(t, func(e *edge) {
		target := e.rawUDP("10.0.9.3:5060")
		target.register("103")
		u, r, ok, first := referring(e, "103")
		target.heard()
		u.send(reply(first, 200, "", nil, ""))
		for i, tc := range []struct {
			event, expires string
			want           int
		}{{"dialog", "60", 489}, {"refer;id=99999", "60", 481}, {"refer", "60", 200}, {"refer", "0", 200}, {"refer", "60", 481}} {
			s := inDialog(r, ok, "SUBSCRIBE")
			s.cseq = r.cseq + 1 + i
			s.head = []string{"Event: " + tc.event, "Expires: " + tc.expires}
			u.send(u.text(s))
			list := u.heard()
			if len(list) == 0 || list[0].Status() != tc.want {
				t.Fatalf("%+v: got %v", tc, starts(list))
			}
			if tc.want != 200 {
				continue
			}
			state, _ := list[1].Header("Subscription-State")
			if want := map[string]string{"60": "active;expires=60", "0": "terminated;reason=timeout"}[tc.expires]; state != want {
				t.Errorf("%+v: %q", tc, state)
			}
			u.send(reply(list[1], 200, "", nil, ""))
		}
	})
}

// TestOneContact: whatever we send in a dialog names one Contact of ours, not once the
// number dialled and once that of the phone (RFC 3261 12.1.1, 12.2.1.1).
func TestOneContact(t *testing.T) {
	inEdge(t, func(e *edge) {
		u, refer, ok, notify := referring(e, "199")
		u.send(reply(notify, 200, "", nil, ""))
		last := u.one()
		u.send(reply(last, 200, "", nil, ""))
		again := inDialog(refer, ok, "INVITE")
		again.cseq, again.body = refer.cseq+1, u.sdp()
		u.send(u.text(again))
		second := u.lastOf(200)
		u.send(u.text(inDialog(again, second, "ACK")))
		want := ok.header("Contact")
		for _, g := range []got{notify, last, second} {
			if c := g.header("Contact"); c != want {
				t.Errorf("%s, before that %s, in %q", c, want, g.raw)
			}
		}
	})
}

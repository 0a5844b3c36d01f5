package sip_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// heldCall has *43 answered with these headers in the INVITE. The caller holds from
// the start, so that nothing but a session timer asks whether it is there.
func (u *rawUA) heldCall(head ...string) (request, got) {
	u.e.t.Helper()
	r := u.signed(request{method: "INVITE", uri: "sip:*43@" + domain, body: u.sdp() + "a=inactive\r\n", head: head})
	u.send(u.text(r))
	ok := u.lastOf(200)
	u.send(u.text(inDialog(r, ok, "ACK")))
	return r, ok
}

// header is the first line of a header, "" without one.
func (g got) header(name string) string {
	v, _ := g.Header(name)
	return v
}

// TestSessionTimerAnswered is table 2 of RFC 4028 and its limits.
func TestSessionTimerAnswered(t *testing.T) {
	const timer = "Supported: timer"
	for name, tc := range map[string]struct {
		head             []string
		code             int
		expires, require string
	}{
		"knows no timer":        {nil, 200, "", ""},
		"knows it":              {[]string{timer}, 200, "1800;refresher=uac", "timer"},
		"asks":                  {[]string{timer, "Session-Expires: 600"}, 200, "600;refresher=uac", "timer"},
		"asks in short":         {[]string{"k: timer", "x: 600"}, 200, "600;refresher=uac", "timer"},
		"wants us to refresh":   {[]string{timer, "Session-Expires: 600;refresher=uas"}, 200, "600;refresher=uas", "timer"},
		"wants to refresh":      {[]string{timer, "Session-Expires: 600;refresher=uac"}, 200, "600;refresher=uac", "timer"},
		"too long":              {[]string{timer, "Session-Expires: 7200"}, 200, "1800;refresher=uac", "timer"},
		"long, and not shorter": {[]string{timer, "Session-Expires: 7200", "Min-SE: 3600"}, 200, "3600;refresher=uac", "timer"},
		"a proxy asks":          {[]string{"Session-Expires: 600"}, 200, "600;refresher=uas", ""},
		"too short":             {[]string{timer, "Session-Expires: 89"}, 422, "", ""},
		"just long enough":      {[]string{timer, "Session-Expires: 90"}, 200, "90;refresher=uac", "timer"},
		"required":              {[]string{timer, "Require: timer"}, 200, "1800;refresher=uac", "timer"},
		"nonsense":              {[]string{timer, "Session-Expires: soon"}, 400, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				u := e.rawUDP("10.0.9.1:5060")
				r := request{method: "INVITE", uri: "sip:*43@" + domain, body: u.sdp(), head: tc.head}
				if tc.code != 400 { // which comes before any question for credentials
					r = u.signed(r)
				}
				u.send(u.text(r))
				res := u.lastOf(tc.code)
				if got := res.header("Session-Expires"); got != tc.expires {
					t.Errorf("Session-Expires %q, want %q", got, tc.expires)
				}
				if got := res.header("Require"); got != tc.require {
					t.Errorf("Require %q, want %q", got, tc.require)
				}
				if got := res.header("Min-SE"); (got == "90") != (tc.code == 422) {
					t.Errorf("Min-SE %q in %d", got, tc.code)
				}
			})
		})
	}
}

// TestSessionExpires (L4): a phone that was to refresh and does not frees its
// call; one that does keeps it.
func TestSessionExpires(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		begin := time.Now()
		r, ok := u.heldCall("Supported: timer", "Session-Expires: 600;refresher=uac")
		wait(300 * time.Second)
		u.expect()
		update := inDialog(r, ok, "UPDATE")
		update.head = []string{"Supported: timer", "Session-Expires: 600;refresher=uac"}
		u.send(u.text(update))
		if res := u.expect(200); res.header("Session-Expires") != "600;refresher=uac" || len(res.Body()) != 0 {
			t.Errorf("refreshed with %q", res.raw)
		}
		wait(567 * time.Second)
		u.expect()
		wait(2 * time.Second)
		list := u.heard()
		if len(list) == 0 || list[0].Method() != "BYE" || !strings.Contains(list[0].header("Reason"), "cause=102") {
			t.Fatalf("after %v got %v", time.Since(begin), starts(list))
		}
		wait(33 * time.Second)
		e.free()
	})
}

// TestSessionRefreshed: we refresh at half time, by UPDATE where the phone allows
// that, else by a re-INVITE that changes nothing; who refreshes may change.
func TestSessionRefreshed(t *testing.T) {
	for method, allow := range map[string]string{"UPDATE": "Allow: INVITE, ACK, BYE, UPDATE", "INVITE": "Allow: INVITE, ACK, BYE"} {
		t.Run(method, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				u := e.rawUDP("10.0.9.1:5060")
				_, ok := u.heldCall("Supported: timer", "Session-Expires: 600;refresher=uas", allow)
				for n := range 3 {
					wait(299900 * time.Millisecond)
					u.expect()
					wait(ms(200))
					refresh := u.one()
					if refresh.Method() != method || refresh.header("Session-Expires") != "600;refresher=uac" {
						t.Fatalf("refresh %d: %q", n, refresh.raw)
					}
					answer := []string{"Session-Expires: 600;refresher=uac", "Require: timer"}
					if n == 2 {
						answer[0] = "Session-Expires: 600;refresher=uas"
					}
					u.answerRefresh(refresh, ok, answer)
				}
				wait(567 * time.Second) // it is the phone's turn, which is not there
				u.expect()
				wait(2 * time.Second)
				if bye := u.heard(); len(bye) == 0 || bye[0].Method() != "BYE" {
					t.Fatalf("got %v", starts(bye))
				}
			})
		})
	}
}

// answerRefresh accepts a refresh; a re-INVITE must repeat what the 200 said.
func (u *rawUA) answerRefresh(refresh, ok got, head []string) {
	u.e.t.Helper()
	head = append(slices.Clone(head), u.contact()...)
	if refresh.Method() == "UPDATE" {
		if len(refresh.Body()) != 0 {
			u.e.t.Errorf("refresh with a description: %q", refresh.raw)
		}
		u.send(reply(refresh, 200, "", head, ""))
		return
	}
	if string(refresh.Body()) != string(ok.Body()) {
		u.e.t.Errorf("refresh offers\n%s\nafter\n%s", refresh.Body(), ok.Body())
	}
	u.send(reply(refresh, 200, "", head, u.sdp()+"a=inactive\r\n"))
	if ack := u.one(); ack.Method() != "ACK" {
		u.e.t.Fatalf("got %q", ack.raw)
	}
}

// TestRefreshUnanswered: no answer, or an answer that knows nothing of the dialog,
// ends the call; any other shows that the phone is there.
func TestRefreshUnanswered(t *testing.T) {
	for code, ends := range map[int]bool{0: true, 408: true, 481: true, 488: false, 401: false, 603: false} {
		inEdge(t, func(e *edge) {
			u := e.rawUDP("10.0.9.1:5060")
			u.heldCall("Supported: timer", "Session-Expires: 600;refresher=uas")
			wait(300 * time.Second)
			refresh := u.one()
			if code != 0 {
				u.send(reply(refresh, code, "", nil, ""))
			}
			wait(34 * time.Second)
			list := u.heard()
			bye := slices.ContainsFunc(list, func(g got) bool { return g.Method() == "BYE" })
			if bye != ends {
				t.Errorf("refresh answered with %d: %v", code, starts(list))
			}
		})
	}
}

// TestSessionTimerAsked: what we say as caller, the 422 of a phone that wants
// more, and the phone that refreshes.
func TestSessionTimerAsked(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, _, invite := ringing(e)
		if !invite.Has("Supported", "timer") || invite.header("Session-Expires") != "1800" || invite.header("Min-SE") != "90" || invite.header("Require") != "" {
			t.Errorf("asked with %q", invite.raw)
		}
		callee.send(reply(invite, 183, "far", []string{"Record-Route: <sip:proxy.example;lr>"}, ""))
		callee.send(reply(invite, 422, "far", []string{"Min-SE: 3600"}, ""))
		list := callee.heard()
		if len(list) != 2 || list[0].Method() != "ACK" {
			t.Fatalf("after 422: %v", starts(list))
		}
		again := list[1]
		if seq, _ := again.CSeq(); seq != 2 || again.CallID() != invite.CallID() || again.FromTag() != invite.FromTag() || again.ToTag() != "" || again.header("Route") != "" ||
			again.header("Session-Expires") != "3600" || again.header("Min-SE") != "3600" || string(again.Body()) != string(invite.Body()) {
			t.Errorf("after 422: %q", again.raw)
		}
		head := append(callee.contact(), "Require: timer", "Supported: timer", "Session-Expires: 3600;refresher=uas")
		callee.send(reply(again, 200, "near", head, callee.sdp()+"a=inactive\r\n"))
		callee.one()
		caller.lastOf(200)

		update := fromCallee(again, "near", "UPDATE", 1)
		update.head = []string{"Supported: timer", "Session-Expires: 120"}
		callee.send(callee.text(update))
		if res := callee.expect(200); res.header("Session-Expires") != "120;refresher=uac" {
			t.Errorf("refreshed with %q", res.raw)
		}
		if n := e.registry.Len(); n != 1 {
			t.Fatalf("%d calls", n)
		}
	})
}

// TestSessionTooShortInside: a refresh that asks for less than the minimum is
// refused and changes nothing.
func TestSessionTooShortInside(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r, ok := u.heldCall("Supported: timer", "Session-Expires: 600;refresher=uac")
		for i, method := range []string{"UPDATE", "INVITE"} {
			short := inDialog(r, ok, method)
			short.cseq += i
			short.head, short.body = []string{"Supported: timer", "Session-Expires: 30"}, u.sdp()
			u.send(u.text(short))
			res := u.expect(422)
			if res.header("Min-SE") != "90" {
				t.Errorf("%s: %q", method, res.raw)
			}
			if method == "INVITE" {
				u.send(u.ackOf(short, res))
			}
		}
		if n := e.registry.Len(); n != 1 {
			t.Fatalf("%d calls", n)
		}
	})
}

// TestNoTimerAtFarEnd (L4): a phone without session timers is asked now and then,
// also while it holds.
func TestNoTimerAtFarEnd(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		u.heldCall()
		for range 3 {
			wait(15*time.Minute + ms(100))
			ask := u.one()
			if ask.Method() != "OPTIONS" {
				t.Fatalf("got %q", ask.raw)
			}
			u.send(reply(ask, 200, "", nil, ""))
		}
		wait(16 * time.Minute)
		list := u.heard()
		if !slices.ContainsFunc(list, func(g got) bool { return g.Method() == "BYE" }) {
			t.Errorf("a phone that died: %v", starts(list))
		}
		wait(33 * time.Second)
		e.free()
	})
}

package sip_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// TestHoldByUpdate (RFC 3311): some phones hold so.
func TestHoldByUpdate(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r, ok := u.talk()
		for i, direction := range []string{"sendonly", "sendrecv"} {
			update := inDialog(r, ok, "UPDATE")
			update.cseq += i
			update.body = u.sdp() + "a=" + direction + "\r\n"
			u.send(u.text(update))
			res := u.expect(200)
			if want := []string{"a=recvonly", "a=sendrecv"}[i]; !strings.Contains(string(res.Body()), want) || len(res.Contacts()) != 1 {
				t.Errorf("%s answered with %q", direction, res.raw)
			}
		}
		if held, resumed := len(e.happened(call.EventHeld)), len(e.happened(call.EventResumed)); held != 1 || resumed != 1 {
			t.Errorf("held %d times, resumed %d times", held, resumed)
		}
		bad := inDialog(r, ok, "UPDATE")
		bad.cseq, bad.body = bad.cseq+2, strings.Replace(u.sdp(), "RTP/AVP 0", "RTP/AVP 77", 1)
		u.send(u.text(bad))
		u.expect(488)
		if n := e.registry.Len(); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

// TestUpdateBeforeAnswer (RFC 3311 section 5.2): not before the offer of the INVITE
// is answered for good.
func TestUpdateBeforeAnswer(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := reliably(e, true, "Supported: 100rel")
		callee.send(reply(invite, 183, "far", callee.contact(), callee.sdp())) // not reliable
		early := caller.one()
		update := inDialog(r, early, "UPDATE")
		update.body = caller.sdp()
		caller.send(caller.text(update))
		if res := caller.expect(500); res.header("Retry-After") == "" {
			t.Errorf("refused with %q", res.raw)
		}
		plain := inDialog(r, early, "UPDATE")
		plain.cseq++
		caller.send(caller.text(plain))
		caller.expect(200)
		caller.send(caller.text(prack(r, early, 3)))
		caller.expect(200)
		update.cseq, update.branch = r.cseq+4, fresh("z9hG4bKraw")
		caller.send(caller.text(update))
		if res := caller.expect(200); len(res.Body()) == 0 {
			t.Errorf("answered with %q", res.raw)
		}
		theirs := fromCallee(invite, "far", "UPDATE", 1)
		theirs.body = callee.sdp()
		callee.send(callee.text(theirs))
		callee.expect(491) // our offer has no final answer
	})
}

// TestInviteWhilePending (14.2): a re-INVITE before the first is answered comes too
// early.
func TestInviteWhilePending(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := ringing(e)
		callee.send(reply(invite, 180, "far", nil, ""))
		early := caller.lastOf(180)
		again := inDialog(r, early, "INVITE")
		again.body = caller.sdp()
		caller.send(caller.text(again))
		res := caller.expect(500)
		if n, err := strconv.Atoi(res.header("Retry-After")); err != nil || n < 0 || n > 10 {
			t.Errorf("refused with %q", res.raw)
		}
		caller.send(caller.ackOf(again, res))
		callee.accept(invite, "far")
		caller.lastOf(200)
	})
}

// refreshDue has a call in which we are about to send a re-INVITE.
func refreshDue(e *edge, asCaller bool) (u *rawUA, ours got, next func(method string, cseq int) request) {
	e.t.Helper()
	head := []string{"Supported: timer", "Session-Expires: 600;refresher=uas", "Allow: INVITE, ACK, BYE"}
	if asCaller {
		u = e.rawUDP("10.0.9.1:5060")
		r, ok := u.heldCall(head...)
		next = func(method string, cseq int) request {
			q := inDialog(r, ok, method)
			q.cseq += cseq
			return q
		}
	} else {
		caller, callee, r, invite := ringing(e)
		head[1] = "Session-Expires: 600;refresher=uac"
		callee.send(reply(invite, 200, "far", append(callee.contact(), head...), callee.sdp()+"a=inactive\r\n"))
		callee.one()
		caller.send(caller.text(inDialog(r, caller.lastOf(200), "ACK")))
		hold := inDialog(r, caller.lastGot(200), "INVITE")
		hold.body = caller.sdp() + "a=inactive\r\n"
		caller.send(caller.text(hold))
		caller.send(caller.text(inDialog(hold, caller.lastOf(200), "ACK")))
		u = callee
		next = func(method string, cseq int) request { return fromCallee(invite, "far", method, cseq+1) }
	}
	wait(300*time.Second + ms(50))
	list := u.heard()
	ours = list[len(list)-1]
	if ours.Method() != "INVITE" {
		e.t.Fatalf("got %v", starts(list))
	}
	return u, ours, next
}

// lastGot finds a response among all that came.
func (u *rawUA) lastGot(status int) got {
	u.e.t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, g := range slices.Backward(u.got) {
		if g.Message != nil && g.Status() == status {
			return g
		}
	}
	u.e.t.Fatalf("no %d", status)
	return got{}
}

// TestGlare (14.1): two changes cross. Theirs is refused with 491, ours is tried
// again after a time that depends on who made the Call-ID.
func TestGlare(t *testing.T) {
	for name, tc := range map[string]struct {
		caller     bool
		least, end time.Duration
	}{
		"the phone's Call-ID": {true, 0, 2 * time.Second},
		"our Call-ID":         {false, 2100 * time.Millisecond, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				u, ours, next := refreshDue(e, tc.caller)
				theirs := next("INVITE", 0)
				theirs.body = u.sdp()
				u.send(u.text(theirs))
				u.send(u.ackOf(theirs, u.expect(491)))
				theirs = next("UPDATE", 1)
				theirs.body = u.sdp()
				u.send(u.text(theirs))
				u.expect(491)
				begin := time.Now()
				u.send(reply(ours, 491, "", nil, ""))
				wait(tc.end + ms(50))
				list := u.heard()
				if len(list) < 2 || list[0].Method() != "ACK" || list[1].Method() != "INVITE" {
					t.Fatalf("got %v", starts(list))
				}
				if d := list[1].at.Sub(begin); d < tc.least || d > tc.end+ms(20) {
					t.Errorf("tried again after %v", d)
				}
				if seqOf(list[1]) <= seqOf(ours) || list[1].Branch() == ours.Branch() {
					t.Errorf("tried again with %q", list[1].raw)
				}
				again := list[1]
				u.send(reply(again, 500, "", []string{"Retry-After: 3"}, ""))
				wait(4 * time.Second)
				if third := u.lastRequest("INVITE"); seqOf(third) <= seqOf(again) {
					t.Errorf("after Retry-After: %q", third.raw)
				} else {
					u.send(reply(third, 200, "", u.contact(), u.sdp()+"a=inactive\r\n"))
				}
				if ack := u.one(); ack.Method() != "ACK" {
					t.Errorf("got %q", ack.raw)
				}
			})
		})
	}
}

// lastRequest finds a request among what has come since the last look.
func (u *rawUA) lastRequest(method string) got {
	u.e.t.Helper()
	list := u.heard()
	for _, g := range slices.Backward(list) {
		if g.Message != nil && g.IsRequest() && g.Method() == method {
			return g
		}
	}
	u.e.t.Fatalf("no %s in %v", method, starts(list))
	return got{}
}

// TestHangupDuringReinvite: ours is under way when the call ends; its late 200 is
// acknowledged all the same.
func TestHangupDuringReinvite(t *testing.T) {
	inEdge(t, func(e *edge) {
		u, ours, next := refreshDue(e, true)
		u.send(u.text(next("BYE", 0)))
		u.expect(200)
		u.send(reply(ours, 200, "", u.contact(), u.sdp()))
		if ack := u.one(); ack.Method() != "ACK" {
			t.Errorf("got %q", ack.raw)
		}
		e.free()
		wait(40 * time.Second)
		u.expect()
	})
}

// TestCodecsMeetAgain: a party that cannot hear whom it was joined to gets a new
// offer, and both hear each other (design 4).
func TestCodecsMeetAgain(t *testing.T) {
	inEdge(t, func(e *edge) {
		g729 := func(u *rawUA) string {
			return strings.Replace(u.sdp(), "RTP/AVP 0\r\na=rtpmap:0 PCMU/8000", "RTP/AVP 18 8\r\na=rtpmap:18 G729/8000\r\na=rtpmap:8 PCMA/8000", 1)
		}
		callee := e.rawUDP("10.0.9.2:5060")
		callee.register("102")
		caller := e.rawUDP("10.0.9.1:5060")
		r := caller.signed(request{method: "INVITE", uri: "sip:102@" + domain, body: g729(caller)})
		caller.send(caller.text(r))
		invite := callee.one()
		callee.send(reply(invite, 200, "far", callee.contact(), strings.Replace(g729(callee), " 18 8", " 18", 1)))
		callee.one()
		caller.send(caller.text(inDialog(r, caller.lastOf(200), "ACK")))

		e.rawUDP("10.0.9.3:5060").talk()
		conversation, echo := e.callTo("102"), e.callTo("*43")
		echo.Handover(echo.Info().Legs[0].ID, conversation)
		wait(0)
		caller.send(caller.text(inDialog(r, caller.lastGot(200), "BYE")))
		offer := callee.one() // the other codec and the other party in one
		if offer.Method() != "INVITE" || !strings.Contains(string(offer.Body()), "PCMU") || !strings.Contains(offer.header("P-Asserted-Identity"), "sip:101@") {
			t.Fatalf("callee got %q", offer.raw)
		}
		callee.send(reply(offer, 200, "", callee.contact(), callee.sdp()))
		if ack := callee.one(); ack.Method() != "ACK" {
			t.Errorf("got %q", ack.raw)
		}
		callee.send(callee.text(fromCallee(invite, "far", "BYE", 1)))
		wait(0)
		for _, ev := range e.happened(call.EventLegEnded) {
			if ev.Direction == call.Outbound && ev.Stats.Codec != "PCMU" {
				t.Errorf("the callee spoke %s", ev.Stats.Codec)
			}
		}
	})
}

// callTo is the running call that dialled a number.
func (e *edge) callTo(number string) *call.Call {
	e.t.Helper()
	for _, info := range e.registry.CallsOf(1) {
		if info.Dialled == number {
			c, _ := e.registry.Get(info.Ref.ID)
			return c
		}
	}
	e.t.Fatalf("nobody calls %s", number)
	return nil
}

// TestTargetRefresh (12.2): our requests name the Contact of the latest re-INVITE or
// UPDATE, and that of a refused one counts for nothing.
func TestTargetRefresh(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r, ok := u.talk()
		for i, method := range []string{"INVITE", "UPDATE", "INVITE"} {
			again := inDialog(r, ok, method)
			again.cseq += i
			again.noContact, again.head = true, []string{"Contact: <sip:moved-" + strconv.Itoa(i) + "@10.0.9.1:5060>"}
			again.body = u.sdp()
			if i == 2 {
				again.body = strings.Replace(u.sdp(), "RTP/AVP 0", "RTP/AVP 77", 1)
			}
			u.send(u.text(again))
			res := u.one()
			if want := []int{200, 200, 488}[i]; res.Status() != want {
				t.Fatalf("%s %d: %q", method, i, res.raw)
			}
			switch {
			case method == "INVITE" && res.Status() == 200:
				u.send(u.text(inDialog(again, res, "ACK")))
			case method == "INVITE":
				u.send(u.ackOf(again, res))
			}
		}
		e.registry.EndAll(call.CauseShutdown)
		bye := u.one()
		if !strings.HasPrefix(bye.raw, "BYE sip:moved-1@10.0.9.1:5060 ") {
			t.Errorf("got %q", bye.raw)
		}
		u.send(reply(bye, 200, "", nil, ""))
	})
}

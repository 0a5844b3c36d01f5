package sip_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

func TestCancel(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := ringing(e)
		callee.send(reply(invite, 180, "far", nil, ""))
		caller.heard()
		cancel := r
		cancel.method, cancel.body, cancel.head = "CANCEL", "", nil

		other := e.rawUDP("10.0.9.3:5060")
		cancel.sentBy = caller.addr.String()
		other.send(other.text(cancel)) // from elsewhere (S10)
		other.expect(481)

		caller.send(caller.text(cancel))
		list := caller.heard()
		if !slices.Equal(statuses(list), []int{200, 487}) || list[0].ToTag() != list[1].ToTag() {
			t.Fatalf("caller got %v, tags %q %q", starts(list), list[0].ToTag(), list[1].ToTag())
		}
		caller.send(caller.ackOf(r, list[1]))
		withdrawn := callee.one()
		if withdrawn.Method() != "CANCEL" || withdrawn.Branch() != invite.Branch() {
			t.Fatalf("callee got %q", withdrawn.raw)
		}
		callee.send(reply(invite, 180, "far", nil, "")) // no second CANCEL for it
		callee.expect()
		callee.send(reply(withdrawn, 200, "far", nil, ""))
		callee.send(reply(invite, 487, "far", nil, ""))
		if ack := callee.one(); ack.Method() != "ACK" {
			t.Errorf("callee got %q", ack.raw)
		}
		for _, pause := range []time.Duration{0, 10 * time.Second} { // timer I has run out by then
			wait(pause)
			caller.send(caller.text(cancel)) // repeated
			if again := caller.one(); again.raw != list[0].raw {
				t.Errorf("repeated CANCEL got\n%s\nnot\n%s", again.raw, list[0].raw)
			}
		}
		e.free()
	})
}

// TestCancelWaitsForProvisional (9.1), and comes too late for a final response.
func TestCancelWaitsForProvisional(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := ringing(e)
		cancel := r
		cancel.method, cancel.body, cancel.head = "CANCEL", "", nil
		caller.send(caller.text(cancel))
		callee.expect()
		callee.send(reply(invite, 100, "", nil, ""))
		if got := callee.one(); got.Method() != "CANCEL" {
			t.Fatalf("callee got %q", got.raw)
		}
		// It neither answers the CANCEL nor the INVITE: given up after 64*T1.
		wait(33 * time.Second)
		e.free()

		u := e.rawUDP("10.0.9.4:5060")
		r, ok := u.talk()
		r.method, r.body, r.head = "CANCEL", "", nil
		u.send(u.text(r))
		u.expect(200)
		if n := e.registry.Len(); n != 1 {
			t.Errorf("CANCEL after the 200 left %d calls", n)
		}
		_ = ok
	})
}

// TestLateAnswerCrossesCancel: ACK and BYE at once.
func TestLateAnswerCrossesCancel(t *testing.T) {
	for _, provisional := range []bool{true, false} {
		inEdge(t, func(e *edge) {
			caller, callee, r, invite := ringing(e)
			if provisional {
				callee.send(reply(invite, 180, "far", nil, ""))
			}
			r.method, r.body, r.head = "CANCEL", "", nil
			caller.send(caller.text(r))
			callee.heard()
			callee.accept(invite, "far")
			list := callee.heard()
			if len(list) != 2 || list[0].Method() != "ACK" || list[1].Method() != "BYE" {
				t.Fatalf("callee got %v", starts(list))
			}
			callee.send(reply(list[1], 200, "", nil, ""))
			e.free()
		})
	}
}

// TestRingsOnAfterCancel: what a phone says after it was cancelled does not keep the
// call for it.
func TestRingsOnAfterCancel(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := ringing(e)
		callee.send(reply(invite, 180, "far", nil, ""))
		r.method, r.body, r.head = "CANCEL", "", nil
		caller.send(caller.text(r))
		callee.send(reply(invite, 180, "far", nil, "")) // and never a final answer
		wait(33 * time.Second)
		if n := e.srv.Legs(); n != 0 {
			t.Errorf("%d legs are left", n)
		}
	})
}

// TestNoContact: the BYE to a caller that left Contact out goes to where its
// INVITE came from.
func TestNoContact(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r := u.signed(request{method: "INVITE", uri: "sip:*43@" + domain, body: u.sdp(), noContact: true})
		u.send(u.text(r))
		ok := u.lastOf(200)
		ack := inDialog(r, ok, "ACK")
		u.send(u.text(ack))
		e.registry.EndAll(call.CauseShutdown)
		if bye := u.one(); !strings.HasPrefix(bye.raw, "BYE sip:10.0.9.1:5060 SIP/2.0\r\n") {
			t.Errorf("got %q", bye.raw)
		}
	})
}

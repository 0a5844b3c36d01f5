package sip_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip"
)

// TestSentByTellsApart: phones that make the same branches are not taken for one
// another: host and port of the Via are a part of what names a transaction (RFC 3261
// 17.2.3).
func TestSentByTellsApart(t *testing.T) {
	inEdge(t, func(e *edge) {
		for i, addr := range []string{"10.0.9.1:5060", "10.0.9.2:5060", "10.0.9.1:5070"} {
			u, user := e.rawUDP(addr), []string{"101", "102", "103"}[i]
			r := u.signed(request{method: "REGISTER", user: user, to: "<sip:" + user + "@" + domain + ">"})
			r.branch = "z9hG4bKsame"
			u.send(u.text(r))
			if ok := u.expect(200); ok.CallID() != r.callID {
				t.Errorf("%s got the answer to another's\n%s", addr, ok.raw)
			}
		}
		if n := e.srv.Bindings().Len(); n != 3 {
			t.Errorf("%d bindings", n)
		}
	}, func(c *sip.Config) { c.Workers = 1 })
}

// TestMovedDialog: where a phone was that proved who it is, there it is spoken to from
// then on (S10).
func TestMovedDialog(t *testing.T) {
	inEdge(t, func(e *edge) {
		u, moved := e.rawUDP("10.0.9.1:5060"), e.rawUDP("10.0.9.1:7777")
		r, ok := u.talk()
		moved.send(moved.text(moved.signed(inDialog(r, ok, "OPTIONS"))))
		moved.expect(200)
		e.registry.EndAll(call.CauseShutdown)
		u.expect()
		bye := moved.one()
		if bye.Method() != "BYE" {
			t.Fatalf("got %q", bye.raw)
		}
		moved.send(reply(bye, 200, "", nil, ""))
		e.free()
	})
}

// TestCancelFromElsewhere: whoever copies a CANCEL learns nothing by it, while the
// INVITE waits and after it was answered (S10).
func TestCancelFromElsewhere(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := ringing(e)
		thief := e.rawUDP("10.0.9.9:5060")
		cancel := r
		cancel.method, cancel.body, cancel.head, cancel.sentBy = "CANCEL", "", nil, caller.addr.String()
		try := func() {
			t.Helper()
			thief.send(thief.text(cancel))
			thief.expect(481)
			callee.expect()
		}
		try()
		callee.send(reply(invite, 486, "far", nil, ""))
		callee.heard()
		busy := caller.lastOf(486)
		try()
		caller.send(caller.ackOf(r, busy))
		try()
		caller.send(caller.text(cancel))
		caller.expect(200) // it crossed the answer
	})
}

// TestACKOfAnother: only the ACK of this dialog and this INVITE stops its 200 (RFC 3261
// 13.3.1.4).
func TestACKOfAnother(t *testing.T) {
	for name, edit := range map[string]func(*request){
		"another From tag": func(r *request) { r.fromTag = "x" },
		"another To tag":   func(r *request) { r.toTag = "x" },
		"another Call-ID":  func(r *request) { r.callID = "x" },
		"the next CSeq":    func(r *request) { r.cseq++ },
		"an old CSeq":      func(r *request) { r.cseq-- },
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				u := e.rawUDP("10.0.9.1:5060")
				begin := time.Now()
				r := u.call("*43")
				ok := u.lastOf(200)
				wrong := inDialog(r, ok, "ACK")
				edit(&wrong)
				u.send(u.text(wrong))
				wait(ms(2000))
				if at := instants(u.heard(), "SIP/2.0 200", begin); !slices.Equal(at, []int{500, 1500}) {
					t.Errorf("200 repeated at %v ms", at)
				}
				u.send(u.text(inDialog(r, ok, "ACK")))
				wait(10 * time.Second)
				u.expect()
				u.send(u.text(inDialog(r, ok, "BYE")))
				u.expect(200)
				e.free()
			})
		})
	}
}

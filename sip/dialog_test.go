package sip_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// ringing has 101 call 102, both word by word, and returns the callee's INVITE.
func ringing(e *edge) (caller, callee *rawUA, r request, invite got) {
	e.t.Helper()
	callee = e.rawUDP("10.0.9.2:5060")
	callee.register("102")
	caller = e.rawUDP("10.0.9.1:5060")
	r = caller.call("102")
	invite = callee.one()
	return caller, callee, r, invite
}

// contactOf is the Contact header of a user agent.
func (u *rawUA) contact() []string { return []string{"Contact: <sip:x@" + u.addr.String() + ">"} }

// accept answers an INVITE with 200.
func (u *rawUA) accept(invite got, tag string) {
	u.e.t.Helper()
	u.send(reply(invite, 200, tag, u.contact(), u.sdp()))
}

// fromCallee is a request in the dialog that invite made, by the called side.
func fromCallee(invite got, tag, method string, cseq int) request {
	from, _ := invite.Header("From")
	to, _ := invite.Header("To")
	from, _, _ = strings.Cut(from, ";tag=")
	uri := "sip:" + domain
	if c := invite.Contacts(); len(c) > 0 {
		uri = c[0].URI.Text
	}
	return request{
		method: method, uri: uri, user: "102", from: to, to: from, fromTag: tag, toTag: invite.FromTag(),
		callID: invite.CallID(), cseq: cseq, branch: fresh("z9hG4bKraw"),
	}
}

// TestRepeatedAnswer: each gets the same ACK (13.2.2.4), for 64*T1 (timer M).
func TestRepeatedAnswer(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, _, invite := ringing(e)
		callee.accept(invite, "far")
		first := callee.one()
		caller.lastOf(200)
		for _, pause := range []time.Duration{ms(500), 30 * time.Second} {
			wait(pause)
			callee.accept(invite, "far")
			if again := callee.one(); again.raw != first.raw {
				t.Errorf("got %q, want %q", again.raw, first.raw)
			}
		}
		wait(3 * time.Second)
		callee.heard()
		callee.accept(invite, "far")
		callee.expect()
		if n := len(e.happened(call.EventAnswered)); n > 2 {
			t.Errorf("%d answers", n)
		}
	})
}

// TestForkedAnswer: a second phone behind one contact is acknowledged and hung
// up, once, and the call with the first goes on.
func TestForkedAnswer(t *testing.T) {
	inEdge(t, func(e *edge) {
		_, callee, _, invite := ringing(e)
		callee.send(reply(invite, 180, "one", nil, ""))
		callee.send(reply(invite, 180, "two", nil, ""))
		callee.accept(invite, "two")
		if ack := callee.one(); ack.ToTag() != "two" {
			t.Fatalf("got %q", ack.raw)
		}
		callee.accept(invite, "one")
		list := callee.heard()
		if len(list) != 2 || list[0].Method() != "ACK" || list[1].Method() != "BYE" || list[1].ToTag() != "one" {
			t.Fatalf("fork got %v", starts(list))
		}
		callee.send(reply(list[1], 200, "", nil, ""))
		callee.accept(invite, "one")
		if again := callee.one(); again.raw != list[0].raw {
			t.Errorf("repeated fork got %q", again.raw)
		}
		if n := e.registry.Len(); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

// TestEarlyAnswerIsTheAnswer: a phone that described its media in the 183 may
// leave it out of the 200.
func TestEarlyAnswerIsTheAnswer(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, _, invite := ringing(e)
		callee.send(reply(invite, 183, "far", callee.contact(), callee.sdp()))
		callee.send(reply(invite, 200, "far", callee.contact(), ""))
		if ack := callee.one(); ack.Method() != "ACK" {
			t.Errorf("callee got %q", ack.raw)
		}
		caller.lastOf(200)
	})
}

func TestByeCrossesBye(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r, ok := u.talk()
		e.registry.EndAll(call.CauseShutdown)
		ours := u.one()
		u.send(u.text(inDialog(r, ok, "BYE")))
		u.expect(200)
		u.send(reply(ours, 481, "", nil, "")) // no error (RFC 3261 15.1.2)
		wait(time.Minute)
		u.expect()
		e.free()
	})
}

func TestByeBeforeACK(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		begin := time.Now()
		r := u.call("*43")
		ok := u.lastOf(200)
		wait(ms(600))
		bye := inDialog(r, ok, "BYE")
		u.send(u.text(bye))
		u.send(u.text(bye)) // repeated: the same answer, no second effect
		u.send(u.text(inDialog(r, ok, "ACK")))
		wait(time.Minute)
		if at := instants(u.heard(), "SIP/2.0 200", begin); !slices.Equal(at, []int{500, 600, 600}) {
			t.Errorf("200 at %v ms", at)
		}
		e.free()
	})
}

// TestHangupWaitsForACK: a dialog is not ended before its caller has confirmed
// it (RFC 3261 15).
func TestHangupWaitsForACK(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r := u.call("*43")
		ok := u.lastOf(200)
		e.registry.EndAll(call.CauseShutdown)
		u.expect()
		u.send(u.text(inDialog(r, ok, "ACK")))
		bye := u.one()
		if bye.Method() != "BYE" {
			t.Fatalf("got %q", bye.raw)
		}
		u.send(reply(bye, 200, "", nil, ""))
		e.free()
	})
}

// TestRefusedReinviteChangesNothing: not even where the phone is (RFC 6141 section 3.4).
func TestRefusedReinviteChangesNothing(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r, ok := u.talk()
		bad := inDialog(r, ok, "INVITE")
		bad.user, bad.body = "elsewhere", strings.Replace(u.sdp(), "RTP/AVP 0", "RTP/AVP 77", 1)
		u.send(u.text(bad))
		u.send(u.ackOf(bad, u.expect(488)))
		e.registry.EndAll(call.CauseShutdown)
		if bye := u.one(); !strings.HasPrefix(bye.raw, "BYE sip:101@10.0.9.1:5060 ") {
			t.Errorf("got %q", bye.raw)
		}
	})
}

// TestReinviteRules: glare, order, an ACK for each, delayed offer.
func TestReinviteRules(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r, ok := u.talk()
		again := inDialog(r, ok, "INVITE")
		u.send(u.text(again)) // without an offer: ours is in the 200
		offer := u.expect(200)
		if len(offer.Body()) == 0 {
			t.Fatalf("no offer in %q", offer.raw)
		}
		second := again
		second.cseq, second.branch, second.body = again.cseq+1, fresh("z9hG4bKraw"), u.sdp()
		u.send(u.text(second))
		refused := u.expect(491)
		u.send(u.text(second)) // S9
		if repeated := u.expect(491); repeated.raw != refused.raw {
			t.Errorf("got %q", repeated.raw)
		}
		u.send(u.ackOf(second, refused))

		u.send(u.text(inDialog(r, ok, "ACK"))) // repeated, of the first INVITE
		wait(ms(500))
		u.expect(200) // so ours still waits
		ack := inDialog(again, offer, "ACK")
		ack.toTag, ack.body = again.toTag, u.sdp()
		u.send(u.text(ack))
		wait(40 * time.Second)
		u.expect()

		bad := inDialog(second, ok, "INVITE")
		bad.toTag, bad.body = second.toTag, strings.Replace(u.sdp(), "RTP/AVP 0", "RTP/AVP 77", 1)
		u.send(u.text(bad))
		u.send(u.ackOf(bad, u.expect(488)))
		if n := e.registry.Len(); n != 1 {
			t.Fatalf("a refused re-INVITE left %d calls", n)
		}
		hold := inDialog(bad, ok, "INVITE")
		hold.toTag, hold.body = second.toTag, u.sdp()+"a=sendonly\r\n"
		u.send(u.text(hold))
		u.send(u.text(inDialog(hold, u.expect(200), "ACK")))
		if n := len(e.happened(call.EventHeld)); n != 1 {
			t.Errorf("held %d times", n)
		}
	})
}

// TestDelayedOffer: an INVITE without an offer gets ours, and the ACK answers.
func TestDelayedOffer(t *testing.T) {
	for name, body := range map[string]string{"answered": "sdp", "not understood": "v=0\r\nnonsense"} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				u := e.rawUDP("10.0.9.1:5060")
				r := u.signed(request{method: "INVITE", uri: "sip:*43@" + domain})
				u.send(u.text(r))
				ok := u.lastOf(200)
				ack := inDialog(r, ok, "ACK")
				if ack.body = body; body == "sdp" {
					ack.body = u.sdp()
				}
				u.send(u.text(ack))
				if body == "sdp" {
					u.expect()
					return
				}
				bye := u.one()
				u.send(reply(bye, 200, "", nil, ""))
				e.free()
			})
		})
	}
}

// TestInDialogOrder (12.2.2, S10): unknown tags and a CSeq that does not rise.
func TestInDialogOrder(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r, ok := u.talk()
		for _, tc := range []struct {
			what string
			edit func(*request)
			code int
		}{
			{"another To tag", func(b *request) { b.toTag = "x" }, 481},
			{"another From tag", func(b *request) { b.fromTag = "x" }, 481},
			{"another Call-ID", func(b *request) { b.callID = "x" }, 481},
			{"an old CSeq", func(b *request) { b.cseq = r.cseq - 1 }, 500},
			{"the same CSeq", func(b *request) { b.cseq = r.cseq }, 500},
			{"OPTIONS", func(b *request) { b.method = "OPTIONS"; b.cseq = 50 }, 200},
			{"one below it", func(b *request) { b.cseq = 49 }, 500},
			{"once more", func(b *request) { b.cseq = 50 }, 500},
			{"PUBLISH", func(b *request) { b.method = "PUBLISH"; b.cseq = 60 }, 405},
		} {
			bye := inDialog(r, ok, "BYE")
			tc.edit(&bye)
			u.send(u.text(bye))
			if got := u.one(); got.Status() != tc.code {
				t.Errorf("%s: %d, want %d", tc.what, got.Status(), tc.code)
			}
		}
		if n := e.registry.Len(); n != 1 {
			t.Fatalf("%d calls", n)
		}
	})
}

// TestFirstCSeqOfCalleeIsFree: the far end of our INVITE counts by itself, and
// may begin with 0.
func TestFirstCSeqOfCalleeIsFree(t *testing.T) {
	inEdge(t, func(e *edge) {
		_, callee, _, invite := ringing(e)
		callee.accept(invite, "far")
		callee.one()
		r := fromCallee(invite, "far", "OPTIONS", 1)
		callee.send(strings.Replace(callee.text(r), "CSeq: 1 ", "CSeq: 0 ", 1))
		callee.expect(200)
	})
}

// TestForeignFlow (S10): from another address a dialog is only reached with the
// credentials of its own phone.
func TestForeignFlow(t *testing.T) {
	inEdge(t, func(e *edge) {
		u, thief := e.rawUDP("10.0.9.1:5060"), e.rawUDP("10.0.9.9:5060")
		r, ok := u.talk()
		bye := inDialog(r, ok, "BYE")
		thief.send(thief.text(bye))
		thief.expect(407)

		bye.user, bye.from = "103", "<sip:103@"+domain+">"
		signed := thief.signed(bye)
		thief.send(thief.text(signed))
		refused := thief.expect(403)
		thief.send(thief.text(signed))
		if again := thief.expect(403); again.raw != refused.raw {
			t.Errorf("repeated: %q", again.raw)
		}
		if n := e.registry.Len(); n != 1 {
			t.Fatalf("%d calls", n)
		}
		moved := e.rawUDP("10.0.9.1:7777") // the phone behind a new NAT mapping
		bye.user, bye.from = "101", r.from
		moved.send(moved.text(moved.signed(bye)))
		moved.expect(200)
		e.free()
	})
}

// TestPhoneChallengesUs (A9): nobody gets our credentials.
func TestPhoneChallengesUs(t *testing.T) {
	challenge := []string{`WWW-Authenticate: Digest realm="acme.example", nonce="n", algorithm=MD5, qop="auth"`}
	for _, status := range []int{401, 407} {
		head := challenge
		if status == 407 {
			head = []string{strings.Replace(challenge[0], "WWW", "Proxy", 1)}
		}
		inEdge(t, func(e *edge) {
			caller, callee, _, invite := ringing(e)
			callee.send(reply(invite, status, "far", head, ""))
			if ack := callee.one(); ack.Method() != "ACK" {
				t.Errorf("challenged INVITE: %q", ack.raw)
			}
			caller.lastOf(603)

			u := e.rawUDP("10.0.9.3:5060")
			u.talk()
			e.registry.EndAll(call.CauseShutdown)
			u.send(reply(u.one(), status, "", head, ""))
			wait(time.Minute)
			u.expect()
			callee.expect()
			e.free()
		})
	}
}

// TestDialogFollowsRegistration (L5): after a lost connection or a new NAT
// mapping our BYE goes to where the phone is registered now.
func TestDialogFollowsRegistration(t *testing.T) {
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				contact := []string{`Contact: <sip:101@10.0.9.1:5060>;+sip.instance="<urn:uuid:1>"`}
				register := func(u *rawUA) {
					r := u.signed(request{method: "REGISTER", to: "<sip:101@" + domain + ">", noContact: true, head: contact})
					u.send(u.text(r))
					u.expect(200)
				}
				u := open(e, "10.0.9.1:5060")
				register(u)
				u.talk()
				if u.tcp != nil {
					e.must(u.tcp.Close())
					wait(0)
				}
				if n := e.registry.Len(); n != 1 {
					t.Fatalf("%d calls after the connection broke", n)
				}
				moved := open(e, "10.0.9.1:6666")
				register(moved)
				e.registry.EndAll(call.CauseShutdown)
				if bye := moved.one(); bye.Method() != "BYE" {
					t.Fatalf("got %q", bye.raw)
				} else {
					moved.send(reply(bye, 200, "", nil, ""))
				}
				e.free()
			})
		})
	}
}

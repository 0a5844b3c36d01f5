package sip_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// prack is the PRACK of a reliable response to r.
func prack(r request, to got, cseq int) request {
	p := inDialog(r, to, "PRACK")
	p.cseq = r.cseq + cseq
	p.head = []string{fmt.Sprintf("RAck: %s %d INVITE", to.header("RSeq"), r.cseq)}
	return p
}

// reliably has 101 call 102 with further headers. It returns the caller's INVITE as
// sent and the callee's as received.
func reliably(e *edge, offer bool, head ...string) (caller, callee *rawUA, r request, invite got) {
	e.t.Helper()
	callee = e.rawUDP("10.0.9.2:5060")
	callee.register("102")
	caller = e.rawUDP("10.0.9.1:5060")
	r = request{method: "INVITE", uri: "sip:102@" + domain, head: head}
	if offer {
		r.body = caller.sdp()
	}
	r = caller.signed(r)
	caller.send(caller.text(r))
	invite = callee.one()
	caller.expect(100)
	return caller, callee, r, invite
}

// TestReliableRinging (RFC 3262 section 3): repeated with growing intervals until
// the PRACK; one at a time, numbered; the 200 waits for that of a description.
func TestReliableRinging(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := reliably(e, true, "Supported: 100rel")
		begin := time.Now()
		callee.send(reply(invite, 180, "far", callee.contact(), ""))
		callee.send(reply(invite, 183, "far", callee.contact(), callee.sdp()))
		wait(4 * time.Second)
		list := caller.heard()
		if at := instants(list, "SIP/2.0 180", begin); !slices.Equal(at, []int{0, 500, 1500, 3500}) || len(list) != 4 {
			t.Fatalf("180 at %v, %v", at, starts(list))
		}
		ringing := list[0]
		if ringing.header("Require") != "100rel" || ringing.header("RSeq") == "" || len(ringing.Body()) != 0 {
			t.Errorf("rings with %q", ringing.raw)
		}
		caller.send(caller.text(prack(r, ringing, 1)))
		list = caller.heard()
		if !slices.Equal(statuses(list), []int{200, 183}) {
			t.Fatalf("after PRACK %v", starts(list))
		}
		early := list[1]
		if number(early) != number(ringing)+1 || len(early.Body()) == 0 {
			t.Errorf("early media %q", early.raw)
		}
		wrong := prack(r, ringing, 2) // of a response that has been acknowledged
		caller.send(caller.text(wrong))
		caller.expect(481)
		callee.accept(invite, "far")
		callee.one()
		caller.expect()
		caller.send(caller.text(prack(r, early, 3)))
		list = caller.heard()
		if !slices.Equal(statuses(list), []int{200, 200}) || len(list[1].Body()) != 0 || list[1].header("Require") != "" {
			t.Fatalf("after the second PRACK %v", starts(list))
		}
		caller.send(caller.text(inDialog(r, list[1], "ACK")))
		if n := len(e.happened(call.EventAnswered)); n != 2 {
			t.Errorf("%d answers", n)
		}
		wait(20 * time.Second)
		caller.expect()
	})
}

func number(g got) (n int) {
	_, _ = fmt.Sscan(g.header("RSeq"), &n)
	return n
}

// TestReliableWithoutOffer: ours is in the first response that surely arrives, the
// answer in its PRACK, and nothing in the 200 (RFC 3261 13.2.1).
func TestReliableWithoutOffer(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := reliably(e, false, "Require: 100rel")
		callee.send(reply(invite, 180, "far", nil, ""))
		ringing := caller.one()
		if len(ringing.Body()) == 0 {
			t.Fatalf("no offer in %q", ringing.raw)
		}
		p := prack(r, ringing, 1)
		p.body = caller.sdp()
		caller.send(caller.text(p))
		caller.expect(200)
		callee.accept(invite, "far")
		callee.one()
		if ok := caller.expect(200); len(ok.Body()) != 0 {
			t.Errorf("answered with %q", ok.raw)
		}
	})
}

// TestReliableOfferInPRACK is answered in its 200.
func TestReliableOfferInPRACK(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := reliably(e, true, "Supported: 100rel")
		callee.send(reply(invite, 183, "far", callee.contact(), callee.sdp()))
		p := prack(r, caller.one(), 1)
		p.body = strings.Replace(caller.sdp(), "40000", "42000", 1)
		caller.send(caller.text(p))
		if ok := caller.expect(200); len(ok.Body()) == 0 {
			t.Errorf("no answer in %q", ok.raw)
		}
	})
}

// TestReliableUnacknowledged: after 64*T1 the caller is refused, and the phone
// stops ringing.
func TestReliableUnacknowledged(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := reliably(e, true, "Supported: 100rel")
		callee.send(reply(invite, 180, "far", nil, ""))
		wait(31900 * time.Millisecond)
		caller.heard()
		wait(ms(200))
		caller.send(caller.ackOf(r, caller.expect(504)))
		if cancel := callee.one(); cancel.Method() != "CANCEL" {
			t.Errorf("callee got %q", cancel.raw)
		} else {
			callee.send(reply(cancel, 200, "far", nil, ""))
			callee.send(reply(invite, 487, "far", nil, ""))
		}
		e.free()
	})
}

// TestReliableThenCancelled: nothing is repeated after a final response.
func TestReliableThenCancelled(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := reliably(e, true, "Supported: 100rel")
		callee.send(reply(invite, 180, "far", nil, ""))
		ringing := caller.one()
		callee.send(reply(invite, 486, "far", nil, ""))
		callee.one()
		refused := caller.expect(486)
		caller.send(caller.ackOf(r, refused))
		caller.send(caller.text(prack(r, ringing, 1)))
		caller.expect(481) // the dialog went with the refusal
		wait(10 * time.Second)
		caller.expect()
		e.free()
	})
}

// TestPRACKSent (RFC 3262 section 4): what a phone sends reliably is acknowledged in
// order, once, in its own dialog; we never require it.
func TestPRACKSent(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, _, invite := ringing(e)
		if !invite.Has("Supported", "100rel") {
			t.Errorf("INVITE %q", invite.raw)
		}
		rel := func(tag string, status, seq int, body string) string {
			head := append(callee.contact(), "Require: 100rel", fmt.Sprintf("RSeq: %d", seq))
			return reply(invite, status, tag, head, body)
		}
		callee.send(rel("one", 180, 7, ""))
		first := callee.one()
		if first.Method() != "PRACK" || first.header("RAck") != "7 1 INVITE" || first.ToTag() != "one" {
			t.Fatalf("got %q", first.raw)
		}
		callee.send(reply(first, 200, "", nil, ""))
		callee.send(rel("one", 180, 7, "")) // repeated
		callee.send(rel("one", 183, 9, "")) // too early
		callee.expect()
		callee.send(rel("two", 180, 100, "")) // another phone behind the contact
		second := callee.one()
		if second.header("RAck") != "100 1 INVITE" || second.ToTag() != "two" || seqOf(second) <= seqOf(first) {
			t.Errorf("got %q", second.raw)
		}
		callee.send(reply(second, 200, "", nil, ""))
		callee.send(rel("one", 183, 8, callee.sdp()))
		third := callee.one()
		if third.header("RAck") != "8 1 INVITE" || third.ToTag() != "one" {
			t.Errorf("got %q", third.raw)
		}
		callee.send(reply(third, 200, "", nil, ""))
		caller.lastOf(183)

		update := fromCallee(invite, "one", "UPDATE", 1) // its early media moves
		update.body = strings.Replace(callee.sdp(), "40000", "44000", 1)
		callee.send(callee.text(update))
		if ok := callee.expect(200); len(ok.Body()) == 0 {
			t.Errorf("no answer in %q", ok.raw)
		}
		callee.send(reply(invite, 200, "one", callee.contact(), ""))
		ack := callee.one()
		if ack.Method() != "ACK" || ack.ToTag() != "one" || seqOf(ack) != 1 {
			t.Errorf("got %q", ack.raw)
		}
		caller.lastOf(200)
	})
}

// TestNumberedButNotReliable: a number alone does not make a response reliable, so
// the description in the 200 counts.
func TestNumberedButNotReliable(t *testing.T) {
	inEdge(t, func(e *edge) {
		_, callee, _, invite := ringing(e)
		callee.send(reply(invite, 183, "one", append(callee.contact(), "RSeq: 7"), callee.sdp()))
		callee.expect() // no PRACK
		other := strings.NewReplacer("AVP 0", "AVP 96", "0 PCMU", "96 nonsense").Replace(callee.sdp())
		callee.send(reply(invite, 200, "one", callee.contact(), other))
		if list := callee.heard(); len(list) != 2 || list[1].Method() != "BYE" {
			t.Errorf("got %v", starts(list))
		}
	})
}

func seqOf(g got) uint32 {
	n, _ := g.CSeq()
	return n
}

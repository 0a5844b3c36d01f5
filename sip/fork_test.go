package sip_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cordpair/cordpair/dialplan/call"
)

// TestForkedEarlyDialogs: a contact that is a forking proxy. Each phone has its own
// route set and target, the caller hears the first that has media, and the 2xx
// decides, whoever it is.
func TestForkedEarlyDialogs(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, _, invite := ringing(e)
		phone := func(name string) []string {
			return []string{
				"Contact: <sip:" + name + "@10.0.9.2:5060>",
				"Record-Route: <sip:outer-" + name + ".example;lr>", "Record-Route: <sip:inner-" + name + ".example;lr>",
			}
		}
		media := func(port string) string { return strings.Replace(callee.sdp(), "40000", port, 1) }
		callee.send(reply(invite, 180, "one", phone("one"), ""))
		callee.send(reply(invite, 183, "two", phone("two"), media("42000")))
		callee.send(reply(invite, 183, "three", phone("three"), media("43000")))
		if got := statuses(caller.heard()); !slices.Equal(got, []int{100, 180, 183}) {
			t.Errorf("caller got %v", got)
		}
		update := fromCallee(invite, "three", "UPDATE", 5)
		callee.send(callee.text(update))
		callee.expect(200) // each counts by itself
		update = fromCallee(invite, "one", "UPDATE", 1)
		callee.send(callee.text(update))
		callee.expect(200)
		callee.send(callee.text(fromCallee(invite, "four", "UPDATE", 1)))
		callee.expect(481)

		// Its 200 says nothing of the media: the 183 did.
		callee.send(reply(invite, 200, "three", phone("three"), ""))
		ack := callee.one()
		if ack.ToTag() != "three" || !strings.HasPrefix(ack.raw, "ACK sip:three@10.0.9.2:5060 SIP/2.0\r\n") ||
			!strings.Contains(ack.raw, "Route: <sip:inner-three.example;lr>\r\nRoute: <sip:outer-three.example;lr>\r\n") {
			t.Errorf("ACK %q", ack.raw)
		}
		caller.lastOf(200)
		callee.send(callee.text(fromCallee(invite, "one", "UPDATE", 2)))
		callee.expect(481)
		bye := fromCallee(invite, "three", "BYE", 6)
		callee.send(callee.text(bye))
		callee.expect(200)
		for _, ev := range e.happened(call.EventLegEnded) {
			if ev.Direction == call.Outbound && ev.Stats.Signalled != "10.0.9.2:43000" {
				t.Errorf("media at %s", ev.Stats.Signalled)
			}
		}
	})
}

// TestTooManyForks (S13): further ones are ignored until one of them answers.
func TestTooManyForks(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, _, invite := ringing(e)
		for i := range 12 {
			callee.send(reply(invite, 180, "tag"+string(rune('a'+i)), callee.contact(), ""))
		}
		callee.send(callee.text(fromCallee(invite, "taga", "OPTIONS", 1)))
		callee.expect(200)
		callee.send(callee.text(fromCallee(invite, "tagl", "OPTIONS", 1)))
		callee.expect(481)
		callee.accept(invite, "tagl")
		if ack := callee.one(); ack.ToTag() != "tagl" {
			t.Errorf("got %q", ack.raw)
		}
		caller.lastOf(200)
	})
}

// TestForkGivesUp: one of several phones that says BYE ends its own early dialog.
func TestForkGivesUp(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, _, invite := ringing(e)
		callee.send(reply(invite, 180, "one", callee.contact(), ""))
		callee.send(reply(invite, 180, "two", callee.contact(), ""))
		callee.send(callee.text(fromCallee(invite, "two", "BYE", 1)))
		callee.expect(200)
		callee.accept(invite, "one")
		callee.one()
		caller.lastOf(200)
	})
}

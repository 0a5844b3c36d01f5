package sip_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// ladder is what the edge remembers of a leg, one short text for each message.
func (e *edge) ladder(id call.LegID) []string {
	var list []string
	for _, m := range e.srv.Messages(id) {
		way := "<"
		if m.Sent {
			way = ">"
		}
		line, _, _ := strings.Cut(m.Line, " sip:")
		if m.Repeats > 0 {
			line += fmt.Sprintf(" +%d", m.Repeats)
		}
		if m.Body != "" {
			line += " [" + m.Body + "]"
		}
		list = append(list, way+" "+line+" ("+m.Of+")")
	}
	return list
}

// legs are the ids of the caller's and the called leg.
func (e *edge) legs() (in, out call.LegID) {
	for _, info := range e.registry.CallsOf(1) {
		for _, l := range info.Legs {
			if l.Direction == call.Inbound {
				in = l.ID
			} else {
				out = l.ID
			}
		}
	}
	return in, out
}

// TestMessages: each leg remembers its messages, repetitions once, until a
// moment after it is gone.
func TestMessages(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := ringing(e)
		wait(ms(600)) // our INVITE goes out again
		callee.send(reply(invite, 180, "far", nil, ""))
		callee.accept(invite, "far")
		callee.accept(invite, "far")
		wait(ms(10))
		in, out := e.legs()
		ok := caller.lastOf(200)
		caller.send(caller.text(inDialog(r, ok, "ACK")))
		wait(time.Second)
		caller.send(caller.text(inDialog(r, ok, "BYE")))
		wait(ms(10))
		bye := slices.IndexFunc(callee.heard(), func(m got) bool { return m.Method() == "BYE" })
		if bye < 0 {
			t.Fatal("no BYE")
		}
		for leg, want := range map[call.LegID][]string{
			in: {
				"< INVITE [application/sdp] (2 INVITE)", "> 100 Trying (2 INVITE)", "> 180 Ringing (2 INVITE)",
				"> 200 OK [application/sdp] (2 INVITE)", "< ACK (2 ACK)", "< BYE (3 BYE)", "> 200 OK (3 BYE)",
			},
			out: {
				"> INVITE +1 [application/sdp] (1 INVITE)", "< 180 Whatever (1 INVITE)",
				"< 200 Whatever +1 [application/sdp] (1 INVITE)", "> ACK +1 (1 ACK)", "> BYE (2 BYE)",
			},
		} {
			if got := e.ladder(leg); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		for _, ev := range e.happened(call.EventLegEnded) {
			if ev.Leg == in && ev.Stats.Signalled != caller.addr.Addr().String()+":40000" {
				t.Errorf("media was signalled at %q", ev.Stats.Signalled)
			}
		}
		wait(1900 * time.Millisecond)
		if len(e.ladder(in)) == 0 {
			t.Error("the log is gone too early")
		}
		wait(200 * time.Millisecond)
		if got := e.ladder(in); got != nil {
			t.Errorf("got %v two seconds after the end", got)
		}
	})
}

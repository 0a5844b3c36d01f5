package sip_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// lines are all lines of a header.
func (g got) lines(name string) []string { return slices.Collect(g.Lines(name)) }

// TestDiverted (RFC 5806, 7044): 102 and then 103 send the call on; the target
// learns who did and why, the caller that it goes elsewhere.
func TestDiverted(t *testing.T) {
	inEdge(t, func(e *edge) {
		spare := e.rawUDP("10.0.9.3:5061") // rings beside the phone that sends the call on
		spare.register("103")
		third, fourth := e.rawUDP("10.0.9.3:5060"), e.rawUDP("10.0.9.4:5060")
		third.register("103")
		fourth.register("104")
		caller, callee, _, invite := ringing(e)
		callee.send(reply(invite, 180, "far", nil, ""))
		caller.heard()
		callee.send(reply(invite, 302, "far", []string{"Contact: <sip:103@" + domain + ">"}, ""))
		if ack := callee.one(); ack.Method() != "ACK" {
			t.Errorf("callee got %q", ack.raw)
		}
		if got := statuses(caller.heard()); !slices.Equal(got, []int{181}) {
			t.Errorf("caller got %v", got)
		}
		second := third.one()
		if got, want := second.lines("Diversion"), []string{
			`"Phone 102" <sip:102@acme.example>;reason=deflection;privacy=off;counter=1`,
		}; !slices.Equal(got, want) {
			t.Errorf("Diversion %q", got)
		}
		if from := second.header("P-Asserted-Identity"); from != `"Phone 101" <sip:101@acme.example>` {
			t.Errorf("called by %q", from)
		}
		third.send(reply(second, 302, "far", []string{
			"Contact: <sip:104@10.0.0.1>", "Diversion: <sip:103@acme.example>;reason=no-answer",
		}, ""))
		stopped := spare.heard()
		if len(stopped) != 1 || stopped[0].Method() != "INVITE" { // it never said a word, so no CANCEL yet
			t.Errorf("the other phone got %v", starts(stopped))
		}
		spare.send(reply(stopped[0], 180, "far", nil, ""))
		if cancel := spare.one(); cancel.Method() != "CANCEL" || cancel.header("Reason") != "Q.850;cause=23" {
			t.Errorf("the other phone got %q", cancel.raw)
		}
		last := fourth.one()
		if got, want := last.lines("Diversion"), []string{
			`"Phone 103" <sip:103@acme.example>;reason=no-answer;privacy=off;counter=1`,
			`"Phone 102" <sip:102@acme.example>;reason=deflection;privacy=off;counter=1`,
		}; !slices.Equal(got, want) {
			t.Errorf("Diversion %q", got)
		}
		history := last.History()
		if len(history) != 3 || history[0].URI.User != "102" || history[1].URI.User != "103" || history[2].URI.User != "104" {
			t.Fatalf("History-Info %q", last.lines("History-Info"))
		}
		if h := history[1]; h.Index != "1.1" || h.From != "1" || !h.Mapped || h.Cause != 480 || len(h.Reasons) != 1 || h.Reasons[0].Cause != 408 {
			t.Errorf("History-Info %q", last.lines("History-Info"))
		}
		if h := history[2]; h.Index != "1.1.1" || h.Cause != 408 || len(h.Reasons) != 0 {
			t.Errorf("History-Info %q", last.lines("History-Info"))
		}
		fourth.accept(last, "far")
		fourth.one()
		if ok := caller.lastOf(200); ok.header("P-Asserted-Identity") != `"Phone 104" <sip:104@acme.example>` {
			t.Errorf("answered by %q", ok.header("P-Asserted-Identity"))
		}
		if n := e.redirections(); n != 2 {
			t.Errorf("%d redirections in the trace", n)
		}
	})
}

// redirections counts those in the traces so far.
func (e *edge) redirections() (n int) {
	for _, ev := range e.happened(call.EventDecided) {
		if ev.Trace.Outcome != nil && ev.Trace.Outcome.Kind == call.OutcomeRedirected {
			n++
		}
	}
	return n
}

// TestDivertedNowhere: what names nobody here refuses the call.
func TestDivertedNowhere(t *testing.T) {
	for contact, code := range map[string]int{
		"":                                       603, // no Contact at all
		"Contact: <sip:103@elsewhere.example>":   404, // not our 103
		"Contact: <sip:*4@elsewhere.example>":    404,
		"Contact: <tel:+49-30-123;isub=1>":       404,
		"Contact: <sip:+4930123@" + domain + ">": 404,
		"Contact: <mailto:103@" + domain + ">":   603,
		"Contact: <tel:;x=1>":                    603,
		"Contact: <sip:10%003@" + domain + ">":   603,
		"Contact: <sip:199@" + domain + ">":      404,
		"Contact: <sip:101@" + domain + ">":      486, // who calls
		"Contact: <sip:102@10.0.9.2:5060>":       486, // itself
		"Contact: <sip:0002*103@" + domain + ">": 404,
	} {
		t.Run(contact, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				caller, callee, r, invite := ringing(e)
				head := []string{contact}
				if contact == "" {
					head = nil
				}
				callee.send(reply(invite, 301, "far", head, ""))
				callee.one()
				caller.send(caller.ackOf(r, caller.lastOf(code)))
				e.free()
			})
		})
	}
}

// TestDivertedByTel: a tel URI names a number of the plan. Where the second Contact is
// ours the first, which is elsewhere, is passed over; and no forward waits for another
// phone of the extension that is dead.
func TestDivertedByTel(t *testing.T) {
	for _, contact := range []string{
		"<tel:103>", "<tel:1-0-3;phone-context=acme.example>", "<sip:104@elsewhere.example>, <tel:103>", "<sips:103@acme.example>",
	} {
		t.Run(contact, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				e.rawUDP("10.0.9.4:5060").register("102") // never says a word
				third := e.rawUDP("10.0.9.3:5060")
				third.register("103")
				_, callee, _, invite := ringing(e)
				began := time.Now()
				callee.send(reply(invite, 302, "far", []string{"Contact: " + contact}, ""))
				callee.one()
				if got := third.one(); got.Method() != "INVITE" || time.Since(began) > time.Second {
					t.Errorf("after %v: %q", time.Since(began), got.raw)
				}
			})
		})
	}
}

// TestDivertedElsewhere: the trace says where a phone sent the call that leads nowhere,
// and the caller hears it at once, also where another phone is dead.
func TestDivertedElsewhere(t *testing.T) {
	inEdge(t, func(e *edge) {
		e.rawUDP("10.0.9.4:5060").register("102") // never says a word
		caller, callee, r, invite := ringing(e)
		began := time.Now()
		callee.send(reply(invite, 302, "far", []string{"Contact: <sip:+4930123@elsewhere.example>"}, ""))
		callee.one()
		caller.send(caller.ackOf(r, caller.lastOf(404)))
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("after %v", waited)
		}
		events := e.happened(call.EventDecided)
		if !slices.ContainsFunc(events, func(ev call.Event) bool {
			return ev.Trace.Name == "ringing" && ev.Trace.Because[0].Got == "redirected to +4930123@elsewhere.example"
		}) {
			t.Errorf("%+v", events)
		}
	})
}

// TestDivertedForEver (S13).
func TestDivertedForEver(t *testing.T) {
	inEdge(t, func(e *edge) {
		third := e.rawUDP("10.0.9.3:5060")
		third.register("103")
		caller, callee, r, invite := ringing(e)
		at, next := callee, third
		for n := range 6 {
			to := "103"
			if n%2 == 1 {
				to = "102"
			}
			at.send(reply(invite, 302, "far", []string{"Contact: <sip:" + to + "@" + domain + ">"}, ""))
			if n == 5 {
				break
			}
			invite = next.lastRequest("INVITE")
			at, next = next, at
		}
		caller.send(caller.ackOf(r, caller.lastOf(482)))
		e.free()
	})
}

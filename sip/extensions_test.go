package sip_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/siptest"
)

// sent counts the requests a phone sent, and those it received, by method.
func sent(p *siptest.Phone, method string) (out, in int) {
	for _, r := range p.Messages() {
		switch {
		case r.Message == nil || r.Message.Method != method || r.Repeated:
		case r.Sent:
			out++
		default:
			in++
		}
	}
	return out, in
}

// TestExtensionsOverBadNetwork: a call between phones that use all of it, over a
// network that loses, repeats and reorders, stays up for an hour and ends at once.
func TestExtensionsOverBadNetwork(t *testing.T) {
	inEdge(t, func(e *edge) {
		alice := e.phone("101", siptest.Reliable, siptest.SessionTimer(200*time.Second))
		bob := e.phone("102", siptest.SessionTimer(600*time.Second))
		e.net.Impair(siptest.Impairment{Loss: 0.1, Duplicate: 0.05, Delay: ms(20), Jitter: ms(30)})
		out, err := alice.Call(e.ctx, "102")
		e.must(err)
		in, err := bob.Incoming(e.ctx)
		e.must(err)
		for range 5 { // nobody repeats what the callee sends before its answer
			e.must(in.Progress())
			wait(time.Second)
		}
		e.must(out.WaitProgress(e.ctx))
		e.must(in.Answer())
		e.must(out.WaitAnswered(e.ctx))
		e.must(in.WaitAnswered(e.ctx))
		for i := range 15 {
			wait(4 * time.Minute) // not at the same moment as a refresh of the same phone
			if i%2 == 0 {
				e.must(in.Hold(e.ctx))
				e.must(in.Resume(e.ctx))
			}
		}
		if n := e.registry.Len(); n != 1 {
			t.Fatalf("%d calls after an hour:\n%s", n, alice.Transcript())
		}
		if out, _ := sent(alice, "PRACK"); out == 0 {
			t.Error("no PRACK")
		}
		if out, _ := sent(alice, "UPDATE"); out < 25 {
			t.Errorf("refreshed %d times", out)
		}
		e.net.Impair(siptest.Impairment{})
		e.must(out.Hangup(e.ctx))
		_, err = in.WaitEnded(e.ctx)
		e.must(err)
		wait(33 * time.Second)
		e.free()
	})
}

// TestPhoneDiesHolding (L4): nothing is expected of its media, so only the session
// timer can find out.
func TestPhoneDiesHolding(t *testing.T) {
	for name, options := range map[string][]siptest.Option{
		"with a session timer": {siptest.SessionTimer(200 * time.Second)},
		"without":              nil,
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				alice, bob := e.phone("101", options...), e.phone("102")
				out, in := e.talk(alice, bob)
				e.must(out.Hold(e.ctx))
				e.must(in.WaitHeld(e.ctx, false))
				e.must(alice.Close())
				end, err := in.WaitEnded(e.ctx)
				e.must(err)
				if !end.Remote || end.Reason != "Q.850;cause=102" {
					t.Errorf("ended %+v", end)
				}
				ended := e.happened(call.EventEnded)
				if !slices.ContainsFunc(ended, func(ev call.Event) bool { return ev.Cause == call.CauseMediaTimeout }) {
					t.Errorf("ended %+v", ended)
				}
			})
		})
	}
}

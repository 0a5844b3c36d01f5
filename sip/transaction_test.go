package sip_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// The instants at which a message is repeated that nothing answers, in ms.
var (
	// doubling to T2: timers E and G, and the 2xx of RFC 3261 13.3.1.4.
	toT2 = []int{0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500}
	// doubling without a ceiling: timer A.
	timerA = []int{0, 500, 1500, 3500, 7500, 15500, 31500}
)

// instants are the times of the messages that begin with start, in ms since
// begin.
func instants(list []got, start string, begin time.Time) []int {
	var at []int
	for _, g := range list {
		if strings.HasPrefix(g.raw, start) {
			at = append(at, int(g.at.Sub(begin)/time.Millisecond))
		}
	}
	return at
}

// wait lets virtual time pass.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// uas makes both kinds of user agent.
var transports = map[string]func(e *edge, addr string) *rawUA{"udp": (*edge).rawUDP, "tcp": (*edge).rawTCP}

// TestRefusedInviteIsRepeated: timers G, H and I (17.2.1).
func TestRefusedInviteIsRepeated(t *testing.T) {
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				u := open(e, "10.0.9.1:5060")
				begin := time.Now()
				u.call("199")
				wait(time.Minute)
				want := toT2
				if name == "tcp" {
					want = []int{0}
				}
				if at := instants(u.heard(), "SIP/2.0 404", begin); !slices.Equal(at, want) {
					t.Errorf("404 at %v ms, want %v", at, want)
				}

				begin = time.Now()
				r := u.call("199")
				refused := u.lastOf(404)
				wait(ms(600))
				u.send(u.ackOf(r, refused))
				wait(time.Second)
				counted := e.met.Value("cordpair_sip_retransmissions_total")
				u.send(u.text(r)) // the ACK was seen: nothing is said any more (timer I)
				wait(time.Minute)
				want = []int{500}
				if name == "tcp" {
					want = nil
				}
				if at := instants(u.heard(), "SIP/2.0", begin); !slices.Equal(at, want) {
					t.Errorf("after the ACK: answers at %v ms, want %v", at, want)
				}
				if n := e.met.Value("cordpair_sip_retransmissions_total"); n != counted {
					t.Errorf("after the ACK a timer ran on: %v repetitions, were %v", n, counted)
				}
				e.free()
			})
		})
	}
}

// TestLostACK: a 2xx is repeated until the ACK, over any transport; without one
// the call ends after 64*T1 with a BYE.
func TestLostACK(t *testing.T) {
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				u := open(e, "10.0.9.1:5060")
				begin := time.Now()
				r := u.call("*43")
				wait(ms(31999))
				if n := e.registry.Len(); n != 1 {
					t.Fatalf("%d calls just before 64*T1", n)
				}
				u.send(u.text(r)) // absorbed (RFC 6026, state Accepted)
				wait(ms(11))
				list := u.heard()
				if at := instants(list, "SIP/2.0 200", begin); !slices.Equal(at, toT2) {
					t.Errorf("200 at %v ms, want %v", at, toT2)
				}
				bye := list[len(list)-1]
				if bye.Method() != "BYE" {
					t.Fatalf("no BYE: %v", starts(list))
				}
				u.send(reply(bye, 200, "", nil, ""))
				ended := e.happened(call.EventEnded)
				if len(ended) != 1 || ended[0].Cause != call.CauseProtocol {
					t.Errorf("ended %+v", ended)
				}
				e.free()
			})
		})
	}
}

// TestACKStopsTheAnswer, also a late one; a second ACK is harmless.
func TestACKStopsTheAnswer(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		begin := time.Now()
		r := u.call("*43")
		ok := u.lastOf(200)
		wait(ms(4000))
		u.send(u.text(inDialog(r, ok, "ACK")))
		u.send(u.text(inDialog(r, ok, "ACK")))
		wait(time.Minute)
		if at := instants(u.heard(), "SIP", begin); !slices.Equal(at, []int{500, 1500, 3500}) {
			t.Errorf("200 repeated at %v ms", at)
		}
		u.send(u.text(inDialog(r, ok, "BYE")))
		u.expect(200)
		e.free()
	})
}

// TestUnansweredInvite: timers A and B (17.1.1.2).
func TestUnansweredInvite(t *testing.T) {
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				callee := open(e, "10.0.9.2:5060")
				callee.register("102")
				caller := e.rawUDP("10.0.9.1:5060")
				begin := time.Now()
				caller.call("102")
				wait(ms(31999))
				want := timerA
				if name == "tcp" {
					want = []int{0}
				}
				if at := instants(callee.heard(), "INVITE", begin); !slices.Equal(at, want) {
					t.Errorf("INVITE at %v ms, want %v", at, want)
				}
				caller.expect(100)
				wait(ms(1))
				caller.expect(480)
			})
		})
	}
}

// TestUnansweredBYE: timers E and F; a provisional response slows it to T2
// (17.1.2.2). The leg goes with the transaction.
func TestUnansweredBYE(t *testing.T) {
	for name, tc := range map[string]struct {
		trying bool
		want   []int
	}{
		"silence": {false, toT2},
		"trying":  {true, []int{0, 500, 1500, 5500, 9500, 13500, 17500, 21500, 25500, 29500}},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				u := e.rawUDP("10.0.9.1:5060")
				u.talk()
				begin := time.Now()
				e.registry.EndAll(call.CauseShutdown)
				bye := u.one()
				if tc.trying {
					wait(ms(600))
					u.send(reply(bye, 100, "", nil, ""))
				}
				wait(ms(31999) - time.Since(begin))
				u.mu.Lock()
				list := slices.Clone(u.got)
				u.mu.Unlock()
				if at := instants(list, "BYE", begin); !slices.Equal(at, tc.want) {
					t.Errorf("BYE at %v ms, want %v", at, tc.want)
				}
				if n := e.srv.Legs(); n != 1 {
					t.Errorf("%d legs while the BYE is repeated", n)
				}
				wait(ms(20))
				e.free()
			})
		})
	}
}

// TestRepeatedRegister: timer J: the same answer for 32 s and one effect (S9).
func TestRepeatedRegister(t *testing.T) {
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				u := open(e, "10.0.9.1:5060")
				r := u.signed(request{method: "REGISTER", to: "<sip:101@" + domain + ">"})
				u.send(u.text(r))
				first := u.expect(200)
				wait(31 * time.Second)
				u.send(u.text(r))
				if again := u.expect(200); again.raw != first.raw {
					t.Errorf("repeated REGISTER got\n%s\nnot\n%s", again.raw, first.raw)
				}
				wait(2 * time.Second) // forgotten: its credentials are a replay now
				u.send(u.text(r))
				u.expect(401)
				if n := e.srv.Bindings().Len(); n != 1 {
					t.Errorf("%d bindings", n)
				}
			})
		})
	}
}

// TestRepeatedAnswersAreTheSame (S9): whatever is answered after the
// credentials were used up is answered the same way when it comes again.
func TestRepeatedAnswersAreTheSame(t *testing.T) {
	for name, tc := range map[string]struct {
		r    request
		code int
	}{
		"no such number":     {request{method: "INVITE", uri: "sip:199@" + domain}, 404},
		"no number at all":   {request{method: "INVITE", uri: "sip:a|b@" + domain}, 484},
		"another's From":     {request{method: "INVITE", uri: "sip:102@" + domain, from: "<sip:103@" + domain + ">"}, 403},
		"not served":         {request{method: "NOTIFY", uri: "sip:102@" + domain}, 405},
		"answered":           {request{method: "INVITE", uri: "sip:*43@" + domain}, 200},
		"interval too brief": {request{method: "REGISTER", to: "<sip:101@" + domain + ">", head: []string{"Expires: 5"}}, 423},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				u := e.rawUDP("10.0.9.1:5060")
				r := u.signed(tc.r)
				u.send(u.text(r))
				first := u.lastOf(tc.code)
				u.send(u.text(r))
				list := u.heard()
				if tc.code == 200 { // the leg repeats it in its own time
					if len(list) != 0 {
						t.Errorf("repetition got %v", starts(list))
					}
				} else if len(list) != 1 || list[0].raw != first.raw {
					t.Errorf("repetition got %v, want %d again", starts(list), tc.code)
				}
				if started := len(e.happened(call.EventStarted)); started > 1 {
					t.Errorf("%d calls began", started)
				}
			})
		})
	}
}

// TestMergedRequest: one request by two paths is handled once (8.2.2.2), but an
// INVITE that comes again with credentials under the same CSeq is no such thing.
func TestMergedRequest(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r := u.signed(request{method: "INVITE", uri: "sip:*43@" + domain, body: u.sdp()})
		r.cseq-- // as some phones do
		u.send(u.text(r))
		ok := u.lastOf(200)
		u.send(u.text(inDialog(r, ok, "ACK")))
		other := e.rawUDP("10.0.9.1:5070")
		twin := other.signed(request{method: "INVITE", uri: r.uri, callID: r.callID, fromTag: r.fromTag, cseq: r.cseq, body: u.sdp()})
		twin.cseq--
		other.send(other.text(twin))
		other.expect(482)
		if n := len(e.happened(call.EventStarted)); n != 1 {
			t.Errorf("%d calls began", n)
		}
	})
}

// TestKeepRinging: 180 is repeated every minute so that nobody on the way gives
// up (13.3.1.1).
func TestKeepRinging(t *testing.T) {
	inEdge(t, func(e *edge) {
		callee := e.rawUDP("10.0.9.2:5060")
		callee.register("104") // rings for 300 s
		caller := e.rawUDP("10.0.9.1:5060")
		begin := time.Now()
		caller.call("104")
		invite := callee.one()
		callee.send(reply(invite, 180, "far", nil, ""))
		wait(200 * time.Second)
		if at := instants(caller.heard(), "SIP/2.0 180", begin); !slices.Equal(at, []int{0, 60000, 120000, 180000}) {
			t.Errorf("180 at %v ms", at)
		}
		callee.accept(invite, "far")
		caller.lastOf(200)
		wait(time.Second)
	})
}

// TestACKOfRefusal (17.1.1.3): it is the INVITE's but for the To of the refusal, and
// answers each repetition of it.
func TestACKOfRefusal(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, _, invite := ringing(e)
		for range 3 {
			callee.send(reply(invite, 486, "far", nil, ""))
			ack := callee.one()
			if ack.Method() != "ACK" || ack.ToTag() != "far" || ack.Branch() != invite.Branch() || ack.CallID() != invite.CallID() ||
				ack.FromTag() != invite.FromTag() || seqOf(ack) != seqOf(invite) || ack.RequestURI() != invite.RequestURI() {
				t.Errorf("got %q, of %q", ack.raw, invite.raw)
			}
		}
		caller.lastOf(486)
	})
}

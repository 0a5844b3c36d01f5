package sip_test

import (
	"iter"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordpair/cordpair/sip"
	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/sip/metricstest"
	"github.com/cordpair/cordpair/sip/siptest"
)

// slowStore keeps records in memory and answers a commit after a delay.
type slowStore struct {
	delay time.Duration
	mu    sync.Mutex
	kept  map[int64]location.Record
	wg    sync.WaitGroup
}

func (s *slowStore) Records() iter.Seq2[location.Record, error] {
	return func(yield func(location.Record, error) bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, r := range s.kept {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (s *slowStore) Commit(r location.Record, done func(error)) {
	r.Bindings, r.Ended = slices.Clone(r.Bindings), slices.Clone(r.Ended)
	s.wg.Go(func() { // ends after the delay
		time.Sleep(s.delay)
		s.mu.Lock()
		if s.kept == nil {
			s.kept = map[int64]location.Record{}
		}
		s.kept[r.Extension] = r
		s.mu.Unlock()
		if done != nil {
			done(nil)
		}
	})
}

// registering is a REGISTER of 101 with these contacts.
func registering(callID string, cseq int, contacts ...string) request {
	r := request{method: "REGISTER", to: "<sip:101@" + domain + ">", noContact: true, callID: callID, cseq: cseq}
	for _, c := range contacts {
		r.head = append(r.head, "Contact: "+c)
	}
	return r
}

// contactsIn are the contacts of a 200, without what varies.
func contactsIn(g got) []string {
	var list []string
	for _, c := range g.Contacts() {
		list = append(list, c.URI.Text)
	}
	slices.Sort(list)
	return list
}

func TestRegistrar(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		// cseq counts what signed sends: each REGISTER has two.
		step := func(what string, code int, r request, want ...string) got {
			t.Helper()
			u.send(u.text(u.signed(r)))
			g := u.one()
			if g.Status() != code {
				t.Fatalf("%s: %d %s, want %d", what, g.Status(), g.Reason(), code)
			}
			if code == 200 && !slices.Equal(contactsIn(g), want) {
				t.Fatalf("%s: contacts %q, want %q", what, contactsIn(g), want)
			}
			return g
		}
		const a, b, c = "sip:101@10.0.9.1", "sip:101@10.0.9.2", "sip:101@10.0.9.3:5070"
		step("fetch of nothing", 200, registering("f", 1))
		step("two at once", 200, registering("one", 5, "<"+a+">;q=0.5", "<"+b+">;expires=120"), a, b)
		step("another", 200, registering("two", 1, "<"+c+">"), a, b, c)
		g := step("fetch", 200, registering("f", 3), a, b, c)
		if !strings.Contains(g.raw, "<"+b+">;expires=120\r\n") || !strings.Contains(g.raw, "<"+a+">;expires=3600;q=0.5") {
			t.Errorf("fetched\n%s", g.raw)
		}
		if date, ok := g.Header("Date"); !ok || date != time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT") {
			t.Errorf("Date is %q", date)
		}
		step("old CSeq", 500, registering("one", 1, "<"+a+">"))
		if min, _ := step("too brief", 423, registering("one", 11, "<"+a+">;expires=10")).Header("Min-Expires"); min != "30" {
			t.Errorf("Min-Expires is %q", min)
		}
		step("one leaves", 200, registering("one", 31, "<"+b+">;expires=0"), a, c)
		r := registering("two", 41, "*")
		r.head = append(r.head, "Expires: 0")
		step("all leave", 200, r)
		step("too many", 403, registering("two", 51, "<sip:1@x1>", "<sip:1@x2>", "<sip:1@x3>", "<sip:1@x4>", "<sip:1@x5>",
			"<sip:1@x6>", "<sip:1@x7>", "<sip:1@x8>", "<sip:1@x9>", "<sip:1@x10>"), "")
	}, func(c *sip.Config) { c.Location.MaxContacts = 9 })
}

// TestDurableBeforeAnswered (D1): the 200 to a new contact waits for the store,
// a mere refresh does not.
func TestDurableBeforeAnswered(t *testing.T) {
	store := &slowStore{delay: ms(700)}
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r := u.signed(registering("one", 1, "<sip:101@10.0.9.1>"))
		u.send(u.text(r))
		u.expect()
		wait(ms(600))
		u.send(u.text(r)) // repeated while it waits
		u.expect()
		wait(ms(100))
		u.expect(200)
		u.send(u.text(u.signed(registering("one", 11, "<sip:101@10.0.9.1>"))))
		u.expect(200)
		store.wg.Wait()
	}, func(c *sip.Config) { c.Location.Store = store })
}

// TestLateAnswer: who asked for something else than a call is not answered any more
// once it has given up (RFC 4320 4.2), and a repetition still has no second effect.
func TestLateAnswer(t *testing.T) {
	store := &slowStore{delay: 33 * time.Second}
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r := u.signed(registering("one", 1, "<sip:101@10.0.9.1>"))
		u.send(u.text(r))
		wait(34 * time.Second)
		u.expect()
		u.send(u.text(r))
		u.expect(200)
		if n := e.met.Value("cordpair_sip_registrations_total"); n != 1 {
			t.Errorf("registered %v times", n)
		}
		store.wg.Wait()
	}, func(c *sip.Config) { c.Location.Store = store })
}

// TestRestartFindsPhones (L2): a phone registered over UDP is reached by the
// first call after a restart.
func TestRestartFindsPhones(t *testing.T) {
	store := &slowStore{}
	inEdge(t, func(e *edge) {
		callee, caller := e.phone("102"), e.phone("101")
		e.must(e.srv.Close()) // as kill -9 would: without a word
		e.registry.Close()
		second := &edge{t: t, ctx: e.ctx, net: e.net, dir: e.dir, log: e.log, met: metricstest.New()}
		stop := second.start(func(c *sip.Config) { c.Location.Store = store })
		defer stop()
		out, in := second.talk(caller, callee)
		e.must(out.Hangup(e.ctx))
		_, err := in.WaitEnded(e.ctx)
		e.must(err)
		second.free()
	}, func(c *sip.Config) { c.Location.Store = store })
}

// TestSuspendedPhone (L2, L5): a call to a phone whose connection is lost waits
// up to 5 s for a new one.
func TestSuspendedPhone(t *testing.T) {
	for name, tc := range map[string]struct {
		back    time.Duration
		contact string
		reached bool
	}{
		"comes back":            {3 * time.Second, "<sip:102@10.0.9.2:5060;transport=tcp>", true},
		"comes back as another": {3 * time.Second, "<sip:102@10.0.9.2:6060;transport=tcp>", true},
		"comes too late":        {5100 * time.Millisecond, "<sip:102@10.0.9.2:5060;transport=tcp>", false},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				register := func(u *rawUA, contact string) {
					r := u.signed(request{method: "REGISTER", user: "102", noContact: true, head: []string{"Contact: " + contact},
						to: "<sip:102@" + domain + ">"})
					u.send(u.text(r))
				}
				phone := e.rawTCP("10.0.9.2:5060")
				register(phone, "<sip:102@10.0.9.2:5060;transport=tcp>")
				e.must(phone.tcp.Close())
				wait(time.Second)
				caller := e.rawUDP("10.0.9.1:5060")
				r := caller.call("102")
				caller.expect(100)
				wait(tc.back)
				again := e.rawTCP("10.0.9.2:6060")
				register(again, tc.contact)
				if !tc.reached {
					again.expect(200)
					caller.expect(480)
					return
				}
				list := again.heard()
				// The two are of different dialogs, so either may come first.
				if len(list) == 2 && list[0].Method() == "INVITE" {
					list[0], list[1] = list[1], list[0]
				}
				if len(list) != 2 || list[0].Status() != 200 || list[1].Method() != "INVITE" {
					t.Fatalf("got %v", starts(list))
				}
				invite := list[1]
				again.send(reply(invite, 200, "far", again.contact(), again.sdp()))
				caller.send(caller.text(inDialog(r, caller.lastOf(200), "ACK")))
			})
		})
	}
}

// TestGivenUpWhileWaiting: nothing of a call is kept for a phone that does not
// come back.
func TestGivenUpWhileWaiting(t *testing.T) {
	inEdge(t, func(e *edge) {
		callee := e.phone("102", siptest.TCP)
		callee.Disconnect()
		wait(time.Second)
		caller := e.phone("101")
		out, err := caller.Call(e.ctx, "102")
		e.must(err)
		wait(time.Second)
		e.must(out.Cancel(e.ctx))
		e.free()
		out, err = caller.Call(e.ctx, "102")
		e.must(err)
		end, err := out.WaitEnded(e.ctx)
		e.must(err)
		if end.Code != 480 {
			t.Errorf("ended %v", end)
		}
		e.free()
		if n := e.srv.Waiting(); n != 0 {
			t.Errorf("%d legs still wait", n)
		}
	})
}

// TestRequestsUseTheFlow (S14): whatever the Contact says, the INVITE goes where
// the REGISTER came from.
func TestRequestsUseTheFlow(t *testing.T) {
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				victim := e.rawUDP("10.0.9.7:5060")
				u := open(e, "10.0.9.2:5060")
				r := u.signed(request{method: "REGISTER", user: "102", noContact: true, to: "<sip:102@" + domain + ">",
					head: []string{"Contact: <sip:102@10.0.9.7:5060>"}})
				u.send(u.text(r))
				u.expect(200)
				e.rawUDP("10.0.9.1:5060").call("102")
				if invite := u.one(); !strings.HasPrefix(invite.raw, "INVITE sip:102@10.0.9.7:5060 ") {
					t.Errorf("got %q", invite.raw)
				}
				victim.expect()
			})
		})
	}
}

// TestRoutesAreAskedOnce for a listener bound to the unspecified address.
func TestRoutesAreAskedOnce(t *testing.T) {
	asked := 0
	r := sip.NewRoutes(func(remote netip.Addr) netip.Addr { asked++; return remote.Next() })
	one := netip.MustParseAddr("192.0.2.1")
	for range 100 {
		if got := r.To(one); got != one.Next() {
			t.Fatalf("route is %v", got)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	for a, i := one, 0; i < 10000; a, i = a.Next(), i+1 {
		r.To(a)
	}
	if n := r.Len(); n > 4096 {
		t.Errorf("%d kept", n)
	}
}

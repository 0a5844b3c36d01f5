package sip_test

import (
	"net/netip"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordpair/cordpair/sip"
)

// slow is a directory that takes the worker's time for each message it is asked
// about, as a machine with too much to do would.
type slow struct {
	sip.Directory
	takes atomic.Int64
}

func (d *slow) Account(user, domain string) (sip.Account, bool) {
	time.Sleep(time.Duration(d.takes.Load()))
	return d.Directory.Account(user, domain)
}

// inSlowEdge is inEdge with one worker whose every authentication takes as long
// as the test says.
func inSlowEdge(t *testing.T, f func(e *edge, takes func(time.Duration))) {
	t.Helper()
	s := &slow{}
	inEdge(t, func(e *edge) {
		f(e, func(d time.Duration) { s.takes.Store(int64(d)) })
	}, func(c *sip.Config) { s.Directory, c.Directory, c.Workers = c.Directory, s, 1 })
}

// load sends what next makes, every so often, for a time.
func (e *edge) load(every, during time.Duration, next func(i int)) {
	for i := range int(during / every) {
		next(i)
		time.Sleep(every)
	}
}

// fire sends without waiting for what comes of it.
func (u *rawUA) fire(text string) {
	if _, err := u.udp.WriteToUDPAddrPort([]byte(text), u.e.net.Switch); err != nil {
		u.e.t.Error(err)
	}
}

// shed is what was shed of a class.
func (e *edge) shed(class string) int { return int(e.met.Value("cordpair_sip_shed_total", class)) }

// invented are credentials that nobody asked for.
const invented = `Authorization: Digest username="101", realm="acme.example", nonce="x", uri="sip:acme.example", ` +
	`response="00000000000000000000000000000000"`

// TestSheddingOrder (O2): under load that only one class makes too much, that
// class is refused in part, every one below it whole, and none above it. Emergency
// calls are never refused; what waits of one source is bounded before it keeps
// anybody from calling.
func TestSheddingOrder(t *testing.T) {
	kinds := []struct {
		class string
		make  func() request
	}{
		{"probe", func() request { return request{method: "SUBSCRIBE"} }},
		{"invite", func() request { return request{method: "INVITE"} }},
		{"invite_again", func() request { return request{method: "INVITE", head: []string{"Proxy-" + invented}} }},
		{"register", func() request { return request{method: "REGISTER"} }},
		{"register_again", func() request { return request{method: "REGISTER", head: []string{invented}} }},
		{"kept", func() request { return request{method: "INVITE", uri: "sip:112@" + domain} }},
	}
	for much := range kinds {
		t.Run(kinds[much].class, func(t *testing.T) {
			inSlowEdge(t, func(e *edge, takes func(time.Duration)) {
				takes(200 * time.Microsecond)
				flood := e.rawUDP("10.0.9.3:5060")
				e.load(100*time.Microsecond, time.Second, func(int) { flood.fire(flood.text(kinds[much].make())) })
				before := make([]int, len(kinds))
				for i, k := range kinds {
					before[i] = e.shed(k.class)
				}
				const tries = 20
				e.load(100*time.Microsecond, tries*10*time.Millisecond, func(i int) {
					flood.fire(flood.text(kinds[much].make()))
					if i%100 == 0 {
						for j, k := range kinds {
							if j != much {
								flood.fire(flood.text(k.make()))
							}
						}
					}
				})
				for i, k := range kinds {
					n := e.shed(k.class) - before[i]
					last := len(kinds) - 1
					switch {
					case i == last && n != 0:
						t.Errorf("%d of %s were shed", n, k.class)
					case i == much && i < last && (n == 0 || n >= tries*100):
						t.Errorf("%d of %s were shed, which was too much", n, k.class)
					case i < much && n != tries && (much < last || i == 0):
						t.Errorf("%d of %s were shed, want all %d", n, k.class, tries)
					case i > much && n != 0:
						t.Errorf("%d of %s were shed", n, k.class)
					}
				}
				takes(0)
			})
		})
	}
}

// TestRefusedAtOnce (O1): a refusal comes within 50 ms of the request, tells when
// to try again, leaves nothing behind, and its ACK costs nothing. When the load is
// gone everybody is served again.
func TestRefusedAtOnce(t *testing.T) {
	inSlowEdge(t, func(e *edge, takes func(time.Duration)) {
		takes(ms(1) / 2)
		flood := e.rawUDP("10.0.9.3:5060")
		sent := map[string]time.Time{}
		e.load(ms(1)/4, 2*time.Second, func(i int) {
			r := request{method: "INVITE", callID: "flood" + strconv.Itoa(i)}
			sent[r.callID] = time.Now()
			flood.fire(flood.text(r))
		})
		time.Sleep(ms(500)) // all that waits has its turn
		refused, served := 0, 0
		tags := map[string]bool{}
		for _, g := range flood.heard() {
			if g.Status() == 407 {
				served++
				continue
			}
			refused++
			retriable(t, g)
			if late := g.at.Sub(sent[g.CallID()]); late > ms(50) {
				t.Fatalf("%v later: %q", late, g.raw)
			}
			tags[g.ToTag()] = true
			seen := e.met.Value("cordpair_sip_dropped_total") + e.met.Value("cordpair_sip_refused_total")
			flood.fire(flood.ackOf(request{method: "INVITE", callID: g.CallID()}, g))
			if e.met.Value("cordpair_sip_dropped_total")+e.met.Value("cordpair_sip_refused_total") != seen {
				t.Error("an ACK was refused")
			}
		}
		// The machine can do 2,000 a second.
		if served < 3900 || served > 4900 || refused < 3100 || len(tags) != refused || served+refused != len(sent) {
			t.Errorf("%d served, %d refused with %d tags, of %d", served, refused, len(tags), len(sent))
		}
		if transactions, _, legs, _ := e.srv.Kept(); transactions != 0 || legs != 0 {
			t.Errorf("%d transactions and %d legs are kept", transactions, legs)
		}
		before := e.shed("probe") + e.shed("invite")
		e.load(ms(10), time.Second, func(int) {
			flood.fire(flood.text(request{method: "INVITE"}))
			flood.fire(flood.text(request{method: "OPTIONS"}))
		})
		if e.shed("probe")+e.shed("invite") != before {
			t.Error("shed after the load was gone")
		}
		takes(0)
	})
}

// TestBurst: a burst is worked off, however long that takes; only a queue that
// stands is refused.
func TestBurst(t *testing.T) {
	inSlowEdge(t, func(e *edge, takes func(time.Duration)) {
		takes(ms(1))
		u := e.rawUDP("10.0.9.3:5060")
		for range 10 {
			for range 200 {
				u.fire(u.text(request{method: "REGISTER"}))
			}
			time.Sleep(time.Second)
		}
		if got := statuses(u.heard()); len(got) != 2000 || slices.ContainsFunc(got, func(s int) bool { return s != 401 }) {
			t.Errorf("%d answers", len(got))
		}
		takes(0)
	})
}

// TestStall: what has gathered while the machine was away is worked off beside the
// usual load, of which nothing is refused.
func TestStall(t *testing.T) {
	inSlowEdge(t, func(e *edge, takes func(time.Duration)) {
		takes(ms(1))
		u := e.rawUDP("10.0.9.3:5060")
		for range 3 {
			for range 60 { // of 75 ms
				u.fire(u.text(request{method: "INVITE"}))
			}
			e.load(ms(5)/4, time.Second, func(int) { u.fire(u.text(request{method: "INVITE"})) })
		}
		time.Sleep(ms(100))
		if got := statuses(u.heard()); len(got) != 3*(60+800) || slices.ContainsFunc(got, func(s int) bool { return s != 407 }) {
			t.Errorf("%d answers, %d shed", len(got), e.shed("invite"))
		}
		takes(0)
	})
}

// TestFloodBesideCalls (O3): a flood from one source, of what is refused and of
// what never is, costs the calls of others no attempt and no time to speak of.
func TestFloodBesideCalls(t *testing.T) {
	floods := map[string]func(u *rawUA) string{
		"INVITE":   func(u *rawUA) string { return u.text(request{method: "INVITE"}) },
		"REGISTER": func(u *rawUA) string { return u.text(request{method: "REGISTER"}) },
		"guess":    func(u *rawUA) string { return u.text(request{method: "REGISTER", head: []string{invented}}) },
		"OPTIONS":  func(u *rawUA) string { return u.text(request{method: "OPTIONS"}) },
		"BYE":      func(u *rawUA) string { return u.text(request{method: "BYE", toTag: fresh("tag")}) },
		"CANCEL":   func(u *rawUA) string { return u.text(request{method: "CANCEL"}) },
		"response": func(u *rawUA) string {
			return "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKinvented\r\nFrom: <sip:a@b>;tag=1\r\n" +
				"To: <sip:a@b>;tag=2\r\nCall-ID: " + fresh("stray") + "\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
		},
		"emergency": func(u *rawUA) string { return u.text(request{method: "INVITE", uri: "sip:112@" + domain}) },
		"garbage":   func(*rawUA) string { return "INVITE sip:x SIP/2.0\r\nCall-ID: " + fresh("g") + "\r\n\r\n" },
	}
	for name, next := range floods {
		t.Run(name, func(t *testing.T) {
			inSlowEdge(t, func(e *edge, takes func(time.Duration)) {
				p, q := e.phone("101"), e.phone("102")
				flood := e.rawUDP("10.0.9.66:5060")
				takes(ms(1))
				done := make(chan struct{})
				go func() { // ends below
					for {
						select {
						case <-done:
							return
						default:
						}
						for range 50 {
							flood.fire(next(flood))
						}
						time.Sleep(ms(10)) // 5 times what the worker can do
					}
				}()
				time.Sleep(time.Second)
				for range 20 {
					began := time.Now()
					out, err := p.Call(e.ctx, q.User())
					e.must(err)
					in, err := q.Incoming(e.ctx)
					e.must(err)
					// Two INVITEs of the caller, each behind a batch of the flood.
					if took := time.Since(began); took > ms(100) {
						t.Errorf("the call took %v", took)
					}
					e.must(in.Answer())
					e.must(out.WaitAnswered(e.ctx))
					e.must(p.Register(e.ctx))
					e.must(out.Hangup(e.ctx))
					time.Sleep(ms(50))
				}
				close(done)
				takes(0)
				time.Sleep(10 * time.Second)
				e.free()
			})
		})
	}
}

// TestManyBehindOneAddress: five hundred phones behind one NAT are not limited
// while there is time for all.
func TestManyBehindOneAddress(t *testing.T) {
	inSlowEdge(t, func(e *edge, takes func(time.Duration)) {
		takes(100 * time.Microsecond)
		nat := make([]*rawUA, 500)
		for i := range nat {
			nat[i] = e.rawUDP(netip.AddrPortFrom(netip.MustParseAddr("10.0.9.7"), uint16(10000+i)).String())
		}
		for _, u := range nat {
			u.fire(u.text(request{method: "REGISTER"}))
		}
		e.load(ms(2), time.Second, func(i int) { nat[i%len(nat)].fire(nat[i%len(nat)].text(request{method: "INVITE"})) })
		time.Sleep(time.Second)
		for i, u := range nat {
			got := statuses(u.heard())
			slices.Sort(got)
			if !slices.Equal(got, []int{401, 407}) {
				t.Fatalf("phone %d got %v", i, got)
			}
		}
		takes(0)
	})
}

// TestRepetitionIsNotRefused: who was let in and asks again is not turned away
// while the call is being set up.
func TestRepetitionIsNotRefused(t *testing.T) {
	inSlowEdge(t, func(e *edge, takes func(time.Duration)) {
		e.rawUDP("10.0.9.2:5060").register("102")
		u, flood := e.rawUDP("10.0.9.1:5060"), e.rawUDP("10.0.9.3:5060")
		r := u.signed(request{method: "INVITE", uri: "sip:102@" + domain, body: u.sdp()})
		u.send(u.text(r))
		u.expect(100)
		takes(ms(2))
		crowd := func(int) {
			for i := range 8 { // of everybody: a round takes more than anyone's patience
				flood.fire(flood.text(request{method: "REGISTER", head: []string{invented}, callID: fresh("c" + strconv.Itoa(i))}))
				u.fire(u.text(request{method: "REGISTER", head: []string{invented}}))
			}
		}
		e.load(ms(10), time.Second, crowd)
		other := r
		other.callID, other.branch = fresh("call"), fresh("z9hG4bK")
		u.heard()
		u.fire(u.text(other))
		u.fire(u.text(r))
		time.Sleep(time.Second)
		var again, refused int
		for _, g := range u.heard() {
			if g.Message != nil && g.CallID() == r.callID {
				again = g.Status()
			}
			if g.Message != nil && g.CallID() == other.callID {
				refused = g.Status()
			}
		}
		if again != 100 || refused != 503 {
			t.Errorf("the repetition got %d, a new INVITE %d", again, refused)
		}
		takes(0)
		r.method, r.body, r.head = "CANCEL", "", nil
		u.send(u.text(r))
		time.Sleep(40 * time.Second)
		e.free()
	})
}

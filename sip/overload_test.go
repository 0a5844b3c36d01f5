package sip_test

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip"
	"github.com/cordpair/cordpair/sip/siptest"
)

// blocking is a directory that stops a worker in the middle of a message, as a
// machine without any time left would.
type blocking struct {
	sip.Directory
	user    string
	release chan struct{}
}

func (d *blocking) Account(user, domain string) (sip.Account, bool) {
	if user == d.user {
		<-d.release
	}
	return d.Directory.Account(user, domain)
}

// TestFullLanes: what comes in faster than it is handled is bounded, in all and
// for one source, refused by its class, and never at the cost of the calls there
// are.
func TestFullLanes(t *testing.T) {
	gate := &blocking{user: "103"}
	inEdge(t, func(e *edge) {
		gate.Directory, gate.release = e.dir, make(chan struct{}) // a channel of the bubble
		u, flood, other := e.rawUDP("10.0.9.1:5060"), e.rawUDP("10.0.9.3:5060"), e.rawUDP("10.0.9.4:5060")
		r, ok := u.talk()
		flood.send(flood.text(request{method: "INVITE", user: "103"})) // the worker hangs

		// What is thought to take 200 µs each may wait for 80 and 150 ms; what is
		// never refused has half of its lane.
		const options, invites, cancels = 9000, 3000, 3000
		const optionsWait, invitesWait, cancelsWait = 80 * 5, (150 - 80) * 5, 4096 / 2
		e.pour(flood, options, "OPTIONS")
		e.pour(flood, invites, "INVITE")
		refused := flood.heard()
		if len(refused) != options-optionsWait+invites-invitesWait {
			t.Errorf("%d refused", len(refused))
		}
		for _, g := range refused {
			retriable(t, g)
		}
		e.pour(flood, cancels, "CANCEL")
		if n := e.met.Value("cordpair_sip_lane_full_total", "invite_again"); n != cancels-cancelsWait {
			t.Errorf("%v CANCELs were dropped", n)
		}
		e.pour(other, 1, "INVITE")
		for class, want := range map[string]float64{"invite": invites - invitesWait, "probe": options - optionsWait, "kept": 0} {
			if n := e.met.Value("cordpair_sip_shed_total", class); n != want {
				t.Errorf("%s: %v shed, want %v", class, n, want)
			}
		}
		if n := e.met.Value("cordpair_sip_queue_depth"); n != optionsWait+invitesWait+cancelsWait+1 {
			t.Errorf("%v are waiting", n)
		}

		tap := e.net.Tap()
		bye := u.text(inDialog(r, ok, "BYE"))
		u.send(bye)
		close(gate.release)
		synctest.Wait()
		u.expect(200)
		order := tap.Datagrams()
		tap.Close()
		e.inTurn(order, u.addr, other.addr)
		if len(other.heard()) != 1 {
			t.Error("the other source was not answered")
		}
		if n := len(e.happened(call.EventEnded)); n != 1 {
			t.Errorf("%d calls ended", n)
		}
		if n := e.met.Value("cordpair_sip_queue_depth"); n != 0 {
			t.Errorf("%v are still waiting", n)
		}
		e.free()
	}, func(c *sip.Config) { gate.Directory, c.Directory, c.Workers = c.Directory, gate, 1 })
}

// inTurn checks who was answered when: the refusal that was under way, then the BYE,
// then the flood, a batch of each lane, and the INVITEs' with the other source's
// among the first.
func (e *edge) inTurn(order []siptest.Datagram, bye, other netip.AddrPort) {
	e.t.Helper()
	for i, d := range order {
		if d.From == e.net.Switch && d.To == bye && i > 2 {
			e.t.Errorf("the BYE was answered as number %d", i)
		}
		if d.From == e.net.Switch && d.To == other && i > 4+16+32 {
			e.t.Errorf("the other source was answered as number %d", i)
		}
	}
}

// TestEmergencyFirst (O2): a call to an emergency number waits behind nothing but the
// message that is being handled.
func TestEmergencyFirst(t *testing.T) {
	gate := &blocking{user: "103"}
	inEdge(t, func(e *edge) {
		gate.Directory, gate.release = e.dir, make(chan struct{}) // a channel of the bubble
		crowd, caller := e.rawUDP("10.0.9.3:5060"), e.rawUDP("10.0.9.4:5060")
		crowd.send(crowd.text(request{method: "INVITE", user: "103"})) // the worker hangs
		for range 100 {
			crowd.send(crowd.text(request{method: "INVITE", head: []string{"Proxy-" + invented}}))
			crowd.send(crowd.text(request{method: "REGISTER"}))
		}
		caller.send(caller.text(request{method: "INVITE", uri: "sip:112@" + domain}))
		tap := e.net.Tap()
		close(gate.release)
		synctest.Wait()
		at := 0
		for i, d := range tap.Datagrams() {
			if d.From == e.net.Switch && d.To == caller.addr {
				at = i
			}
		}
		tap.Close()
		if at != 1 { // 0 is the one that was under way
			t.Errorf("answered as number %d", at)
		}
		caller.expect(407)
		crowd.heard()
	}, func(c *sip.Config) { gate.Directory, c.Directory, c.Workers = c.Directory, gate, 1 })
}

// retriable checks that a refusal says when to try again (O1).
func retriable(t *testing.T, g got) {
	t.Helper()
	after, _ := g.Header("Retry-After")
	if n, err := strconv.Atoi(after); g.Status() != 503 || err != nil || n < 5 || n > 30 {
		t.Fatalf("got %q", g.raw)
	}
}

// pour sends n requests in portions the network can carry.
func (e *edge) pour(u *rawUA, n int, method string) {
	e.t.Helper()
	for i := range n {
		_, err := u.udp.WriteToUDPAddrPort([]byte(u.text(request{method: method})), e.net.Switch)
		e.must(err)
		if i%500 == 0 {
			synctest.Wait()
		}
	}
	synctest.Wait()
}

// TestInventedTags (O3): a flood of requests whose To tags we never gave out does
// not come before the requests of the calls there are.
func TestInventedTags(t *testing.T) {
	gate := &blocking{user: "103"}
	inEdge(t, func(e *edge) {
		gate.Directory, gate.release = e.dir, make(chan struct{}) // a channel of the bubble
		u, flood := e.rawUDP("10.0.9.1:5060"), e.rawUDP("10.0.9.3:5060")
		r, ok := u.talk()
		_, ours, _ := strings.Cut(ok.raw, "\r\nTo: ")
		_, ours, _ = strings.Cut(ours, ";tag=")
		ours, _, _ = strings.Cut(ours, "\r\n")
		other := byte('0')
		if ours[0] == other {
			other++
		}
		flood.send(flood.text(request{method: "INVITE", user: "103"})) // the worker hangs
		for _, tag := range []string{"invented", ours[:16], string(other) + ours[1:], ours[:23] + "g"} {
			for _, method := range []string{"BYE", "INVITE", "ACK", "INFO"} {
				flood.send(flood.text(request{method: method, user: "101", toTag: tag}))
			}
		}
		u.send(u.text(inDialog(r, ok, "BYE")))
		if n := e.met.Value("cordpair_sip_queue_depth", "dialog"); n != 1 {
			t.Errorf("%v wait in the first lane, want the BYE alone", n)
		}
		close(gate.release)
		synctest.Wait()
		u.expect(200)
		flood.heard()
		e.free()
	}, func(c *sip.Config) { gate.Directory, c.Directory, c.Workers = c.Directory, gate, 1 })
}

// TestCancelBehindItsInvite: a CANCEL does not overtake the INVITE that waits in
// a slower lane.
func TestCancelBehindItsInvite(t *testing.T) {
	gate := &blocking{user: "103"}
	inEdge(t, func(e *edge) {
		gate.Directory, gate.release = e.dir, make(chan struct{}) // a channel of the bubble
		callee, u, other := e.rawUDP("10.0.9.2:5060"), e.rawUDP("10.0.9.1:5060"), e.rawUDP("10.0.9.3:5060")
		callee.register("102")
		r := u.signed(request{method: "INVITE", uri: "sip:102@" + domain, body: u.sdp()})
		other.send(other.text(request{method: "REGISTER", user: "103", to: "<sip:103@" + domain + ">"}))
		u.send(u.text(r))
		r.method, r.body, r.head = "CANCEL", "", nil
		u.send(u.text(r))
		u.expect()
		close(gate.release)
		synctest.Wait()
		u.expect(100, 200, 487)
		if list := callee.heard(); len(list) > 1 {
			t.Errorf("callee got %v", starts(list))
		}
		// The callee's INVITE was sent already; it is cancelled as soon as it
		// says anything.
		wait(33 * time.Second)
		u.heard()
		e.free()
	}, func(c *sip.Config) { gate.Directory, c.Directory, c.Workers = c.Directory, gate, 1 })
}

// TestNoMorePorts: a call that finds no media port gets 503, and the next one
// that does is served.
func TestNoMorePorts(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		var calls []request
		var answers []got
		for {
			r := u.call("*43")
			list := u.heard()
			last := list[len(list)-1]
			if last.Status() == 503 {
				if _, ok := last.Header("Retry-After"); !ok {
					t.Errorf("got %q", last.raw)
				}
				u.send(u.ackOf(r, last))
				break
			}
			u.send(u.text(inDialog(r, last, "ACK")))
			calls, answers = append(calls, r), append(answers, last)
		}
		if len(calls) < 100 {
			t.Fatalf("only %d calls", len(calls))
		}
		for i := range calls {
			u.send(u.text(inDialog(calls[i], answers[i], "BYE")))
		}
		u.heard()
		wait(10 * time.Second) // ports rest
		e.free()
		u.talk()
	})
}

// TestStoresHang (O7): while every store waits a minute for its disk, what must be
// durable waits with it (D1), and a call between two phones takes no time.
func TestStoresHang(t *testing.T) {
	contacts, subs := &slowStore{}, &slowSubscriptions{}
	inEdge(t, func(e *edge) {
		p, q := e.phone("101"), e.phone("102")
		e.must(p.Unregister(e.ctx)) // it may call all the same
		contacts.wg.Wait()
		contacts.delay, subs.delay = time.Minute, time.Minute
		u := e.rawUDP("10.0.9.1:5060")
		for i := range 5 {
			register := u.signed(registering(fresh("call"), 1, "<sip:101@10.0.9."+strconv.Itoa(i+1)+">"))
			subscribe := u.signed(request{method: "SUBSCRIBE", uri: "sip:101@" + domain, head: []string{"Event: reg"}})
			u.send(u.text(register))
			u.send(u.text(subscribe))
		}
		u.expect()
		begin := time.Now()
		out, in := e.talk(p, q)
		e.must(out.Hangup(e.ctx))
		_, err := in.WaitEnded(e.ctx)
		e.must(err)
		if took := time.Since(begin); took > ms(50) {
			t.Errorf("a call took %v", took)
		}
		contacts.wg.Wait()
		e.free()
	}, func(c *sip.Config) { c.Location.Store, c.Events.Subscriptions = contacts, subs })
}

package sip_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestAnswersGoBackToTheSource (S11): whatever a Via says, an answer goes to the
// address the packet came from; only an old phone's port may be another.
func TestAnswersGoBackToTheSource(t *testing.T) {
	const source, elsewhere = "10.0.9.1:40000", "10.0.9.7:5060"
	for name, tc := range map[string]struct{ sentBy, params, want string }{
		"rport":                {"10.0.9.1:5070", ";rport", source},
		"no rport, own port":   {"10.0.9.1:5070", ";old", "10.0.9.1:5070"},
		"no rport, 5060":       {"10.0.9.1", ";old", "10.0.9.1:5060"},
		"no rport, other host": {"10.0.9.7:5060", ";old", source},
		"no rport, a name":     {"phone.example:5060", ";old", source},
		"received":             {"10.0.9.7:5060", ";rport;received=10.0.9.7", source},
		"maddr":                {"10.0.9.1:5060", ";rport;maddr=10.0.9.7", source},
		"rport with a value":   {"10.0.9.7:5060", ";rport=5060;received=10.0.9.7", source},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				tap := e.net.Tap()
				defer tap.Close()
				victim := e.rawUDP(elsewhere)
				for _, method := range []string{"OPTIONS", "INVITE", "REGISTER", "BYE", "NONSENSE"} {
					e.sendFrom(source, (&rawUA{addr: netip.MustParseAddrPort(source), e: e}).text(request{
						method: method, sentBy: tc.sentBy, via: tc.params,
					}))
				}
				victim.expect()
				answers := 0
				for _, d := range tap.Datagrams() {
					if d.From != e.net.Switch {
						continue
					}
					if answers++; d.To.String() != tc.want {
						t.Errorf("answer to %s, want %s", d.To, tc.want)
					}
				}
				if answers != 5 {
					t.Errorf("%d answers", answers)
				}
			})
		})
	}
}

// sendFrom sends one datagram from an address whose socket is gone afterwards.
func (e *edge) sendFrom(addr, text string) {
	e.t.Helper()
	conn, err := e.net.ListenPacket(netip.MustParseAddrPort(addr))
	e.must(err)
	_, err = conn.WriteToUDPAddrPort([]byte(text), e.net.Switch)
	e.must(err)
	synctest.Wait()
	e.must(conn.Close())
}

// TestStrayResponses (S11): they produce no packet.
func TestStrayResponses(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		for _, status := range []int{100, 180, 200, 401, 404, 600} {
			for _, method := range []string{"INVITE", "REGISTER", "BYE"} {
				u.send(fmt.Sprintf("SIP/2.0 %d X\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"+
					"To: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 %s\r\nContact: <sip:a@10.0.9.1>\r\nContent-Length: 0\r\n\r\n",
					status, e.net.Switch, method))
			}
		}
		u.expect()
		if n := e.met.Value("cordpair_sip_dropped_total", "stray_response"); n != 18 {
			t.Errorf("%v counted", n)
		}
	})
}

// TestAmplification (S12): before authentication an answer has at most three
// bytes for each byte that came.
func TestAmplification(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		check := func(what, text string, must bool) {
			t.Helper()
			u.send(text)
			out := 0
			for _, g := range u.heard() {
				out += len(g.raw)
			}
			if out > 3*len(text) || must && out == 0 {
				t.Errorf("%s: %d bytes for %d", what, out, len(text))
			}
		}
		for _, method := range []string{"INVITE", "REGISTER", "OPTIONS", "BYE", "CANCEL", "SUBSCRIBE", "FOO"} {
			check(method, u.text(request{method: method}), true)
			for pad := range 8 {
				check("short "+method, fmt.Sprintf("%s sip:a SIP/2.0\r\nv:SIP/2.0/UDP a;branch=z9hG4bK%d;rport\r\nf:<sip:a>;tag=1\r\n"+
					"t:<sip:a>\r\ni:1\r\nCSeq:1 %s\r\n%s\r\n", method, pad, method, strings.Repeat("x:y\r\n", 2*pad)), false)
			}
		}
		wait(time.Minute)
		u.expect() // and nothing is sent again
	})
}

// TestContacts (S14): where no phone can be.
func TestContacts(t *testing.T) {
	for contact, code := range map[string]int{
		"<sip:101@10.0.0.1:5060>": 400, "<sip:101@10.0.0.1>": 400, "<sip:101@[fd00::1]:5060>": 400,
		"<sip:101@10.0.0.1:5061>": 200, "<sip:101@224.0.1.75>": 400, "<sip:101@[ff02::1]>": 400,
		"<sip:101@0.0.0.0:5070>": 400, "<sip:101@[::]>": 400, "<sip:101@255.255.255.255>": 400,
		"<sip:101@192.168.1.20:5060>": 200, "<sip:101@phone.local>": 200, "*": 400,
		"<sip:101@10.0.9.1>;expires=0": 200, "<sip:101@" + strings.Repeat("x", 3000) + ">": 400,
	} {
		inEdge(t, func(e *edge) {
			u := e.rawUDP("10.0.9.1:5060")
			r := request{method: "REGISTER", to: "<sip:101@" + domain + ">", noContact: true}
			r = u.signed(r)
			r.head = append(r.head, "Contact: "+contact)
			u.send(u.text(r))
			if g := u.one(); g.Status() != code {
				t.Errorf("%.60s: %d, want %d", contact, g.Status(), code)
			}
		})
	}
}

// TestControlCharacters (S15): what comes from outside reaches neither another
// message nor the log nor the store with a control character in it.
func TestControlCharacters(t *testing.T) {
	evil := "\"\x01Ev\x7fil\xff%0d%0aX-Evil: yes\""
	inEdge(t, func(e *edge) {
		e.phone("102")
		callee := e.rawUDP("10.0.9.2:5060")
		u := e.rawUDP("10.0.9.1:5060")
		callee.register("103")
		for _, r := range []request{
			{method: "REGISTER", to: "<sip:101@" + domain + ">", head: []string{"User-Agent: a\x00b\x1b[31m\x85"}},
			{method: "INVITE", uri: "sip:103@" + domain, from: evil + " <sip:101@" + domain + ">", body: u.sdp(), head: []string{"Subject: \x07"}},
			{method: "MESSAGE", uri: "sip:103%0d%0aX-Evil:%20yes@" + domain, from: evil + " <sip:101@" + domain + ">"},
			{method: "INVITE", uri: "sip:103%0d%0aX@" + domain, body: u.sdp()},
		} {
			u.heard()
			signed := u.signed(r)
			u.send(u.text(signed))
			signed.branch, signed.cseq = fresh("z9hG4bKraw"), signed.cseq+1
			signed.head = []string{"Proxy-Authorization: Digest username=\"1\x02\x1b01\", realm=\"acme.example\", nonce=\"\x03\", uri=\"sip:x\", response=\"" + strings.Repeat("0", 32) + "\""}
			u.send(u.text(signed))
		}
		u.send(u.text(request{method: "REGISTER", callID: "with\x01control"}))
		for _, ua := range []*rawUA{u, callee} {
			for _, g := range ua.got {
				head, _, _ := strings.Cut(g.raw, "\r\n\r\n")
				if i := strings.IndexFunc(strings.ReplaceAll(head, "\r\n", ""), isControl); i >= 0 || strings.Contains(head, "\nX-Evil") {
					t.Errorf("control character or header in\n%q", head)
				}
			}
		}
		for line := range strings.SplitSeq(strings.TrimSpace(e.log.String()), "\n") {
			if strings.IndexFunc(line, isControl) >= 0 {
				t.Errorf("log line %q", line)
			}
		}
		list, _ := e.srv.Bindings().Registrations(1, time.Now())
		if len(list) != 1 || strings.IndexFunc(list[0].UserAgent, isControl) >= 0 {
			t.Errorf("bindings %+v", list)
		}
	})
}

func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }

// TestPanicIsSurvived (S1): the request that caused it gets 500, its stack is
// logged once, and nothing of it is left.
func TestPanicIsSurvived(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		e.dir.panics = "104"
		for range 5 {
			u.send(u.text(request{method: "INVITE", user: "104"}))
			u.expect(500)
			u.send(u.text(request{method: "REGISTER", to: "<sip:104@" + domain + ">"}))
			u.expect(500)
		}
		if n := e.met.Value("cordpair_sip_panics_total"); n != 10 {
			t.Errorf("%v panics counted", n)
		}
		if n := strings.Count(e.log.take(), "goroutine"); n < 1 || n > 2 {
			t.Errorf("%d stacks logged", n)
		}
		e.dir.panics = ""
		out, _ := e.talk(e.phone("101"), e.phone("102"))
		e.must(out.Hangup(e.ctx))
		e.free()
	})
}

// TestRefusalLog: ten lines a second for each reason, and everything counted.
func TestRefusalLog(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		for range 500 {
			u.send("INVITE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.9.1;branch=z9hG4bKx;rport\r\nSecret: body\r\n\r\nmore body")
		}
		log := e.log.String()
		if n := strings.Count(log, "\n"); n != 10 {
			t.Errorf("%d lines", n)
		}
		if strings.Contains(log, "body") {
			t.Errorf("the message is in the log:\n%s", log)
		}
		if n := e.met.Value("cordpair_sip_refused_total", "malformed"); n != 500 {
			t.Errorf("%v counted", n)
		}
	})
}

// TestSlowStreams (S8): the first message within 10 s of the connection, any
// other within 30 s of its first byte; an idle connection stays.
func TestSlowStreams(t *testing.T) {
	open := func(u *rawUA) bool { return !slices.ContainsFunc(u.heard(), func(g got) bool { return g.raw == "" }) }
	inEdge(t, func(e *edge) {
		slow, ping, idle, begun := e.rawTCP("10.0.9.1:1"), e.rawTCP("10.0.9.1:2"), e.rawTCP("10.0.9.1:3"), e.rawTCP("10.0.9.1:4")
		slow.send("REGISTER ")
		ping.send("\r\n\r\n")
		for _, u := range []*rawUA{idle, begun} {
			u.send(u.text(request{method: "OPTIONS"}))
			u.expect(200)
		}
		idle.send("\r") // half a line end is no message
		wait(ms(100))
		idle.send("\n")
		begun.send("OPTIONS")
		wait(ms(9800))
		if !open(slow) || !open(ping) {
			t.Error("closed within 10 s")
		}
		wait(ms(200))
		if open(slow) || open(ping) {
			t.Error("open after 10 s without a message")
		}
		wait(19 * time.Second)
		if !open(begun) {
			t.Error("closed within 30 s of the first byte")
		}
		wait(2 * time.Second)
		if open(begun) {
			t.Error("open with half a message after 30 s")
		}
		wait(10 * time.Minute)
		if !open(idle) {
			t.Error("an idle connection was closed")
		}
	})
}

// TestTooManyConnections (S8).
func TestTooManyConnections(t *testing.T) {
	inEdge(t, func(e *edge) {
		for i := range 50 {
			e.rawTCP(fmt.Sprintf("10.0.9.1:%d", 1000+i))
		}
		synctest.Wait()
		over := e.rawTCP("10.0.9.1:2000")
		wait(time.Second)
		if list := over.heard(); len(list) != 1 || list[0].raw != "" {
			t.Errorf("the 51st got %v", list)
		}
		if n := e.met.Value("cordpair_sip_connections"); n != 50 {
			t.Errorf("%v connections", n)
		}
		other := e.rawTCP("10.0.9.2:5060")
		other.send(other.text(request{method: "OPTIONS"}))
		other.expect(200)
	})
}

// TestFarEndThatDoesNotRead: its connection is closed before it costs much.
func TestFarEndThatDoesNotRead(t *testing.T) {
	inEdge(t, func(e *edge) {
		conn, err := e.net.Dial(e.ctx, netip.MustParseAddrPort("10.0.9.1:5060"), e.net.Switch)
		e.must(err)
		u := &rawUA{e: e, tcp: conn, addr: netip.MustParseAddrPort("10.0.9.1:5060")}
		broken := false
		for range 20000 {
			if _, err := conn.Write([]byte(u.text(request{method: "OPTIONS"}))); err != nil {
				broken = true
				break
			}
		}
		wait(time.Minute)
		if n := e.met.Value("cordpair_sip_connections"); n != 0 {
			t.Errorf("%v connections, broken %v", n, broken)
		}
	})
}

// TestMetricNames: the registry is pedantic about duplicates already.
func TestMetricNames(t *testing.T) {
	inEdge(t, func(e *edge) {
		e.phone("101")
		e.rawUDP("10.0.9.9:5060").send("x SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n\r\n")
		if faults := e.met.Faults(); faults != nil {
			t.Errorf("%q", faults)
		}
		if n := e.met.Value("cordpair_sip_bindings"); n != 1 {
			t.Errorf("%v bindings", n)
		}
	})
}

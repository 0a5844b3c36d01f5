package sip_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip"
	"github.com/cordpair/cordpair/sip/metricstest"
	"github.com/cordpair/cordpair/sip/siptest"
)

// sipgoFaults are what was found wrong in sipgo 1.7.2 for a switch, and the test
// that proves it does not reach a user. TestRequirementsHaveTests checks that
// each test exists.
var sipgoFaults = []struct{ finding, test string }{
	{"every UDP source address stays in the pool: a leak by spoofed sources", "TestManySourcesLeaveNothing"},
	{"one goroutine per message: order is lost", "TestOrderOfInfos"},
	{"no backpressure: goroutines unbounded", "TestFullLanes"},
	{"a 2xx is not repeated with doubling intervals", "TestLostACK"},
	{"without an ACK no BYE is sent", "TestLostACK"},
	{"a datagram over 1,300 bytes is refused, responses included", "TestLargeDatagrams"},
	{"a valid message with blanks around the tag's = gets 400", "TestCorpus"},
	{"a quoted comma in a URI parameter is duplicated", "TestUnknownParametersAreVerbatim"},
	{"leading CRLF and bare LF are rejected", "TestLineEnds"},
	{"an INVITE fails after eleven provisional responses", "TestManyProvisionals"},
	{"semantic errors of RFC 4475 are accepted", "TestCorpus"},
	{"methods are upper-cased", "TestMethodsAreCaseSensitive"},
	{"a BYE answered by anything but 200 is an error", "TestByeCrossesBye"},
	{"each stateless response has a fresh To tag", "TestStatelessTagIsStable"},
	{"whole datagrams are logged as errors", "TestRefusalLog"},
	{"one read or accept error ends the listener", "TestListenersSurviveErrors"},
	{"a missing To header crashed it", "TestMissingHeaders"},
	{"a goroutine is parked 32 s for each transaction", "TestManySourcesLeaveNothing"},
	{"requests of the UAS side miss the connection", "TestByeUsesThePhonesConnection"},
	{"a REGISTER right after the start fails", "TestRegisterRightAfterStart"},
	{"in-dialog requests of the far end are matched by address", "TestForeignFlow"},
}

func TestManySourcesLeaveNothing(t *testing.T) {
	inEdge(t, func(e *edge) {
		goroutines := runtime.NumGoroutine()
		addr := netip.MustParseAddr("10.1.0.1")
		for i := range 20000 {
			addr = addr.Next()
			conn, err := e.net.ListenPacket(netip.AddrPortFrom(addr, 5060))
			e.must(err)
			u := &rawUA{e: e, udp: conn, addr: netip.AddrPortFrom(addr, 5060)}
			method := []string{"OPTIONS", "INVITE", "REGISTER"}[i%3]
			_, err = conn.WriteToUDPAddrPort([]byte(u.text(request{method: method})), e.net.Switch)
			e.must(err)
			if i%200 == 0 {
				synctest.Wait()
			}
			e.must(conn.Close())
		}
		synctest.Wait()
		if tx, merged, legs, timers := e.srv.Kept(); tx+merged+legs+timers != 0 {
			t.Errorf("%d transactions, %d merge keys, %d legs and %d timers are kept", tx, merged, legs, timers)
		}
		if n := runtime.NumGoroutine(); n > goroutines {
			t.Errorf("%d goroutines, %d before", n, goroutines)
		}
	})
}

// TestOrderOfInfos: digits by INFO arrive in the order they were pressed.
func TestOrderOfInfos(t *testing.T) {
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				u := open(e, "10.0.9.1:5060")
				r, ok := u.talk()
				want := ""
				for i := range 2000 {
					info := inDialog(r, ok, "INFO")
					info.cseq += i
					digit := string("0123456789*#"[i%12])
					want += digit
					info.contentType, info.body = "application/dtmf-relay", "Signal="+digit+"\r\n"
					text := u.text(info)
					if u.udp != nil {
						_, err := u.udp.WriteToUDPAddrPort([]byte(text), e.net.Switch)
						e.must(err)
					} else {
						_, err := u.tcp.Write([]byte(text))
						e.must(err)
					}
					if i%100 == 0 { // a call takes so many at once
						synctest.Wait()
					}
				}
				if got := e.pressed(); got != want {
					t.Errorf("out of order, or %d of %d", len(got), len(want))
				}
				for i, g := range u.heard() {
					if seq, _ := g.CSeq(); g.Status() != 200 || int(seq) != r.cseq+1+i {
						t.Fatalf("answer %d is %d to CSeq %d", i, g.Status(), seq)
					}
				}
			})
		})
	}
}

func TestLargeDatagrams(t *testing.T) {
	inEdge(t, func(e *edge) {
		callee := e.rawUDP("10.0.9.2:5060")
		long := strings.Repeat("x", 1800)
		for i := range 4 {
			r := request{method: "REGISTER", user: "102", to: "<sip:102@" + domain + ">", noContact: true,
				head: []string{fmt.Sprintf("Contact: <sip:102@%d.example;x=%s>", i, long)}}
			callee.send(callee.text(callee.signed(r)))
			if ok := callee.expect(200); len(ok.raw) < (i+1)*len(long) {
				t.Fatalf("answer of %d bytes", len(ok.raw))
			}
		}
		caller := e.rawUDP("10.0.9.1:5060")
		r := caller.signed(request{method: "INVITE", uri: "sip:102@" + domain, body: caller.sdp(), head: []string{"X-Large: " + long}})
		caller.send(caller.text(r))
		if list := callee.heard(); len(list) != 4 || len(list[0].raw) < len(long) {
			t.Errorf("callee got %d messages", len(list))
		}
	})
}

func TestUnknownParametersAreVerbatim(t *testing.T) {
	inEdge(t, func(e *edge) {
		const contact = `sip:102@10.0.9.2:5060;x="q,z";Y=%41;lr?h=a`
		u := e.rawUDP("10.0.9.2:5060")
		u.send(u.text(u.signed(request{method: "REGISTER", user: "102", to: "<sip:102@" + domain + ">", noContact: true,
			head: []string{"Contact: <" + contact + ">"}})))
		u.expect(200)
		e.rawUDP("10.0.9.1:5060").call("102")
		want, _, _ := strings.Cut(contact, "?") // headers have no place in a Request-URI (RFC 3261 19.1.5)
		if invite := u.one(); !strings.HasPrefix(invite.raw, "INVITE "+want+" SIP/2.0\r\n") {
			t.Errorf("got %q", starts([]got{invite}))
		}
	})
}

func TestLineEnds(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		text := u.text(request{method: "OPTIONS"})
		for _, s := range []string{"\r\n\r\n" + text, "\n" + text, strings.ReplaceAll(text, "\r\n", "\n")} {
			u.send(s)
			u.expect(200)
		}
		for _, ping := range []string{"\r\n\r\n", "\r\n", "\x00", "\n"} {
			u.send(ping)
		}
		u.expect()
	})
}

func TestManyProvisionals(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee, r, invite := ringing(e)
		for range 14 {
			callee.send(reply(invite, 180, "far", nil, ""))
			wait(time.Second)
		}
		callee.accept(invite, "far")
		caller.send(caller.text(inDialog(r, caller.lastOf(200), "ACK")))
		if n := len(e.happened(call.EventAnswered)); n != 2 {
			t.Errorf("%d legs answered", n)
		}
	})
}

func TestMethodsAreCaseSensitive(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		for _, method := range []string{"invite", "Register", "NewMethod"} {
			u.send(u.text(request{method: method}))
			g := u.expect(501)
			if allow, _ := g.Header("Allow"); strings.Contains(allow, "NOTIFY") || !strings.Contains(allow, "INVITE") {
				t.Errorf("Allow is %q, which is not what we serve", allow)
			}
			if _, m := g.CSeq(); m != method {
				t.Errorf("%s became %s", method, m)
			}
		}
	})
}

// TestStatelessTagIsStable, also where the request is broken.
func TestStatelessTagIsStable(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		for _, text := range []string{
			u.text(request{method: "OPTIONS"}),
			u.text(request{method: "BYE"}),
			u.text(request{method: "NONSENSE"}),
			strings.Replace(u.text(request{method: "INVITE"}), "Max-Forwards: 70", "Max-Forwards: x", 1),
		} {
			u.send(text)
			first := u.one()
			u.send(text)
			if again := u.one(); again.raw != first.raw || again.ToTag() == "" {
				t.Errorf("got\n%s\nand\n%s", first.raw, again.raw)
			}
		}
	})
}

// brokenPackets fails every other read, as a socket does after a port
// unreachable; brokenStreams fails to accept, as without descriptors.
type brokenPackets struct {
	sip.PacketConn
	n atomic.Int64
}

var errTransient = errors.New("transient")

func (c *brokenPackets) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	if c.n.Add(1)%2 == 0 {
		return 0, netip.AddrPort{}, errTransient
	}
	return c.PacketConn.ReadFromUDPAddrPort(b)
}

type brokenStreams struct {
	net.Listener
	n atomic.Int64
}

func (l *brokenStreams) Accept() (net.Conn, error) {
	if l.n.Add(1)%2 == 1 {
		return nil, errTransient
	}
	return l.Listener.Accept()
}

func TestListenersSurviveErrors(t *testing.T) {
	inEdge(t, func(e *edge) {
		for i := range 10 {
			u := e.rawUDP(fmt.Sprintf("10.0.9.%d:5060", i+1))
			if i%2 == 1 {
				u = e.rawTCP(fmt.Sprintf("10.0.9.%d:5060", i+1))
			}
			u.send(u.text(request{method: "OPTIONS"}))
			wait(time.Second)
			u.expect(200)
		}
		if n := e.met.Value("cordpair_sip_read_errors_total"); n < 10 {
			t.Errorf("%v errors counted", n)
		}
	}, func(c *sip.Config) {
		packets, streams := c.ListenPacket, c.Listen
		c.ListenPacket = func(a netip.AddrPort) (sip.PacketConn, error) {
			conn, err := packets(a)
			return &brokenPackets{PacketConn: conn}, err
		}
		c.Listen = func(a netip.AddrPort) (net.Listener, error) {
			l, err := streams(a)
			return &brokenStreams{Listener: l}, err
		}
	})
}

func TestMissingHeaders(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		for _, name := range []string{"To", "From", "Call-ID", "CSeq"} {
			var lines []string
			for line := range strings.SplitSeq(u.text(request{method: "REGISTER"}), "\r\n") {
				if !strings.HasPrefix(line, name+":") {
					lines = append(lines, line)
				}
			}
			u.send(strings.Join(lines, "\r\n"))
			if list := u.heard(); len(list) != 1 || !strings.HasPrefix(list[0].raw, "SIP/2.0 400 Bad Request: "+name) {
				t.Errorf("without %s: %v", name, starts(list))
			}
		}
	})
}

// TestByeUsesThePhonesConnection whatever its Contact says.
func TestByeUsesThePhonesConnection(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawTCP("10.0.9.1:33333")
		r := u.signed(request{method: "INVITE", uri: "sip:*43@" + domain, body: u.sdp(), noContact: true,
			head: []string{"Contact: <sip:101@192.168.1.5:5060;transport=tcp>"}})
		u.send(u.text(r))
		u.send(u.text(inDialog(r, u.lastOf(200), "ACK")))
		e.registry.EndAll(call.CauseShutdown)
		if bye := u.one(); !strings.HasPrefix(bye.raw, "BYE sip:101@192.168.1.5:5060;transport=tcp SIP") {
			t.Errorf("got %q", bye.raw)
		}
	})
}

func TestRegisterRightAfterStart(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			e := &edge{t: t, ctx: t.Context(), net: siptest.NewNet(t), dir: newDirectory(), log: &logBuffer{}, met: metricstest.New()}
			phones := []*siptest.Phone{e.net.Phone("101", password, domain), e.net.Phone("102", password, domain, siptest.TCP)}
			stop := e.start()
			defer stop()
			for _, p := range phones {
				e.must(p.Register(e.ctx))
			}
		})
	}
}

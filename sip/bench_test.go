package sip_test

import (
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip"
	"github.com/cordpair/cordpair/sip/digest"
	"github.com/cordpair/cordpair/sip/siptest"
)

// pipe is a UDP socket whose far end is the benchmark: what is put in is read by
// the edge, what the edge sends comes out.
type pipe struct {
	in, out chan []byte
	from    netip.AddrPort
	closed  chan struct{}
}

func (p *pipe) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case m := <-p.in:
		return copy(b, m), p.from, nil
	case <-p.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (p *pipe) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	p.out <- append([]byte(nil), b...)
	return len(b), nil
}

func (p *pipe) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 5060} }

func (p *pipe) Close() error { close(p.closed); return nil }

// ask sends a request and returns the first message that begins with want.
func (p *pipe) ask(text, want string) string {
	p.in <- []byte(text)
	for {
		if m := string(<-p.out); strings.HasPrefix(m, want) {
			return m
		}
	}
}

// bench measures f over an edge with one worker on real time.
func bench(b *testing.B, f func(p *pipe, u *rawUA)) {
	piped(b, func(p *pipe, u *rawUA) {
		b.ReportAllocs()
		b.ResetTimer()
		f(p, u)
		b.StopTimer()
	})
}

// piped runs f over such an edge.
func piped(b testing.TB, f func(p *pipe, u *rawUA)) {
	network := siptest.New(1)
	pipedOver(b, media.Config{
		// Ports rest after a call, so there must be many.
		Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")}, PortMin: 10000, PortMax: 60001,
		Listen: func(a netip.AddrPort) (media.PacketConn, error) { return network.ListenPacket(a) },
	}, f)
	if err := network.Close(); err != nil {
		b.Fatal(err)
	}
}

// pipedOver is piped with other media.
func pipedOver(b testing.TB, cfg media.Config, f func(p *pipe, u *rawUA)) {
	p := &pipe{
		in: make(chan []byte, 16), out: make(chan []byte, 1024), closed: make(chan struct{}),
		from: netip.MustParseAddrPort("10.0.9.1:5060"),
	}
	eng, err := media.Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	dir := newDirectory()
	logger := slog.New(slog.DiscardHandler)
	srv, err := sip.Listen(sip.Config{
		Node: "bench", Directory: dir, Media: eng, Logger: logger, Workers: 1,
		Listeners:    []sip.Listener{{Name: "udp", Transport: "udp", Addr: netip.MustParseAddrPort("10.0.0.1:5060")}},
		ListenPacket: func(netip.AddrPort) (sip.PacketConn, error) { return p, nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	calls := call.NewRegistry(call.Config{
		Node: "bench", Dialer: srv, Mixer: mixer{}, Effects: features.New(), Logger: logger,
		Plan: func(inv call.Invite) call.Planner { return dialplan.Plan(dir.view, dialplan.Facts{Invite: inv}) },
	})
	srv.Start(calls)
	u := &rawUA{addr: p.from}
	f(p, u)
	calls.Close()
	for _, err := range []error{srv.Close(), eng.Close()} {
		if err != nil {
			b.Fatal(err)
		}
	}
}

// signedBy adds credentials for the challenge in answer.
func signedBy(b testing.TB, u *rawUA, r request, answer string) request {
	b.Helper()
	i := strings.Index(answer, "-Authenticate: ")
	if i < 0 {
		b.Fatalf("no challenge in %q", answer)
	}
	header := "Authorization"
	if strings.HasPrefix(answer, "SIP/2.0 407") {
		header = "Proxy-Authorization"
	}
	value, _, _ := strings.Cut(answer[i+len("-Authenticate: "):], "\r\n")
	c, err := digest.ParseChallenge(value)
	if err != nil {
		b.Fatal(err)
	}
	r.head = append(r.head[:len(r.head):len(r.head)], header+": "+c.Respond(digest.Answer{
		User: r.user, Password: password, Method: r.method, URI: r.uri, NC: 1, CNonce: digest.NewCNonce(),
	}))
	r.branch = fresh("z9hG4bKraw")
	r.cseq++
	return r
}

// TestAllocations keeps what the hot paths allocate from creeping back: at most 8
// times for a registration with its challenge, at most 2 for an OPTIONS. What the
// test spends itself is measured with a far end that knows its answers, and is taken
// off.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations are counted without the race detector")
	}
	piped(t, func(p *pipe, u *rawUA) {
		options := u.text(request{method: "OPTIONS"})
		r := request{method: "REGISTER", to: "<sip:101@" + domain + ">"}
		u.fill(&r)
		type asker func(text, want string) string
		asked := map[string]string{}
		edge := func(text, want string) string {
			asked[want] = p.ask(text, want)
			return asked[want]
		}
		known := func(text, want string) string { // allocates what p.ask does
			in := append([]byte(nil), text...)
			out := append(in[:0:0], asked[want]...)
			return string(out)
		}
		for name, c := range map[string]struct {
			limit float64
			run   func(ask asker)
		}{
			"OPTIONS": {2, func(ask asker) { ask(options, "SIP/2.0 200") }},
			"REGISTER": {8, func(ask asker) {
				r.cseq += 2
				r.branch = fresh("z9hG4bKraw")
				ask(u.text(signedBy(t, u, r, ask(u.text(r), "SIP/2.0 401"))), "SIP/2.0 200")
			}},
		} {
			all := testing.AllocsPerRun(500, func() { c.run(edge) })
			n := all - testing.AllocsPerRun(500, func() { c.run(known) })
			t.Logf("%s: %v allocations", name, n)
			if n > c.limit {
				t.Errorf("%s: %v allocations, want at most %v", name, n, c.limit)
			}
		}
	})
}

// TestCallAllocations keeps what a call allocates from creeping back: all of it, from
// INVITE to BYE on both legs, with its media, its call and the two phones.
func TestCallAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations are counted without the race detector")
	}
	const most = 370
	piped(t, func(p *pipe, u *rawUA) {
		registered(t, p, u)
		n := testing.AllocsPerRun(300, func() { wholeCall(t, p, u) })
		t.Logf("%v allocations", n)
		if n > most {
			t.Errorf("%v allocations, want at most %d", n, most)
		}
	})
}

// BenchmarkOptions includes what the benchmark itself spends on its request.
func BenchmarkOptions(b *testing.B) {
	bench(b, func(p *pipe, u *rawUA) {
		text := u.text(request{method: "OPTIONS"})
		for b.Loop() {
			p.ask(text, "SIP/2.0 200")
		}
	})
}

// BenchmarkRegisterRefresh is a REGISTER with its challenge: two requests.
func BenchmarkRegisterRefresh(b *testing.B) {
	bench(b, func(p *pipe, u *rawUA) {
		r := request{method: "REGISTER", to: "<sip:101@" + domain + ">"}
		u.fill(&r)
		for b.Loop() {
			r.cseq += 2
			r.branch = fresh("z9hG4bKraw")
			p.ask(u.text(signedBy(b, u, r, p.ask(u.text(r), "SIP/2.0 401"))), "SIP/2.0 200")
		}
	})
}

// BenchmarkCall is a call to the echo test: INVITE, 407, ACK, INVITE, 100, 200,
// ACK, BYE, 200.
func BenchmarkCall(b *testing.B) {
	bench(b, func(p *pipe, u *rawUA) {
		for b.Loop() {
			r := request{method: "INVITE", uri: "sip:*43@" + domain, body: u.sdp()}
			u.fill(&r)
			r = signedBy(b, u, r, p.ask(u.text(r), "SIP/2.0 407"))
			ok := p.ask(u.text(r), "SIP/2.0 ")
			for strings.HasPrefix(ok, "SIP/2.0 1") {
				ok = string(<-p.out)
			}
			if !strings.HasPrefix(ok, "SIP/2.0 200") {
				b.Fatalf("got %q", ok)
			}
			_, to, _ := strings.Cut(ok, "\r\nTo: ")
			_, tag, _ := strings.Cut(to, ";tag=")
			tag, _, _ = strings.Cut(tag, "\r\n")
			ack := request{method: "ACK", uri: r.uri, fromTag: r.fromTag, toTag: tag, callID: r.callID, cseq: r.cseq}
			p.in <- []byte(u.text(ack))
			bye := ack
			bye.method, bye.cseq = "BYE", r.cseq+1
			p.ask(u.text(bye), "SIP/2.0 200")
		}
	})
}

// wholeCall has 101 call 102, both behind one pipe: INVITE, 407, ACK, INVITE, 180,
// 200, ACK, and the caller's BYE, on both legs.
func wholeCall(t testing.TB, p *pipe, u *rawUA) {
	t.Helper()
	r := request{method: "INVITE", uri: "sip:102@" + domain, body: u.sdp(), head: phoneHeaders}
	u.fill(&r)
	challenge := parsed(t, p.ask(u.text(r), "SIP/2.0 407"))
	p.in <- []byte(u.ackOf(r, challenge))
	r = signedBy(t, u, r, challenge.raw)
	invite := parsed(t, p.ask(u.text(r), "INVITE "))
	tag := fresh("far")
	head := append([]string{"Contact: <sip:102@" + u.addr.String() + ">"}, phoneHeaders...)
	p.ask(reply(invite, 180, tag, head, ""), "SIP/2.0 180")
	ok := parsed(t, p.ask(reply(invite, 200, tag, head, u.sdp()), "SIP/2.0 200"))
	p.in <- []byte(u.text(inDialog(r, ok, "ACK")))
	bye := parsed(t, p.ask(u.text(inDialog(r, ok, "BYE")), "BYE "))
	p.in <- []byte(reply(bye, 200, "", nil, ""))
}

// registered binds 102 to the pipe.
func registered(t testing.TB, p *pipe, u *rawUA) {
	t.Helper()
	r := request{method: "REGISTER", user: "102", to: "<sip:102@" + domain + ">"}
	u.fill(&r)
	p.ask(u.text(signedBy(t, u, r, p.ask(u.text(r), "SIP/2.0 401"))), "SIP/2.0 200")
}

// BenchmarkWholeCall is a call between two phones, both legs from INVITE to BYE. It
// includes what the benchmark itself spends.
func BenchmarkWholeCall(b *testing.B) {
	bench(b, func(p *pipe, u *rawUA) {
		registered(b, p, u)
		for b.Loop() {
			wholeCall(b, p, u)
		}
	})
}

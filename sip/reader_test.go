package sip_test

import (
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip"
)

// watched is a directory that counts on whose goroutine messages are handled.
type watched struct {
	sip.Directory
	reader, worker atomic.Int64
}

func (d *watched) Account(user, domain string) (sip.Account, bool) {
	pc := make([]uintptr, 64)
	frames := runtime.CallersFrames(pc[:runtime.Callers(2, pc)])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case strings.HasSuffix(f.Function, "(*udpListener).read"):
			d.reader.Add(1)
		case strings.HasSuffix(f.Function, "(*worker).run"):
			d.worker.Add(1)
		}
	}
	return d.Directory.Account(user, domain)
}

// socketUA is a phone on a socket of the kernel.
type socketUA struct {
	*rawUA
	t    *testing.T
	conn *net.UDPConn
}

func newSocketUA(t *testing.T, to netip.AddrPort) *socketUA {
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Error(err)
		return nil
	}
	return &socketUA{&rawUA{addr: conn.LocalAddr().(*net.UDPAddr).AddrPort()}, t, conn}
}

func (u *socketUA) say(text string) {
	if _, err := u.conn.Write([]byte(text)); err != nil {
		u.t.Error(err)
	}
}

// ask sends a request, again while it is not answered or refused for want of time, and
// returns the first answer that begins with want.
func (u *socketUA) ask(text, want string) string {
	_, branch, _ := strings.Cut(text, ";branch=")
	branch, _, _ = strings.Cut(branch, ";")
	branch, _, _ = strings.Cut(branch, "\r\n")
	b := make([]byte, 4096)
	for range 120 {
		u.say(text)
		for {
			_ = u.conn.SetReadDeadline(time.Now().Add(time.Second / 2)) // timer T1; a closed socket fails the read
			n, err := u.conn.Read(b)
			answer := string(b[:n])
			if err != nil {
				break
			}
			if strings.HasPrefix(answer, want) && strings.Contains(answer, branch) {
				return answer
			}
		}
	}
	u.t.Errorf("no %s to %s", want, text)
	return ""
}

// talks registers, calls the echo and hangs up.
func (u *socketUA) talks() {
	reg := request{method: "REGISTER", to: "<sip:101@" + domain + ">"}
	u.fill(&reg)
	u.ask(u.text(signedBy(u.t, u.rawUA, reg, u.ask(u.text(reg), "SIP/2.0 401"))), "SIP/2.0 200")
	r := request{method: "INVITE", uri: "sip:*43@" + domain, body: u.sdp()}
	u.fill(&r)
	r = signedBy(u.t, u.rawUA, r, u.ask(u.text(r), "SIP/2.0 407"))
	ok := u.ask(u.text(r), "SIP/2.0 200")
	_, to, _ := strings.Cut(ok, "\r\nTo: ")
	_, tag, _ := strings.Cut(to, ";tag=")
	tag, _, _ = strings.Cut(tag, "\r\n")
	ack := request{method: "ACK", uri: r.uri, fromTag: r.fromTag, toTag: tag, callID: r.callID, cseq: r.cseq}
	u.say(u.text(ack))
	bye := ack
	bye.method, bye.cseq = "BYE", r.cseq+1
	u.ask(u.text(bye), "SIP/2.0 200")
}

// TestReader: on sockets of the kernel a reader handles itself what comes alone,
// beside the workers, other readers and those who give way.
func TestReader(t *testing.T) {
	local := netip.MustParseAddr("127.0.0.1")
	eng, err := media.Open(media.Config{Addresses: []netip.Addr{local}, PortMin: 42000, PortMax: 42999})
	if err != nil {
		t.Fatal(err)
	}
	dir := newDirectory()
	watch := &watched{Directory: dir}
	logger := slog.New(slog.DiscardHandler)
	at := netip.AddrPortFrom(local, 0)
	srv, err := sip.Listen(sip.Config{
		Node: "test", Directory: watch, Media: eng, Logger: logger, Workers: 2,
		Listeners: []sip.Listener{{Name: "one", Transport: "udp", Addr: at}, {Name: "two", Transport: "udp", Addr: at}},
	})
	if err != nil {
		t.Fatal(err)
	}
	calls := call.NewRegistry(call.Config{
		Node: "test", Dialer: srv, Mixer: mixer{}, Effects: features.New(), Logger: logger,
		Plan: func(inv call.Invite) call.Planner { return dialplan.Plan(dir.view, dialplan.Facts{Invite: inv}) },
	})
	srv.Start(calls)
	var phones, hog sync.WaitGroup
	done := make(chan struct{})
	hog.Go(func() { // ends with done
		for {
			select {
			case <-done:
				return
			default:
				srv.GiveWay() // nobody waits for one with much to do
			}
		}
	})
	for i := range 8 {
		phones.Go(func() {
			u := newSocketUA(t, srv.Addrs()[i%2])
			for range 10 {
				if t.Failed() {
					break
				}
				u.talks()
			}
			_ = u.conn.Close()
		})
	}
	phones.Wait()
	close(done)
	hog.Wait()
	calls.Close()
	if s := calls.Stats(); s.Started != 80 || s.Panics != 0 {
		t.Errorf("%+v", s)
	}
	if watch.reader.Load() == 0 {
		t.Errorf("no message was handled by a reader, %d by workers", watch.worker.Load())
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	if err := eng.Close(); err != nil {
		t.Error(err)
	}
}

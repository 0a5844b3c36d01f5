//go:build unix

package sip_test

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media"
)

// deaf is a socket for audio that nobody sends.
type deaf struct {
	addr   netip.AddrPort
	closed chan struct{}
}

func newDeaf(a netip.AddrPort) (media.PacketConn, error) {
	return &deaf{a, make(chan struct{})}, nil
}

func (d *deaf) ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error) {
	<-d.closed
	return 0, netip.AddrPort{}, net.ErrClosed
}

func (d *deaf) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) { return len(b), nil }

func (d *deaf) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(d.addr) }

// SetReadDeadline wakes nobody: there is nothing to wait for.
func (d *deaf) SetReadDeadline(time.Time) error { return nil }

func (d *deaf) Close() error { close(d.closed); return nil }

// BenchmarkCallBeside is a whole call between two phones, with its challenge, while
// others are up: its cost must not depend on them. It includes both phones.
func BenchmarkCallBeside(b *testing.B) {
	for _, others := range []int{100, 3000, 10000} {
		b.Run(fmt.Sprint(others), func(b *testing.B) {
			pipedOver(b, media.Config{
				Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")}, PortMin: 1024, PortMax: 65535, Listen: newDeaf,
			}, func(p *pipe, u *rawUA) {
				r := request{method: "REGISTER", user: "102", to: "<sip:102@" + domain + ">"}
				u.fill(&r)
				p.ask(u.text(signedBy(b, u, r, p.ask(u.text(r), "SIP/2.0 401"))), "SIP/2.0 200")
				for range others {
					answeredCall(b, p, u)
				}
				runtime.GC()
				b.ReportAllocs()
				before := used(b)
				for b.Loop() {
					hangUp(b, p, u, answeredCall(b, p, u))
				}
				b.ReportMetric(float64(used(b)-before)/float64(b.N), "cpu-ns/op")
				// The end of those that are up; ends when the pipe is closed.
				go p.drop()
			})
		})
	}
}

// drop reads what the edge sends until it is closed.
func (p *pipe) drop() {
	for {
		select {
		case <-p.out:
		case <-p.closed:
			return
		}
	}
}

// hangUp ends a call of answeredCall from the caller's side.
func hangUp(t testing.TB, p *pipe, u *rawUA, ack request) {
	t.Helper()
	bye := ack
	bye.method, bye.cseq, bye.branch = "BYE", ack.cseq+1, fresh("z9hG4bKraw")
	passed, answered := "", false
	p.in <- []byte(u.text(bye))
	for passed == "" || !answered {
		m := string(<-p.out)
		if m[:3] == "BYE" {
			passed = m
		}
		answered = answered || m[:11] == "SIP/2.0 200"
	}
	p.in <- []byte(reply(parsed(t, passed), 200, "", nil, ""))
}

// used is the time this process has used: machines are shared, so time that has
// passed says little.
func used(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

package sip_test

import (
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cordpair/cordpair/sip"
)

// scarce is a listener of a process that has no descriptor left for a time.
type scarce struct {
	net.Listener
	none, asked *atomic.Int64
}

func (l scarce) Accept() (net.Conn, error) {
	if l.asked.Add(1); l.none.Load() != 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

// TestOutOfDescriptors (O8): without descriptors no connection is accepted, and
// nobody is busy with trying; calls go on, and afterwards all is as before.
func TestOutOfDescriptors(t *testing.T) {
	var none, asked atomic.Int64
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		e.rawTCP("10.0.9.2:5060").send("\r\n\r\n") // the listener finds out with the next Accept
		none.Store(1)
		e.rawTCP("10.0.9.3:5060").send("\r\n\r\n")
		time.Sleep(time.Second)
		asked.Store(0)
		late := e.rawTCP("10.0.9.4:5060")
		late.send(late.text(request{method: "OPTIONS"}))
		time.Sleep(10 * time.Second)
		if n := asked.Load(); n > 2*20*10 {
			t.Errorf("asked %d times in 10 s", n)
		}
		late.expect()
		u.talk()
		none.Store(0)
		time.Sleep(time.Second)
		late.expect(200)
	}, func(c *sip.Config) {
		listen := c.Listen
		c.Listen = func(a netip.AddrPort) (net.Listener, error) {
			l, err := listen(a)
			return scarce{l, &none, &asked}, err
		}
	})
}

// TestRouteWithoutDescriptors (O8): while the kernel cannot be asked, the last
// answer holds.
func TestRouteWithoutDescriptors(t *testing.T) {
	local, remote := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.7")
	answer := local
	r := sip.NewRoutes(func(netip.Addr) netip.Addr { return answer })
	if got := r.To(remote); got != local {
		t.Fatalf("route is %v", got)
	}
	answer = netip.Addr{}
	for a, i := remote.Next(), 0; i < 5000; a, i = a.Next(), i+1 {
		if got := r.To(a); got != a {
			t.Fatalf("route to a stranger is %v", got)
		}
	}
	if got := r.To(remote); got != local {
		t.Errorf("route is %v", got)
	}
}

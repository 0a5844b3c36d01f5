//go:build linux && (amd64 || arm64)

package sip

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"testing"
)

// TestPeek: who has other work to do finds what waits in a socket, in order, and
// does not wait for more; who waits owns the room from then on.
func TestPeek(t *testing.T) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	u, ok := fast(c).(batchReader)
	if !ok {
		t.Fatal("no raw socket")
	}
	far, err := net.DialUDP("udp4", nil, c.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	say := func(from, to int) {
		for i := from; i < to; i++ { // each is there when Write returns
			if _, err := fmt.Fprint(far, i); err != nil {
				t.Fatal(err)
			}
		}
	}
	heard := func(list []arrival, from, to int) {
		t.Helper()
		if len(list) != to-from {
			t.Fatalf("%d datagrams, want %d", len(list), to-from)
		}
		for i, a := range list {
			if string(a.b) != strconv.Itoa(from+i) || a.from.String() != far.LocalAddr().String() {
				t.Errorf("got %q from %v", a.b, a.from)
			}
		}
	}
	const some = inMost + 2
	say(0, some)
	heard(u.peek(), 0, inMost)
	heard(u.peek(), inMost, some)
	heard(u.peek(), some, some)
	say(some, some+2)
	var owner sync.Mutex
	list, waited, err := u.receive(&owner)
	if err != nil || waited || owner.TryLock() {
		t.Errorf("waited %v, %v", waited, err)
	}
	heard(list, some, some+2)
	owner.Unlock()
	heard(u.peek(), some, some)
	if !owner.TryLock() {
		t.Error("peek took what is its caller's")
	}
}

// TestZone: an answer to a link-local address goes out over the link that the
// request came by.
func TestZone(t *testing.T) {
	from := netip.MustParseAddrPort("[fe80::1%7]:5060")
	var a rawAddr
	a.set(from, true)
	if a.sa.Scope_id != 7 || a.addrPort() != from {
		t.Errorf("%d, %v", a.sa.Scope_id, a.addrPort())
	}
	lo, err := net.InterfaceByIndex(1)
	if err != nil {
		t.Skip("no first link")
	}
	if a.set(netip.MustParseAddrPort("[fe80::1%"+lo.Name+"]:5060"), true); a.sa.Scope_id != 1 {
		t.Errorf("%s is %d", lo.Name, a.sa.Scope_id)
	}
}

//go:build linux && (amd64 || arm64)

package sip

import (
	"net"
	"sync"
	"testing"
)

// TestPeek: who has other work to do finds what waits in a socket, in order, and
// does not wait for more; who waits owns the buffer from then on.
func TestPeek(t *testing.T) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	u, ok := fast(c).(waiter)
	if !ok {
		t.Fatal("no raw socket")
	}
	far, err := net.DialUDP("udp4", nil, c.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	for _, text := range []string{"one", "two", "three"} { // each is there when Write returns
		if _, err := far.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 16)
	for _, want := range []string{"one", "two"} {
		n, from, ok := u.peek(b)
		if !ok || string(b[:n]) != want || from.String() != far.LocalAddr().String() {
			t.Errorf("got %q from %v, %v", b[:n], from, ok)
		}
	}
	var owner sync.Mutex
	n, _, waited, err := u.receive(b, &owner)
	if err != nil || waited || string(b[:n]) != "three" || owner.TryLock() {
		t.Errorf("got %q, waited %v, %v", b[:n], waited, err)
	}
	owner.Unlock()
	if n, _, ok := u.peek(b); ok {
		t.Errorf("got %q, which nobody sent", b[:n])
	}
	if !owner.TryLock() {
		t.Error("peek took what is its caller's")
	}
}

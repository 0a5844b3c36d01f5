package siptest

import (
	"net/netip"
	"slices"
	"time"
)

// Fate is what became of a datagram.
type Fate uint8

// The fates of a datagram.
const (
	Delivered  Fate = iota // it is in the receiver's queue
	Lost                   // impairment took it
	NoListener             // nobody had the address
	Overflow               // the receiver's queue was full
)

// String names the fate.
func (f Fate) String() string {
	switch f {
	case Delivered:
		return "delivered"
	case Lost:
		return "lost"
	case NoListener:
		return "no listener"
	case Overflow:
		return "overflow"
	default:
		return "unknown"
	}
}

// Datagram is what a Tap saw, at the moment its fate was sealed. A duplicate is
// seen twice. Data must not be changed.
type Datagram struct {
	At       time.Time
	From, To netip.AddrPort
	Data     []byte
	Fate     Fate
}

// Tap records datagrams of a Net from its making to its Close. It keeps all of
// them, so tap only what a test looks at.
type Tap struct {
	net  *Net
	seen []Datagram
}

// Tap begins a recording of every datagram.
func (n *Net) Tap() *Tap {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := &Tap{net: n}
	n.taps = append(n.taps, t)
	return t
}

// Datagrams returns what was recorded so far, in order.
func (t *Tap) Datagrams() []Datagram {
	t.net.mu.Lock()
	defer t.net.mu.Unlock()
	return slices.Clone(t.seen)
}

// Close ends the recording; what was recorded stays.
func (t *Tap) Close() {
	t.net.mu.Lock()
	defer t.net.mu.Unlock()
	t.net.taps = slices.DeleteFunc(t.net.taps, func(o *Tap) bool { return o == t })
}

// tapped tells the taps. n.mu is held.
func (n *Net) tapped(d datagram, to netip.AddrPort, fate Fate) {
	if len(n.taps) == 0 {
		return
	}
	seen := Datagram{At: time.Now(), From: d.from, To: to, Data: d.data, Fate: fate}
	for _, t := range n.taps {
		t.seen = append(t.seen, seen)
	}
}

package siptest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"syscall"
)

// queueLen is how many datagrams wait in one socket, and backlog how many
// connections in one listener, before the network drops or refuses more.
const (
	queueLen = 1024
	backlog  = 128
)

// Ports handed out for port 0, as by a common kernel.
const (
	firstEphemeral = 32768
	lastEphemeral  = 60999
)

var (
	// ErrAddrInUse is returned for an address that somebody listens on.
	ErrAddrInUse = fmt.Errorf("siptest: %w", syscall.EADDRINUSE)
	// ErrUnspecified is returned for 0.0.0.0, :: and the zero address: a Net
	// has no hosts, so it cannot know what "all my addresses" are.
	ErrUnspecified = errors.New("siptest: an in-memory socket needs a definite address")
	// ErrNetClosed is returned after Net.Close.
	ErrNetClosed = errors.New("siptest: network is closed")
	// ErrNoPorts is returned when an address has no free port left.
	ErrNoPorts = errors.New("siptest: no free port")
	// ErrRefused is returned by Dial where nobody listens or the backlog is full.
	ErrRefused = fmt.Errorf("siptest: %w", syscall.ECONNREFUSED)
)

// TB is the part of testing.TB that NewNet needs.
type TB interface {
	Helper()
	Cleanup(func())
	Failed() bool
	Logf(format string, args ...any)
}

// Net is a network in memory. Any address exists as soon as somebody listens on
// it; packets between any two addresses get through unless Impair says
// otherwise. All methods may be called from any goroutine.
//
// In a synctest bubble the Net must be made inside the bubble.
type Net struct {
	// Switch and Switch6 are where the phones of this network send their
	// requests: 10.0.0.1:5060 and [fd00::1]:5060. Change them only before the
	// first call of Phone.
	Switch, Switch6 netip.AddrPort

	seed uint64

	mu        sync.Mutex
	closed    bool
	packets   map[netip.AddrPort]*packetConn
	listeners map[netip.AddrPort]*listener
	streams   map[*streamConn]struct{}
	used      map[netip.AddrPort]int // local TCP addresses of connections
	nextPort  map[netip.Addr]uint16
	phones    []*Phone
	weather   weather
	taps      []*Tap
	watcher   func(Sighting)
	stats     NetStats
}

// New returns a network whose impairments are decided by seed. Close it at the
// end.
func New(seed uint64) *Net {
	return &Net{
		Switch:    netip.MustParseAddrPort("10.0.0.1:5060"),
		Switch6:   netip.MustParseAddrPort("[fd00::1]:5060"),
		seed:      seed,
		packets:   map[netip.AddrPort]*packetConn{},
		listeners: map[netip.AddrPort]*listener{},
		streams:   map[*streamConn]struct{}{},
		used:      map[netip.AddrPort]int{},
		nextPort:  map[netip.Addr]uint16{},
		weather:   weather{seed: seed, flows: map[flowKey]*flow{}, from: map[netip.Addr]Impairment{}},
	}
}

// NewNet returns a network with a random seed that is closed, with its phones,
// when the test ends. A failed test logs the seed.
func NewNet(t TB) *Net {
	t.Helper()
	n := New(rand.Uint64())
	t.Cleanup(func() {
		_ = n.Close() // a network in memory has nothing to report
		if t.Failed() {
			t.Logf("siptest: seed of the network: %d", n.seed)
		}
	})
	return n
}

// Seed is the seed that decides the impairments.
func (n *Net) Seed() uint64 { return n.seed }

// NetStats counts datagrams since the network was made.
type NetStats struct {
	Sent       uint64 // handed to the network
	Delivered  uint64 // put into a socket's queue, duplicates included
	Lost       uint64 // by impairment
	Duplicated uint64 // by impairment
	NoListener uint64 // nobody had the address
	Overflow   uint64 // the socket's queue of 1024 was full
}

// Stats returns the counters.
func (n *Net) Stats() NetStats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stats
}

// Close closes the phones of this network, then every socket, listener and
// connection.
func (n *Net) Close() error {
	n.mu.Lock()
	n.closed = true
	phones := n.phones
	n.phones = nil
	n.mu.Unlock()
	for _, p := range phones {
		if p != nil { // Phone panicked half way
			_ = p.Close() // sockets in memory have nothing to report
		}
	}
	n.mu.Lock()
	packets, listeners, streams := n.packets, n.listeners, n.streams
	n.packets = map[netip.AddrPort]*packetConn{}
	n.listeners = map[netip.AddrPort]*listener{}
	n.streams = map[*streamConn]struct{}{}
	n.mu.Unlock()
	for _, c := range packets {
		c.shut()
	}
	for _, l := range listeners {
		l.shut()
	}
	for c := range streams {
		c.shut()
	}
	return nil
}

// choose returns addr with a port that taken does not know. n.mu is held.
func (n *Net) choose(addr netip.AddrPort, taken func(netip.AddrPort) bool) (netip.AddrPort, error) {
	if n.closed {
		return netip.AddrPort{}, ErrNetClosed
	}
	ip := addr.Addr().Unmap()
	if !ip.IsValid() || ip.IsUnspecified() {
		return netip.AddrPort{}, ErrUnspecified
	}
	if addr.Port() != 0 {
		addr = netip.AddrPortFrom(ip, addr.Port())
		if taken(addr) {
			return netip.AddrPort{}, fmt.Errorf("%w: %s", ErrAddrInUse, addr)
		}
		return addr, nil
	}
	for range lastEphemeral - firstEphemeral + 1 {
		port := max(n.nextPort[ip], firstEphemeral)
		n.nextPort[ip] = port + 1
		if port == lastEphemeral {
			n.nextPort[ip] = firstEphemeral
		}
		if candidate := netip.AddrPortFrom(ip, port); !taken(candidate) {
			return candidate, nil
		}
	}
	return netip.AddrPort{}, fmt.Errorf("%w on %s", ErrNoPorts, ip)
}

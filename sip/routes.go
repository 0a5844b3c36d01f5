package sip

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// routesKept bounds the cache (O5): a flood of invented sources empties it
	// and costs a system call each, as without one.
	routesKept = 4096
	// routeLife is how long a route is believed: interfaces come and go.
	routeLife = 10 * time.Second
)

// routes remembers which of our addresses the kernel uses towards others, for
// listeners that are bound to the unspecified address. Asking costs three
// system calls, and every message has to know.
type routes struct {
	ask func(remote netip.Addr) netip.Addr

	mu    sync.Mutex
	until time.Time
	known map[netip.Addr]netip.Addr
	// before is what was known until lately: better than nothing while the kernel
	// cannot be asked because the process is out of descriptors (O8).
	before map[netip.Addr]netip.Addr
}

// to returns our address towards remote.
func (r *routes) to(remote netip.Addr) netip.Addr {
	now := time.Now()
	r.mu.Lock()
	if r.known == nil || now.After(r.until) || len(r.known) >= routesKept {
		if len(r.known) > 0 {
			r.before = r.known
		}
		r.known, r.until = map[netip.Addr]netip.Addr{}, now.Add(routeLife)
	}
	local, ok := r.known[remote]
	r.mu.Unlock()
	if ok {
		return local
	}
	local = r.ask(remote)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !local.IsValid() {
		if local, ok = r.before[remote]; !ok {
			local = remote // unreachable: nothing we announce would help
		}
	}
	r.known[remote] = local
	return local
}

// routeTo asks the kernel which of our addresses it would use towards remote; no
// packet is sent. It gives none if it cannot be asked or knows of no way.
func routeTo(remote netip.Addr) netip.Addr {
	var d net.Dialer
	c, err := d.DialContext(context.Background(), "udp", netip.AddrPortFrom(remote, 9).String())
	if err != nil {
		return netip.Addr{}
	}
	local := addrPortOf(c.LocalAddr()).Addr()
	_ = c.Close() // a connected socket without data
	return local
}

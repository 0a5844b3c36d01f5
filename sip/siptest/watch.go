package siptest

import (
	"net/netip"
	"time"
)

// Sighting is what a watcher sees: a datagram at the moment it is handed to the
// network, whatever becomes of it, or bytes as they are written to a
// connection. Data must not be changed nor kept.
type Sighting struct {
	At       time.Time
	From, To netip.AddrPort
	Stream   bool
	Data     []byte
}

// Watch calls see for everything that is sent from now on, on the goroutine that
// sends it: see must be quick, must not use the network, and may be called by
// several goroutines at once. There is one watcher; nil takes it away.
func (n *Net) Watch(see func(Sighting)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.watcher = see
}

// sighted tells the watcher.
func (n *Net) sighted(s Sighting) {
	n.mu.Lock()
	see := n.watcher
	n.mu.Unlock()
	if see != nil {
		s.At = time.Now()
		see(s)
	}
}

// Sever takes a host off the network as the death of its process does: its
// sockets and listeners are gone, so that a successor can open their addresses,
// and its connections are closed for their far ends. Those who hold the sockets are not
// told, other than by their connections: what they send is lost, what they wait
// for does not come, and they can open nothing in the place of what they lost
// without taking it from the successor. Close them soon.
func (n *Net) Sever(host netip.Addr) {
	host = host.Unmap()
	n.mu.Lock()
	var listeners []*listener
	var streams []*streamConn
	for a, c := range n.packets {
		if a.Addr() == host {
			c.severed.Store(true)
			delete(n.packets, a)
		}
	}
	for a, l := range n.listeners {
		if a.Addr() == host {
			listeners = append(listeners, l)
			delete(n.listeners, a)
		}
	}
	for c := range n.streams {
		if c.local.Addr() == host {
			streams = append(streams, c)
			delete(n.streams, c)
		}
	}
	n.mu.Unlock()
	for _, l := range listeners {
		l.shut()
	}
	for _, c := range streams {
		c.shut()
	}
}

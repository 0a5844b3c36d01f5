package siptest

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"time"
)

// overtaken is how much longer a reordered datagram travels.
const overtaken = 30 * time.Millisecond

// Impairment is what happens to datagrams on their way. Loss, Duplicate and
// Reorder are probabilities from 0 to 1. Every datagram takes Delay and a random
// part of Jitter; datagrams keep their order under Jitter, and a reordered one
// travels 30 ms longer than the rest.
type Impairment struct {
	Loss, Duplicate, Reorder float64
	Delay, Jitter            time.Duration
}

// flowKey is one direction between two sockets.
type flowKey struct{ from, to netip.AddrPort }

// flow decides the fate of one direction's datagrams. Each has its own random
// sequence, drawn from the seed and the two addresses, so that the fate of the
// n-th datagram does not depend on how goroutines interleave.
type flow struct {
	rand *rand.Rand
	last time.Time // when the latest datagram in order arrives
}

// weather is the impairment of the whole network. Net.mu guards it.
type weather struct {
	seed  uint64
	all   Impairment
	from  map[netip.Addr]Impairment
	flows map[flowKey]*flow
}

// Impair sets what happens to every datagram from now on, except those from an
// address given to ImpairFrom.
func (n *Net) Impair(im Impairment) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.weather.all = im
}

// ImpairFrom sets what happens to the datagrams sent by one address, instead of
// what Impair says: one direction of the traffic.
func (n *Net) ImpairFrom(from netip.Addr, im Impairment) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.weather.from[from.Unmap()] = im
}

// arrivals returns the delay of every copy of a datagram that arrives; none
// means it is lost.
func (w *weather) arrivals(key flowKey, now time.Time) []time.Duration {
	im, ok := w.from[key.from.Addr()]
	if !ok {
		im = w.all
	}
	if im == (Impairment{}) {
		return []time.Duration{0}
	}
	f := w.flows[key]
	if f == nil {
		f = &flow{rand: rand.New(rand.NewPCG(w.seed, key.hash()))}
		w.flows[key] = f
	}
	// All values are drawn every time: what one probability says does not
	// shift the sequence of the others.
	lost := f.rand.Float64() < im.Loss
	twice := f.rand.Float64() < im.Duplicate
	late := f.rand.Float64() < im.Reorder
	jitter := time.Duration(f.rand.Float64() * float64(im.Jitter))
	if lost {
		return nil
	}
	at := now.Add(im.Delay + jitter)
	switch {
	case late:
		at = at.Add(overtaken)
	case f.last.Before(at):
		f.last = at
	default:
		// Two timers of one instant may fire in either order.
		at = f.last.Add(1)
		f.last = at
	}
	out := []time.Duration{at.Sub(now)}
	if twice {
		out = append(out, at.Sub(now))
	}
	return out
}

func (k flowKey) hash() uint64 {
	h := fnv.New64a()
	for _, a := range []netip.AddrPort{k.from, k.to} {
		ip := a.Addr().As16()
		_, _ = h.Write(ip[:]) // a hash never fails
		_, _ = h.Write(binary.BigEndian.AppendUint16(nil, a.Port()))
	}
	return h.Sum64()
}

// carry takes a datagram to its destination now or later. It never waits.
func (n *Net) carry(from, to netip.AddrPort, b []byte) {
	d := datagram{from: from, data: append([]byte(nil), b...)}
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	n.stats.Sent++
	delays := n.weather.arrivals(flowKey{from, to}, now)
	if len(delays) == 0 {
		n.stats.Lost++
		n.tapped(d, to, Lost)
		return
	}
	if len(delays) > 1 {
		n.stats.Duplicated++
	}
	for _, delay := range delays {
		if delay == 0 {
			n.deliver(d, to)
			continue
		}
		time.AfterFunc(delay, func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			if !n.closed {
				n.deliver(d, to)
			}
		})
	}
}

// deliver puts a datagram into the socket of its destination. n.mu is held.
func (n *Net) deliver(d datagram, to netip.AddrPort) {
	c := n.packets[to]
	switch {
	case c == nil:
		n.stats.NoListener++
		n.tapped(d, to, NoListener)
	case !c.push(d):
		n.stats.Overflow++
		n.tapped(d, to, Overflow)
	default:
		n.stats.Delivered++
		n.tapped(d, to, Delivered)
	}
}

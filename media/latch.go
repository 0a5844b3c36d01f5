package media

import "net/netip"

// silence is how long a source must have been quiet before another one at a
// permitted address takes its place (M1), and before another SSRC does (M2).
const silence = 200e6 // ns

// latch decides whose packets one port takes and where the port sends (M1).
// Only the address of the description and that of the SIP count, with any port;
// the exactly signalled port takes over at once, another one after the present
// source was silent. RTP and RTCP have a latch each.
type latch struct {
	src   netip.AddrPort // learnt source, invalid before the first packet
	at    int64          // when src was heard last
	to    target         // where we send
	exact netip.AddrPort // as signalled; invalid when unusable
	hosts [2]netip.Addr  // permitted addresses; invalid ones match nothing
}

// retarget takes new terms. What was learnt stays while the signalled address
// does: a session refresh must not cut a party off behind its NAT.
func (l *latch) retarget(exact netip.AddrPort, hosts [2]netip.Addr) {
	if exact == l.exact && hosts == l.hosts {
		return
	}
	l.exact, l.hosts = exact, hosts
	l.src, l.at = netip.AddrPort{}, 0
	l.to.set(exact)
}

// admit tells whether a packet from this source counts, learning the source if
// the rule allows. forbidden is asked before a new source becomes a target (M5).
func (l *latch) admit(from netip.AddrPort, now int64, forbidden func(netip.AddrPort) bool) bool {
	if l.again(from, now) {
		return true
	}
	if !l.permits(from.Addr()) {
		return false
	}
	if l.src.IsValid() && from != l.exact && now-l.at < silence {
		return false
	}
	if forbidden(from) {
		return false
	}
	l.src, l.at = from, now
	l.to.set(from)
	return true
}

// again tells whether a packet comes from the source that is known already, as
// nearly all do.
func (l *latch) again(from netip.AddrPort, now int64) bool {
	if from != l.src {
		return false
	}
	l.at = now
	return true
}

// permits tells whether the address may send at all.
func (l *latch) permits(a netip.Addr) bool {
	return a.IsValid() && (a == l.hosts[0] || a == l.hosts[1])
}

// confirmed tells whether the far end has shown that it is where we send.
func (l *latch) confirmed() bool { return l.src.IsValid() }

// quarantine keeps the previous user of a port pair out of the next session
// (M6). Packets that bear the old SSRC are dropped; those from the old source
// too, until five in a row prove a new stream: a phone behind a NAT keeps its
// source from call to call. A user that was not heard where it is may begin to send
// late, from any port of its hosts: that counts until the pair would have rested. The
// exactly signalled source is held back for so long only, and only under the old SSRC.
type quarantine struct {
	on      bool
	heard   bool // remote and ssrc are known
	remote  netip.AddrPort
	ssrc    uint32
	hosts   [2]netip.Addr // of a user after that who was not heard
	until   int64         // end of the rest
	earlier former
	run     int
	runSSRC uint32
	runSeq  uint16
}

// former is the stream of the user before the previous one, which is dropped until
// that user's rest would have ended: two short calls under pressure are shorter.
type former struct {
	ssrc  uint32
	until int64
}

// holds tells whether the packet belongs to the previous session.
func (q *quarantine) holds(from, exact netip.AddrPort, p *packet, now int64) bool {
	if !q.on {
		return false
	}
	if p.ssrc == q.earlier.ssrc && now < q.earlier.until {
		return true
	}
	if q.heard && p.ssrc == q.ssrc && (from != exact || now < q.until) {
		return true
	}
	unheard := now < q.until && (from.Addr() == q.hosts[0] || from.Addr() == q.hosts[1])
	if from == exact || from != q.remote && !unheard {
		return false
	}
	if p.ssrc == q.runSSRC && p.seq == q.runSeq+1 {
		q.run++
	} else {
		q.run = 1
	}
	q.runSSRC, q.runSeq = p.ssrc, p.seq
	if q.run > stablePackets {
		q.remote, q.hosts = netip.AddrPort{}, [2]netip.Addr{}
		return false
	}
	return true
}

// window allows at most n things in any second. Few streams ever need one.
type window struct {
	n    int
	last *ring // nil before the first
}

// ring holds the times of the last n things.
type ring struct {
	times []int64
	next  int
	full  bool
}

// newWindow allows n a second.
func newWindow(n int) window { return window{n: n} }

// allow counts one thing at now, unless it would be one too many.
func (w *window) allow(now int64) bool {
	if w.last == nil {
		w.last = &ring{times: make([]int64, w.n)}
	}
	r := w.last
	if r.full && now-r.times[r.next] < 1e9 {
		return false
	}
	r.times[r.next] = now
	r.next++
	if r.next == len(r.times) {
		r.next, r.full = 0, true
	}
	return true
}

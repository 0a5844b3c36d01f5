package sip

import (
	"net/netip"
	"slices"
	"time"
)

const (
	// shelfText is how long the texts of a shelf may be together, shelfRows how many
	// rows it has.
	shelfText = 64 << 10
	shelfRows = 160
	// keptMost bounds what one worker keeps (O5): beyond it the oldest go early, and
	// a request repeated after that is a new one.
	keptMost = 1 << 19
	// keptTidy is how late what has run out may go, so that an idle worker does not
	// wake for every one.
	keptTidy = 500 * time.Millisecond
	// sparesMost is how many empty shelves wait to be used again.
	sparesMost = 64
)

// kept holds the server transactions that have given their final answer, for the
// 32 s in which a repetition of the request gets it again (S9, RFC 3261 17.2.2,
// RFC 6026 timer L). All live equally long, so they stand in the order in which they
// will go, without a timer each; their replies lie one behind the other; and nothing
// in here is a pointer but the shelves themselves, because there are hundreds of
// thousands and the collector would look at every one.
type kept struct {
	start   time.Time
	life    time.Duration
	at      map[txKey]uint64 // see place
	shelves []*shelf         // oldest first
	first   uint64           // number of shelves[0]
	spares  []*shelf
	zones   []string // of link-local sources
	clock   timer

	shelfText int
}

// shelf is a stretch of them.
type shelf struct {
	rows []finished
	text []byte
	gone int // the first rows that have gone
}

// finished is one of them.
type finished struct {
	key, merge txKey
	until      time.Duration // since kept.start
	flow       flowRef
	from, size uint32 // in shelf.text
	invite     bool
	// Of an INVITE of ours: it was accepted, by a dialog with the To tag that its text
	// begins with, and by so many others.
	accepted bool
	tag      uint16
	forks    uint8
}

// flowRef is a flow without pointers.
type flowRef struct {
	addr     [16]byte
	conn     uint64 // of a stream; 0 for UDP
	port     uint16
	listener uint16 // index in Server.udp
	zone     uint8  // index in kept.zones, from 1
	four     bool
}

func newKept(now time.Time) kept {
	return kept{start: now, life: timerLong, at: map[txKey]uint64{}, shelfText: shelfText}
}

// place is where a row stands: the number of its shelf and its row.
func place(shelf uint64, row int) uint64 { return shelf<<8 | uint64(row) }

func (k *kept) len() int { return len(k.at) }

// find returns what is kept under key and its text; nil if there is nothing.
func (k *kept) find(key txKey) (*finished, []byte) {
	at, ok := k.at[key]
	if !ok {
		return nil, nil
	}
	s := k.shelves[at>>8-k.first]
	r := &s.rows[at&0xff]
	return r, s.text[r.from : r.from+r.size]
}

// add keeps a transaction. text is copied: the answer that repetitions get or, for
// an INVITE whose 2xx belongs to its leg, the To tag.
func (k *kept) add(r finished, text []byte, now time.Time) {
	s := k.room(len(text))
	r.until = now.Sub(k.start) + k.life
	r.from, r.size = uint32(len(s.text)), uint32(len(text))
	k.at[r.key] = place(k.first+uint64(len(k.shelves)-1), len(s.rows))
	s.text = append(s.text, text...)
	s.rows = append(s.rows, r)
}

// room is the last shelf, or a new one if it cannot take n bytes more.
func (k *kept) room(n int) *shelf {
	if last := len(k.shelves) - 1; last >= 0 {
		if s := k.shelves[last]; len(s.rows) < cap(s.rows) && len(s.text)+n <= cap(s.text) {
			return s
		}
	}
	var s *shelf
	if last := len(k.spares) - 1; last >= 0 && n <= k.shelfText {
		s, k.spares = k.spares[last], k.spares[:last]
	} else {
		s = &shelf{rows: make([]finished, 0, shelfRows), text: make([]byte, 0, max(n, k.shelfText))}
	}
	k.shelves = append(k.shelves, s)
	return s
}

// expire lets go of what has run out at now, and of the oldest if there are too
// many; gone is called with each.
func (k *kept) expire(now time.Time, gone func(*finished)) {
	since := now.Sub(k.start)
	n := 0
	for ; n < len(k.shelves); n++ {
		s := k.shelves[n]
		for ; s.gone < len(s.rows); s.gone++ {
			r := &s.rows[s.gone]
			if r.until > since && len(k.at) <= keptMost {
				break
			}
			if k.at[r.key] == place(k.first+uint64(n), s.gone) {
				delete(k.at, r.key)
			}
			gone(r)
		}
		if s.gone < len(s.rows) {
			break
		}
	}
	k.drop(n)
}

// drop takes the first n shelves away, which are empty.
func (k *kept) drop(n int) {
	for _, s := range k.shelves[:n] {
		if cap(s.text) == k.shelfText && len(k.spares) < sparesMost {
			s.rows, s.text, s.gone = s.rows[:0], s.text[:0], 0
			k.spares = append(k.spares, s)
		}
	}
	k.shelves = slices.Delete(k.shelves, 0, n)
	k.first += uint64(n)
	if n > 0 && len(k.shelves) == 0 {
		k.spares, k.at = nil, map[txKey]uint64{} // an idle worker holds nothing
	}
}

// next says how long from now until something should go, or false if nothing is
// kept.
func (k *kept) next(now time.Time) (time.Duration, bool) {
	if len(k.shelves) == 0 {
		return 0, false
	}
	s := k.shelves[0]
	return max(s.rows[s.gone].until-now.Sub(k.start), 0) + keptTidy, true
}

// ref makes a flow small.
func (k *kept) ref(f flow) (r flowRef) {
	switch f := f.(type) {
	case udpFlow:
		a := f.to.Addr()
		r = flowRef{addr: a.As16(), port: f.to.Port(), listener: f.l.index, four: a.Is4(), zone: k.zone(a.Zone())}
	case *streamFlow:
		r.conn = f.n
	}
	return r
}

// mostZones bounds the interfaces that are told apart.
const mostZones = 255

func (k *kept) zone(name string) uint8 {
	if name == "" {
		return 0
	}
	i := slices.Index(k.zones, name)
	if i < 0 && len(k.zones) < mostZones {
		i, k.zones = len(k.zones), append(k.zones, name)
	}
	return uint8(i + 1)
}

// flow is the flow again; nil if its connection is gone.
func (k *kept) flow(s *Server, r *flowRef) flow {
	if r.conn != 0 {
		if f := s.streams.find(r.conn); f != nil {
			return f
		}
		return nil
	}
	a := netip.AddrFrom16(r.addr)
	switch {
	case r.four:
		a = a.Unmap()
	case r.zone > 0:
		a = a.WithZone(k.zones[r.zone-1])
	}
	return udpFlow{l: s.udp[r.listener], to: netip.AddrPortFrom(a, r.port)}
}

package media

import (
	"math"
	"net/netip"
	"sync/atomic"
	"time"
)

// Stats are the counters of one session. Received is what the party sent.
type Stats struct {
	PacketsReceived, PacketsSent uint64 // RTP
	OctetsReceived, OctetsSent   uint64 // RTP payload
	Lost                         uint64 // by gaps in the received sequence numbers
	Dropped                      uint64 // malformed, from a stranger, of an unknown type, or over a limit
	// Forged were to be encrypted by the party and were not, or had been heard
	// before: they came from one of its addresses and changed nothing (M3).
	Forged   uint64
	JitterMS float64 // RFC 3550 section 6.4.1, in ms
	// FarLost and FarJitterMS are what the party's RTCP says of the packets it got
	// from us, and RoundTrip is the time to it and back; all 0 without a report.
	FarLost     uint64
	FarJitterMS float64
	RoundTrip   time.Duration

	Codec string // negotiated, "PCMU"; empty before

	// FirstAt is when the first RTP packet was accepted from the party; zero if
	// none was.
	FirstAt time.Time
	// Signalled is the address the party's description in force names for its
	// RTP; invalid before there is one, and while it names none (the old form of
	// hold).
	Signalled netip.AddrPort
	// Source is where the party's RTP really comes from, as learnt by M1; invalid
	// until a packet was accepted under the present description's address.
	Source netip.AddrPort
}

// sighting is what the first packet of a source told. A value never changes.
type sighting struct {
	first  time.Time // of the session
	source netip.AddrPort
	exact  netip.AddrPort // the terms it was learnt under
	hosts  [2]netip.Addr
}

// under gives the source if it was learnt under these terms: what was learnt
// before the party named another address says nothing about the new one.
func (g *sighting) under(t *terms) netip.AddrPort {
	if g.exact != t.rtp || g.hosts != t.hosts {
		return netip.AddrPort{}
	}
	return g.source
}

// counter has one writer, the loop, and any number of readers.
type counter struct{ v atomic.Uint64 }

// add is for the loop only.
func (c *counter) add(n uint64) { c.v.Store(c.v.Load() + n) }

func (c *counter) set(n uint64) { c.v.Store(n) }
func (c *counter) get() uint64  { return c.v.Load() }

// counters are those of one stream.
type counters struct {
	received, octetsIn, sent, octetsOut, dropped, forged, lost counter
	jitter                                                     counter // jitter16 of the receiver and the clock rate, 32 bits each
	farLost, farJitter, roundTrip                              counter // as the party reports; farJitter like jitter
}

// stats reads the counters; the loop goes on.
func (c *counters) stats() Stats {
	return Stats{
		PacketsReceived: c.received.get(),
		PacketsSent:     c.sent.get(),
		OctetsReceived:  c.octetsIn.get(),
		OctetsSent:      c.octetsOut.get(),
		Lost:            c.lost.get(),
		Dropped:         c.dropped.get(),
		Forged:          c.forged.get(),
		JitterMS:        milliseconds(c.jitter.get()),
		FarLost:         c.farLost.get(),
		FarJitterMS:     milliseconds(c.farJitter.get()),
		RoundTrip:       time.Duration(c.roundTrip.get()),
	}
}

// milliseconds reads the jitter counter.
func milliseconds(v uint64) float64 {
	clock := v & math.MaxUint32
	if clock == 0 {
		return 0
	}
	return float64(v>>32) / 16 / float64(clock) * 1000
}

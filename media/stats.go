package media

import (
	"math"
	"sync/atomic"
)

// Stats are the counters of one session. Received is what the party sent.
type Stats struct {
	PacketsReceived, PacketsSent uint64  // RTP
	OctetsReceived, OctetsSent   uint64  // RTP payload
	Lost                         uint64  // by gaps in the received sequence numbers
	Dropped                      uint64  // malformed, from a stranger, of an unknown type, or over a limit
	JitterMS                     float64 // RFC 3550 section 6.4.1, in ms
	Codec                        string  // negotiated, "PCMU"; empty before
}

// counter has one writer, the loop, and any number of readers.
type counter struct{ v atomic.Uint64 }

// add is for the loop only.
func (c *counter) add(n uint64) { c.v.Store(c.v.Load() + n) }

func (c *counter) set(n uint64) { c.v.Store(n) }
func (c *counter) get() uint64  { return c.v.Load() }

// counters are those of one stream.
type counters struct {
	received, octetsIn, sent, octetsOut, dropped, lost counter
	jitter                                             counter // jitter16 of the receiver and the clock rate, 32 bits each
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
		JitterMS:        milliseconds(c.jitter.get()),
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

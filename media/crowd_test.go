package media

import (
	"net/netip"
	"testing"
)

// BenchmarkCrowd is BenchmarkRelay with a packet of another call each time, as it is
// in a switch: what a packet touches is in no near cache.
func BenchmarkCrowd(b *testing.B) {
	type call struct {
		l        *loop
		from     *stream
		datagram []byte
		header   [rtpHeader]byte
		sender   netip.AddrPort
	}
	all := make([]call, 3000)
	for i := range all {
		c := &all[i]
		c.l, c.from, c.datagram, c.sender, _ = benchPair(b, "0", "0")
		c.header = [rtpHeader]byte(c.datagram)
	}
	one, at := all[0].l, 0
	b.ReportAllocs()
	for b.Loop() {
		c := &all[at]
		if at++; at == len(all) {
			at = 0
		}
		// Each has a loop of its own here, but only the first is used.
		c.from.loop = one
		(*c.from.sink.Load()).(*relay).to.loop = one
		copy(c.datagram, c.header[:])
		next(c.datagram, one)
		one.now -= frameTime - 7
		c.header = [rtpHeader]byte(c.datagram)
		one.arrived(c.from, false, c.datagram, c.sender)
	}
}

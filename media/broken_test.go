package media

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// TestBrokenStreamsEndNothing (M4): whatever comes from the party's own address, at
// either port, its call goes on: after a silence that lets a new stream in, it is heard.
func TestBrokenStreamsEndNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, a, datagram, from, out := benchPair(t, "0 101", "0 101")
		control := netip.AddrPortFrom(from.Addr(), from.Port()+1)
		for range rapid.IntRange(1, 60).Draw(rt, "datagrams") {
			b := rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(rt, "octets")
			switch rapid.IntRange(0, 3).Draw(rt, "made of") {
			case 0: // nothing but noise
			case 1: // an RTP header, some of it wrong
				b = append(append([]byte(nil), datagram[:rtpHeader]...), b...)
				b[rapid.IntRange(0, rtpHeader-1).Draw(rt, "at")] ^= rapid.Byte().Draw(rt, "bits")
			default: // a report, some of it wrong
				b = append(receiverReport(9), b...)
				b[rapid.IntRange(0, 7).Draw(rt, "at")] ^= rapid.Byte().Draw(rt, "bits")
			}
			if rapid.Bool().Draw(rt, "control") {
				l.arrived(a, true, b, control)
			} else {
				l.arrived(a, false, b, from)
			}
			l.now += rapid.Int64Range(0, frameTime).Draw(rt, "pause")
		}
		l.now += silence
		// A forged number may have been the first of the stream, and then up to
		// maxMisorder real ones are older than it; two more may be strays.
		const worst, well = maxMisorder + 2, 20
		sent := 0
		for i := range worst + well {
			if i == worst {
				sent = out.sent
			}
			next(datagram, l)
			l.arrived(a, false, append([]byte(nil), datagram...), from)
		}
		if n := out.sent - sent; n != well || l.panics.Load() > 0 {
			rt.Fatalf("%d of %d packets got through, %d panics", n, well, l.panics.Load())
		}
	})
}

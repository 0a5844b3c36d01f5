package media

import (
	"net/netip"
	"sync/atomic"
	"testing"
)

// callRig lets calls be set up and taken down one after another, on real sockets.
type callRig struct {
	t      testing.TB
	engine *Engine
	now    atomic.Int64
	ran    chan struct{}
	offer  []byte
	answer []byte
}

// A usual phone's description, as SIPp's users and most desk phones write it.
const phoneOffer = "v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\n" +
	"m=audio 6000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n" +
	"a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"

func newCallRig(t testing.TB) *callRig {
	r := &callRig{t: t, offer: []byte(phoneOffer), answer: []byte(phoneOffer), ran: make(chan struct{}, 1)}
	r.now.Store(1e9)
	e, err := open(Config{Addresses: []netip.Addr{here}, PortMin: 26000, PortMax: 29999}, r.now.Load, 1)
	if err != nil {
		t.Fatal(err)
	}
	r.engine = e
	return r
}

// call is what the media of a call does from INVITE to BYE.
func (r *callRig) call() {
	must := func(err error) {
		if err != nil {
			r.t.Fatal(err)
		}
	}
	source := netip.AddrFrom4([4]byte{127, 0, 0, 2})
	a, err := r.engine.NewSession(SessionConfig{Local: here, SIPSource: source})
	must(err)
	_, err = a.SetOffer(r.offer)
	must(err)
	b, err := r.engine.NewSession(SessionConfig{Local: here, SIPSource: source})
	must(err)
	_, err = b.Offer(a)
	must(err)
	_, err = b.SetAnswer(r.answer)
	must(err)
	must(Join(a, b))
	_, err = a.Answer()
	must(err)
	a.Stats()
	b.Stats()
	a.Close()
	b.Close()
	r.now.Add(1e8)
}

// settle lets the ports of calls that are over come back.
func (r *callRig) settle() {
	r.engine.loops[0].post(func() { r.ran <- struct{}{} })
	<-r.ran
}

func BenchmarkCall(b *testing.B) {
	r := newCallRig(b)
	defer r.engine.Close()
	for range 500 {
		r.call()
		r.settle()
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		r.call()
		if n%64 == 0 {
			r.settle()
		}
	}
}

// TestCallAllocates bounds what the media of a whole call costs in pieces of memory:
// descriptions read and written, two sessions, their terms and their relays.
func TestCallAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	r := newCallRig(t)
	defer r.engine.Close()
	call := func() {
		r.call()
		r.settle()
	}
	for range 500 { // there are enough ports then
		call()
	}
	if n := testing.AllocsPerRun(400, call); n > 26 {
		t.Errorf("%v allocations a call", n)
	}
}

package media

import (
	"encoding/binary"
	"io"
	"log/slog"
	"net/netip"
	"testing"

	"github.com/pion/rtp"

	"github.com/cordpair/cordpair/media/sounds"
)

// joinedPair is two sessions on a loop of the test's own, driven by a script.
type joinedPair struct {
	t       *testing.T
	l       *loop
	now     int64
	s       [2]*Session
	out     [2]*lastSent
	x       [2]rtp.Packet // the last that each party sent
	arrived int
	ticks   int
}

// pairFormats are what parties offer, one at a time.
var pairFormats = []string{"8 101", "9 101", "0", "97 101", "9 8 101 13"}

func newJoinedPair(t *testing.T) *joinedPair {
	e := &Engine{pools: []*pool{newPool(here, 30000, 30003, nil, nil, nil)}, sounds: sounds.New(), log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	p := &joinedPair{t: t, now: 1e9}
	p.l = &loop{clock: func() int64 { return p.now }, io: still{}, now: p.now, log: e.log}
	for i := range p.s {
		s := &Session{loop: p.l, talk: negotiation{local: netip.AddrPortFrom(here, uint16(30000+2*i))}}
		p.out[i] = &lastSent{}
		s.stream.begin(e, Events{}, &pair{rtp: p.out[i], rtcp: &wire{}, local: s.talk.local})
		if err := p.l.add(&s.stream); err != nil {
			t.Fatal(err)
		}
		p.s[i] = s
		p.offer(i, i)
		p.x[i] = rtp.Packet{Header: rtp.Header{Version: 2, SSRC: uint32(7 + i)}}
	}
	p.join()
	return p
}

// from is where a party speaks.
func (p *joinedPair) from(i int) netip.AddrPort { return netip.AddrPortFrom(here, uint16(6000+10*i)) }

func (p *joinedPair) join() { _ = Join(p.s[0], p.s[1]) } // fails for parties without a common codec

// offer lets a party offer anew, and answers if that can be had.
func (p *joinedPair) offer(i, formats int) {
	if _, err := p.s[i].SetOffer(describe(p.from(i), pairFormats[formats%len(pairFormats)])); err == nil {
		_, _ = p.s[i].Answer()
	}
	p.l.turn()
}

// say lets a party send a packet: by the script, or the next of its speech.
func (p *joinedPair) say(i int, script []byte) {
	x := &p.x[i]
	x.SequenceNumber++
	x.Timestamp += frameSamples
	x.PayloadType = p.s[i].stream.terms.Codec.PayloadType
	x.Payload = make([]byte, frameSamples)
	if len(script) >= 6 {
		types := [...]uint8{8, 9, 0, 97, 13, 101, script[1] & 0x7f, x.PayloadType}
		x.PayloadType = types[script[0]%8]
		x.SequenceNumber += uint16(int8(script[2])) / 4
		x.Timestamp += uint32(int32(int8(script[3])) << (script[4] % 24))
		x.Marker = script[4]&0x80 != 0
		x.Payload = append(script[6:len(script):len(script)], make([]byte, int(script[5])*6)...)
	}
	b, err := x.Marshal()
	if err != nil {
		p.t.Fatal(err)
	}
	p.arrive(i, false, b)
}

func (p *joinedPair) arrive(i int, control bool, b []byte) {
	from := p.from(i)
	if control {
		from = netip.AddrPortFrom(from.Addr(), from.Port()+1)
	}
	p.arrived++
	p.l.arrived(&p.s[i].stream, control, append([]byte(nil), b[:min(len(b), maxDatagram)]...), from)
}

// pass lets time go by.
func (p *joinedPair) pass(ns int64) {
	for end := p.now + ns; p.now < end; {
		step := min(frameTime, end-p.now)
		p.now += step
		p.ticks++
		p.l.turn()
	}
}

// step does one thing of a script and returns what is left of it.
func (p *joinedPair) step(b []byte) []byte {
	n := min(int(b[1]&31), len(b)-2)
	do, i, script, rest := b[0]>>1, int(b[0]&1), b[2:2+n], b[2+n:]
	switch s := p.s[i]; do % 16 {
	default:
		p.say(i, script)
	case 8, 9:
		p.pass(int64(b[1]) * 1e6)
	case 10:
		p.arrive(i, true, script)
	case 11:
		r := append(receiverReport(p.x[i].SSRC), script...)
		r[1] = rtcpSR + b[1]%8
		binary.BigEndian.PutUint16(r[2:], uint16(len(r)/4-1))
		p.arrive(i, true, r)
	case 12:
		p.offer(i, int(b[1]))
	case 13:
		s.Play([]string{"your-number-is"}, b[1]&1 != 0, nil)
	case 14:
		p.x[i].SSRC += uint32(b[1])
		s.Echo()
	case 15:
		p.join()
	}
	return rest
}

// check: whatever came, what belongs to the pair is bounded and in order.
func (p *joinedPair) check() {
	p.t.Helper()
	if n := p.l.panics.Load(); n > 0 {
		p.t.Fatalf("%d panics", n)
	}
	twice := map[source]bool{}
	for _, x := range p.l.sources {
		if twice[x] {
			p.t.Fatal("a source is ticked twice")
		}
		twice[x] = true
	}
	for i, s := range p.s {
		if r := relayed(&s.stream); r != nil && r.recoder != nil && r.recoder.buffer != nil && r.recoder.buffer.Held() > 64 {
			p.t.Fatalf("%d packets held", r.recoder.buffer.Held())
		}
		// A tick has at most a packet of 10 ms of a recoder twice, and one of a player.
		if most := 2*p.arrived + 4*p.ticks + 100; p.out[i].sent > most {
			p.t.Fatalf("%d packets sent for %d that came in %d ticks", p.out[i].sent, p.arrived, p.ticks)
		}
		if last := p.out[i].last; len(last) > 0 {
			var x rtp.Packet
			if err := x.Unmarshal(last); err != nil || x.SSRC != s.stream.out.ssrc || x.Extension || x.Padding {
				p.t.Fatalf("sent %x: %v", last, err)
			}
		}
	}
}

// FuzzPair drives two joined sessions with packets, reports, offers, players and time
// in any order, transcoding included. Nothing panics, nothing grows, and once the
// parties behave they hear each other.
func FuzzPair(f *testing.F) {
	f.Add([]byte("\x00\x00\x10\xff\x01\x06\x07\x00\x04\x00\x00\x00\x10\xff"))
	f.Add([]byte{0, 10, 5, 0, 4, 0, 0, 0, 5, 10, 1, 0, 16, 40, 0, 10, 5, 0, 0, 0, 0, 0, 5, 0x8a, 2, 0, 16, 200, 24, 1, 26, 0, 16, 100, 30, 0})
	f.Add([]byte{0, 6, 4, 0, 4, 127, 23, 200, 16, 255, 24, 3, 0, 6, 7, 0, 4, 0, 0, 250, 25, 3, 16, 100, 28, 9, 30, 0, 22, 20})
	f.Fuzz(func(t *testing.T, b []byte) {
		p := newJoinedPair(t)
		for b = b[:min(len(b), 3000)]; len(b) >= 2; {
			b = p.step(b)
			p.check()
		}
		p.offer(0, 0)
		p.offer(1, 1)
		p.join()
		p.pass(3e9) // a new stream may come
		sent := [2]int{}
		for i := range maxMisorder + 150 {
			p.say(0, nil)
			p.say(1, nil)
			p.pass(frameTime)
			if i == maxMisorder+49 {
				sent = [2]int{p.out[0].sent, p.out[1].sent}
			}
		}
		p.check()
		for i, out := range p.out {
			if n := out.sent - sent[i]; n < 95 || n > 105 {
				t.Errorf("party %d is sent %d packets for 100", i, n)
			}
		}
	})
}

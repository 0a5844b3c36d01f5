package media

import (
	"math"
	"testing"

	"github.com/pion/rtp"

	"github.com/cordpair/cordpair/media/codec"
	"github.com/cordpair/cordpair/media/mediatest"
)

// talkative speaks samples at the rate of its codec to a session.
type talkative struct {
	p       *phone
	s       *Session
	pt      uint8
	clock   int // Hz
	rate    int
	frame   int // samples
	encoder codec.Encoder
	pcm     []int16
}

// ear collects what a phone hears; the network in memory forgets.
type ear struct {
	p   *phone
	got []rtp.Packet
}

func (e *ear) hear() []rtp.Packet {
	e.got = append(e.got, e.p.heard()...)
	return e.got
}

// talks gives a phone something to say, in packets of ms each.
func talks(t *testing.T, p *phone, s *Session, f *codec.Format, rate, ms int, pcm []int16) *talkative {
	t.Helper()
	e, err := f.NewEncoder(rate)
	if err != nil {
		t.Fatal(err)
	}
	return &talkative{p: p, s: s, pt: uint8(f.PayloadType), clock: f.Clock, rate: rate, frame: rate / 1000 * ms, encoder: e, pcm: pcm}
}

// next says one packet, or keeps quiet for as long.
func (x *talkative) next(aloud bool) {
	payload := make([]byte, 1500)
	n := x.encoder.Encode(payload, x.pcm[:x.frame])
	x.pcm = x.pcm[x.frame:]
	x.p.ts += uint32(x.frame * x.clock / x.rate)
	if aloud {
		x.p.seq++
		x.p.send(x.s, rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: x.pt, SequenceNumber: x.p.seq, Timestamp: x.p.ts,
			SSRC: x.p.ssrc}, Payload: payload[:n]})
	}
}

// listen decodes what a phone heard at rate Hz, as a phone does: gaps in the
// timestamps are silence.
func listen(t *testing.T, got []rtp.Packet, f *codec.Format, rate int) []int16 {
	t.Helper()
	d, err := f.NewDecoder(rate)
	if err != nil {
		t.Fatal(err)
	}
	var out []int16
	pcm := make([]int16, rate/1000*codec.Longest)
	for i, x := range got {
		if int(x.PayloadType) != f.PayloadType {
			continue
		}
		n, err := d.Decode(pcm, x.Payload)
		if err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		out = append(out, pcm[:n]...)
	}
	return out
}

func format(t *testing.T, name string) *codec.Format {
	t.Helper()
	for i := range codec.Table {
		if codec.Table[i].Name == name {
			return &codec.Table[i]
		}
	}
	t.Fatalf("no %s", name)
	return nil
}

// energy is the sum of squares in dB: unlike the level it does not mind silence.
func energy(pcm []int16) float64 {
	return mediatest.Level(pcm) + 10*math.Log10(float64(max(len(pcm), 1)))
}

// wide joins a PCMA phone to a G.722 one.
func wide(t *testing.T, r *rig) (pa, pb *phone, a, b *Session) {
	t.Helper()
	pa, pb = r.phone("1:0"), r.phone("2:0")
	a, b = r.session(pa, "8 101", Events{}), r.session(pb, "9 101", Events{})
	if err := Join(a, b); err != nil {
		t.Fatal(err)
	}
	r.settle()
	pb.speak(b, 9)
	return pa, pb, a, b
}

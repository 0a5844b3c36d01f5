package media

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/cordpair/cordpair/media/codec"
	"github.com/cordpair/cordpair/media/mediatest"
	"github.com/cordpair/cordpair/media/sounds"
)

// TestTranscode: a sine and speech keep their level on every way between codecs
// that are not one, in packets of the length each side asks for.
func TestTranscode(t *testing.T) {
	speech, _ := sounds.New().Lookup("your-number-is")
	for _, tt := range []struct {
		from, to    string
		send, ptime int // ms
	}{
		{"PCMA", "G722", 20, 20}, {"G722", "PCMU", 20, 20}, {"PCMU", "G722", 60, 10}, {"G722", "PCMA", 10, 60}, {"G722", "PCMA", 30, 30}, {"PCMA", "G722", 20, 40},
	} {
		for name, in := range map[string][]int16{"tone": mediatest.Tone(1000, 8000, 2*time.Second, -12), "speech": speech} {
			t.Run(fmt.Sprint(tt.from, " ", tt.send, " ", tt.to, " ", tt.ptime, " ", name), func(t *testing.T) {
				onBoth(t, Config{}, func(t *testing.T, r *rig) {
					transcoded(t, r, format(t, tt.from), format(t, tt.to), tt.send, tt.ptime, in)
				})
			})
		}
	}
}

// transcoded sends samples through two sessions and looks at what comes out.
func transcoded(t *testing.T, r *rig, from, to *codec.Format, send, ptime int, in []int16) {
	pa, pb := r.phone("1:0"), r.phone("2:0")
	a := r.session(pa, strconv.Itoa(from.PayloadType), Events{})
	b := r.session(pb, strconv.Itoa(to.PayloadType), Events{}, "a=ptime:"+strconv.Itoa(ptime))
	if err := Join(a, b); err != nil {
		t.Fatal(err)
	}
	r.settle()
	pb.speak(b, uint8(to.PayloadType)) // so that we may send without limit
	x := talks(t, pa, a, from, 8000, send, in)
	var got []rtp.Packet
	for len(x.pcm) >= x.frame {
		x.next(true)
		r.advance(time.Duration(send) * time.Millisecond)
		got = append(got, pb.heard()...)
	}
	r.advance(300 * time.Millisecond)
	got = append(got, pb.heard()...)
	continuous(t, got)
	for i := 1; i < len(got); i++ {
		if d := int(got[i].Timestamp - got[i-1].Timestamp); d != to.Clock/1000*ptime {
			t.Fatalf("packet %d: timestamp moved by %d", i, d)
		}
	}
	out := mediatest.TrimSilence(listen(t, got, to, 8000), 8000, -50)
	want := mediatest.TrimSilence(in, 8000, -50)
	if d := energy(out) - energy(want); math.Abs(d) > 0.5 {
		t.Errorf("%+.2f dB, %d samples of %d", d, len(out), len(want))
	}
	onLoop(b, func() {
		if n := len(b.stream.loop.sources); n > 1 {
			t.Errorf("%d sources", n)
		}
	})
	r.advance(2 * time.Second)
	onLoop(b, func() {
		if n := len(b.stream.loop.sources); n != 0 {
			t.Errorf("%d sources though nobody speaks", n)
		}
	})
}

// TestNoClickAtASwap: the source changes, the session is refreshed, packets are lost,
// and the steady tone that all sources have in common has no step in it.
func TestNoClickAtASwap(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		pa, pb, a, b := wide(t, r)
		e := &ear{p: pb}
		x := talks(t, pa, a, format(t, "PCMA"), 8000, 20, mediatest.Tone(400, 8000, 20*time.Second, -12))
		say := func(frames int, aloud func(int) bool) {
			for i := range frames {
				x.next(aloud == nil || aloud(i))
				r.advance(20 * time.Millisecond)
				e.hear()
			}
		}
		say(50, nil)
		for range 5 { // a session refresh repeats the offer
			if _, err := b.SetOffer(pb.sdp("9 101")); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Answer(); err != nil {
				t.Fatal(err)
			}
			say(10, nil)
		}
		say(100, func(i int) bool { return i%13 != 5 })
		got := e.hear()
		continuous(t, got)
		whole := listen(t, got, format(t, "G722"), 16000)[2000:]
		if clicks := mediatest.Clicks(whole, 0.08); len(clicks) > 0 {
			t.Errorf("clicks at %v of %d", clicks[:min(len(clicks), 5)], len(whole))
		}
		if gaps := mediatest.Gaps(whole, 16000, 20*time.Millisecond, -30); gaps > 0 {
			t.Errorf("%d gaps", gaps)
		}
		// To a player and back: two sources with nothing in common meet without a step.
		b.Play([]string{"silence/1"}, true, nil)
		r.settle()
		say(20, nil)
		if err := Join(a, b); err != nil {
			t.Fatal(err)
		}
		r.settle()
		say(30, nil)
		got = e.hear()
		continuous(t, got)
		whole = listen(t, got, format(t, "G722"), 16000)[2000:]
		if clicks := mediatest.Clicks(whole, 0.08); len(clicks) > 0 {
			t.Errorf("with the player: clicks at %v of %d", clicks[:min(len(clicks), 5)], len(whole))
		}
	})
}

// TestComfortNoise: silence that the party describes is heard as it wants.
func TestComfortNoise(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		pa, pb, a, _ := wide(t, r)
		e := &ear{p: pb}
		x := talks(t, pa, a, format(t, "PCMA"), 8000, 20, mediatest.Tone(400, 8000, 20*time.Second, -12))
		for range 50 {
			x.next(true)
			r.advance(20 * time.Millisecond)
			e.hear()
		}
		for range 5 {
			pa.seq++
			pa.send(a, rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 13, SequenceNumber: pa.seq, Timestamp: pa.ts + 160, SSRC: pa.ssrc}, Payload: []byte{45}})
			for range 10 {
				x.next(false)
				r.advance(20 * time.Millisecond)
				e.hear()
			}
		}
		got := e.hear()
		continuous(t, got)
		whole := listen(t, got, format(t, "G722"), 8000)
		if d := mediatest.Level(whole[len(whole)-4000:]) + 45; math.Abs(d) > 1.5 {
			t.Errorf("noise %+.2f dB from what was described", d)
		}
		if clicks := mediatest.Clicks(whole[1600:], 0.08); len(clicks) > 0 {
			t.Errorf("clicks at %v of %d", clicks, len(whole))
		}
	})
}

// brokenDecoder fails.
type brokenDecoder struct{}

func (brokenDecoder) Decode([]int16, []byte) (int, error) { panic("broken") }

// TestDecoderPanics: a decoder that panics silences its own party and nobody else.
func TestDecoderPanics(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		pa, pb := r.phone("1:0"), r.phone("2:0")
		told := make(chan struct{}, 10)
		a, b := r.session(pa, "8", Events{Broken: func() { told <- struct{}{} }}), r.session(pb, "9", Events{})
		if err := Join(a, b); err != nil {
			t.Fatal(err)
		}
		r.settle()
		pb.speak(b, 9)
		x := talks(t, pa, a, format(t, "PCMA"), 8000, 20, mediatest.Tone(400, 8000, 10*time.Second, -12))
		y := talks(t, pb, b, format(t, "G722"), 8000, 20, mediatest.Tone(400, 8000, 10*time.Second, -12))
		step := func(n int) {
			for range n {
				x.next(true)
				y.next(true)
				r.advance(20 * time.Millisecond)
			}
		}
		step(10)
		onLoop(a, func() { relayed(&a.stream).recoder.decoders[0] = brokenDecoder{} })
		step(10)
		pa.heard()
		pb.heard()
		step(10)
		if n := len(pb.heard()); n != 0 {
			t.Errorf("%d packets of a broken decoder", n)
		}
		if n := len(pa.heard()); n < 9 {
			t.Errorf("the other way has %d packets", n)
		}
		if len(told) != 1 {
			t.Errorf("told %d times", len(told))
		}
		if n := r.engine.Stats().Panics; n != 1 {
			t.Errorf("%d panics", n)
		}
	})
}

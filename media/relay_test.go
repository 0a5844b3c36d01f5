package media

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/g711"
	"github.com/pion/rtp"
)

// continuous checks the one stream a phone hears: one SSRC, numbers that go on.
func continuous(t *testing.T, got []rtp.Packet) {
	t.Helper()
	for i := 1; i < len(got); i++ {
		a, b := got[i-1].Header, got[i].Header
		if a.SSRC != b.SSRC || b.SequenceNumber != a.SequenceNumber+1 {
			t.Fatalf("packet %d: ssrc %x seq %d after ssrc %x seq %d", i, b.SSRC, b.SequenceNumber, a.SSRC, a.SequenceNumber)
		}
		if d := int32(b.Timestamp - a.Timestamp); d <= 0 || d > 8000*60 {
			t.Fatalf("packet %d: timestamp moved by %d", i, d)
		}
	}
}

func TestRelayRewrites(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		pa, pb := r.phone("1:0"), r.phone("2:0")
		a, b := r.session(pa, "0 101", Events{}), r.session(pb, "8 101", Events{})
		if err := Join(a, b); err != nil {
			t.Fatal(err)
		}
		r.settle()
		for range 10 {
			pa.speak(a, 0, 0xff, 0x00, 0x80)
			pb.speak(b, 8, 0xd5, 0x2a, 0xaa)
			r.advance(20 * time.Millisecond)
		}
		atB, atA := pb.heard(), pa.heard()
		if len(atB) != 10 || len(atA) != 10 {
			t.Fatalf("b heard %d packets, a %d, want 10 each", len(atB), len(atA))
		}
		continuous(t, atB)
		continuous(t, atA)
		for i, x := range atB {
			if x.PayloadType != 8 || x.SSRC == pa.ssrc || x.Marker != (i == 0) || len(x.Payload) != 3 || x.Payload[0] != 0xd5 {
				t.Fatalf("b heard %v", x)
			}
		}
		want := []byte{0xd5, 0x2a, 0xaa}
		g711.PCMAToPCMU(want, want)
		if x := atA[0]; x.PayloadType != 0 || !bytes.Equal(x.Payload, want) {
			t.Fatalf("a heard %v", x)
		}
		st := a.Stats()
		counted := Stats{PacketsReceived: 10, PacketsSent: 10, OctetsReceived: 30, OctetsSent: 30, Codec: "PCMU", JitterMS: st.JitterMS,
			FirstAt: st.FirstAt, Signalled: pa.addr, Source: pa.addr}
		if st != counted || st.JitterMS > 1 {
			t.Errorf("stats %+v, want %+v", st, counted)
		}
	})
}

// A switch of sources keeps SSRC, sequence and clock, and a late packet of the
// source before it does not come through.
func TestSourceSwitch(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		pa, pb := r.phone("1:0"), r.phone("2:0")
		a, b := r.session(pa, "0", Events{}), r.session(pb, "0", Events{})
		pb.speak(b, 0)
		r.advance(20 * time.Millisecond)
		var heard []rtp.Packet
		if err := Join(a, b); err != nil {
			t.Fatal(err)
		}
		r.settle()
		for range 3 {
			pa.speak(a, 0)
			r.advance(20 * time.Millisecond)
		}
		heard = append(heard, pb.heard()...)
		b.Play([]string{"beep"}, true, nil)
		r.advance(100 * time.Millisecond)
		pa.speak(a, 0) // must not be heard beside the music
		heard = append(heard, pb.heard()...)
		b.Echo()
		for range 3 {
			pb.speak(b, 0)
			r.advance(20 * time.Millisecond)
		}
		b.Quiet()
		pb.speak(b, 0)
		heard = append(heard, pb.heard()...)
		r.advance(3 * time.Second)
		if err := Join(b, a); err != nil {
			t.Fatal(err)
		}
		r.settle()
		before := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: pa.seq, Timestamp: pa.ts, SSRC: pa.ssrc}, Payload: []byte{1}}
		pa.speak(a, 0)
		pa.send(a, before)
		pa.speak(a, 0)
		last := pb.heard()
		heard = append(heard, last...)
		if len(last) != 2 {
			t.Errorf("after the last switch b heard %d packets, want 2", len(last))
		}
		// 3 relayed, 5 or 6 played, 3 echoed, 2 relayed
		if len(heard) < 13 || len(heard) > 14 {
			t.Errorf("b heard %d packets", len(heard))
		}
		continuous(t, heard)
		if d := last[0].Timestamp - heard[len(heard)-3].Timestamp; d < 3*8000 || d > 3*8000+400 {
			t.Errorf("timestamp moved by %d over a pause of 3 s", d)
		}
		if !last[0].Marker || last[1].Marker {
			t.Error("the marker bit belongs to the first packet after the switch")
		}
	})
}

func TestJoinWithoutCommonCodec(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		pa, pb := r.phone("1:0"), r.phone("2:0")
		a := r.session(pa, "0", Events{})
		b, err := r.engine.NewSession(SessionConfig{Local: here})
		if err != nil {
			t.Fatal(err)
		}
		opus, err := r.engine.NewSession(SessionConfig{Local: here})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := opus.SetOffer(pb.sdp("97")); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Offer(opus); err != nil {
			t.Fatal(err)
		}
		if _, err := b.SetAnswer(pb.sdp("97")); err != nil {
			t.Fatal(err)
		}
		if err := Join(a, b); !errors.Is(err, ErrNoCommonCodec) {
			t.Errorf("join said %v", err)
		}
		r.settle()
		pa.speak(a, 0)
		pb.speak(b, 97)
		if n, m := len(pa.heard()), len(pb.heard()); n+m > 0 {
			t.Errorf("%d and %d packets went through", n, m)
		}
		if err := Join(opus, b); err != nil {
			t.Fatal(err)
		}
		if _, err := opus.Answer(); err != nil {
			t.Errorf("opus for opus: %v", err)
		}
		only, err := r.engine.NewSession(SessionConfig{Local: here})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := only.SetOffer(pa.sdp("0")); err != nil {
			t.Fatal(err)
		}
		if err := Join(only, b); err != nil {
			t.Fatal(err)
		}
		if _, err := only.Answer(); !errors.Is(err, ErrNoCommonCodec) || !errors.Is(err, ErrNotAcceptable) {
			t.Errorf("answer to a party that cannot be heard: %v", err)
		}
		ended := make(chan error, 1)
		b.Play([]string{"beep"}, false, func(err error) { ended <- err })
		r.advance(40 * time.Millisecond)
		if err := <-ended; !errors.Is(err, ErrNoCodec) {
			t.Errorf("playing to opus ended with %v", err)
		}
	})
}

// Joined sessions end up on one loop, whatever they were on, and no packet sent
// meanwhile is lost or doubled.
func TestJoinMigrates(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		var phones []*phone
		var all []*Session
		for range 4 {
			p := r.phone("1:0")
			phones = append(phones, p)
			all = append(all, r.session(p, "0", Events{}))
		}
		for round := range 12 {
			i, j := round%4, (round+1+round/4)%4
			if i == j {
				continue
			}
			if err := Join(all[i], all[j]); err != nil {
				t.Fatal(err)
			}
			r.settle()
			r.settle()
			for range 3 {
				phones[i].speak(all[i], 0)
				phones[j].speak(all[j], 0)
			}
			if n, m := len(phones[i].heard()), len(phones[j].heard()); n != 3 || m != 3 {
				t.Fatalf("round %d: %d heard %d packets, %d heard %d, want 3", round, i, n, j, m)
			}
			r.engine.mu.Lock()
			if all[i].loop != all[j].loop || all[i].moving || all[j].moving {
				t.Errorf("round %d: a joined pair is on two loops", round)
			}
			r.engine.mu.Unlock()
			r.advance(20 * time.Millisecond)
		}
		for _, p := range phones {
			continuous(t, p.heard())
		}
	})
}

// A hold: the party that holds hears nothing while the other, who hears music,
// goes on sending. What was kept from it is not lost, so no number is missing
// after the resume.
func TestSourceReturns(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		pa, pb := r.phone("1:0"), r.phone("2:0")
		a, b := r.session(pa, "0", Events{}), r.session(pb, "0", Events{})
		talk := func() {
			for range 5 {
				pa.speak(a, 0)
				pb.speak(b, 0)
				r.advance(20 * time.Millisecond)
			}
		}
		for range 3 {
			if err := Join(a, b); err != nil {
				t.Fatal(err)
			}
			r.settle()
			talk()
			b.Play([]string{"music"}, true, nil)
			a.Quiet()
			r.settle()
			talk()
		}
		got := pa.heard()
		if len(got) != 15 {
			t.Fatalf("heard %d packets, want 15", len(got))
		}
		continuous(t, got)
		for i, x := range got {
			step := uint32(frameSamples)
			if i%5 == 0 {
				step += 5 * frameSamples
			}
			if x.Marker != (i%5 == 0) || i > 0 && x.Timestamp-got[i-1].Timestamp != step {
				t.Errorf("packet %d: %v", i, x.Header)
			}
		}
	})
}

// TestUnknownCodecPasses: what is in no table of ours crosses as it is, whatever packet
// length the parties ask for.
func TestUnknownCodecPasses(t *testing.T) {
	for _, asked := range []string{"a=ptime:10", "a=ptime:20", "a=ptime:30", "a=ptime:60", "a=ptime:200"} {
		t.Run(asked, func(t *testing.T) {
			onBoth(t, Config{}, func(t *testing.T, r *rig) {
				pa, pb := r.phone("1:0"), r.phone("2:0")
				format := []string{"a=rtpmap:98 unheard/48000/2", asked}
				a, b := r.fresh(Events{}), r.fresh(Events{})
				if _, err := a.SetOffer(pa.sdp("98", format...)); err != nil {
					t.Fatal(err)
				}
				if _, err := b.Offer(a); err != nil {
					t.Fatal(err)
				}
				if _, err := b.SetAnswer(pb.sdp("98", format...)); err != nil {
					t.Fatal(err)
				}
				if err := Join(a, b); err != nil {
					t.Fatal(err)
				}
				if _, err := a.Answer(); err != nil {
					t.Fatal(err)
				}
				r.settle()
				pa.speak(a, 98, 1, 2, 3)
				if got := pb.heard(); len(got) != 1 || !bytes.Equal(got[0].Payload, []byte{1, 2, 3}) {
					t.Errorf("heard %v", got)
				}
			})
		})
	}
}

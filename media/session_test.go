package media

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/sdp"
)

func TestAnswerPrefersThePeersCodec(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		pa, pb := r.phone("1:0"), r.phone("2:0")
		a, err := r.engine.NewSession(SessionConfig{Local: here})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Answer(); !errors.Is(err, ErrOrder) {
			t.Errorf("answer without an offer: %v", err)
		}
		if _, err := a.SetOffer(pa.sdp("97 0 8 101")); err != nil {
			t.Fatal(err)
		}
		b, err := r.engine.NewSession(SessionConfig{Local: here})
		if err != nil {
			t.Fatal(err)
		}
		offer, err := b.Offer(a)
		if err != nil {
			t.Fatal(err)
		}
		d, err := sdp.Parse(offer)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(d.Media[0].Formats, " "); !strings.HasPrefix(got, "97 0 8") {
			t.Errorf("offered %s", got)
		}
		if _, err := b.SetAnswer(pb.sdp("8 101")); err != nil {
			t.Fatal(err)
		}
		if err := Join(a, b); err != nil {
			t.Fatal(err)
		}
		first, err := a.Answer()
		if err != nil {
			t.Fatal(err)
		}
		again, err := a.Answer()
		if err != nil || !bytes.Equal(first, again) {
			t.Errorf("a second answer differs: %v", err)
		}
		if st := a.Stats(); st.Codec != "PCMA" {
			t.Errorf("answered with %s", st.Codec)
		}
		if _, err := a.SetOffer(pa.sdp("97 0 8 101")); err != nil {
			t.Fatal(err)
		}
		if refreshed, err := a.Answer(); err != nil || !bytes.Equal(first, refreshed) {
			t.Errorf("a refresh is answered with other bytes: %v", err)
		}
		refusals(t, a, pa)
	})
}

// refusals gives a session offers it cannot take.
func refusals(t *testing.T, a *Session, pa *phone) {
	for body, want := range map[string]error{
		"nonsense":              ErrBadSDP,
		string(pa.sdp("3 101")): nil, // GSM: of use to a peer that has it
		strings.ReplaceAll(string(pa.sdp("0")), "m=audio", "m=video"): ErrNotAcceptable,
	} {
		if _, err := a.SetOffer([]byte(body)); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("offer %q: %v", body, err)
		}
	}
	if _, err := a.Answer(); !errors.Is(err, ErrNotAcceptable) {
		t.Errorf("answer to GSM: %v", err)
	}
}

// Hold in both forms, resume, and a new address in a re-offer.
func TestHoldAndMove(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		pa, pb := r.phone("1:0"), r.phone("2:0")
		a, b := r.session(pa, "0 101", Events{}), r.session(pb, "0 101", Events{})
		if err := Join(a, b); err != nil {
			t.Fatal(err)
		}
		r.settle()
		reoffer := func(body []byte, want Change) {
			t.Helper()
			if got, err := a.SetOffer(body); err != nil || got != want {
				t.Fatalf("change %+v, %v; want %+v", got, err, want)
			}
			if _, err := a.Answer(); err != nil {
				t.Fatal(err)
			}
			r.settle()
		}
		talk := func(what string, p *phone, wantA, wantB int) {
			t.Helper()
			for range 3 {
				p.speak(a, 0)
				pb.speak(b, 0)
				r.advance(20 * time.Millisecond)
			}
			if n, m := len(p.heard()), len(pb.heard()); n != wantA || m != wantB {
				t.Errorf("%s: a heard %d, b %d; want %d and %d", what, n, m, wantA, wantB)
			}
		}
		talk("before", pa, 3, 3)
		reoffer(pa.sdp("0 101", "a=sendonly"), Change{Held: true})
		talk("held", pa, 0, 3)
		reoffer(pa.sdp("0 101", "a=sendonly"), Change{})
		reoffer(pa.sdp("0 101"), Change{Resumed: true})
		talk("resumed", pa, 3, 3)
		zero := netip.AddrPortFrom(netip.IPv4Unspecified(), pa.addr.Port())
		reoffer(describe(zero, "0 101"), Change{Held: true})
		talk("held by address", pa, 0, 3)
		reoffer(pa.sdp("0 101"), Change{Resumed: true})
		moved := r.phone("5:0")
		moved.ssrc = 4711
		reoffer(moved.sdp("0 101"), Change{})
		pb.speak(b, 0)
		if n := len(moved.heard()); n != 1 {
			t.Errorf("the new address heard %d packets before it spoke", n)
		}
		talk("moved", moved, 3, 3)
		b.Play([]string{"music"}, true, nil)
		r.settle()
		talk("music for the other side", moved, 3, 4)
	})
}

// An answer may come early, and again with another address.
func TestEarlyMedia(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		pa, early, final := r.phone("1:0"), r.phone("2:0"), r.phone("3:0")
		a := r.session(pa, "0", Events{})
		b, err := r.engine.NewSession(SessionConfig{Local: here})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.SetAnswer(early.sdp("0")); !errors.Is(err, ErrOrder) {
			t.Errorf("answer without an offer: %v", err)
		}
		offer, err := b.Offer(a)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := sdp.Parse(offer); err != nil || d.Media[0].Formats[0] != "0" {
			t.Errorf("the settled codec does not come first: %s", offer)
		}
		if err := Join(a, b); err != nil {
			t.Fatal(err)
		}
		for _, p := range []*phone{early, final} {
			if _, err := b.SetAnswer(p.sdp("0")); err != nil {
				t.Fatal(err)
			}
			r.settle()
			for range 3 {
				p.speak(b, 0)
			}
			if n := len(pa.heard()); n != 3 {
				t.Errorf("the caller heard %d packets", n)
			}
		}
	})
}

func TestDigitsAreSeenAndRelayed(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		pa, pb := r.phone("1:0"), r.phone("2:0")
		var mu sync.Mutex
		var pressed []byte
		a := r.session(pa, "0 101", Events{Digit: func(d byte) { mu.Lock(); pressed = append(pressed, d); mu.Unlock() }})
		b, err := r.engine.NewSession(SessionConfig{Local: here})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.SetOffer([]byte(strings.NewReplacer(" 101", " 110", ":101", ":110").Replace(string(pb.sdp("8 101"))))); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Answer(); err != nil {
			t.Fatal(err)
		}
		if err := Join(a, b); err != nil {
			t.Fatal(err)
		}
		r.settle()
		for _, code := range []byte{1, 1, 11, 15} {
			pa.ts += 800
			for i := range 6 {
				end := byte(0)
				if i >= 3 {
					end = 0x80
				}
				pa.ts -= frameSamples // speak moves it on; an event stands still
				pa.speak(a, 101, code, end|10, 0, byte(i*40))
			}
			r.advance(120 * time.Millisecond)
		}
		got := pb.heard()
		if len(got) != 24 {
			t.Fatalf("%d event packets relayed, want 24", len(got))
		}
		for i, x := range got {
			if x.PayloadType != 110 || x.Timestamp != got[i/6*6].Timestamp {
				t.Fatalf("packet %d: %v", i, x.Header)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if string(pressed) != "11#D" {
			t.Errorf("saw %q", pressed)
		}
	})
}

func TestSilentParty(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		var silent atomic.Int32
		p, c := r.phone("1:27000"), r.phone("1:27001")
		s := r.session(p, "0", Events{Silent: func() { silent.Add(1) }})
		r.settle()
		want := func(what string, n int32) {
			t.Helper()
			r.settle()
			if got := silent.Load(); got != n {
				t.Fatalf("%s: reported %d times, want %d", what, got, n)
			}
		}
		r.advance(30 * time.Second)
		p.speak(s, 0)
		r.settle()
		r.advance(59 * time.Second)
		want("before a minute", 0)
		c.raw(rtcpPort(s), receiverReport(1))
		r.settle()
		r.advance(59 * time.Second)
		want("RTCP is a sign of life", 0)
		r.advance(2 * time.Second)
		want("after a minute", 1)
		r.advance(60 * time.Second)
		want("after another", 2)
		if _, err := s.SetOffer(p.sdp("0", "a=sendonly")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Answer(); err != nil {
			t.Fatal(err)
		}
		r.settle()
		r.advance(10 * time.Minute)
		want("on hold", 2)
		if _, err := s.SetOffer(p.sdp("0")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Answer(); err != nil {
			t.Fatal(err)
		}
		r.settle()
		r.advance(59 * time.Second)
		want("the minute begins with the resume", 2)
		r.advance(2 * time.Second)
		want("after the resume", 3)
	})
}

// Every pair returns, and running out is an error and no more (M6).
func TestExhaustion(t *testing.T) {
	onBoth(t, Config{PortMin: 24000, PortMax: 24007}, func(t *testing.T, r *rig) {
		for round := range 3 {
			var all []*Session
			for {
				s, err := r.engine.NewSession(SessionConfig{Local: here})
				if err != nil {
					if !errors.Is(err, ErrNoPorts) {
						t.Fatal(err)
					}
					break
				}
				all = append(all, s)
			}
			if st := r.engine.Stats(); len(all) != 4 || st.PortsUsed != 4 || st.PortsFree != 0 || st.Sessions != 4 {
				t.Fatalf("round %d: %d sessions, %+v", round, len(all), st)
			}
			for _, s := range all {
				s.Close()
				s.Close()
			}
			r.settle()
			if st := r.engine.Stats(); st.PortsUsed != 0 || st.PortsFree != 4 || st.Sessions != 0 {
				t.Fatalf("round %d: %+v", round, st)
			}
			r.advance(2 * time.Second)
		}
	})
}

// Verbs from many goroutines at once, with packets, and closing in the middle:
// every playback ends, every pair returns.
func TestChurn(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		p := r.phone("1:0")
		sessions := make([]*Session, 12)
		for i := range sessions {
			sessions[i] = r.session(p, "0", Events{})
		}
		var begun, ended atomic.Int32
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() { // ends with its rounds
				random := rand.New(rand.NewPCG(uint64(g), 1))
				for range 300 {
					a, b := sessions[random.IntN(len(sessions))], sessions[random.IntN(len(sessions))]
					switch random.IntN(8) {
					case 0, 1:
						begun.Add(1)
						a.Play([]string{"beep"}, random.IntN(2) == 0, func(error) { ended.Add(1) })
					case 2:
						a.Echo()
					case 3:
						a.Quiet()
					case 4:
						a.Stats()
					case 5:
						if random.IntN(10) == 0 {
							a.Close()
						}
					default:
						if err := Join(a, b); err != nil && !errors.Is(err, ErrClosed) {
							t.Error(err)
						}
					}
				}
			})
		}
		for range 50 {
			for _, s := range sessions {
				p.speak(s, 0)
			}
		}
		wg.Wait()
		r.advance(time.Second)
		for _, s := range sessions {
			s.Close()
		}
		r.advance(100 * time.Millisecond)
		r.settle()
		if begun.Load() != ended.Load() {
			t.Errorf("%d playbacks began, %d ended", begun.Load(), ended.Load())
		}
		if st := r.engine.Stats(); st.PortsUsed != 0 || st.Panics != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestCloseEndsAll(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		s := r.session(r.phone("1:0"), "0", Events{})
		var got atomic.Pointer[error]
		s.Play([]string{"music"}, true, func(err error) { got.Store(&err) })
		if err := r.engine.Close(); err != nil {
			t.Fatal(err)
		}
		if err := got.Load(); err == nil || !errors.Is(*err, ErrClosed) {
			t.Error("the playback did not end with the engine")
		}
		if _, err := r.engine.NewSession(SessionConfig{Local: here}); !errors.Is(err, ErrClosed) {
			t.Errorf("a session of a closed engine: %v", err)
		}
		if st := r.engine.Stats(); st.PortsUsed != 0 {
			t.Errorf("%+v", st)
		}
		r.reopen()
	})
}

package media

import (
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/g711"
	"github.com/cordpair/cordpair/media/mediatest"
	"github.com/cordpair/cordpair/media/sounds"
	"github.com/pion/rtp"
)

// samples decodes what a phone heard.
func samples(t *testing.T, got []rtp.Packet) []int16 {
	t.Helper()
	var out []int16
	for _, x := range got {
		pcm := make([]int16, len(x.Payload))
		switch x.PayloadType {
		case 0:
			g711.DecodePCMU(pcm, x.Payload)
		case 8:
			g711.DecodePCMA(pcm, x.Payload)
		default:
			t.Fatalf("payload type %d", x.PayloadType)
		}
		out = append(out, pcm...)
	}
	return out
}

func TestPlay(t *testing.T) {
	beep, ok := sounds.New().Lookup("beep")
	if !ok {
		t.Fatal("no beep")
	}
	frames := (2*len(beep)+frameSamples-1)/frameSamples + tailFrames
	for _, format := range []string{"0", "8"} {
		onBoth(t, Config{}, func(t *testing.T, r *rig) {
			p := r.phone("1:0")
			s := r.session(p, format, Events{})
			r.settle()
			p.speak(s, s.terms.Load().Codec.PayloadType)
			r.settle()
			var ended atomic.Int32
			s.Play([]string{"beep", "beep"}, false, func(err error) {
				if err != nil {
					t.Errorf("ended with %v", err)
				}
				ended.Add(1)
			})
			r.settle()
			r.advance(time.Duration(frames-1) * 20 * time.Millisecond)
			if ended.Load() != 0 {
				t.Error("done before the last frame was heard out")
			}
			r.advance(20 * time.Millisecond)
			if ended.Load() != 1 {
				t.Errorf("done %d times", ended.Load())
			}
			r.advance(time.Second)
			got := p.heard()
			if len(got) != frames {
				t.Fatalf("%d frames, want %d", len(got), frames)
			}
			continuous(t, got)
			for i := 1; i < len(got); i++ {
				if got[i].Timestamp-got[i-1].Timestamp != frameSamples || got[i].Marker {
					t.Fatalf("frame %d: %v", i, got[i].Header)
				}
			}
			pcm := samples(t, got)
			tail := make([]int16, tailFrames*frameSamples)
			for i, want := range slices.Concat(beep, beep, tail) {
				if d := math.Abs(float64(pcm[i]) - float64(want)); d > 40+math.Abs(float64(want))/16 {
					t.Fatalf("sample %d is %d, want about %d", i, pcm[i], want)
				}
			}
			onLoop(s, func() {
				if l := s.stream.loop; l.tickAt != 0 || len(l.sources) != 0 {
					t.Error("the clock goes on without a player")
				}
			})
		})
	}
}

// onLoop runs fn on the loop of a session and waits for it.
func onLoop(s *Session, fn func()) {
	done := make(chan struct{})
	s.stream.engine.mu.Lock()
	s.post(errand{fn: func() { fn(); close(done) }})
	s.stream.engine.mu.Unlock()
	<-done
}

// done is called exactly once, however a playback ends.
func TestPlayEnds(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		p := r.phone("1:0")
		s := r.session(p, "0", Events{})
		fresh, err := r.engine.NewSession(SessionConfig{Local: here})
		if err != nil {
			t.Fatal(err)
		}
		late := r.phone("2:0")
		if _, err := fresh.SetOffer(late.sdp("0")); err != nil {
			t.Fatal(err)
		}
		cases := []struct {
			name  string
			on    *Session
			names []string
			loop  bool
			then  func()
			want  error
		}{
			{"natural end", s, []string{"beep"}, false, func() {}, nil},
			{"nothing to play", s, nil, false, func() {}, nil},
			{"nothing to repeat", s, nil, true, func() {}, ErrNoSound},
			{"unknown sound", s, []string{"beep", "nope"}, false, func() {}, ErrNoSound},
			{"replaced before the answer", fresh, []string{"beep"}, false, fresh.Quiet, ErrReplaced},
			{"answered while it waits", fresh, []string{"beep"}, false, func() {
				if _, err := fresh.Answer(); err != nil {
					t.Error(err)
				}
			}, nil},
			{"quiet", s, []string{"music"}, true, s.Quiet, ErrReplaced},
			{"another playback", s, []string{"music"}, true, func() { s.Play([]string{"beep"}, false, nil) }, ErrReplaced},
			{"echo", s, []string{"music"}, true, s.Echo, ErrReplaced},
			{"join", s, []string{"music"}, true, func() {
				if err := Join(fresh, s); err != nil {
					t.Error(err)
				}
			}, ErrReplaced},
			{"close", s, []string{"music"}, true, func() { s.Close() }, ErrClosed},
			{"closed before", s, []string{"beep"}, false, func() {}, ErrClosed},
		}
		for _, c := range cases {
			var calls atomic.Int32
			var got error
			c.on.Play(c.names, c.loop, func(err error) { got = err; calls.Add(1) })
			r.advance(100 * time.Millisecond)
			c.then()
			r.advance(time.Second)
			if n := calls.Load(); n != 1 || !errors.Is(got, c.want) || c.want == nil && got != nil {
				t.Errorf("%s: done %d times, last with %v", c.name, n, got)
			}
			p.heard()
		}
		if n := len(late.heard()); n != maxLead/frameTime+10+tailFrames {
			t.Errorf("a party answered late heard %d frames around the beep of 10", n)
		}
	})
}

// The first syllable: silence until the party shows itself, for half a second at
// most, and none for one that will not send.
func TestPlayWaitsForTheParty(t *testing.T) {
	for _, c := range []struct {
		name, line string
		speaks     int // after so many frames; -1 never
		silent     int
	}{
		{"at once", "a=sendrecv", 0, 0},
		{"soon", "a=sendrecv", 7, 7},
		{"never", "a=sendrecv", -1, maxLead / frameTime},
		{"only listens", "a=recvonly", -1, 0},
	} {
		onBoth(t, Config{}, func(t *testing.T, r *rig) {
			p := r.phone("1:0")
			s, err := r.engine.NewSession(SessionConfig{Local: here})
			if err != nil {
				t.Fatal(err)
			}
			s.Play([]string{"beep"}, false, nil)
			if _, err := s.SetOffer(p.sdp("0", c.line)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Answer(); err != nil {
				t.Fatal(err)
			}
			r.settle()
			for i := range 60 {
				if i == c.speaks {
					p.speak(s, 0)
				}
				r.advance(20 * time.Millisecond)
			}
			got := p.heard()
			continuous(t, got)
			silent := 0
			for silent < len(got) && mediatest.Peak(samples(t, got[silent:silent+1])) == 0 {
				silent++
			}
			if d := silent - c.silent; d < 0 || d > 1 || len(got) != silent+10+tailFrames {
				t.Errorf("%s: %d frames of silence in %d, want %d", c.name, silent, len(got), c.silent)
			}
		})
	}
}

// What holds the clock: an idle engine lets virtual time jump, so a loop is not
// woken for nothing.
func TestIdleEngineSleeps(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		s := r.session(r.phone("1:0"), "0", Events{})
		s.Play([]string{"beep"}, false, nil)
		r.advance(time.Second)
		onLoop(s, func() {
			if l := s.stream.loop; l.tickAt != 0 || l.watchAt == 0 {
				t.Errorf("tick at %d, watch at %d", l.tickAt, l.watchAt)
			}
		})
		s.Close()
		r.advance(2 * time.Minute)
		for _, l := range r.engine.loops {
			done := make(chan bool)
			l.post(func() { done <- l.tickAt == 0 && l.watchAt == 0 })
			if !<-done {
				t.Error("a loop without sessions has something due")
			}
		}
	})
}

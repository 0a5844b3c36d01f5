package media

import (
	"sync"
	"testing"
	"time"
)

// keypad sends events as a phone does and gathers what the session reports.
type keypad struct {
	*phone
	mu   sync.Mutex
	seen []byte
}

func (k *keypad) digit(d byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen = append(k.seen, d)
}

// press sends one key of three packets.
func (k *keypad) press(s *Session, code byte) {
	k.ts += 5 * frameSamples
	for i := range 3 {
		k.ts -= frameSamples // speak moves it on; an event stands still
		k.speak(s, 101, code, 0x80|10, 0, byte(i*80))
	}
	k.r.advance(100 * time.Millisecond)
}

// A phone that begins a new stream (after a hold, a transfer behind it) begins
// its timestamps anywhere, half of the time "before" those of its last key.
func TestDigitsOfANewStream(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		k := &keypad{phone: r.phone("1:0")}
		s := r.session(k.phone, "0 101", Events{Digit: k.digit})
		r.settle()
		k.speak(s, 0)
		k.press(s, 1)
		r.advance(time.Second)
		k.ssrc, k.seq, k.ts = k.ssrc+1, 7, k.ts-1<<30
		k.speak(s, 0)
		k.press(s, 2)
		k.mu.Lock()
		defer k.mu.Unlock()
		if string(k.seen) != "12" {
			t.Errorf("saw %q", k.seen)
		}
	})
}

// A wide-band phone with events at 48000 Hz and one that knows only those at
// 8000 Hz press keys for each other.
func TestDigitsBetweenRates(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		ka, kb := &keypad{phone: r.phone("1:0")}, &keypad{phone: r.phone("2:0")}
		a, err := r.engine.NewSession(SessionConfig{Local: here})
		if err != nil {
			t.Fatal(err)
		}
		b, err := r.engine.NewSession(SessionConfig{Local: here})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.SetOffer(ka.sdp("97 100 101", "a=rtpmap:100 telephone-event/48000")); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Offer(a); err != nil {
			t.Fatal(err)
		}
		if _, err := b.SetAnswer(kb.sdp("97 101")); err != nil {
			t.Fatal(err)
		}
		if err := Join(a, b); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Answer(); err != nil {
			t.Fatal(err)
		}
		r.settle()
		duration := func(p *phone, pt uint8) int {
			t.Helper()
			got := p.heard()
			if len(got) != 1 || got[0].PayloadType != pt || got[0].Payload[0] != 5 {
				t.Fatalf("heard %v", got)
			}
			return int(got[0].Payload[2])<<8 | int(got[0].Payload[3])
		}
		ka.speak(a, 100, 5, 10, 0x12, 0xc0) // 4800
		if d := duration(kb.phone, 101); d != 800 {
			t.Errorf("100 ms at 48000 Hz became %d at 8000", d)
		}
		kb.speak(b, 101, 5, 10, 3, 32) // 800
		if d := duration(ka.phone, 100); d != 4800 {
			t.Errorf("100 ms at 8000 Hz became %d at 48000", d)
		}
		kb.speak(b, 101, 5, 0x8a, 0x40, 0) // a new key by its timestamp, of 2 s
		if d := duration(ka.phone, 100); d != 65535 {
			t.Errorf("2 s at 8000 Hz became %d at 48000", d)
		}
	})
}

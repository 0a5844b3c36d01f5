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

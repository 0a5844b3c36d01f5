package codec

import (
	"math"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/mediatest"
	"github.com/cordpair/cordpair/media/sounds"
)

// conceal loses every k-th frame of 20 ms.
func conceal(rate, k int, in []int16) []int16 {
	var c Concealer
	c.Reset(rate)
	out := append([]int16(nil), in...)
	frame := rate / 50
	for i := 0; i+frame <= len(out); i += frame {
		if i/frame%k == k-1 {
			c.Lost(out[i : i+frame])
		} else {
			c.Good(out[i:i+frame], false)
		}
	}
	return out
}

func TestConcealTone(t *testing.T) {
	for _, rate := range rates {
		for _, freq := range []float64{110, 200, 440, 700} {
			in := mediatest.Tone(freq, rate, 2*time.Second, -12)
			out := conceal(rate, 10, in)
			if d := mediatest.Level(out) - mediatest.Level(in); math.Abs(d) > 0.7 {
				t.Errorf("%g Hz at %d: %+.2f dB", freq, rate, d)
			}
			// The tone has an amplitude of 0.36.
			if clicks := mediatest.Clicks(out, 0.1); len(clicks) > 0 {
				t.Errorf("%g Hz at %d: clicks at %v", freq, rate, clicks[:min(len(clicks), 5)])
			}
			// Lost frames left silent would click and leave less.
		}
	}
}

func TestConcealSpeech(t *testing.T) {
	speech, _ := sounds.New().Lookup("your-number-is")
	out := conceal(8000, 10, speech)
	if d := mediatest.Level(out) - mediatest.Level(speech); math.Abs(d) > 1 {
		t.Errorf("%+.2f dB", d)
	}
	// No steps that speech does not have itself.
	worst := func(pcm []int16) (most int) {
		for i := 1; i < len(pcm); i++ {
			most = max(most, int(math.Abs(float64(pcm[i])-float64(pcm[i-1]))))
		}
		return most
	}
	if a, b := worst(out), worst(speech); a > b*3/2 {
		t.Errorf("a step of %d, in the original %d", a, b)
	}
}

func TestConcealFades(t *testing.T) {
	var c Concealer
	c.Reset(8000)
	c.Good(mediatest.Tone(300, 8000, 100*time.Millisecond, -6), false)
	pcm := make([]int16, 800)
	c.Lost(pcm)
	if !c.Faded() || mediatest.Peak(pcm[480:]) != 0 {
		t.Error("it is heard after 60 ms")
	}
	if mediatest.Level(pcm[:80]) < -7 {
		t.Error("it fades at once")
	}
	c.Good(pcm[:160], false)
	if c.Faded() {
		t.Error("faded though there is sound")
	}
}

// A sound that goes on elsewhere is led over to.
func TestTorn(t *testing.T) {
	var c Concealer
	c.Reset(16000)
	a := mediatest.Tone(400, 16000, 200*time.Millisecond, -9)
	b := mediatest.Tone(400, 16000, 200*time.Millisecond, -9)[19:]
	c.Good(a, false)
	c.Good(b, true)
	if clicks := mediatest.Clicks(append(a, b...), 0.1); len(clicks) > 0 {
		t.Errorf("clicks at %v", clicks)
	}
}

func TestShorten(t *testing.T) {
	for _, rate := range rates {
		var c Concealer
		c.Reset(rate)
		in := mediatest.Tone(430, rate, 2*time.Second, -12)
		frame := rate / 50
		var out []int16
		for i := 0; i+frame <= len(in); i += frame {
			n := frame
			if i/frame%5 == 0 {
				n = c.Shorten(in[i : i+frame])
				if n >= frame || n < frame/4 {
					t.Fatalf("%d of %d left", n, frame)
				}
			}
			out = append(out, in[i:i+n]...)
		}
		if clicks := mediatest.Clicks(out, 0.1); len(clicks) > 0 {
			t.Errorf("at %d: clicks at %v", rate, clicks)
		}
	}
	var c Concealer
	c.Reset(8000)
	if n := c.Shorten(make([]int16, 40)); n != 40 {
		t.Errorf("%d of 40 left", n)
	}
}

func TestConcealDoesNotAllocate(t *testing.T) {
	var c Concealer
	c.Reset(16000)
	pcm := mediatest.Tone(300, 16000, 20*time.Millisecond, -9)
	if n := testing.AllocsPerRun(100, func() {
		c.Good(pcm, false)
		c.Lost(pcm)
		c.Good(pcm, true)
		c.Shorten(pcm)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkConceal(b *testing.B) {
	var c Concealer
	c.Reset(8000)
	pcm := mediatest.Tone(300, 8000, 20*time.Millisecond, -9)
	b.Run("good", func(b *testing.B) {
		for b.Loop() {
			c.Good(pcm, false)
		}
	})
	b.Run("lost and good", func(b *testing.B) {
		for b.Loop() {
			c.Lost(pcm)
			c.Good(pcm, false)
		}
	})
}

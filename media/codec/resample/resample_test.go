package resample

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/mediatest"
	"github.com/cordpair/cordpair/media/sounds"
)

var ratios = [][2]int{{8000, 16000}, {16000, 8000}, {16000, 48000}, {48000, 16000}, {8000, 48000}, {48000, 8000}}

// convert feeds a stream in pieces of uneven lengths.
func convert(from, to int, in []int16) []int16 {
	var f Filter
	f.Reset(from, to)
	out := make([]int16, 0, len(in)*to/from+1)
	buf := make([]int16, 6*2000)
	for n := 1; len(in) > 0; n = n*7%1999 + 1 {
		n = min(n, len(in))
		out = append(out, buf[:f.Process(buf, in[:n])]...)
		in = in[n:]
	}
	return out
}

func TestFlat(t *testing.T) {
	for _, r := range ratios {
		low := float64(min(r[0], r[1]))
		for _, part := range []float64{0.0125, 0.025, 0.055, 0.125, 0.25, 0.375, 0.4, 0.425, 0.4375} {
			in := mediatest.Tone(part*low, r[0], time.Second, -6)
			out := convert(r[0], r[1], in)
			if want := len(in) * r[1] / r[0]; len(out) != want {
				t.Fatalf("%v: %d samples, want %d", r, len(out), want)
			}
			out = out[r[1]/10:]
			if d := mediatest.Level(out) - mediatest.Level(in); math.Abs(d) > 0.5 {
				t.Errorf("%v: %g Hz: %+.2f dB", r, part*low, d)
			}
			// Images and distortion are what is not the tone.
			if rest := 1 - math.Pow(10, mediatest.Share(out, r[1], part*low)/10); 10*math.Log10(max(rest, 1e-12)) < -60 {
				continue
			}
			t.Errorf("%v: %g Hz is only %.5f dB of what comes out", r, part*low, mediatest.Share(out, r[1], part*low))
		}
	}
}

func TestAliases(t *testing.T) {
	for _, r := range ratios {
		if r[0] < r[1] {
			continue
		}
		for part := 0.525; part < float64(r[0])/float64(r[1])/2; part += 0.037 {
			freq := math.Round(part*float64(r[1])/10) * 10
			in := mediatest.Tone(freq, r[0], time.Second, -3.1)
			out := convert(r[0], r[1], in)[r[1]/10:]
			if left := mediatest.Level(out) - mediatest.Level(in); left > -60 {
				t.Errorf("%v: %g Hz leaves %.1f dB", r, freq, left)
			}
		}
	}
}

func TestSpeech(t *testing.T) {
	speech, _ := sounds.New().Lookup("goodbye")
	for _, rate := range []int{16000, 48000} {
		back := convert(rate, 8000, convert(8000, rate, speech))
		if d := mediatest.Level(back) - mediatest.Level(speech); math.Abs(d) > 0.5 {
			t.Errorf("by %d Hz and back: %+.2f dB", rate, d)
		}
	}
}

// Full scale is limited, not wrapped around.
func TestLimit(t *testing.T) {
	in := make([]int16, 8000)
	for i := range in {
		in[i] = math.MaxInt16
		if i/40%2 == 1 {
			in[i] = math.MinInt16
		}
	}
	out := convert(8000, 16000, in)
	for i := 200; i < len(out); i++ {
		// In the middle of each half of the wave.
		if at := (i - 40) % 160; at == 40 && out[i] < 30000 || at == 120 && out[i] > -30000 {
			t.Fatalf("sample %d is %d", i, out[i])
		}
	}
}

func TestConstant(t *testing.T) {
	in := make([]int16, 2000)
	for i := range in {
		in[i] = -12345
	}
	for _, r := range ratios {
		out := convert(r[0], r[1], in)
		for _, s := range out[len(out)-20:] {
			if s < -12346 || s > -12344 {
				t.Errorf("%v: %d", r, s)
			}
		}
	}
}

func TestNoAllocation(t *testing.T) {
	for _, r := range ratios {
		var f Filter
		f.Reset(r[0], r[1])
		in, out := make([]int16, r[0]/50), make([]int16, r[1]/50)
		if n := testing.AllocsPerRun(100, func() { f.Process(out, in) }); n != 0 {
			t.Errorf("%v: %v allocations", r, n)
		}
	}
}

// 20 ms each.
func BenchmarkProcess(b *testing.B) {
	for _, r := range ratios {
		b.Run(fmt.Sprintf("%d to %d", r[0], r[1]), func(b *testing.B) {
			var f Filter
			f.Reset(r[0], r[1])
			in, out := make([]int16, r[0]/50), make([]int16, r[1]/50)
			for b.Loop() {
				f.Process(out, in)
			}
		})
	}
}

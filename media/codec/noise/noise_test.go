package noise

import (
	"math"
	"testing"

	"github.com/cordpair/cordpair/media/mediatest"
)

func made(payload ...byte) []int16 {
	var g Generator
	g.Describe(payload)
	pcm := make([]int16, 16000)
	for at := 0; at < len(pcm); at += 160 {
		g.Add(pcm[at : at+160])
	}
	return pcm
}

// dBov counts from a square wave of full scale, as mediatest does.
func TestLevel(t *testing.T) {
	for _, tt := range []struct {
		payload []byte
		want    float64
	}{
		{[]byte{40}, -40},
		{[]byte{20}, -20},
		{[]byte{65}, -65},
		{[]byte{40, 127, 127}, -40},
		{[]byte{40, 30}, -40},
		{[]byte{40, 220, 90, 140, 127}, -40},
		{[]byte{0x80 | 30, 200}, -30},
	} {
		if d := mediatest.Level(made(tt.payload...)) - tt.want; math.Abs(d) > 0.5 {
			t.Errorf("%v: %+.2f dB", tt.payload, d)
		}
	}
}

// The first coefficient tilts the spectrum: below 127 towards low frequencies.
func TestSpectrum(t *testing.T) {
	tilt := func(b byte) float64 {
		var low, high float64
		pcm := made(20, b)
		for i := 1; i < len(pcm); i++ {
			sum, difference := float64(pcm[i])+float64(pcm[i-1]), float64(pcm[i])-float64(pcm[i-1])
			low, high = low+sum*sum, high+difference*difference
		}
		return 10 * math.Log10(low/high)
	}
	if low, even, high := tilt(40), tilt(127), tilt(214); low < 5 || math.Abs(even) > 1 || high > -5 {
		t.Errorf("tilts of %.1f, %.1f and %.1f dB", low, even, high)
	}
}

func TestSilence(t *testing.T) {
	for _, payload := range [][]byte{nil, {127}, {0xff, 200}} {
		var g Generator
		g.Describe([]byte{30})
		g.Describe(payload)
		pcm := make([]int16, 160)
		if g.Add(pcm); !g.Silent() || mediatest.Peak(pcm) != 0 {
			t.Errorf("%v is not silent", payload)
		}
	}
}

// Whatever a packet says, the noise stays bounded.
func FuzzDescribe(f *testing.F) {
	f.Add([]byte{0, 255, 255, 0, 0, 255})
	f.Add([]byte{40})
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, payload []byte) {
		var g Generator
		g.Describe(payload)
		pcm := make([]int16, 8000)
		g.Add(pcm)
		for i, s := range g.state {
			if math.IsNaN(float64(s)) || math.Abs(float64(s)) > 1e9 {
				t.Fatalf("state %d is %v", i, s)
			}
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	var g Generator
	g.Describe([]byte{40, 110, 140, 127, 120, 130})
	var pcm [160]int16
	b.ReportAllocs()
	for b.Loop() {
		g.Add(pcm[:])
	}
}

package mediatest

import (
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/g711"
)

const second = time.Second

func near(got, want, within float64) bool { return math.Abs(got-want) <= within }

// mix adds samples.
func mix(a, b []int16) []int16 {
	out := slices.Clone(a)
	for i := range b {
		out[i] += b[i]
	}
	return out
}

// noise is repeatable and white.
func noise(n int, amplitude float64) []int16 {
	out, state := make([]int16, n), uint32(1)
	for i := range out {
		state = state*1664525 + 1013904223
		out[i] = int16(amplitude * (float64(state)/(1<<31) - 1))
	}
	return out
}

func TestLevel(t *testing.T) {
	square := make([]int16, 800)
	for i := range square {
		square[i] = int16(32767 * (1 - 2*(i/40%2)))
	}
	for _, tt := range []struct {
		name    string
		samples []int16
		want    float64
	}{
		{"nothing", nil, -120}, {"silence", Silence(8000, second), -120}, {"square wave", square, 0},
		{"sine at full scale", Tone(440, 8000, second, -3.0103), -3.01}, {"half a sine", Tone(440, 8000, second, -9.03), -9.03},
		{"quiet", Tone(1000, 48000, second, -40), -40}, {"clipped", Tone(440, 8000, second, 20), -0.13},
	} {
		if got := Level(tt.samples); !near(got, tt.want, 0.2) {
			t.Errorf("%s: %.2f dBFS, want %.2f", tt.name, got, tt.want)
		}
	}
	if Peak([]int16{3, -32768, 5}) != 32768 || Peak(nil) != 0 {
		t.Error("peak")
	}
}

func TestShare(t *testing.T) {
	tone, other := Tone(440, 8000, second, -20), Tone(1000, 8000, second, -20)
	coded := make([]byte, len(tone))
	heard := make([]int16, len(tone))
	g711.EncodePCMA(coded, tone)
	g711.DecodePCMA(heard, coded)
	for _, tt := range []struct {
		name    string
		samples []int16
		freq    float64
		want    float64
		within  float64
	}{
		{"the tone", tone, 440, 0, 0.1},
		{"after a codec", heard, 440, 0, 0.1},
		{"another frequency", Tone(437, 8000, second, -20), 1003, -40, 10},
		{"half of two", mix(tone, other), 440, -3, 0.1},
		{"a tenth", mix(Tone(440, 8000, second, -30), other), 440, -10.4, 0.2},
		{"between frequencies of the block", Tone(443.7, 8000, second, -20), 443.7, 0, 0.3},
		{"after a jump of phase", append(slices.Clone(tone[:3333]), tone[1111:]...), 440, 0, 0.5},
		{"beside a constant", mix(tone, slices.Repeat([]int16{5000}, 8000)), 440, 0, 0.1},
		{"noise", noise(8000, 5000), 440, -26, 4},
		{"silence", Silence(8000, second), 440, -120, 0},
		{"too short", tone[:799], 440, -120, 0},
	} {
		if got := Share(tt.samples, 8000, tt.freq); !near(got, tt.want, tt.within) {
			t.Errorf("%s: %.2f dB, want %.2f", tt.name, got, tt.want)
		}
	}
	if !Has(tone, 8000, 440) || Has(tone, 8000, 1000) || Has(Tone(440, 8000, second, -50), 8000, 440) {
		t.Error("Has")
	}
}

func TestClicks(t *testing.T) {
	tone := Tone(440, 8000, second, -12)
	if got := Clicks(tone, 0.1); got != nil {
		t.Errorf("clicks in a clean tone at %v", got)
	}
	if got := Clicks(Tone(1000, 8000, second, -20), 0.1); got != nil {
		t.Errorf("clicks in 1000 Hz at %v", got)
	}
	cut := append(slices.Clone(tone[:4000]), Silence(8000, second/10)...)
	cut[3999], cut[3998] = 9000, 9000
	lost := slices.Concat(tone[:2005], tone[2160:]) // a packet less: the phase jumps
	for name, samples := range map[string][]int16{"cut off": cut, "lost packet": lost} {
		if got := Clicks(samples, 0.1); len(got) == 0 || len(got) > 2 {
			t.Errorf("%s: clicks at %v", name, got)
		}
	}
	if Clicks(tone[:4], 0) != nil {
		t.Error("too short to judge")
	}
}

func TestGapsAndTrim(t *testing.T) {
	tone := Tone(440, 8000, second, -12)
	hole := Silence(8000, 60*time.Millisecond)
	heard := slices.Concat(hole, tone, hole, tone, hole[:80], tone, hole)
	trimmed := TrimSilence(heard, 8000, -40)
	if len(trimmed) != len(heard)-2*len(hole) {
		t.Errorf("trimmed %d to %d", len(heard), len(trimmed))
	}
	if got := Gaps(trimmed, 8000, 50*time.Millisecond, -40); got != 1 {
		t.Errorf("%d gaps of 50 ms, want 1", got)
	}
	if got := Gaps(trimmed, 8000, 10*time.Millisecond, -40); got != 2 {
		t.Errorf("%d gaps of 10 ms, want 2", got)
	}
	if len(TrimSilence(hole, 8000, -40)) != 0 {
		t.Error("silence is left")
	}
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.wav")
	want := Tone(440, 16000, second/10, -12)
	WriteWAV(t, path, 16000, want)
	if got, rate := ReadWAV(t, path); rate != 16000 || !slices.Equal(got, want) {
		t.Errorf("read %d samples at %d Hz", len(got), rate)
	}
}

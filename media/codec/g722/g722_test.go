package g722

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"os"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/mediatest"
	"github.com/cordpair/cordpair/media/sounds"
)

// The files of testdata were made with an implementation that shares nothing with
// ours, libspandsp 0.0.6 of Debian 12, at 64000 bit/s: signal.pcm (a sweep through
// both bands, noise that grows, silence, a square wave, a
// tone of 40 units; 16 kHz, little endian), what its encoder made of it
// (signal.g722), and what its decoder made of that (signal.out).

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func samples(b []byte) []int16 {
	out := make([]int16, len(b)/2)
	for i := range out {
		out[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return out
}

func octets(pcm []int16) []byte {
	var b []byte
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// frames runs a coder over pieces of uneven lengths: the state has to carry over.
func encode(rate int, pcm []int16) []byte {
	var e Encoder
	e.Reset(rate)
	out := make([]byte, 0, len(pcm))
	var b [960]byte
	for n := 2; len(pcm) > 0; n = n*7%958 + 2 {
		n = min(n&^1, len(pcm))
		out = append(out, b[:e.Encode(b[:], pcm[:n])]...)
		pcm = pcm[n:]
	}
	return out
}

func decode(rate int, payload []byte) []int16 {
	var d Decoder
	d.Reset(rate)
	out := make([]int16, 0, 2*len(payload))
	var pcm [960]int16
	for n := 1; len(payload) > 0; n = n*7%479 + 1 {
		n = min(n, len(payload))
		out = append(out, pcm[:d.Decode(pcm[:], payload[:n])]...)
		payload = payload[n:]
	}
	return out
}

func TestAgainstAnother(t *testing.T) {
	signal, coded, want := samples(read(t, "signal.pcm")), read(t, "signal.g722"), samples(read(t, "signal.out"))
	got := encode(16000, signal)
	if len(got) != len(coded) {
		t.Fatalf("%d bytes, want %d", len(got), len(coded))
	}
	for i := range coded {
		if got[i] != coded[i] {
			t.Fatalf("byte %d is %#02x, want %#02x", i, got[i], coded[i])
		}
	}
	heard := decode(16000, coded)
	if len(heard) != len(want) {
		t.Fatalf("%d samples, want %d", len(heard), len(want))
	}
	for i := range want {
		if heard[i] != want[i] {
			t.Fatalf("sample %d is %d, want %d", i, heard[i], want[i])
		}
	}
	if sum := crc32.ChecksumIEEE(encode(8000, signal)); sum != narrowCoded {
		t.Errorf("coded at 8 kHz: checksum %#x, want %#x", sum, uint32(narrowCoded))
	}
}

// Checksums of what libspandsp made of the signal, taken for 8 kHz, and of 20,000
// bytes of noise at 8 kHz, which drive every limiter of the lower band. At 16 kHz its
// output wraps around where the recommendation wants it limited, so there the signal
// stays below that.
const (
	narrowCoded   = 0x7542ab0b
	noiseDecoded8 = 0x611cf2a
)

func TestNoiseAgainstAnother(t *testing.T) {
	noise, x := make([]byte, 20000), uint32(7)
	for i := range noise {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	if sum := crc32.ChecksumIEEE(octets(decode(8000, noise))); sum != noiseDecoded8 {
		t.Errorf("8 kHz: checksum %#x, want %#x", sum, uint32(noiseDecoded8))
	}
}

// A tone keeps its level whatever the rates at both ends are.
func TestLevel(t *testing.T) {
	for _, from := range []int{8000, 16000} {
		for _, to := range []int{8000, 16000} {
			for _, freq := range []float64{200, 440, 1000, 2000, 3000, 3400, 5000, 6000, 7000} {
				if freq > 3400 && from+to < 32000 {
					continue
				}
				in := mediatest.Tone(freq, from, time.Second, -15)
				out := decode(to, encode(from, in))[to/10:]
				if d := mediatest.Level(out) - mediatest.Level(in); math.Abs(d) > 0.5 {
					t.Errorf("%g Hz from %d to %d Hz: %+.2f dB", freq, from, to, d)
				}
				if share := mediatest.Share(out, to, freq); share < -0.5 {
					t.Errorf("%g Hz from %d to %d Hz: %.2f dB of the power", freq, from, to, share)
				}
			}
		}
	}
}

func TestSpeech(t *testing.T) {
	l := sounds.New()
	for _, name := range l.Names() {
		speech, _ := l.Lookup(name)
		if mediatest.Level(speech) < -40 {
			continue
		}
		for _, to := range []int{8000, 16000} {
			if d := mediatest.Level(decode(to, encode(8000, speech))) - mediatest.Level(speech); math.Abs(d) > 0.5 {
				t.Errorf("%s at %d Hz: %+.2f dB", name, to, d)
			}
		}
	}
}

func TestLengths(t *testing.T) {
	var e Encoder
	var d Decoder
	for _, rate := range []int{8000, 16000} {
		e.Reset(rate)
		d.Reset(rate)
		per := rate / 8000
		if n := e.Encode(make([]byte, 3), make([]int16, 100)); n != 3 {
			t.Errorf("%d Hz: %d bytes of 3", rate, n)
		}
		if n := e.Encode(make([]byte, 100), make([]int16, 2*per)); n != 2 {
			t.Errorf("%d Hz: %d bytes of 2", rate, n)
		}
		if n := d.Decode(make([]int16, 5*per), make([]byte, 100)); n != 5*per {
			t.Errorf("%d Hz: %d samples of %d", rate, n, 5*per)
		}
		if e.Encode(nil, nil) != 0 || d.Decode(nil, nil) != 0 {
			t.Error("nothing is not nothing")
		}
	}
}

func TestNoAllocation(t *testing.T) {
	var e Encoder
	var d Decoder
	pcm, payload := make([]int16, 320), make([]byte, 160)
	for _, rate := range []int{8000, 16000} {
		e.Reset(rate)
		d.Reset(rate)
		if n := testing.AllocsPerRun(100, func() {
			e.Encode(payload, pcm)
			d.Decode(pcm, payload)
		}); n != 0 {
			t.Errorf("%v allocations a frame", n)
		}
	}
}

// Both directions, 20 ms of speech.
func BenchmarkFrame(b *testing.B) {
	speech, _ := sounds.New().Lookup("music")
	for _, rate := range []int{8000, 16000} {
		samples := rate / 50
		name := map[int]string{8000: "8 kHz", 16000: "16 kHz"}[rate]
		b.Run("encode "+name, func(b *testing.B) {
			var e Encoder
			e.Reset(rate)
			var payload [160]byte
			for at := 0; b.Loop(); at = (at + samples) % (len(speech) - samples) {
				e.Encode(payload[:], speech[at:at+samples])
			}
		})
		b.Run("decode "+name, func(b *testing.B) {
			coded := encode(rate, speech)
			var d Decoder
			d.Reset(rate)
			var pcm [320]int16
			for at := 0; b.Loop(); at = (at + 160) % (len(coded) - 160) {
				d.Decode(pcm[:samples], coded[at:at+160])
			}
		})
	}
}

package opus

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/mediatest"
	"github.com/cordpair/cordpair/media/sounds"
)

var rates = []int{8000, 16000, 48000}

// packets reads a file of testdata.
func packets(t testing.TB, file string) (all [][]byte) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for len(b) > 0 {
		n := int(binary.BigEndian.Uint16(b))
		all, b = append(all, b[2:2+n]), b[2+n:]
	}
	return all
}

// files are the vectors that were made.
func files(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/*.packets")
	if err != nil || len(names) < 11 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	return names
}

// decode decodes packets one after another.
func decode(t testing.TB, rate int, packets [][]byte) (out []int16) {
	t.Helper()
	d := New(rate)
	pcm := make([]int16, rate/1000*longest)
	for i, p := range packets {
		n, err := d.Decode(pcm, p)
		if err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		out = append(out, pcm[:n]...)
	}
	return out
}

func TestEveryMode(t *testing.T) {
	speech, _ := sounds.New().Lookup("your-number-is")
	for _, file := range files(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".packets")
		pause := 0.0
		if name == "dtx" {
			pause = 1.5
		}
		for _, rate := range rates {
			out := decode(t, rate, packets(t, file))
			at := func(seconds float64) int { return int(seconds * float64(rate)) }
			tone := out[at(0.1):at(0.9)]
			if d := mediatest.Level(tone) + 12; math.Abs(d) > 0.5 {
				t.Errorf("%s at %d: the tone %+.2f dB", name, rate, d)
			}
			if share := mediatest.Share(tone, rate, 1000); share < -0.1 {
				t.Errorf("%s at %d: the tone is %.2f dB of it", name, rate, share)
			}
			spoken := out[at(1+pause):]
			spoken = spoken[:min(len(spoken), len(speech)*rate/8000)]
			if d := mediatest.Level(spoken) - mediatest.Level(speech); math.Abs(d) > 0.5 {
				t.Errorf("%s at %d: speech %+.2f dB", name, rate, d)
			}
			if pause > 0 {
				if level := mediatest.Level(out[at(1.5):at(2.4)]); level > -60 {
					t.Errorf("%s at %d: %.1f dBFS in the pause", name, rate, level)
				}
			}
		}
	}
}

// A party that changes modes every 80 ms is understood.
func TestModesMixed(t *testing.T) {
	var all [][]byte
	names := []string{"silk-nb", "hybrid-fb", "silk-wb", "celt-fb", "celt-stereo", "silk-stereo"}
	for i := range 48 {
		of := packets(t, filepath.Join("testdata", names[i/4%len(names)]+".packets"))
		all = append(all, of[i])
	}
	out := decode(t, 48000, all)
	if d := mediatest.Level(out) + 12; len(out) != 48*960 || math.Abs(d) > 1.5 { // each change fades in
		t.Errorf("%d samples, %+.2f dB", len(out), d)
	}
}

func TestMalformed(t *testing.T) {
	d := New(8000)
	pcm := make([]int16, 960)
	for _, b := range [][]byte{nil, {0x03}, {0x03, 0}, {0x01, 1, 2, 3}, {0x02, 9, 1}, {0xff, 0xff, 0xff}, make([]byte, 1400)} {
		if n, err := d.Decode(pcm, b); !errors.Is(err, ErrPayload) || n != 0 {
			t.Errorf("%x: %d, %v", b[:min(len(b), 8)], n, err)
		}
	}
	// A packet of 60 ms into room for 20.
	long := packets(t, "testdata/silk-wb-60ms.packets")[0]
	if n, err := d.Decode(pcm[:160], long); n != 160 || err != nil {
		t.Errorf("%d samples, %v", n, err)
	}
}

func TestSilence(t *testing.T) {
	d, pcm, payload := New(48000), make([]int16, 5760), make([]byte, 8)
	for _, ms := range []int{20, 10, 40, 60} {
		n, err := d.Decode(pcm, payload[:Silence(payload, ms)])
		if err != nil || n != 48*ms || mediatest.Peak(pcm[:n]) > 2 {
			t.Errorf("%d ms: %d samples up to %d, %v", ms, n, mediatest.Peak(pcm[:n]), err)
		}
	}
}

// FuzzDecode: whatever comes is refused or has a length, and the next good packets
// are heard.
func FuzzDecode(f *testing.F) {
	for _, file := range files(f) {
		all := packets(f, file)
		f.Add(all[0], all[7])
		f.Add(all[7], all[len(all)-1])
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, rate := range rates {
			d := New(rate)
			pcm := make([]int16, rate/1000*longest)
			for _, p := range [][]byte{a, b, a} {
				n, err := d.Decode(pcm, p)
				if err == nil && (n == 0 || n*400%rate != 0) {
					t.Fatalf("%x: %d samples", p, n)
				}
			}
			good := decodeWith(t, d, pcm, packets(t, "testdata/celt-fb.packets")[:10])
			if level := mediatest.Level(good[len(good)/2:]); math.Abs(level+12) > 1 {
				t.Fatalf("%.1f dBFS after %x, %x", level, a, b)
			}
		}
	})
}

func decodeWith(t *testing.T, d *Decoder, pcm []int16, packets [][]byte) (out []int16) {
	t.Helper()
	for _, p := range packets {
		n, err := d.Decode(pcm, p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pcm[:n]...)
	}
	return out
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"silk-wb", "hybrid-fb", "celt-fb"} {
		all := packets(b, "testdata/"+name+".packets")
		for _, rate := range []int{8000, 48000} {
			b.Run(name+"/"+(time.Duration(rate)*time.Microsecond).String(), func(b *testing.B) {
				d, pcm, i := New(rate), make([]int16, 5760), 0
				b.ReportAllocs()
				for b.Loop() {
					if _, err := d.Decode(pcm, all[i%len(all)]); err != nil {
						b.Fatal(err)
					}
					i++
				}
			})
		}
	}
}

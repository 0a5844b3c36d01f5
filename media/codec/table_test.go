package codec

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/mediatest"
	"github.com/cordpair/cordpair/media/sounds"
)

// through sends samples at one rate through a format and gives them at another,
// 20 ms at a time.
func through(t *testing.T, f *Format, in []int16, from, to int) []int16 {
	t.Helper()
	e, err := f.NewEncoder(from)
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.NewDecoder(to)
	if err != nil {
		t.Fatal(err)
	}
	payload, pcm := make([]byte, 1500), make([]int16, to/1000*Longest)
	var out []int16
	for step := from / 50; len(in) >= step; in = in[step:] {
		n := e.Encode(payload, in[:step])
		m, err := d.Decode(pcm, payload[:n])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pcm[:m]...)
	}
	return out
}

var rates = []int{8000, 16000, 48000}

func TestEveryFormatAtEveryRate(t *testing.T) {
	speech, _ := sounds.New().Lookup("music")
	for i := range Table {
		f := &Table[i]
		if !f.Encodes || !f.Decodes {
			continue
		}
		for _, from := range rates {
			for _, to := range rates {
				in := mediatest.Tone(1000, from, time.Second, -12)
				out := through(t, f, in, from, to)
				if len(out) != to {
					t.Errorf("%s from %d to %d: %d samples", f.Name, from, to, len(out))
				}
				if d := mediatest.Level(out[to/10:]) - mediatest.Level(in); math.Abs(d) > 0.5 {
					t.Errorf("%s from %d to %d: %+.2f dB", f.Name, from, to, d)
				}
				if share := mediatest.Share(out[to/10:], to, 1000); share < -0.1 {
					t.Errorf("%s from %d to %d: the tone is %.2f dB of it", f.Name, from, to, share)
				}
			}
		}
		out := through(t, f, speech, 8000, 8000)
		if d := mediatest.Level(out) - mediatest.Level(speech); math.Abs(d) > 0.5 {
			t.Errorf("%s: music %+.2f dB", f.Name, d)
		}
	}
}

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		name            string
		clock, channels int
		want            string
	}{
		{"pcmu", 8000, 1, "PCMU"}, {"G722", 8000, 1, "G722"}, {"G722", 16000, 1, ""}, {"PCMA", 8000, 2, ""}, {"GSM", 8000, 1, ""},
		{"OPUS", 48000, 2, "opus"}, {"opus", 48000, 1, ""},
	} {
		got := ""
		if f, ok := Find(tt.name, tt.clock, tt.channels); ok {
			got = f.Name
		}
		if got != tt.want {
			t.Errorf("%v: %q", tt, got)
		}
	}
}

func TestRefused(t *testing.T) {
	f, _ := Find("PCMA", 8000, 1)
	if _, err := f.NewDecoder(11025); !errors.Is(err, ErrFormat) {
		t.Errorf("a decoder at 11,025 Hz: %v", err)
	}
	if _, err := f.NewEncoder(0); !errors.Is(err, ErrFormat) {
		t.Errorf("an encoder at 0 Hz: %v", err)
	}
}

func TestNoAllocation(t *testing.T) {
	for i := range Table {
		f := &Table[i]
		if !f.Encodes || !f.Decodes {
			continue
		}
		for _, rate := range rates {
			e, _ := f.NewEncoder(rate)
			d, _ := f.NewDecoder(rate)
			payload, pcm := make([]byte, 1500), make([]int16, rate/1000*Longest)
			if n := testing.AllocsPerRun(100, func() {
				n := e.Encode(payload, pcm[:rate/50])
				if _, err := d.Decode(pcm, payload[:n]); err != nil {
					t.Fatal(err)
				}
			}); n != 0 {
				t.Errorf("%s at %d Hz: %v allocations a frame", f.Name, rate, n)
			}
		}
	}
}

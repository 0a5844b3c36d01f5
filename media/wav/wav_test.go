package wav

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var formats = []Format{PCM16, ALaw, MuLaw}

// speech is samples that all three formats keep exactly when encoded twice.
func speech(f Format, n int) []int16 {
	out := make([]int16, n)
	for i := range out {
		out[i] = int16(i * 1237)
	}
	audio, err := Decode(Encode(f, 8000, out))
	if err != nil {
		panic(err)
	}
	return audio.Samples
}

func TestRoundTrip(t *testing.T) {
	for _, f := range formats {
		for _, n := range []int{0, 1, 2, 159, 8000} {
			want := speech(f, n)
			file := Encode(f, 16000, want)
			if len(file)%2 != 0 {
				t.Errorf("format %d, %d samples: odd file", f, n)
			}
			if got := int(binary.LittleEndian.Uint32(file[4:])); got != len(file)-8 {
				t.Errorf("format %d, %d samples: RIFF size %d in a file of %d", f, n, got, len(file))
			}
			got, err := Decode(file)
			if err != nil || got.Format != f || got.Rate != 16000 || !slices.Equal(got.Samples, want) {
				t.Errorf("format %d, %d samples: came back as %d Hz, %d samples, %v", f, n, got.Rate, len(got.Samples), err)
			}
		}
	}
}

func TestUnknownChunks(t *testing.T) {
	file := Encode(PCM16, 8000, []int16{1, 2})
	odd := append([]byte("LIST\x03\x00\x00\x00abc\x00"), file[12:]...)
	got, err := Decode(append(slices.Clone(file[:12]), odd...))
	if err != nil || len(got.Samples) != 2 {
		t.Errorf("with a LIST chunk in front: %v, %v", got, err)
	}
	if _, err := Decode(append(slices.Clone(file), "LIST\xff\xff\xff\xffjunk"...)); err != nil {
		t.Errorf("with junk behind the data: %v", err)
	}
}

func TestRefused(t *testing.T) {
	good := Encode(PCM16, 8000, []int16{1, 2, 3})
	for _, tt := range []struct {
		name   string
		change func(b []byte) []byte
	}{
		{"empty", func([]byte) []byte { return nil }},
		{"no RIFF", func(b []byte) []byte { b[0] = 'X'; return b }},
		{"no WAVE", func(b []byte) []byte { b[8] = 'X'; return b }},
		{"no data chunk", func(b []byte) []byte { return b[:36] }},
		{"cut in the header", func(b []byte) []byte { return b[:40] }},
		{"cut in the data", func(b []byte) []byte { return b[:46] }},
		{"cut in fmt", func(b []byte) []byte { return b[:30] }},
		{"short fmt", func(b []byte) []byte { b[16] = 8; return b }},
		{"float", func(b []byte) []byte { b[20] = 3; return b }},
		{"stereo", func(b []byte) []byte { b[22] = 2; return b }},
		{"no channel", func(b []byte) []byte { b[22] = 0; return b }},
		{"rate 0", func(b []byte) []byte { b[24], b[25] = 0, 0; return b }},
		{"rate too high", func(b []byte) []byte { b[27] = 1; return b }},
		{"8 bits", func(b []byte) []byte { b[34] = 8; return b }},
		{"wrong alignment", func(b []byte) []byte { b[32] = 4; return b }},
		{"half a sample", func(b []byte) []byte { b[40] = 5; return b }},
		{"data first", func(b []byte) []byte { return append(b[:12], b[36:]...) }},
		{"two fmt", func(b []byte) []byte { return append(slices.Clone(b[:36]), b[12:]...) }},
		{"size of data too large", func(b []byte) []byte { b[43] = 0x7f; return b }},
	} {
		if _, err := Decode(tt.change(slices.Clone(good))); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// A file is valid after every step of writing, whatever is still missing.
func TestCutOffWhileWriting(t *testing.T) {
	for _, f := range formats {
		path := filepath.Join(t.TempDir(), "a.wav")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		expect := func(when string, want []int16) {
			t.Helper()
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := Decode(b); err != nil || !slices.Equal(got.Samples, want) {
				t.Fatalf("format %d, %s: %d samples, %v; want %d", f, when, len(got.Samples), err, len(want))
			}
		}
		samples := speech(f, 1000)
		w, err := NewWriter(file, f, 8000)
		if err != nil {
			t.Fatal(err)
		}
		expect("begun", nil)
		done := 0
		for _, n := range []int{160, 161, 0, 1, 160, 3} {
			if err := w.Write(samples[done : done+n]); err != nil {
				t.Fatal(err)
			}
			expect("written", samples[:done])
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			done += n
			expect("flushed", samples[:done])
		}
		b, _ := os.ReadFile(path)
		if !slices.Equal(b, Encode(f, 8000, samples[:done])) {
			t.Errorf("format %d: differs from the file made in one go", f)
		}
	}
}

// discard counts what it is given.
type discard struct{ n int }

func (d *discard) WriteAt(p []byte, _ int64) (int, error) { d.n += len(p); return len(p), nil }

// A recording of an hour must not cost more per frame or header than one of a second.
func TestWriterCost(t *testing.T) {
	to := &discard{}
	w, err := NewWriter(to, PCM16, 8000)
	if err != nil {
		t.Fatal(err)
	}
	frame := make([]int16, 160)
	if n := testing.AllocsPerRun(1000, func() { _ = w.Write(frame) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
	before := to.n
	if err := w.Flush(); err != nil || to.n-before != 44 {
		t.Errorf("flush wrote %d bytes, %v", to.n-before, err)
	}
}

type broken struct{ after int }

func (b *broken) WriteAt(p []byte, _ int64) (int, error) {
	if b.after--; b.after < 0 {
		return 0, os.ErrClosed
	}
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	if _, err := NewWriter(&broken{0}, PCM16, 8000); !errors.Is(err, os.ErrClosed) {
		t.Errorf("begin: %v", err)
	}
	w, _ := NewWriter(&broken{1}, PCM16, 8000)
	if err := w.Write([]int16{1}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("write: %v", err)
	}
	if err := w.Flush(); err != nil {
		t.Errorf("flush of nothing: %v", err)
	}
	for after := 2; after < 4; after++ { // header and samples pass; then the pad, then the header
		w, _ = NewWriter(&broken{after}, MuLaw, 8000)
		if err := w.Write([]int16{1}); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("flush after %d: %v", after, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, format := range formats {
		f.Add(Encode(format, 8000, speech(format, 5)))
	}
	f.Add([]byte("RIFF\x04\x00\x00\x00WAVE"))
	f.Fuzz(func(t *testing.T, file []byte) {
		audio, err := Decode(file)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		again, err := Decode(Encode(audio.Format, audio.Rate, audio.Samples))
		if err != nil || again.Rate != audio.Rate || again.Format != audio.Format || !slices.Equal(again.Samples, audio.Samples) {
			t.Fatalf("did not survive a round trip: %v", err)
		}
	})
}

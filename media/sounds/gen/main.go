//go:build ignore

// Command gen makes the files of package sounds: it trims and levels the speech
// it finds in one folder and composes the tones and the music, all into another.
// generate.sh calls it.
//
//	go run gen/main.go SPEECH FILES
package main

import (
	"io/fs"
	"log"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/cordpair/cordpair/media/mediatest"
	"github.com/cordpair/cordpair/media/wav"
)

const (
	rate  = 8000
	level = -20.0 // RMS in dBFS of everything audible
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: gen SPEECH FILES")
	}
	in, out := os.Args[1], os.Args[2]
	if err := speech(in, out); err != nil {
		log.Fatal(err)
	}
	tone := func(freq float64, length time.Duration) []int16 {
		return fade(mediatest.Tone(freq, rate, length, level), rate/100)
	}
	write(out, "beep", tone(1000, 200*time.Millisecond))
	write(out, "ringback", append(tone(425, time.Second), mediatest.Silence(rate, 4*time.Second)...))
	write(out, "silence/1", mediatest.Silence(rate, time.Second))
	write(out, "music", music())
}

// speech finishes each file under in, but for the raw one.
func speech(in, out string) error {
	return filepath.WalkDir(in, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "raw.wav" {
			return err
		}
		file, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		audio, err := wav.Decode(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(in, path)
		if err != nil {
			return err
		}
		samples := mediatest.TrimSilence(audio.Samples, rate, -62)
		samples = fade(scale(samples, 32767), rate/200)
		// A breath, so that words in a row stay apart.
		samples = append(samples, mediatest.Silence(rate, 60*time.Millisecond)...)
		write(out, name[:len(name)-len(".wav")], samples)
		return nil
	})
}

// scale brings samples to level. Peaks above 0.6 of full are bent down softly,
// which costs level, so it goes on until the level is right.
func scale(samples []int16, full float64) []int16 {
	bent := make([]int16, len(samples))
	const knee = 0.6
	gain := math.Pow(10, (level-mediatest.Level(samples))/20)
	for range 20 {
		for i, s := range samples {
			x := gain * float64(s) / full
			if m := math.Abs(x); m > knee {
				x = math.Copysign(knee+(0.9-knee)*math.Tanh((m-knee)/(0.9-knee)), x)
			}
			bent[i] = int16(math.Round(x * full))
		}
		gain *= math.Pow(10, (level-mediatest.Level(bent))/20)
	}
	return bent
}

// fade lets n samples at both ends rise and fall along a cosine.
func fade(samples []int16, n int) []int16 {
	for i := range min(n, len(samples)/2) {
		f := 0.5 - 0.5*math.Cos(math.Pi*float64(i)/float64(n))
		samples[i] = int16(f * float64(samples[i]))
		end := len(samples) - 1 - i
		samples[end] = int16(f * float64(samples[end]))
	}
	return samples
}

func write(dir, name string, samples []int16) {
	path := filepath.Join(dir, filepath.FromSlash(name)+".wav")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(path, wav.Encode(wav.MuLaw, rate, samples), 0o644); err != nil {
		log.Fatal(err)
	}
}

// The music: eight bars of four beats at 80 beats a minute, 24 s. A soft pad and a
// bass hold the chords, a plucked figure walks over them and a slow tune answers
// in the second half of each pair of bars.

const (
	beat = 3 * rate / 4
	bars = 8
	loop = bars * 4 * beat
)

// chords as MIDI notes, the root first. The bass plays it an octave higher, because
// no handset gives 65 Hz.
var chords = [bars][]int{
	{36, 55, 59, 64, 67}, // C major seventh
	{45, 55, 60, 64, 67}, // A minor seventh
	{41, 57, 60, 64, 69}, // F major seventh
	{43, 57, 59, 62, 69}, // G with a second
	{40, 55, 59, 62, 67}, // E minor seventh
	{45, 55, 60, 64, 67}, // A minor seventh
	{38, 53, 57, 60, 65}, // D minor seventh
	{43, 53, 57, 59, 62}, // G ninth
}

// figure is which chord note each half beat plucks.
var figure = [8]int{1, 3, 2, 4, 3, 2, 4, 2}

// tune is the melody: bar, beat in quarters of a beat, length in beats, MIDI note.
var tune = []struct {
	bar, quarter int
	beats        float64
	note         int
}{
	{1, 0, 1.5, 76}, {1, 6, 0.5, 74}, {1, 8, 2, 72},
	{3, 0, 1.5, 74}, {3, 6, 0.5, 71}, {3, 8, 2, 69},
	{5, 0, 1, 72}, {5, 4, 1, 76}, {5, 8, 2, 79},
	{7, 0, 1.5, 77}, {7, 6, 0.5, 76}, {7, 8, 2, 74},
}

// music renders the loop. Notes that ring past its end go on at its beginning,
// and so does the echo: there is no seam to hear.
func music() []int16 {
	dry := make([]float64, loop)
	for bar, chord := range chords {
		at := bar * 4 * beat
		pluck(dry, at, chord[0]+12, 0.20, 1.6)
		pluck(dry, at+2*beat+beat/2, chord[0]+12, 0.10, 1.0)
		for _, note := range chord[1:] {
			pad(dry, at, 4*beat, note, 0.045)
		}
		for i, n := range figure {
			pluck(dry, at+i*beat/2, chord[n]+12*(i/6), 0.10, 0.6)
		}
	}
	for _, n := range tune {
		at := n.bar*4*beat + n.quarter*beat/4
		pad(dry, at, int(n.beats*beat), n.note, 0.09)
		pluck(dry, at, n.note, 0.06, 0.8)
	}
	wet := make([]float64, loop)
	for i := range wet {
		for _, echo := range []struct{ delay, gain float64 }{{0, 1}, {0.375, 0.25}, {0.75, 0.12}, {0.043, 0.2}, {0.071, 0.15}} {
			wet[i] += echo.gain * dry[(i+loop-int(echo.delay*rate))%loop]
		}
	}
	out := make([]int16, loop)
	for i, s := range wet {
		out[i] = int16(math.Round(8000 * s))
	}
	return scale(out, 32767)
}

func hertz(note int) float64 { return 440 * math.Pow(2, float64(note-69)/12) }

// pluck adds a struck note that decays to nothing, with a few soft overtones.
func pluck(to []float64, at, note int, gain, seconds float64) {
	w := 2 * math.Pi * hertz(note) / rate
	for i := range int(seconds * 5 * rate) {
		t := float64(i) / rate
		attack := min(1, t/0.006)
		s := 0.0
		for k, part := range []float64{1, 0.35, 0.12} {
			s += part * math.Exp(-t/seconds*float64(3+k)) * math.Sin(w*float64(k+1)*float64(i))
		}
		to[(at+i)%len(to)] += gain * attack * s
	}
}

// pad adds a note that swells and dies away, two voices a little out of tune.
func pad(to []float64, at, length, note int, gain float64) {
	w := 2 * math.Pi * hertz(note) / rate
	rise, fall := float64(length)/4, float64(length)/2
	for i := range length + int(fall) {
		x := float64(i)
		envelope := min(1, x/rise, (float64(length)+fall-x)/fall)
		envelope = 0.5 - 0.5*math.Cos(math.Pi*max(0, envelope))
		s := math.Sin(0.9985*w*x) + math.Sin(1.0015*w*x) + 0.2*math.Sin(2*w*x)
		to[(at+i)%len(to)] += gain * envelope * s
	}
}

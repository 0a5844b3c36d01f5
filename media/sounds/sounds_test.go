package sounds

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/mediatest"
)

func seconds(samples []int16) float64 { return float64(len(samples)) / Rate }

// want is every sound there is and how long it may last, in seconds.
func want() map[string][2]float64 {
	w := map[string][2]float64{
		"digits/star": {0.2, 1}, "digits/hash": {0.2, 1}, "digits/plus": {0.2, 1},
		"your-number-is": {0.5, 2}, "you-are": {0.3, 1}, "goodbye": {0.3, 1.5}, "transfer": {0.3, 1.5},
		"beep": {0.2, 0.2}, "ringback": {5, 5}, "silence/1": {1, 1}, "music": {20, 40},
	}
	for d := range 10 {
		w[fmt.Sprint("digits/", d)] = [2]float64{0.2, 1}
	}
	for _, l := range "abcd" {
		w["letters/"+string(l)] = [2]float64{0.2, 1}
	}
	return w
}

func TestAllSounds(t *testing.T) {
	l := New()
	expected := want()
	if got := l.Names(); len(got) != len(expected) || !slices.IsSorted(got) {
		t.Errorf("%d sounds, want %d: %v", len(got), len(expected), got)
	}
	for name, length := range expected {
		samples, ok := l.Lookup(name)
		if !ok {
			t.Errorf("%s is missing", name)
			continue
		}
		if s := seconds(samples); s < length[0] || s > length[1] {
			t.Errorf("%s lasts %.2f s, want %v", name, s, length)
		}
		if peak := mediatest.Peak(samples); peak > 31000 {
			t.Errorf("%s clips: peak %d", name, peak)
		}
		if name == "silence/1" {
			if mediatest.Peak(samples) != 0 {
				t.Error("silence is not silent")
			}
			continue
		}
		heard := mediatest.TrimSilence(samples, Rate, -50)
		if level := mediatest.Level(heard); math.Abs(level+20) > 1.5 {
			t.Errorf("%s has %.1f dBFS", name, level)
		}
		if name != "music" && (abs(samples[0]) > 100 || abs(samples[len(samples)-1]) > 100) {
			t.Errorf("%s begins at %d and ends at %d", name, samples[0], samples[len(samples)-1])
		}
	}
}

func abs(s int16) int { return max(int(s), -int(s)) }

// A word begins at once and leaves a breath behind it.
func TestWordsAreTrimmed(t *testing.T) {
	l := New()
	for name := range want() {
		if name == "music" || name == "ringback" || name == "silence/1" || name == "beep" {
			continue
		}
		samples, _ := l.Lookup(name)
		if mediatest.Level(samples[:Rate/20]) < -62 { // "th" is faint
			t.Errorf("%s begins with silence", name)
		}
		if breath := samples[len(samples)-Rate*5/100:]; mediatest.Level(breath) > -50 {
			t.Errorf("%s has no breath at the end", name)
		}
	}
}

func TestTones(t *testing.T) {
	l := New()
	beep, _ := l.Lookup("beep")
	if share := mediatest.Share(beep, Rate, 1000); share < -0.5 {
		t.Errorf("beep has %.1f dB of 1000 Hz", share)
	}
	ringback, _ := l.Lookup("ringback")
	if share := mediatest.Share(ringback[:Rate], Rate, 425); share < -0.5 {
		t.Errorf("ringback has %.1f dB of 425 Hz", share)
	}
	if mediatest.Peak(ringback[Rate:]) != 0 {
		t.Error("ringback has no pause")
	}
}

func TestMusicLoops(t *testing.T) {
	music, _ := New().Lookup("music")
	if len(music)%160 != 0 {
		t.Errorf("%d samples are no whole number of 20 ms", len(music))
	}
	if clicks := mediatest.Clicks(slices.Concat(music, music), 0.05); len(clicks) > 0 {
		t.Errorf("clicks at %v", clicks)
	}
	// The step over the seam is like any other, and so is the level around it.
	seam, usual := abs(music[0]-music[len(music)-1]), 0
	for i := 1; i < len(music); i++ {
		usual = max(usual, abs(music[i]-music[i-1]))
	}
	if seam > usual/2 {
		t.Errorf("a step of %d over the seam, %d at most elsewhere", seam, usual)
	}
	around := slices.Concat(music[len(music)-Rate/4:], music[:Rate/4])
	if level := mediatest.Level(around); level < -32 || level > -12 {
		t.Errorf("%.1f dBFS around the seam", level)
	}
	if gaps := mediatest.Gaps(slices.Concat(music, music), Rate, 200*time.Millisecond, -45); gaps > 0 {
		t.Errorf("%d silent places", gaps)
	}
}

func TestSharedAndSafe(t *testing.T) {
	l := New()
	var wait sync.WaitGroup
	first := make([]*int16, 8)
	for i := range first {
		wait.Go(func() { // ends with its one look-up
			samples, _ := l.Lookup("music")
			first[i] = &samples[0]
		})
	}
	wait.Wait()
	for _, p := range first {
		if p != first[0] {
			t.Fatal("decoded more than once")
		}
	}
	samples, _ := l.Lookup("digits/1")
	_ = append(samples, 1)
	if again, _ := l.Lookup("digits/1"); len(again) != len(samples) || cap(samples) != len(samples) {
		t.Error("an append reaches into the shared samples")
	}
	for _, name := range []string{"", "digits", "digits/", "digits/10", "../doc.go", "music.wav", "Music"} {
		if _, ok := l.Lookup(name); ok {
			t.Errorf("there is a sound %q", name)
		}
	}
	if n := testing.AllocsPerRun(100, func() { l.Lookup("digits/1") }); n != 0 {
		t.Errorf("%v allocations a look-up", n)
	}
}

func TestSize(t *testing.T) {
	total := 0
	l := New()
	for _, name := range l.Names() {
		file, err := embedded.ReadFile("files/" + name + ".wav")
		if err != nil {
			t.Fatal(err)
		}
		total += len(file)
	}
	if total > 1<<20 {
		t.Errorf("%d bytes in the binary", total)
	}
}

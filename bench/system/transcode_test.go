//go:build system

package system

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/mediatest"
)

// TestTranscodedTalk: two real phones without a codec in common, one of PCMA and one
// of G.722, hear each other's tone at its level.
func TestTranscodedTalk(t *testing.T) {
	need(t, "baresip")
	d := startDemo(t, 4)
	speaks(t, d, "101", "pcma/8000/1")
	speaks(t, d, "102", "g722/16000/1")
	a, b := startBaresip(t, d, "101", "udp"), startBaresip(t, d, "102", "udp")
	a.call(t, "102")
	a.talking(t)
	b.talking(t)
	const sent = "cordpair_media_packets_sent_total"
	before := d.metrics(t)[sent]
	until(t, patience, "packets", func() bool { return d.metrics(t)[sent] > before+400 })
	a.hangup(t)
	a.idle(t)
	b.idle(t)
	a.quit(t)
	b.quit(t)
	clear := func(p, other *baresip) {
		heard, rate := mediatest.ReadWAV(t, p.heard(t))
		heard = mediatest.TrimSilence(heard, rate, -50)
		middle := heard[len(heard)/4 : len(heard)*3/4]
		// What a phone gives its codec is not quite what is in its file: baresip's own
		// resampler for a wide codec adds more than a decibel.
		said, _ := mediatest.ReadWAV(t, strings.Replace(other.heard(t), "-dec.wav", "-enc.wav", 1))
		want := mediatest.Level(said[len(said)/4 : len(said)*3/4])
		share, level := mediatest.Share(middle, rate, other.tone()), mediatest.Level(middle)
		gaps := mediatest.Gaps(middle, rate, 20*time.Millisecond, -40)
		t.Logf("%s heard %.0f Hz with %.1f dB of %.1f dBFS, %d gaps, said with %.1f dBFS", p.user, other.tone(), share, level, gaps, want)
		if share < -0.5 || math.Abs(level-want) > 0.5 {
			t.Errorf("%s heard %.0f Hz with %.1f dB of %.1f dBFS, want all of %.1f", p.user, other.tone(), share, level, want)
		}
	}
	clear(a, b)
	clear(b, a)
	d.stop(t)
}

// speaks gives a phone of the demo one codec only.
func speaks(t *testing.T, d *demo, user, format string) {
	t.Helper()
	edit := func(name, old, instead string) {
		file := d.path("phones", account(user, "udp"), name)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), old) {
			t.Fatalf("%s: no %s", file, old)
		}
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, instead, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	edit("accounts", "audio_codecs=pcmu/8000/1,pcma/8000/1", "audio_codecs="+format)
	edit("config", "module g711.so\n", "module g711.so\nmodule g722.so\n")
}

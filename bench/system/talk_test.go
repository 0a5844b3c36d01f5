//go:build system

package system

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/mediatest"
)

// toneLevel is the level of the demo's tones in dBFS: sines of half of full
// scale.
const toneLevel = -9.03

// starter starts a phone of the demo.
type starter func(t *testing.T, d *demo, user, transport string) phone

func baresipPhone(t *testing.T, d *demo, user, transport string) phone {
	return startBaresip(t, d, user, transport)
}

func linphonePhone(t *testing.T, d *demo, user, transport string) phone {
	return startLinphone(t, d, user, transport)
}

// TestTalk: real softphones register and talk both ways over UDP and TCP; each
// hears the other's tone, also after hold and resume.
func TestTalk(t *testing.T) {
	for _, c := range []struct {
		name           string
		caller, callee starter
		programs       []string
	}{
		{"baresip to baresip", baresipPhone, baresipPhone, []string{"baresip"}},
		{"baresip to linphonec", baresipPhone, linphonePhone, []string{"baresip", "linphonec"}},
		{"linphonec to baresip", linphonePhone, baresipPhone, []string{"baresip", "linphonec"}},
	} {
		for _, transport := range []string{"udp", "tcp"} {
			t.Run(c.name+" over "+transport, func(t *testing.T) {
				need(t, c.programs...)
				d := startDemo(t, 4)
				talk(t, d, c.caller(t, d, "101", transport), c.callee(t, d, "102", transport))
				d.stop(t)
			})
		}
	}
}

// talk makes one call from a (101) to b (102).
func talk(t *testing.T, d *demo, a, b phone) {
	t.Helper()
	ears := [2]*tap{newTap(t, portsOf(a), lastOf(a)), newTap(t, portsOf(b), lastOf(b))}
	a.call(t, "102")
	a.talking(t)
	b.talking(t)
	hear(t, d, "after the answer", ears, a, b)
	a.hold(t)
	if ears[0] != nil && !ears[0].quiet(time.Second) {
		// The last packets may still have been on their way.
		until(t, patience, "silence at the phone that holds", func() bool { return ears[0].quiet(time.Second) })
	}
	a.resume(t)
	hear(t, d, "after hold and resume", ears, a, b)
	a.hangup(t)
	a.idle(t)
	b.idle(t)
	for _, name := range []string{"cordpair_calls", "cordpair_sip_legs", "cordpair_media_ports_used"} {
		d.awaitMetric(t, name, 0)
	}
	a.quit(t)
	b.quit(t)
	recorded(t, a, b)
	recorded(t, b, a)
}

func portsOf(p phone) int { low, _ := p.media(); return low }
func lastOf(p phone) int  { _, high := p.media(); return high }

// hear wants each phone to receive the other's tone. Where packets may not be
// looked at, it wants them to flow; the recordings are looked at later.
func hear(t *testing.T, d *demo, when string, ears [2]*tap, a, b phone) {
	t.Helper()
	if ears[0] == nil {
		t.Log("no permission for packet sockets: only recordings are judged")
		const sent = "cordpair_media_packets_sent_total"
		before := d.metrics(t)[sent]
		until(t, patience, "packets", func() bool { return d.metrics(t)[sent] > before+200 })
		return
	}
	judge(t, fmt.Sprintf("who sends %.0f Hz hears %s", a.tone(), when), ears[0].next(t), b.tone())
	judge(t, fmt.Sprintf("who sends %.0f Hz hears %s", b.tone(), when), ears[1].next(t), a.tone())
}

// judge looks for the tone in the best second of what was heard.
func judge(t *testing.T, what string, samples []int16, freq float64) {
	t.Helper()
	const rate = 8000
	share, level := -120.0, -120.0
	for at := 0; at+rate <= len(samples); at += rate / 4 {
		second := samples[at : at+rate]
		if s := mediatest.Share(second, rate, freq); s > share {
			share, level = s, mediatest.Level(second)
		}
	}
	t.Logf("%s: %.0f Hz has %.1f dB of %.1f dBFS in the best second of %.1f", what, freq, share, level, float64(len(samples))/rate)
	if share < -3 || math.Abs(level-toneLevel) > 3 {
		t.Errorf("%s: %.0f Hz has %.1f dB of %.1f dBFS, want about 0 of %.1f", what, freq, share, level, toneLevel)
	}
}

// recorded judges what p itself recorded of the call: baresip up to the hold,
// linphonec also the last seconds, which came after it.
func recorded(t *testing.T, p, other phone) {
	t.Helper()
	switch p := p.(type) {
	case *baresip:
		heard, _ := mediatest.ReadWAV(t, p.heard(t))
		judge(t, "recording of baresip "+p.user, heard, other.tone())
	case *linphone:
		heard, _ := mediatest.ReadWAV(t, p.heard(t))
		judge(t, "recording of linphonec "+p.user, heard, other.tone())
		judge(t, "its end, after the hold", heard[max(0, len(heard)-3*8000):], other.tone())
	}
}

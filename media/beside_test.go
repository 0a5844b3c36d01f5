package media

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// TestVideoFromTheStart: video passes where both have it, and is off at its place
// where one has none.
func TestVideoFromTheStart(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := called(t, r, "audio video:97,98", "audio video")
		if text := string(b.body); !strings.Contains(text, "b=AS:512\r\n") || !strings.Contains(text, "a=rtcp-fb:* nack pli\r\n") ||
			!strings.Contains(text, "a=fmtp:97 profile-level-id=42801F\r\n") || strings.Contains(text, fmt.Sprint("m=video ", a.extra.addr.Port())) {
			t.Errorf("offered\n%s", text)
		}
		if text := string(a.body); !strings.Contains(text, " RTP/AVPF 97\r\n") || a.told(t, a.body) != "audio video" {
			t.Errorf("answered\n%s", text)
		}
		if !passes(t, r, a, b, "video") {
			t.Error("video does not pass")
		}
		pli := []byte{0x81, 206, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8}
		to := a.port("video")
		a.rtcp.raw(netip.AddrPortFrom(to.Addr(), to.Port()+1), pli)
		r.settle()
		if got := b.rtcp.datagrams(); len(got) != 1 || string(got[0]) != string(pli) {
			t.Errorf("reports: %x", got)
		}
		if a.asked+b.asked != 0 || a.Unmet() || b.Unmet() {
			t.Error("somebody was asked again")
		}
		if st := r.engine.Stats(); st.PortsUsed != 4 || st.PacketsReceived != 2+1 || a.Stats().PacketsReceived != 0 {
			t.Errorf("%+v", st)
		}
		a.Close()
		b.Close()
		r.settle()
		if st := r.engine.Stats(); st.PortsUsed != 0 || st.PacketsReceived != 3 {
			t.Errorf("afterwards %+v", st)
		}
	})
}

// TestVideoRefusedInPlace: nobody is asked again when one party has no video, be it at
// hold and resume; and no ports are kept for it.
func TestVideoRefusedInPlace(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := called(t, r, "audio video", "audio video-")
		if got := a.told(t, a.body); got != "audio video-" {
			t.Error(got)
		}
		for range 2 {
			if got := a.offers(t, "audio video"); got != "audio video-" {
				t.Errorf("later: %s", got)
			}
		}
		r.settle()
		if st := r.engine.Stats(); st.PortsUsed != 2 || a.asked+b.asked != 0 {
			t.Errorf("%+v, asked %d %d", st, a.asked, b.asked)
		}
	})
}

// TestLinesLater walks re-offers in a call that began with audio: what the first party
// offers, what we offer the second and what that answers, and what the first is told.
func TestLinesLater(t *testing.T) {
	for name, tc := range map[string]struct {
		offer           string
		offered, answer string
		told            string
		kind            string // what passes then
		back            [3]string
	}{
		"video":                     {"audio video", "audio video", "audio video", "audio video", "video", [3]string{"audio video-", "audio video-", "audio video-"}},
		"video, off":                {"audio video", "audio video", "audio video-", "audio video-", "", [3]string{}},
		"video, refused":            {"audio video", "audio video", "no", "audio video-", "", [3]string{}},
		"fax instead":               {"image", "image", "image", "image", "image", [3]string{"audio", "audio", "audio"}},
		"fax beside silence":        {"audio- image", "audio- image", "audio- image", "audio- image", "image", [3]string{"audio image-", "audio image-", "audio image-"}},
		"fax instead, refused":      {"image", "image", "no", "no", "", [3]string{}},
		"fax, refused":              {"audio- image", "audio- image", "no", "no", "", [3]string{}},
		"fax beside audio":          {"audio image", "audio image", "audio image", "audio image", "image", [3]string{"audio image-", "audio image-", "audio image-"}},
		"fax, off":                  {"audio- image", "audio- image", "audio- image-", "no", "", [3]string{}},
		"fax from many lines":       {"audio- video- image", "audio- image", "audio- image", "audio- video- image", "image", [3]string{"audio video- image-", "audio image-", "audio video- image-"}},
		"fax and then lines behind": {"audio- image", "audio- image", "audio- image", "audio- image", "image", [3]string{"audio- image- audio", "audio image-", "audio- image- audio"}},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, Config{}, func(t *testing.T, r *rig) {
				a, b := called(t, r, "audio", "audio")
				if got := a.offers(t, tc.offer); got != "wait" {
					t.Fatalf("answered before the other party: %s", got)
				}
				r.settle()
				if b.asked != 1 || !b.Unmet() {
					t.Fatalf("asked %d times", b.asked)
				}
				if got := b.isOffered(t, nil); got != tc.offered {
					t.Errorf("offered %q", got)
				}
				b.answers(t, tc.answer)
				if got := a.isAnswered(t); a.asked != 1 || got != tc.told {
					t.Errorf("told %q, asked %d times", got, a.asked)
				}
				r.settle()
				if tc.kind != "" && !passes(t, r, a, b, tc.kind) {
					t.Errorf("%s does not pass", tc.kind)
				}
				if strings.Contains(tc.told, "audio ") || tc.told == "no" && tc.answer == "no" {
					a.phone.speak(a.Session, 0)
					r.settle()
					if len(b.phone.heard()) != 1 {
						t.Error("audio does not go on")
					}
				}
				if tc.back[0] != "" {
					a.returns(t, b, tc.back)
				}
			})
		})
	}
}

// returns lets a device give up what beside audio it has: what it offers, what we offer
// the other one then, and what it is told.
func (a *device) returns(t *testing.T, b *device, back [3]string) {
	t.Helper()
	r := a.phone.r
	if got := a.offers(t, back[0]); got != back[2] {
		t.Errorf("back: told %q", got)
	}
	r.settle()
	if !b.Unmet() || b.asked != 2 {
		t.Fatalf("the other party keeps its lines, asked %d times", b.asked)
	}
	if got := b.isOffered(t, nil); got != back[1] {
		t.Errorf("back: offered %q", got)
	}
	b.answers(t, back[1])
	a.phone.speak(a.Session, 0)
	b.phone.speak(b.Session, 0)
	r.settle()
	if len(a.phone.heard()) != 1 || len(b.phone.heard()) != 1 {
		t.Error("no audio afterwards")
	}
	if st := r.engine.Stats(); st.PortsUsed != 2 || a.Unmet() || b.Unmet() {
		t.Errorf("afterwards %+v", st)
	}
}

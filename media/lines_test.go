package media

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestLinesWithNobody: who talks to the switch itself has nobody to pass lines to.
func TestLinesWithNobody(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a := r.device("2")
		if got := a.offers(t, "audio video image"); got != "audio video- image-" {
			t.Error(got)
		}
		for _, then := range []func(){a.Echo, a.Quiet} {
			then()
			if got := a.offers(t, "audio- image"); got != "no" {
				t.Error(got)
			}
			if got := a.offers(t, "audio video"); got != "audio video-" {
				t.Error(got)
			}
		}
		fax := r.device("3")
		if got := fax.offers(t, "image"); got != "no" {
			t.Errorf("fax with nobody: %s", got)
		}
	})
}

// TestLinesOnHold: lines outlive hold, resume and session refreshes in either dialog.
func TestLinesOnHold(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := called(t, r, "audio video:97,98", "audio video:97")
		ports := [2]netip.AddrPort{a.port("video"), b.port("video")}
		for _, d := range []*device{a, b} {
			held := strings.ReplaceAll(string(d.describes("audio video")), "m=", "a=inactive\r\nm=")
			c, err := d.SetOffer([]byte(held))
			if err != nil || !c.Held {
				t.Fatal(c, err)
			}
			if got := d.isAnswered(t); got != "audio video" || strings.Count(string(d.body), "a=inactive") != 2 {
				t.Errorf("on hold: %s", d.body)
			}
			a.Quiet()
			b.Quiet()
			r.settle()
			if passes(t, r, a, b, "video") {
				t.Error("video passes on hold")
			}
			if got := d.offers(t, "audio video"); got != "audio video" || strings.Count(string(d.body), "a=sendrecv") != 2 {
				t.Errorf("resumed: %s", d.body)
			}
			if err := Join(a.Session, b.Session); err != nil {
				t.Fatal(err)
			}
			r.settle()
			if !passes(t, r, a, b, "video") {
				t.Error("video does not pass any more")
			}
			b := d
			body, err := b.Repeat()
			if err != nil || b.told(t, body) != "audio video" {
				t.Fatal(string(body), err)
			}
			b.answers(t, "audio video")
		}
		if a.port("video") != ports[0] || b.port("video") != ports[1] || a.asked+b.asked != 0 {
			t.Errorf("ports moved, or asked: %d %d", a.asked, b.asked)
		}
	})
}

// TestLinesTransfer: the party that stays is asked to give up what the new one has not.
func TestLinesTransfer(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := called(t, r, "audio video", "audio video")
		c := r.device("4")
		if got := c.isOffered(t, a); got != "audio video" {
			t.Errorf("the new one is offered %q", got)
		}
		c.answers(t, "audio video-")
		c.Answered()
		if err := Join(a.Session, c.Session); err != nil {
			t.Fatal(err)
		}
		b.Close()
		r.settle()
		if a.asked != 1 || c.asked != 0 || !a.Unmet() {
			t.Fatalf("asked %d %d", a.asked, c.asked)
		}
		a.extra.raw(a.port("video"), []byte{0x80, 97, 0, 9, 1, 2, 3, 4, 9, 9, 9, 9})
		if got := a.isOffered(t, nil); got != "audio video-" {
			t.Errorf("offered %q", got)
		}
		a.answers(t, "audio video-")
		if st := r.engine.Stats(); a.Unmet() || st.PortsUsed != 2 {
			t.Errorf("afterwards %+v", st)
		}
	})
}

// TestLinesJoined: two calls with video under numbers of their own are joined; one of
// them is offered the numbers of the other.
func TestLinesJoined(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := called(t, r, "audio video:97", "audio video:97")
		c := r.device("4")
		if _, err := c.SetOffer(c.describes("audio video:98")); err != nil {
			t.Fatal(err)
		}
		d := r.device("5")
		d.isOffered(t, c)
		d.answers(t, "audio video:98")
		d.Answered()
		if err := Join(c.Session, d.Session); err != nil {
			t.Fatal(err)
		}
		c.isAnswered(t)
		b.Close()
		d.Close()
		if err := Join(a.Session, c.Session); err != nil {
			t.Fatal(err)
		}
		r.settle()
		one, other := a, c
		if c.Unmet() {
			one, other = c, a
		}
		if one.asked != 1 || other.asked != 0 || passes(t, r, a, c, "video") {
			t.Fatalf("asked %d %d", a.asked, c.asked)
		}
		if got := one.isOffered(t, nil); got != "audio video" {
			t.Fatal(got)
		}
		one.answers(t, "audio video-")
		r.settle()
		if !other.Unmet() || one.Unmet() {
			t.Error("the other one keeps its video")
		}
	})
}

// TestLineStrangers (M1, M5): packets count from the party's addresses only, and nothing
// goes where it must not.
func TestLineStrangers(t *testing.T) {
	onBoth(t, Config{PortMin: 24000, PortMax: 24009}, func(t *testing.T, r *rig) {
		a, b := called(t, r, "audio", "audio")
		a.offers(t, "audio- image")
		b.isOffered(t, nil)
		b.answers(t, "audio- image")
		a.isAnswered(t)
		r.settle()
		if !passes(t, r, a, b, "image") {
			t.Fatal("fax does not pass")
		}
		stranger := r.phone("9:0")
		stranger.raw(a.port("image"), []byte{1, 2, 3, 4})
		r.settle()
		if got := b.extra.datagrams(); len(got) != 0 {
			t.Errorf("a stranger was heard: %x", got)
		}
		b.extra.raw(b.port("image"), []byte{4, 5, 6, 7})
		r.settle()
		if len(stranger.datagrams()) != 0 || len(a.extra.datagrams()) != 1 {
			t.Error("a stranger hears the fax")
		}
		if got := a.offers(t, "audio"); got == "no" {
			t.Fatal(got)
		}
		forbidden := strings.Replace(string(a.describes("audio- image")), fmt.Sprint("m=image ", a.extra.addr.Port()), "m=image 999", 1)
		if _, err := a.SetOffer([]byte(forbidden)); err == nil {
			t.Error("fax to a forbidden port")
		}
	})
}

// TestLineQuarantine (M6): who had the ports of a line before is not heard by the next
// party that has them, not even if it is the same gateway.
func TestLineQuarantine(t *testing.T) {
	onBoth(t, Config{PortMin: 24000, PortMax: 24007}, func(t *testing.T, r *rig) {
		a, b := called(t, r, "audio image", "audio image")
		if !passes(t, r, a, b, "image") {
			t.Fatal("fax does not pass")
		}
		old := b.port("image")
		a.Close()
		b.Close()
		r.settle()
		r.advance(shortRest)
		c, d := r.deviceAt("2", 40600), r.deviceAt("3", 40600)
		connects(t, r, c, d, "audio image", "audio image")
		if at := d.port("image"); at != old {
			t.Fatalf("the line is at %v, want the ports of the last at %v", at, old)
		}
		b.extra.raw(old, []byte{0, 9, 2, 3})
		r.settle()
		if got := c.extra.datagrams(); len(got) != 0 {
			t.Errorf("the last fax was heard: %x", got)
		}
		if !passes(t, r, c, d, "image") {
			t.Error("the new fax does not pass")
		}
	})
}

// TestFaxIsNoSilence (M8): a fax that flows is a sign of life, and the end of one is
// noticed.
func TestFaxIsNoSilence(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := called(t, r, "audio", "audio")
		var silent atomic.Int32
		a.stream.events.Silent = func() { silent.Add(1) }
		a.offers(t, "audio- image")
		b.isOffered(t, nil)
		b.answers(t, "audio- image")
		a.isAnswered(t)
		r.settle()
		for range 10 {
			r.advance(20 * time.Second)
			a.extra.raw(a.port("image"), []byte{0, 1, 2, 3})
			r.settle()
		}
		if n := silent.Load(); n != 0 {
			t.Errorf("silent %d times while a fax flows", n)
		}
		r.advance(time.Minute + time.Second)
		if n := silent.Load(); n != 1 {
			t.Errorf("silent %d times", n)
		}
	})
}

// TestNothingBesideSecrets: where audio must be encrypted nothing passes in the clear,
// and encrypted video is refused in its place.
func TestNothingBesideSecrets(t *testing.T) {
	onBoth(t, Config{Encryption: EncryptPreferred}, func(t *testing.T, r *rig) {
		a, b := r.device("2"), r.device("3")
		b.talk.encryption = EncryptRequired
		if _, err := a.SetOffer(a.describes("audio video")); err != nil {
			t.Fatal(err)
		}
		if got := b.isOffered(t, a); got != "audio" {
			t.Errorf("offered %q", got)
		}
		c := r.device("4")
		body := strings.ReplaceAll(string(c.describes("audio video")), "RTP/AVPF", "RTP/SAVPF")
		if _, err := c.SetOffer([]byte(body)); err != nil {
			t.Fatal(err)
		}
		if got := b.isOffered(t, c); got != "audio" || c.isAnswered(t) != "audio video-" {
			t.Errorf("offered %q, answered %s", got, c.body)
		}
	})
}

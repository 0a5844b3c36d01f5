package media

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/sdp"
)

// TestSilentMany: thousands of parties that have fallen silent at moments of their
// own are each reported once a minute, in time, and neither is a walk made for each
// of them nor does a walk look at those whose time has not come.
func TestSilentMany(t *testing.T) {
	const parties = 5000
	l := &loop{now: int64(time.Second)}
	reports := make([]int, parties)
	due := make([]int64, parties)
	for i := range parties {
		s := &stream{loop: l, index: int32(i), terms: &terms{}}
		s.terms.Direction = sdp.SendRecv
		s.heard = l.now + rand.Int64N(20e9)
		due[i] = s.heard + silentAfter
		s.events.Silent = func() {
			reports[i]++
			if late := l.now - due[i]; late < 0 || late > watchGap {
				t.Errorf("reported %v late", time.Duration(late))
			}
			due[i] = l.now + silentAfter
		}
		l.streams, l.looks = append(l.streams, s), append(l.looks, noLook)
		l.expect(s)
	}
	walks, end := 0, l.now+180e9
	for ; l.watchAt < end; walks++ {
		l.now = l.watchAt
		l.watch()
	}
	for i, n := range reports {
		if n < 2 || n > 3 {
			t.Fatalf("party %d was reported %d times in three minutes", i, n)
		}
	}
	if most := int(180e9 / watchGap); walks > most {
		t.Errorf("%d walks in three minutes", walks)
	}
	for _, s := range l.streams {
		s.terms = nil // whoever touches them now would find them not to talk
	}
	before := l.watchAt
	l.now = before - 1
	if l.watch(); l.watchAt < before {
		t.Errorf("looks again at %d, not at %d", l.watchAt, before)
	}
	for i, at := range l.looks {
		if at == noLook {
			t.Fatalf("party %d was looked at before its time", i)
		}
	}
}

// After a leap of the clock, as when a machine was paused, everybody reports once.
func TestAgendaAfterALeap(t *testing.T) {
	l, _, _, _, out := benchPair(t, "0", "0")
	l.agenda.run(l.now)
	l.now += 3600e9
	before := out.sent
	l.agenda.run(l.now)
	if n := out.sent - before; n != 2 {
		t.Errorf("%d reports of two streams", n)
	}
}

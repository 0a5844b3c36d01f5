package actor_test

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call/actor"
)

// TestProgress: only who is busy and gets nothing done for ten seconds is stuck,
// and is said to be once.
func TestProgress(t *testing.T) {
	var m actor.Mailbox[int]
	m.Share(0)
	var p actor.Progress
	now := time.Now()
	look := func(after time.Duration) bool {
		now = now.Add(after)
		done, busy := m.Rounds()
		return p.Stuck(done, busy, now)
	}
	for _, s := range []struct {
		name  string
		do    func()
		after time.Duration
		stuck bool
	}{
		{"never looked", func() {}, time.Hour, false},
		{"nothing to do", func() {}, time.Hour, false},
		{"pushed, nobody comes", func() { m.Push(1) }, 9 * time.Second, false},
		{"still nobody", func() {}, 2 * time.Second, true},
		{"once is enough", func() {}, time.Hour, false},
		{"taken", func() { m.Enter(); m.TakeOrLeave() }, time.Hour, false},
		{"has the turn", func() {}, actor.StuckAfter, true},
		{"left", func() { m.TakeOrLeave() }, time.Hour, false},
	} {
		if s.do(); look(s.after) != s.stuck {
			t.Errorf("%s: stuck is %v", s.name, !s.stuck)
		}
	}
}

func TestDumps(t *testing.T) {
	var d actor.Dumps
	now := time.Now()
	for _, s := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {59 * time.Minute, false}, {time.Minute, true}} {
		now = now.Add(s.after)
		if got := d.Stacks(now) != ""; got != s.want {
			t.Errorf("after %v: %v", s.after, got)
		}
	}
}

package location

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// TestClockIsSet (L6): a binding lives as long as was granted, whatever is made of the
// wall clock meanwhile, and a refresh then counts from that moment.
func TestClockIsSet(t *testing.T) {
	const years = 10 * 365 * 24 * hour
	for _, step := range []time.Duration{hour, -hour, years, -years} {
		b, begin := open(t, Config{}), time.Now()
		at := func(after time.Duration) time.Time { return calltest.SetClock(begin.Add(after), step) }
		left := func(after time.Duration, want int) {
			t.Helper()
			list := b.Lookup(1, at(after), nil)
			if got := len(list) > 0; got != (want > 0) || got && list[0].Remaining(at(after)) != want {
				t.Errorf("%v later, the clock set by %v: %+v, want %d s more", after, step, list, want)
			}
		}
		if _, err := b.Update(register("a", 1, 60*second, contact("sip:x@h")), begin, nil); err != nil {
			t.Fatal(err)
		}
		left(59*second, 1)
		if _, err := b.Update(register("a", 2, 60*second, contact("sip:x@h")), at(59*second), nil); err != nil {
			t.Fatal(err)
		}
		left(118*second, 1)
		left(119*second, 0)
	}
}

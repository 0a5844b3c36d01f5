package digest

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// TestNonceLifeWhenTheClockIsSet (L6): a nonce lives for 60 s, whatever is made of the
// wall clock meanwhile.
func TestNonceLifeWhenTheClockIsSet(t *testing.T) {
	const years = 10 * 365 * 24 * time.Hour
	for _, step := range []time.Duration{time.Hour, -time.Hour, years, -years} {
		for after, want1 := range map[time.Duration]Verdict{
			59 * time.Second: {OK, ReasonNone}, 61 * time.Second: {Stale, ReasonExpired},
		} {
			a, now := New(Config{}), time.Now()
			c := good.answer(t, a.Challenge(realm, PolicyMD5, home, false, now)[0])
			if got := a.Verify(&c, secret, want, calltest.SetClock(now.Add(after), step)); got != want1 {
				t.Errorf("%v later, the clock set by %v: %v %s", after, step, got.Outcome, got.Reason)
			}
		}
	}
}

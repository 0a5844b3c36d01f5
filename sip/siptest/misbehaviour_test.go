package siptest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestNoACK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		alice, bob := peers(NewNet(t), medium{})
		alice.Misbehave(NeverACK)
		out, err := alice.Call(ctx, bob.URI())
		must(t, err)
		in, err := bob.Incoming(ctx)
		must(t, err)
		began := time.Now()
		must(t, in.Answer())
		end, err := out.WaitEnded(ctx)
		must(t, err)
		if took := time.Since(began); !end.Remote || took != timeout {
			t.Errorf("end %+v after %v", end, took)
		}
		// 0.5, 1.5, 3.5, 7.5, then every 4 s until 31.5.
		if got := bob.Stats().Retransmitted; got != 10 {
			t.Errorf("the 200 was repeated %d times\n%s", got, bob.Transcript())
		}
		if got := alice.Stats().Repeated; got != 10 {
			t.Errorf("alice counted %d repetitions", got)
		}
	})
}

func TestDeafFarEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		alice, bob := peers(NewNet(t), medium{})
		bob.Misbehave(IgnoreAll)
		began := time.Now()
		_, err := alice.Options(ctx, bob.URI())
		if took := time.Since(began); !errors.Is(err, ErrTimeout) || took != timeout {
			t.Errorf("%v after %v", err, took)
		}
		// RFC 3261 section 17.1.2.2: 0.5, 1.5, 3.5, 7.5, 11.5 … 31.5.
		if got := alice.Stats(); got.Sent != 11 || got.Retransmitted != 10 {
			t.Errorf("alice: %+v", got)
		}
		out, err := alice.Call(ctx, bob.URI())
		must(t, err)
		end, err := out.WaitEnded(ctx)
		must(t, err)
		if end.Code != 408 {
			t.Errorf("end is %+v", end)
		}
		if got := alice.Stats().Retransmitted; got != 16 { // 0.5, 1.5, 3.5, 7.5, 15.5, 31.5
			t.Errorf("alice repeated %d times\n%s", got, alice.Transcript())
		}
	})
}

func TestIgnoredBYE(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		alice, bob := peers(NewNet(t), medium{})
		out, in := talking(t, ctx, alice, bob)
		bob.Misbehave(IgnoreBYE)
		if err := out.Hangup(ctx); !errors.Is(err, ErrTimeout) {
			t.Errorf("hanging up gives %v", err)
		}
		if _, err := out.WaitEnded(ctx); err != nil {
			t.Error(err)
		}
		bob.Misbehave(0)
		must(t, in.Hangup(ctx)) // 481 at alice's, whose call is over: no error
	})
}

func TestBothHangUp(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context, alice, bob *Phone, m medium) {
		out, in := talking(t, ctx, alice, bob)
		done := make(chan error)
		go func() { done <- out.Hangup(ctx) }() // ends with the call
		must(t, in.Hangup(ctx))
		must(t, <-done)
		if m.weather.Delay == 0 {
			return
		}
		for _, c := range []*Call{out, in} {
			if end, err := c.WaitEnded(ctx); err != nil || !end.Remote {
				t.Errorf("the far end's BYE came before the answer to our own: %+v, %v", end, err)
			}
		}
	})
}

func TestClosingAPhoneEndsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		alice, bob := peers(NewNet(t), medium{})
		out, _ := talking(t, ctx, alice, bob)
		must(t, out.SayTone(440))
		done := make(chan error)
		go func() { // ends when alice is closed
			_, err := out.WaitEnded(ctx)
			done <- err
		}()
		synctest.Wait()
		must(t, alice.Close())
		if err := <-done; !errors.Is(err, ErrPhoneClosed) {
			t.Errorf("the wait ended with %v", err)
		}
	})
}

func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := peers(NewNet(t), medium{})
		out, _ := talking(t, t.Context(), alice, bob)
		began := time.Now()
		if _, err := out.WaitEnded(t.Context()); !errors.Is(err, ErrPatience) || time.Since(began) != time.Hour {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// TestKeysSilenceSpeech looks at the packets: while a key is down there is no
// speech, and sequence numbers have no gap.
// TestTimeLine places packets by hand.

package cordpair_test

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/siptest"
)

func TestTwoPhonesTalk(t *testing.T) {
	for _, tc := range []struct {
		name       string
		one, other []siptest.Option
	}{
		{"udp", nil, nil},
		{"tcp", []siptest.Option{siptest.TCP}, []siptest.Option{siptest.TCP}},
		{"udp to tcp", nil, []siptest.Option{siptest.TCP}},
		{"ipv6", []siptest.Option{siptest.IPv6}, []siptest.Option{siptest.IPv6}},
		{"ipv6 tcp to ipv4", []siptest.Option{siptest.IPv6, siptest.TCP}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				out, in := w.talk(w.phone("101", tc.one...), w.phone("102", tc.other...))
				w.hearEachOther(out, in)
				w.must(out.Hangup(w.ctx))
				_, err := in.WaitEnded(w.ctx)
				w.must(err)
				w.free()
			})
		})
	}
}

func TestCalleeHangsUp(t *testing.T) {
	inWorld(t, func(w *world) {
		out, in := w.talk(w.phone("101"), w.phone("102"))
		w.must(in.Hangup(w.ctx))
		_, err := out.WaitEnded(w.ctx)
		w.must(err)
		w.free()
	})
}

func TestRefusals(t *testing.T) {
	inWorld(t, func(w *world) {
		caller, callee := w.phone("101"), w.phone("102")
		w.refused(w.call(caller, "199"), 404)
		w.refused(w.call(caller, "103"), 480) // never registered
		busy := w.call(caller, "102")
		w.must(w.incoming(callee).Reject(486))
		w.refused(busy, 486)
		declined := w.call(caller, "102")
		w.must(w.incoming(callee).Reject(603))
		w.refused(declined, 603)
		w.must(callee.Unregister(w.ctx))
		w.refused(w.call(caller, "102"), 480)
		w.free()
	})
}

func TestNobodyAnswers(t *testing.T) {
	inWorld(t, func(w *world) {
		caller, callee := w.phone("101"), w.phone("102")
		begin := time.Now()
		out := w.call(caller, "102")
		in := w.incoming(callee)
		w.must(in.Ring())
		w.refused(out, 480)
		if took := time.Since(begin); took < 60*time.Second || took > 61*time.Second {
			t.Errorf("gave up after %v, want hangup_timeout of 60 s", took)
		}
		end, err := in.WaitEnded(w.ctx)
		w.must(err)
		if end.Code != 487 || !end.Remote {
			t.Errorf("the phone that rang saw %+v, want a CANCEL", end)
		}
		w.free()
	})
}

func TestCallerGivesUp(t *testing.T) {
	inWorld(t, func(w *world) {
		caller, callee := w.phone("101"), w.phone("102")
		out := w.call(caller, "102")
		in := w.incoming(callee)
		w.must(in.Ring())
		w.must(out.WaitRinging(w.ctx))
		w.must(out.Cancel(w.ctx))
		w.refused(out, 487)
		end, err := in.WaitEnded(w.ctx)
		w.must(err)
		if end.Code != 487 || !end.Remote {
			t.Errorf("callee saw %+v, want a CANCEL", end)
		}
		w.free()
	})
}

func TestFirstContactWins(t *testing.T) {
	inWorld(t, func(w *world) {
		caller, desk, mobile := w.phone("101"), w.phone("102"), w.phone("102")
		out := w.call(caller, "102")
		atDesk, atMobile := w.incoming(desk), w.incoming(mobile)
		w.must(atDesk.Ring())
		w.must(atMobile.Ring())
		w.must(out.WaitRinging(w.ctx))
		w.must(atMobile.Answer())
		w.must(out.WaitAnswered(w.ctx))
		end, err := atDesk.WaitEnded(w.ctx)
		w.must(err)
		if end.Code != 487 || end.Reason == "" {
			t.Errorf("the loser saw %+v, want a CANCEL with Reason", end)
		}
		w.hearEachOther(out, atMobile)
		w.must(out.Hangup(w.ctx))
		w.free()
	})
}

func TestHoldAndResume(t *testing.T) {
	for _, who := range []string{"caller", "callee"} {
		t.Run(who, func(t *testing.T) {
			inWorld(t, func(w *world) {
				out, in := w.talk(w.phone("101"), w.phone("102"))
				holder, held := out, in
				if who == "callee" {
					holder, held = in, out
				}
				w.must(holder.Hold(w.ctx))
				heard, err := held.Hear(w.ctx, 2*time.Second)
				w.must(err)
				if loud(heard) < -40 {
					t.Errorf("the held side hears %.1f dB, want music", loud(heard))
				}
				w.must(holder.Resume(w.ctx))
				w.hearEachOther(out, in)
				w.must(out.Hangup(w.ctx))
				w.free()
			})
		})
	}
}

func TestEarlyMedia(t *testing.T) {
	inWorld(t, func(w *world) {
		caller, callee := w.phone("101"), w.phone("102")
		out := w.call(caller, "102")
		in := w.incoming(callee)
		w.must(in.Progress())
		w.must(out.WaitProgress(w.ctx))
		w.must(in.SayTone(440))
		w.must(out.HearsTone(w.ctx, 440))
		w.must(in.Answer())
		w.must(out.WaitAnswered(w.ctx))
		w.hearEachOther(out, in)
		w.must(in.Hangup(w.ctx))
		w.free()
	})
}

func TestDigitsReachTheOtherSide(t *testing.T) {
	inWorld(t, func(w *world) {
		out, in := w.talk(w.phone("101"), w.phone("102"))
		w.must(out.Press(w.ctx, "12#"))
		w.must(in.WaitDigits(w.ctx, "12#"))
		w.must(out.Hangup(w.ctx))
	})
}

func TestDemoNumbers(t *testing.T) {
	inWorld(t, func(w *world) {
		caller := w.phone("101")
		echo := w.call(caller, "*43")
		w.must(echo.WaitAnswered(w.ctx))
		w.must(echo.SayTone(550))
		w.must(echo.HearsTone(w.ctx, 550))
		w.must(echo.Hangup(w.ctx))

		music := w.call(caller, "*44")
		w.must(music.WaitAnswered(w.ctx))
		heard, err := music.Hear(w.ctx, 3*time.Second)
		w.must(err)
		if loud(heard) < -40 {
			t.Errorf("music is at %.1f dB", loud(heard))
		}
		w.must(music.Hangup(w.ctx))

		number := w.call(caller, "*45")
		w.must(number.WaitAnswered(w.ctx))
		heard, err = number.Hear(w.ctx, 2*time.Second)
		w.must(err)
		if loud(heard) < -40 {
			t.Errorf("the number is spoken at %.1f dB", loud(heard))
		}
		_, err = number.WaitEnded(w.ctx)
		w.must(err)
		w.free()
	})
}

func TestNoACK(t *testing.T) {
	inWorld(t, func(w *world) {
		caller, callee := w.phone("101"), w.phone("102")
		caller.Misbehave(siptest.NeverACK)
		begin := time.Now()
		out := w.call(caller, "102")
		in := w.incoming(callee)
		w.must(in.Answer())
		_, err := out.WaitEnded(w.ctx)
		w.must(err)
		if took := time.Since(begin); took < 32*time.Second || took > 40*time.Second {
			t.Errorf("ended after %v, want 64*T1", took)
		}
		_, err = in.WaitEnded(w.ctx)
		w.must(err)
		w.free()
	})
}

func TestSilentPhoneIsProbed(t *testing.T) {
	inWorld(t, func(w *world) {
		caller, callee := w.phone("101"), w.phone("102")
		callee.Misbehave(siptest.NoRTCP)
		out, in := w.talk(caller, callee)
		w.hearEachOther(out, in)
		time.Sleep(3 * time.Minute) // virtual: mute phones that answer are left alone
		if n := w.sw.Stats().Calls; n != 1 {
			t.Fatalf("%d calls after three silent minutes with phones that answer, want 1", n)
		}
		callee.Misbehave(siptest.IgnoreAll | siptest.NoRTCP)
		_, err := out.WaitEnded(w.ctx)
		w.must(err)
		if r := w.lastRecord(); r.Cause != call.CauseMediaTimeout {
			t.Errorf("the record says %q, want media_timeout", r.Cause)
		}
	})
}

func TestLossyNetwork(t *testing.T) {
	inWorld(t, func(w *world) {
		caller, callee := w.phone("101"), w.phone("102")
		w.net.Impair(siptest.Impairment{Loss: 0.2, Duplicate: 0.05, Reorder: 0.05})
		for range 20 {
			out := w.call(caller, "102")
			in := w.incoming(callee)
			w.must(in.Answer()) // without 180, which is sent once and may be lost
			w.must(out.WaitAnswered(w.ctx))
			w.must(out.Hangup(w.ctx))
			_, err := in.WaitEnded(w.ctx)
			w.must(err)
		}
		w.net.Impair(siptest.Impairment{})
		time.Sleep(time.Minute) // virtual: every transaction ends
		w.free()
	})
}

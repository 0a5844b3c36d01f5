package call_test

import (
	"context"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// returning gives the party back to where it came from.
var returning = calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
	return c.Return(ctx, call.CauseBusy)
})

// recalling rings who transferred, whose extension is 1 in these tests.
var recalling = calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
	return c.Ring(ctx, call.RingSpec{Branch: "1", Extension: 1})
})

// asking collects a number for a transfer, of the kind its name says.
func asking(consult bool) calltest.EffectFunc {
	return func(ctx context.Context, c *call.Call) (call.Outcome, error) {
		to, err := c.Gather(ctx, call.GatherSpec{Sounds: []string{"beep"}, First: 5 * time.Second, Next: 3 * time.Second, End: '#', Max: 8})
		if err != nil || to == "" {
			return call.Outcome{Kind: call.OutcomeNoAnswer}, err
		}
		return call.Outcome{Kind: call.OutcomeDone, Refer: &call.Refer{To: to, Consult: consult}}, nil
	}
}

// extensions are the extensions that dialled numbers ring in these tests.
var extensions = map[string]int64{"102": 2, "103": 3, "104": 4}

// transferPlan rings the number dialled. When that fails, or its talk ends while
// an origin waits, it gives the party back, and rings the transferor if nobody is
// there any more.
type transferPlan struct {
	inv   call.Invite
	tried string
	cause call.Cause
}

func planTransfers(inv call.Invite) call.Planner { return &transferPlan{inv: inv} }

func (p *transferPlan) Next(in call.Situation, last call.Outcome) call.Decision {
	next := func(name string) call.Decision {
		p.tried = name
		return call.Decision{Steps: []call.Step{step(name)}}
	}
	switch {
	case last.Kind == call.OutcomeBegin && p.inv.Replaces != nil:
		return next("takeover " + string(p.inv.Replaces.Leg))
	case last.Kind == call.OutcomeBegin && extensions[p.inv.Dialled] == 0:
		return next("echo")
	case last.Kind == call.OutcomeBegin:
		return next("ring " + p.inv.Dialled)
	case p.tried == "return" && in.Origin != nil && !in.Origin.Consult:
		return next("recall")
	case p.tried == "return" || p.tried == "recall":
		return call.Decision{Cause: p.cause}
	case in.Origin != nil:
		p.cause = last.Cause
		return next("return")
	}
	return call.Decision{Cause: last.Cause}
}

func (p *transferPlan) Press(in call.Situation, by call.Party, keys string) call.Key {
	codes := map[string]string{"#1": "blind", "*2": "attended"}
	if in.Origin != nil {
		codes = map[string]string{"##": "return"}
	}
	for code, name := range codes {
		if keys == code {
			s := step(name)
			if name == "return" {
				p.tried, p.cause = name, call.CauseNormal
			}
			return call.Key{Step: &s, Alone: name != "return"}
		}
		if len(keys) < len(code) && code[:len(keys)] == keys {
			return call.Key{More: true}
		}
	}
	return call.Key{}
}

// transferEffects knows every step of transferPlan.
type transferEffects struct{}

func (transferEffects) Effect(s call.Step) (call.Effect, error) {
	if name, ok := cut(s.Name, "ring "); ok {
		return calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
			return c.Ring(ctx, call.RingSpec{Branch: "1", Extension: extensions[name], From: c.Caller(), Timeout: 20 * time.Second})
		}), nil
	}
	if leg, ok := cut(s.Name, "takeover "); ok {
		return calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
			return c.TakeOver(ctx, call.LegID(leg))
		}), nil
	}
	return effects(calltest.Effects{
		"return": returning, "recall": recalling, "blind": asking(false), "attended": asking(true),
	}).Effect(s)
}

func cut(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || s[:len(prefix)] != prefix {
		return "", false
	}
	return s[len(prefix):], true
}

// transfers is a switch on which 101 talks to 102, and what comes of a transfer by
// one of the two.
type transfers struct {
	*testing.T
	sw    *calltest.Switch
	a, b  *calltest.Leg // 101 and 102
	first *call.Call
}

func inTransfers(t *testing.T, f func(x *transfers)) {
	t.Helper()
	bubble(t, func(t *testing.T) {
		x := &transfers{T: t, sw: calltest.New(t, transferEffects{}, planTransfers)}
		x.a, x.b, x.first = x.talk(call.Party{Extension: 1, Number: "101"}, "102")
		x.sw.Dialer.Set(3, calltest.Answers(5*time.Second))
		x.sw.Dialer.Set(1, calltest.Answers(time.Second))
		f(x)
		pass(time.Minute)
		for _, ev := range x.sw.Events("") {
			if ev.Kind == call.EventStarted {
				if _, over := x.sw.Ended(ev.Call); !over {
					t.Errorf("a call of %s to %s is left", ev.Party.Number, ev.Dialled)
				}
			}
		}
		if s := x.sw.Stats(); s.Panics+s.Faults+s.Abandoned != 0 || x.sw.SeatedLegs() != 0 {
			t.Errorf("stats %+v, %d legs listed", s, x.sw.SeatedLegs())
		}
	})
}

// talk has a number call another one, which answers at once.
func (x *transfers) talk(from call.Party, to string) (caller, callee *calltest.Leg, c *call.Call) {
	x.sw.Dialer.Set(extensions[to], calltest.Answers(0))
	caller, c = x.sw.Call(x, call.Invite{Client: 1, From: from, Dialled: to})
	pass(time.Second)
	callee = x.last()
	if !joined(caller, callee) {
		x.Fatal("no talk")
	}
	return caller, callee, c
}

// last is the leg dialled last.
func (x *transfers) last() *calltest.Leg {
	legs := x.sw.Dialer.Legs()
	return legs[len(legs)-1]
}

// call is the call a leg is in now.
func (x *transfers) call(l *calltest.Leg) *call.Call {
	c, ok := x.sw.CallOf(l.ID())
	if !ok {
		x.Fatal("a leg is in no call")
	}
	return c
}

func (x *transfers) wantTalk(a, b *calltest.Leg) {
	x.Helper()
	if !joined(a, b) || x.call(a) != x.call(b) {
		x.Errorf("%s hears %q, %s hears %q", a.Party().Number, a.Hears(), b.Party().Number, b.Hears())
	}
}

// eachSide runs f with the caller as transferor, and with the callee.
func eachSide(t *testing.T, f func(x *transfers, by, other *calltest.Leg)) {
	t.Run("caller", func(t *testing.T) { inTransfers(t, func(x *transfers) { f(x, x.a, x.b) }) })
	t.Run("callee", func(t *testing.T) { inTransfers(t, func(x *transfers) { f(x, x.b, x.a) }) })
}

func TestBlindAnswered(t *testing.T) {
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		by.Refer(call.Refer{To: "103"})
		pass(time.Second)
		wantState(x.T, x.first, call.StateWaiting)
		next := x.call(other)
		if other.Hears() != "loop ringback" || by.Hears() != "" || next == x.first || !by.Told("referred ringing") {
			x.Errorf("who waits hears %q, the transferor %q and was told %q", other.Hears(), by.Hears(), by.Verbs())
		}
		if to := x.sw.Dialer.Targets()[1]; to.From != other.Party() || to.By == nil || *to.By != by.Party() {
			x.Errorf("dialled %+v", to)
		}
		pass(4 * time.Second)
		x.wantTalk(other, x.last())
		if !by.Told("referred answered") || by.Gone() {
			x.Errorf("told %q", by.Verbs())
		}
		pass(2 * time.Second)
		if !by.Gone() || x.first.Info().State != call.StateEnded {
			x.Errorf("the transferor is left, its call is %v", x.first.Info().State)
		}
		want := "started joined leg-started ringing answered answered transferred"
		if by == x.a { // 102 was dialled, and calls now
			want = "started joined leg-started ringing answered answered transferred"
		}
		wantStory(x.T, x.sw, next, want)
		x.last().HangUp()
		pass(0)
		if !other.Gone() {
			x.Error("the transferee is left")
		}
	})
}

func TestBlindFails(t *testing.T) {
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		x.sw.Dialer.Set(3, calltest.Fails(time.Second, call.CauseBusy))
		by.Hold()
		by.Refer(call.Refer{To: "103"})
		pass(2 * time.Second)
		wantState(x.T, x.first, call.StateTalking)
		if !by.Told("referred failed busy") || other.Hears() != "loop music" {
			x.Errorf("told %q, who was held hears %q", by.Verbs(), other.Hears())
		}
		by.Resume()
		pass(0)
		x.wantTalk(by, other)
		by.HangUp()
		pass(0)
		end, _ := x.sw.Ended(x.first.ID())
		if !other.Gone() || end.Cause != call.CauseNormal || end.By != by.ID() {
			x.Errorf("ended %+v", end)
		}
	})
}

// TestBlindRecall: who transferred has hung up, so it is called back.
func TestBlindRecall(t *testing.T) {
	inTransfers(t, func(x *transfers) {
		x.sw.Dialer.Set(3, calltest.Fails(time.Second, call.CauseBusy))
		x.a.Refer(call.Refer{To: "103"})
		x.a.HangUp()
		pass(0)
		if x.first.Info().State != call.StateEnded || x.b.Gone() {
			t.Fatal("the transfer did not outlive the transferor")
		}
		pass(3 * time.Second)
		back := x.last()
		x.wantTalk(x.b, back)
		if to := x.sw.Dialer.Targets(); to[2].Extension != 1 || to[2].From != x.b.Party() || to[2].By != nil {
			t.Errorf("recalled %+v", to[2])
		}
		back.HangUp()
	})
}

// TestBlindTransfereeHangsUp: the transferor is told, and let go.
func TestBlindTransfereeHangsUp(t *testing.T) {
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		by.Refer(call.Refer{To: "103"})
		pass(time.Second)
		next := x.call(other)
		other.HangUp()
		pass(0)
		end, _ := x.sw.Ended(next.ID())
		if !by.Told("referred failed cancelled") || end.Cause != call.CauseCancelled || !x.last().Gone() {
			x.Errorf("told %q, ended %+v", by.Verbs(), end)
		}
		pass(2 * time.Second)
		if !by.Gone() {
			x.Error("the transferor is left")
		}
	})
}

func TestBlindToService(t *testing.T) {
	inTransfers(t, func(x *transfers) {
		x.a.Refer(call.Refer{To: "*43"})
		pass(0)
		if x.b.Hears() != "echo" || !x.a.Told("referred answered") {
			t.Errorf("hears %q, transferor told %q", x.b.Hears(), x.a.Verbs())
		}
		x.b.HangUp()
	})
}

// TestReferRefused: what cannot be done is said, and the talk goes on.
func TestReferRefused(t *testing.T) {
	inTransfers(t, func(x *transfers) {
		for name, r := range map[string]call.Refer{
			"unknown leg": {Leg: "nobody"}, "own leg": {Leg: x.a.ID()}, "peer's leg": {Leg: x.b.ID()},
		} {
			x.a.Refer(r)
			pass(0)
			if v := x.a.Verbs(); v[len(v)-1] != "referred failed no_call" {
				t.Errorf("%s: told %q", name, v)
			}
			x.wantTalk(x.a, x.b)
		}
		x.a.Refer(call.Refer{To: "103"})
		pass(time.Second)
		x.a.Refer(call.Refer{To: "104"})
		x.b.Refer(call.Refer{To: "104"})
		pass(0)
		for _, l := range []*calltest.Leg{x.a, x.b} {
			if v := l.Verbs(); v[len(v)-1] != "referred failed rejected" {
				t.Errorf("pending: told %q", v)
			}
		}
		x.b.HangUp()
	})
}

func TestAttended(t *testing.T) {
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		by2, c, second := x.talk(by.Party(), "103")
		by.Refer(call.Refer{Leg: by2.ID()})
		pass(0)
		x.wantTalk(other, c)
		if x.call(c) != second || !by2.Gone() || !by.Told("referred answered") {
			x.Errorf("told %q", by.Verbs())
		}
		pass(2 * time.Second)
		if !by.Gone() {
			x.Error("the transferor is left")
		}
		c.HangUp()
		pass(0)
		if !other.Gone() {
			x.Error("the transferee is left")
		}
	})
}

// TestAttendedHangsUpBoth: a transferor that hangs up everything at once still
// has transferred.
func TestAttendedHangsUpBoth(t *testing.T) {
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		by2, c, _ := x.talk(by.Party(), "103")
		by.Refer(call.Refer{Leg: by2.ID()})
		by2.HangUp()
		by.HangUp()
		pass(0)
		x.wantTalk(other, c)
		c.HangUp()
	})
}

func TestSemiAttended(t *testing.T) {
	for _, cause := range []call.Cause{"", call.CauseBusy} {
		t.Run(string(cause), func(t *testing.T) {
			eachSide(t, func(x *transfers, by, other *calltest.Leg) {
				x.sw.Dialer.Set(3, calltest.Answers(5*time.Second))
				by2, second := x.sw.Call(x, call.Invite{Client: 1, From: by.Party(), Dialled: "103"})
				pass(time.Second)
				c := x.last()
				by.Refer(call.Refer{Leg: by2.ID()})
				pass(0)
				if other.Hears() != "loop ringback" || !by2.Told("hangup cancelled") || !by.Told("referred ringing") {
					x.Errorf("hears %q, told %q and %q", other.Hears(), by.Verbs(), by2.Verbs())
				}
				if cause != "" {
					c.Leave(cause, true)
					pass(0)
					x.wantTalk(by, other)
					if !by.Told("referred failed busy") || x.call(by) != x.first {
						x.Errorf("told %q", by.Verbs())
					}
					by.HangUp()
					return
				}
				pass(5 * time.Second)
				x.wantTalk(other, c)
				if x.call(c) != second || !by.Told("referred answered") {
					x.Errorf("told %q", by.Verbs())
				}
				c.HangUp()
			})
		})
	}
}

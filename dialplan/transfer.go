package dialplan

import (
	"cmp"

	"github.com/cordpair/cordpair/dialplan/call"
)

// payer is on whose rights and account the call runs: the transferor's if it was
// transferred (F4).
func (f Facts) payer() call.Party {
	if f.Invite.Transfer != nil {
		return f.Invite.Transfer.By
	}
	return f.Invite.From
}

// noteTransfer says in the trace who transferred the call here.
func (v *View) noteTransfer(f Facts, t *tracer) {
	by := f.Invite.Transfer
	if by == nil {
		return
	}
	got := v.caller(by.By)
	if by.Claim != "" {
		got += ", by its own words " + by.Claim
	}
	t.looked(call.TraceRule, "transfer", call.VerdictTaken, call.TraceCause{
		Condition: "transferred by", Want: "rights of who transferred", Got: got, OK: true,
	})
}

// permitTransfer refuses what somebody outside transfers: there are no rights that
// it could run on (F4).
func (v *View) permitTransfer(d destination, f Facts, t *tracer) destination {
	if f.Invite.Transfer == nil {
		return d
	}
	by := f.payer()
	if _, ok := v.byID.get(by.Extension); ok {
		return d
	}
	t.looked(call.TraceLimit, "caller", call.VerdictFailed, call.TraceCause{
		Condition: "transferred by", Want: "an extension", Got: v.caller(by),
	})
	return destination{cause: call.CauseForbidden}
}

// homeward gives the party of a call back that has come to nothing, once.
func (v *View) homeward(f Facts, st State, o call.Origin, d call.Decision) (State, call.Decision) {
	b := st.Root
	switch {
	case b.Cursor == CursorRefused:
		d.Steps = nil // it is not for us to end its leg
	case b.Cursor != CursorEnd || len(d.Steps) > 0 || len(d.Trace) == 0:
		return st, d
	case b.Recalled:
		return st, d
	}
	t := newTracer(b.Path, v.caller(f.Invite.From), 1)
	t.looked(call.TraceEffect, StepReturn, call.VerdictTaken, call.TraceCause{
		Condition: "transferred by", Want: "one who waits", Got: v.caller(o.By), OK: true,
	})
	b.Cursor, b.Recalled = CursorReturning, true
	b.Outcome.Cause = cmp.Or(b.Outcome.Cause, call.CauseNormal)
	d.Steps = []call.Step{{Name: StepReturn, Branch: b.Path, Args: ReturnArgs{b.Outcome.Cause}}}
	t.entries[0].Step = &d.Steps[0]
	d.Cause, d.Trace = "", append(d.Trace, t.entries...)
	return State{b}, d
}

// stranded: nobody waits any more for the party that was to go back. Whoever
// transferred it is called back; one who only consulted is here itself.
func (v *View) stranded(f Facts, st State, in call.Situation, out call.Outcome) (State, call.Decision) {
	b := st.Root
	if in.Origin == nil || in.Origin.Consult {
		return v.finish(f, st, out)
	}
	e, ok := v.byID.get(in.Origin.By.Extension)
	t := newTracer(b.Path, v.caller(in.Origin.By), 1)
	ok = ok && e.Extension.Status == StatusActive && e.Extension.Type == TypePhone && v.client.Status == StatusActive
	entry := t.looked(call.TraceRing, "recall", verdict(ok), call.TraceCause{
		Condition: "transferred by", Want: "a phone that may be called back", Got: v.caller(in.Origin.By), OK: ok,
	})
	if !ok {
		st, d := v.finish(f, st, out)
		d.Trace = append(t.entries, d.Trace...)
		return st, d
	}
	entry.ID = e.Extension.ID
	b.Cursor, b.Extension = CursorRecalling, e.Extension.ID
	step := call.Step{Name: StepRing, Branch: b.Path, Args: RingArgs{Extension: e.Extension.ID, Timeout: e.Phone.HangupTimeout, Recall: true}}
	entry.Step = &step
	return State{b}, call.Decision{Steps: []call.Step{step}, Trace: t.entries}
}

// takeOver decides about a caller that wants the place of another leg (RFC 3891):
// it may have that of its own extension, or of one of the same group. Where no
// groups are used every extension is in the same one.
func (v *View) takeOver(b Branch, f Facts, t *tracer) (State, call.Decision) {
	of := f.Invite.Replaces.Party
	ok := v.samePickup(f.Invite.From.Extension, of.Extension)
	t.looked(call.TraceRule, StepTakeOver, call.VerdictFailed, call.TraceCause{
		Condition: "place of", Want: "an extension of the same group", Got: v.caller(of), OK: ok,
	})
	d := destination{cause: call.CauseForbidden}
	if ok {
		t.entries[0].Verdict = call.VerdictTaken
		d = v.permit(destination{step: StepTakeOver}, f.Invite.From, t)
	}
	st, decision := proceed(b, d, f, t)
	if d.step != "" {
		st.Root.Cursor = CursorTaking
	}
	return st, decision
}

// samePickup reports whether one extension may take the calls of another.
func (v *View) samePickup(by, of int64) bool {
	a, ok := v.byID.get(by)
	b, found := v.byID.get(of)
	if !ok || !found {
		return false
	}
	x, y := a.Extension.GroupID, b.Extension.GroupID
	return by == of || x == nil && y == nil || x != nil && y != nil && *x == *y
}

// comeBack are the keys by which who consults goes back to the one who waits. They
// are in no table: a consultation has no other codes.
var comeBack = []string{"*", "##"}

// Press implements call.Keypad: it finds what keys stand for that an extension
// presses while it talks.
func (p *plan) Press(in call.Situation, by call.Party, keys string) call.Key {
	if in.Origin != nil {
		return p.pressBack(*in.Origin, by, keys)
	}
	var key call.Key
	for _, c := range p.view.inCall {
		if c.literal == keys {
			return p.view.pressed(c.code, by)
		}
		key.More = key.More || len(keys) < len(c.literal) && c.literal[:len(keys)] == keys
	}
	return key
}

// pressBack is Press during a consultation.
func (p *plan) pressBack(o call.Origin, by call.Party, keys string) call.Key {
	if !o.Consult || by != o.By {
		return call.Key{}
	}
	for _, code := range comeBack {
		if keys != code {
			continue
		}
		b := &p.state.Root
		b.Cursor, b.Recalled, b.Outcome.Cause = CursorReturning, true, call.CauseNormal
		return call.Key{Step: &call.Step{Name: StepReturn, Branch: rootPath, Args: ReturnArgs{call.CauseNormal}}}
	}
	return call.Key{More: keys == comeBack[1][:len(keys)]}
}

// pressed is what a code does for the party that pressed it, if that may. The
// outside may not: it has no rights that a transfer could run on.
func (v *View) pressed(c Code, by call.Party) call.Key {
	e, ok := v.byID.get(by.Extension)
	ok = ok && e.Extension.Status == StatusActive && v.client.Status == StatusActive
	t := newTracer(rootPath, v.caller(by), 1)
	entry := t.looked(call.TraceRule, c.Pattern, call.VerdictFailed, call.TraceCause{
		Condition: "pressed by", Want: "an active extension", Got: v.caller(by), OK: ok,
	})
	if !ok {
		return call.Key{Trace: t.entries}
	}
	step := call.Step{Name: c.Step, Branch: rootPath, Args: inCallArgs[c.Step]}
	entry.Verdict, entry.Step = call.VerdictTaken, &step
	return call.Key{Step: &step, Alone: true, Trace: t.entries}
}

// inCallArgs are the arguments of the steps a code of ContextInCall may stand for.
var inCallArgs = map[string]any{
	StepBlindTransfer:    BlindTransferArgs{},
	StepAttendedTransfer: AttendedTransferArgs{},
}

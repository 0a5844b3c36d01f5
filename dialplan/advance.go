package dialplan

import (
	"cmp"
	"strconv"

	"github.com/cordpair/cordpair/dialplan/call"
)

// Plan binds the view and the facts of one call to a planner. It begins in the
// zero State and keeps the configuration it began with.
func Plan(v *View, f Facts) call.Planner {
	return &plan{view: v, facts: f}
}

type plan struct {
	view  *View
	facts Facts
	state State // the call's loop only
}

// Next advances the plan by one outcome.
func (p *plan) Next(in call.Situation, last call.Outcome) call.Decision {
	var d call.Decision
	p.state, d = Advance(p.view, p.facts, p.state, in, last)
	return d
}

// Advance decides what a call does next. It is pure: the same arguments give the
// same answer, and none of them is changed. The outcome is OutcomeBegin for a
// call that begins, and later what the steps of the last decision reported. A
// decision without steps ends the call with its cause; from then on every
// outcome gets the same cause again.
//
// While the party of the call is here by a transfer (Situation.Origin), a call that
// comes to nothing gives it back before it ends.
func Advance(v *View, f Facts, st State, in call.Situation, out call.Outcome) (State, call.Decision) {
	st, d := v.advance(f, st, in, out)
	if in.Origin == nil {
		return st, d
	}
	return v.homeward(f, st, *in.Origin, d)
}

func (v *View) advance(f Facts, st State, in call.Situation, out call.Outcome) (State, call.Decision) {
	switch st.Root.Cursor {
	case CursorStart:
		return v.begin(f)
	case CursorReturning:
		return v.stranded(f, st, in, out)
	case CursorEnd:
		return st, call.Decision{Cause: st.Root.Outcome.Cause}
	case CursorRinging:
		if out.Kind == call.OutcomeRedirected {
			return v.redirect(f, st, out)
		}
	}
	return v.finish(f, st, out)
}

// begin resolves the number and enters what it stands for.
func (v *View) begin(f Facts) (State, call.Decision) {
	b := Branch{Path: rootPath}
	t := newTracer(b.Path, v.caller(f.Invite.From), usualEntries)
	if f.Invite.Replaces != nil {
		return v.takeOver(b, f, t)
	}
	v.noteTransfer(f, t)
	d := v.resolve(&f, t)
	if d.cause == "" {
		d = v.permitTransfer(d, f, t)
	}
	if d.cause == "" {
		d = v.permit(d, f.payer(), t)
	}
	return proceed(b, d, f, t)
}

// proceed goes to a destination.
func proceed(b Branch, d destination, f Facts, t *tracer) (State, call.Decision) {
	var step call.Step
	switch {
	case d.entry != nil:
		b, step = enter(b, d.entry, t)
	case d.step != "":
		b.Cursor = CursorService
		step = call.Step{Name: d.step, Branch: b.Path, Args: serviceArgs(d.step, f)}
	default:
		b, step = refuse(b, d.cause)
	}
	steps := []call.Step{step}
	t.entries[len(t.entries)-1].Step = &steps[0]
	return State{b}, call.Decision{Steps: steps, Trace: t.entries}
}

// rootPath is the Path of State.Root.
const rootPath = "1"

// permit refuses callers that may not call at all. Emergency numbers never get
// here, they pass every limit (F8).
func (v *View) permit(d destination, from call.Party, t *tracer) destination {
	got := ""
	if v.client.Status == StatusBlocked {
		got = "client blocked"
	} else if e, ok := v.byID.get(from.Extension); ok && e.Extension.Status == StatusBlocked {
		got = e.who + " blocked"
	}
	if got == "" {
		return d
	}
	t.looked(call.TraceLimit, "caller", call.VerdictFailed, call.TraceCause{
		Condition: "status", Want: string(StatusActive), Got: got,
	})
	return destination{cause: call.CauseForbidden}
}

// enter goes into an extension: one hop more, then its phones ring.
func enter(b Branch, e *entry, t *tracer) (Branch, call.Step) {
	b.Hops++
	if b.Hops > MaxHops {
		t.looked(call.TraceLimit, "hops", call.VerdictFailed, call.TraceCause{
			Condition: "hops", Want: "at most " + strconv.Itoa(MaxHops), Got: strconv.Itoa(b.Hops),
		})
		return refuse(b, call.CauseLoop)
	}
	b.Cursor = CursorRinging
	b.Extension = e.Extension.ID
	t.who = e.who
	entry := t.looked(call.TraceRing, StepRing, call.VerdictTaken, call.TraceCause{
		Condition: "status", Want: string(StatusActive), Got: string(e.Extension.Status), OK: true,
	})
	entry.ID = e.Extension.ID
	return b, call.Step{Name: StepRing, Branch: b.Path, Args: RingArgs{Extension: e.Extension.ID, Timeout: e.Phone.HangupTimeout, Diverted: b.Diverted}}
}

// refuse tells the caller no. The cause waits in the branch for the end.
func refuse(b Branch, cause call.Cause) (Branch, call.Step) {
	b.Cursor = CursorRefused
	b.Outcome.Cause = cause
	return b, call.Step{Name: StepReject, Branch: b.Path, Args: RejectArgs{cause}}
}

// serviceArgs are the arguments of a step that needs no extension.
func serviceArgs(step string, f Facts) any {
	switch step {
	case StepEcho:
		return EchoArgs{}
	case StepMusic:
		return MusicArgs{}
	case StepTakeOver:
		return TakeOverArgs{f.Invite.Replaces.Leg}
	default:
		return SayNumberArgs{f.Invite.From.Number}
	}
}

// finish ends the branch with what its steps reported.
func (v *View) finish(f Facts, st State, out call.Outcome) (State, call.Decision) {
	b := st.Root
	cause := endCause(b, out)
	talked := out.Kind == call.OutcomeTalkEnded // and so was answered, however it ended
	ok := b.Cursor == CursorRefused || talked || cause == call.CauseNormal
	got := string(out.Kind)
	if talked && cause != call.CauseNormal {
		got += ": " + string(cause)
	}
	who := v.caller(f.Invite.From)
	if e, found := v.byID.get(b.Extension); found {
		who = e.who
	}
	t := newTracer(b.Path, who, 1)
	entry := t.looked(call.TraceOutcome, b.Cursor.String(), call.VerdictFailed, call.TraceCause{
		Condition: "outcome", Want: wanted(b.Cursor), Got: got, OK: ok,
	})
	if ok {
		entry.Verdict = call.VerdictTaken
	}
	entry.ID = b.Extension
	entry.Outcome = &out
	b.Cursor = CursorEnd
	b.Outcome = out
	b.Outcome.Cause = cause
	return State{b}, call.Decision{Cause: cause, Trace: t.entries}
}

// endCause is the cause a call ends with after an outcome: the refusal's own,
// the one that the kind of outcome stands for, or the one it brought along.
func endCause(b Branch, out call.Outcome) call.Cause {
	if b.Cursor == CursorRefused || b.Cursor == CursorReturning ||
		b.Cursor == CursorRecalling && out.Kind != call.OutcomeTalkEnded {
		return b.Outcome.Cause
	}
	switch out.Kind {
	case call.OutcomeTalkEnded:
		// A talk that a party did not end by hanging up says why: its record
		// must show a lost phone (M8).
		return cmp.Or(out.Cause, call.CauseNormal)
	case call.OutcomeDone:
		return call.CauseNormal
	case call.OutcomeBusy:
		return call.CauseBusy
	case call.OutcomeNoAnswer:
		return call.CauseNoAnswer
	case call.OutcomeUnreachable:
		return call.CauseUnreachable
	case call.OutcomeRejected:
		return call.CauseRejected
	}
	if out.Cause != "" {
		return out.Cause
	}
	return call.CauseInternal
}

// wanted names the outcome a branch hopes for.
func wanted(c Cursor) string {
	switch c {
	case CursorRinging, CursorRecalling:
		return "answered"
	case CursorRefused:
		return "refused"
	default:
		return "done"
	}
}

// caller is how the trace names the one who calls.
func (v *View) caller(from call.Party) string {
	if e, ok := v.byID.get(from.Extension); ok {
		return e.who
	}
	return "caller " + from.Number
}

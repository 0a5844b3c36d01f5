package dialplan

import (
	"slices"
	"strconv"

	"github.com/cordpair/cordpair/dialplan/call"
)

// redirect goes to the number that the extension named instead of itself, which
// counts as dialled by that extension: with its rights and on its account (F4).
func (v *View) redirect(f Facts, st State, out call.Outcome) (State, call.Decision) {
	b := st.Root
	by, _ := v.Party(b.Extension)
	t := newTracer(b.Path, v.caller(by), usualEntries)
	entry := t.looked(call.TraceOutcome, b.Cursor.String(), call.VerdictTaken, call.TraceCause{
		Condition: "outcome", Want: wanted(b.Cursor), Got: string(out.Kind) + " to " + out.To,
	})
	entry.ID, entry.Outcome = b.Extension, &out
	d := v.redirected(&f, b, by, out, t)
	b.Diverted = append(slices.Clip(b.Diverted), call.Diversion{By: by, Why: out.Why})
	return proceed(b, d, f, t)
}

// redirected finds out where a redirected call goes, and makes f that of whoever
// redirected it.
func (v *View) redirected(f *Facts, b Branch, by call.Party, out call.Outcome, t *tracer) destination {
	if n := len(b.Diverted) + 1; n > MaxRedirects {
		t.looked(call.TraceLimit, "redirects", call.VerdictFailed, call.TraceCause{
			Condition: "redirects", Want: "at most " + strconv.Itoa(MaxRedirects), Got: strconv.Itoa(n),
		})
		return destination{cause: call.CauseLoop}
	}
	caller := f.Invite.From.Extension
	f.Invite.From, f.Invite.Dialled, f.sentOn = by, out.To, true
	d := v.resolve(f, t)
	if d.cause == "" {
		d = v.permit(d, by, t)
	}
	if d.entry != nil && d.entry.Extension.ID == caller {
		t.looked(call.TraceLimit, "redirects", call.VerdictFailed, call.TraceCause{
			Condition: "redirected to", Want: "another party than the caller", Got: d.entry.who,
		})
		return destination{cause: call.CauseBusy}
	}
	return d
}

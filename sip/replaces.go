package sip

import (
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/wire"
)

// namedDialog is the dialog a Replaces header means, as the worker of its Call-ID
// found it. The zero value is none.
type namedDialog struct {
	leg    call.LegID
	party  call.Party
	client int64
	early  bool // nobody has answered yet
	ours   bool // we sent its INVITE
	over   bool // it has ended
}

// named asks the worker of a dialog for it and calls use on this one.
func (w *worker) named(r wire.Replaces, use func(namedDialog)) {
	other := w.server.workerOf([]byte(r.CallID))
	if other == w {
		use(w.lookUp(r))
		return
	}
	other.do(func() {
		n := other.lookUp(r)
		w.do(func() { use(n) })
	})
}

// lookUp finds a dialog by Call-ID and tags, whichever of these is whose: some
// phones swap them, and both are random (spec/function-keys.md 4.4).
func (w *worker) lookUp(r wire.Replaces) namedDialog {
	for _, tags := range [...][2]string{{r.ToTag, r.FromTag}, {r.FromTag, r.ToTag}} {
		l := w.legs[legKey{r.CallID, tags[0]}]
		far := tags[1]
		if far == "0" && l != nil && l.dialog.remoteTag == "" {
			far = "" // of an RFC 2543 phone (RFC 3891 section 6.1)
		}
		if l.dialogWith(far) == nil {
			continue
		}
		return namedDialog{
			leg: l.id, party: l.party, client: l.account.Client,
			early: l.state == legTrying, ours: l.calling != nil, over: l.state == legEnding,
		}
	}
	return namedDialog{}
}

// replace begins the call of a leg whose INVITE wants the place of another one
// (RFC 3891 section 3). Whether it may is the plan's business.
func (l *leg) replace(r wire.Replaces, inv call.Invite) {
	l.w.named(r, func(n namedDialog) {
		if l.state != legTrying {
			return // cancelled meanwhile
		}
		status, phrase := n.refusal(inv.Client, r.EarlyOnly)
		if status != 0 {
			l.w.server.metrics.refused("replaces")
			l.finish(call.CauseNoCall, false)
			l.respond(status, phrase, nil)
			l.remove()
			return
		}
		inv.Replaces = &call.Replaced{Leg: n.leg, Party: n.party}
		l.start(inv)
	})
}

// refusal is the answer to an INVITE that names a dialog which cannot be replaced,
// zero if it can. Another tenant's is none (T2).
func (n namedDialog) refusal(client int64, earlyOnly bool) (status int, phrase string) {
	switch {
	case n.leg == "" || n.client != client:
		return 481, "Call/Transaction Does Not Exist"
	case n.over:
		return 603, "Declined"
	case n.early && !n.ours:
		return 481, "Call/Transaction Does Not Exist"
	case earlyOnly && !n.early:
		return 486, "Busy Here"
	}
	return 0, ""
}

// refuseJoin answers an INVITE that wants to replace one dialog and join another
// (RFC 3911 section 4).
func (w *worker) refuseJoin(m *wire.Message, f flow) bool {
	_, replaces := m.Header("Replaces")
	_, join := m.Header("Join")
	if !replaces || !join {
		return false
	}
	w.server.metrics.refused("replaces")
	w.answer(m, f, 400, "Replaces And Join In One Request")
	return true
}

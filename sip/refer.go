package sip

import (
	"strings"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/wire"
)

// referCame handles a REFER inside a dialog (RFC 3515), by which a phone wants its
// peer transferred. What is wrong with the request itself is refused here; what
// comes of it is up to the call and told by NOTIFY. Outside a dialog a REFER has
// nobody to transfer and is refused with 403, after the question for credentials
// (A1).
func (l *leg) referCame(m *wire.Message, f flow) {
	if l.state != legUp || l.referral.open() {
		l.w.answer(m, f, 491, "Request Pending")
		return
	}
	to, ok := m.ReferTo()
	if !ok {
		l.refuseRefer(m, f, 400, "Missing Refer-To Header")
		return
	}
	if !strings.EqualFold(to.Method, methodInvite) {
		l.refuseRefer(m, f, 405, "Method In Refer-To Not Allowed", wire.Field{Name: "Allow", Value: methodInvite})
		return
	}
	refer, status, phrase := l.wanted(&to)
	if status != 0 {
		l.refuseRefer(m, f, status, phrase)
		return
	}
	if by, ok := m.ReferredBy(); ok && !strings.EqualFold(by.URI.Addr(), "sip:"+l.account.Number+"@"+l.account.Domain) {
		refer.Claim = strings.Clone(by.URI.Addr())
	}
	l.dialog.retarget(m)
	if to.Replaces == nil {
		l.acceptRefer(m, f, refer)
		return
	}
	// The dialog is another worker's. Until its answer is here the REFER is not
	// accepted, so that a phone that hangs up right after it does so in time.
	tx := l.w.newServerTx(serverKey(m), false, f)
	m.Keep()
	l.w.named(*to.Replaces, func(n namedDialog) {
		switch {
		case l.state != legUp:
			tx.respond(481, l.w.server.statelessReply(m, f, 481, "Call/Transaction Does Not Exist"))
			return
		case l.referral.open(): // another one was faster
			tx.respond(491, l.w.server.statelessReply(m, f, 491, "Request Pending"))
			return
		}
		if n.client == l.account.Client && !n.over {
			refer.Leg = n.leg
		}
		l.accepted202(tx, m, f, refer)
	})
}

func (l *leg) refuseRefer(m *wire.Message, f flow, status int, phrase string, extra ...wire.Field) {
	l.w.server.metrics.refused("refer")
	l.w.answer(m, f, status, phrase, extra...)
}

// wanted is what a Refer-To asks for, or the answer to one that nobody can mean.
// A place outside the phone's own domain is refused alike whether it exists or not
// (T2).
func (l *leg) wanted(to *wire.ReferTo) (r call.Refer, status int, phrase string) {
	switch strings.ToLower(to.URI.Scheme) {
	case "sip", "sips":
		_, literal := wire.HostAddr(to.URI.Host)
		if !literal && !strings.EqualFold(to.URI.Host, l.account.Domain) {
			return r, 403, "Foreign Domain In Refer-To"
		}
	case "tel":
	default:
		return r, 416, "Unsupported URI Scheme In Refer-To"
	}
	if to.Replaces != nil {
		return r, 0, ""
	}
	number, err := dialplan.CleanDialled(userOf(&to.Address))
	if err != nil {
		return r, 484, "Incomplete Number In Refer-To"
	}
	r.To = strings.Clone(number)
	return r, 0, ""
}

func (l *leg) acceptRefer(m *wire.Message, f flow, r call.Refer) {
	l.accepted202(l.w.newServerTx(serverKey(m), false, f), m, f, r)
}

// accepted202 accepts a REFER and hands it to the call. One that names a dialog
// which is not there has no target left.
func (l *leg) accepted202(tx *serverTx, m *wire.Message, f flow, r call.Refer) {
	seq, _ := m.CSeq()
	var extra []wire.Field
	l.referral = &referral{leg: l, id: seq, silent: !m.ReferSub()}
	if l.referral.silent {
		extra = append(extra, wire.Field{Name: "Refer-Sub", Value: "false"})
	}
	tx.log = l.dialog.log
	tx.log.answered(m, f, 202, "Accepted", "", l.w.now)
	missing := r.To == "" && r.Leg == ""
	if !missing {
		// Before the answer: a phone that hangs up upon it is not faster.
		l.Emit(call.LegEvent{Leg: l.id, Kind: call.LegRefer, Refer: &r})
	}
	tx.respond(202, l.w.responded(m, f, 202, "Accepted", l.dialog.localTag, l.account.Number, nil, extra...))
	l.referral.begin()
	if missing {
		l.referred(call.Progress{Kind: call.ProgressFailed, Cause: call.CauseNoCall})
	}
}

// referOutside refuses a REFER outside a dialog.
func (w *worker) referOutside(m *wire.Message, f flow) {
	if _, _, ok := w.authenticated(m, f); ok {
		w.server.metrics.refused("refer")
		w.answer(m, f, 403, "REFER Outside A Call")
	}
}

// referredByFields tell a called phone who transferred the caller to it (RFC 3892):
// the one we authenticated, not whom its REFER claims.
func referredByFields(by *call.Party, domain string) []wire.Field {
	if by == nil || by.Anonymous || by.Number == "" {
		return nil
	}
	return []wire.Field{{Name: "Referred-By", Value: fromOf(*by, domain)}}
}

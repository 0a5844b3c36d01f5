package sip

import (
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/wire"
)

// meets notes whom the party talks with.
func (l *leg) meets(p call.Party) {
	l.with, l.shown = p, ""
	if p.Number != "" && !p.Anonymous {
		l.shown = fromOf(p, l.account.Domain)
	}
}

// connected notes whom the party talks with; after the answer it is told in a
// request of its own, before with the responses to its INVITE.
func (l *leg) connected(p call.Party) {
	if l.with == p {
		return
	}
	l.meets(p)
	if l.state != legTrying || l.calling != nil {
		l.want(wantParty)
	}
}

// showParty changes the From of the dialog where the far end follows it (RFC 4916
// section 4.4); the tag stays.
func (l *leg) showParty() {
	if l.dialog.far.has(followsFrom) {
		l.dialog.local = fromOf(l.with, l.account.Domain) + ";tag=" + l.dialog.localTag
	}
}

// assert writes whom a party talks with to its phone, which is registered and which
// we trust with that (RFC 3325). Of one that hides itself nothing is said but that
// (RFC 3323).
func (l *leg) assert(w *wire.Writer) {
	if l.with.Anonymous {
		w.Field("Privacy", wire.PrivacyID.String())
	}
	w.Field("P-Asserted-Identity", l.shown)
}

// isPrivate tells that the sender of m wants to be shown to nobody.
func isPrivate(m *wire.Message) bool { return m.Privacy()&wire.Anonymous != 0 }

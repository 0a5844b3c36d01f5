package sip

import (
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/media"
)

// found tells the call what is wrong with the party's audio.
func (l *leg) found(f media.Finding) {
	if l.state == legEnding || l.state == legGone {
		return
	}
	l.Emit(call.LegEvent{Leg: l.id, Kind: call.LegFinding, Finding: &call.Finding{Code: call.FindingCode(f.Kind), Text: f.Text}})
}

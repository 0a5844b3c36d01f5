package call

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"time"
)

// EventFinding says what is wrong with the audio of a leg.
const EventFinding EventKind = "media.finding"

// FindingCode names a finding for programs.
type FindingCode string

// What may be wrong with the audio of a leg. Those of the first group are told
// while it talks, once each; those of the second when it has ended.
const (
	FindingUnreachable FindingCode = "unreachable_address"   // nothing can be sent where it wants its audio
	FindingStrangers   FindingCode = "strangers"             // packets of somebody else were dropped; at the end: any were
	FindingPayload     FindingCode = "unknown_payload"       // it sends what was not negotiated
	FindingNoCodec     FindingCode = "no_codec"              // what it speaks cannot be given to the other party
	FindingDigits      FindingCode = "digits_not_negotiated" // keys it presses get lost
	FindingNoMedia     FindingCode = "no_media"              // it sends nothing after the answer
	FindingSilence     FindingCode = "silence"               // it has stopped sending without a hold
	FindingSource      FindingCode = "other_source"          // its audio comes from elsewhere than announced
	FindingClipping    FindingCode = "clipping"              // its audio is too loud
	FindingLoss        FindingCode = "loss"
	FindingJitter      FindingCode = "jitter"

	FindingLate   FindingCode = "late_media" // its first packet came late
	FindingKilled FindingCode = "killed"     // of a call that the switch did not live to see the end of
)

// findingCodes are those of a leg.
var findingCodes = [...]FindingCode{FindingUnreachable, FindingStrangers, FindingPayload, FindingNoCodec, FindingDigits,
	FindingNoMedia, FindingSilence, FindingSource, FindingClipping, FindingLoss, FindingJitter, FindingLate}

// FindingCodes lists what a leg may be found to have, for metrics.
func FindingCodes() []FindingCode { return slices.Clone(findingCodes[:]) }

// Finding is one thing that is wrong with the audio of a leg, or worth knowing
// to whoever looks for a fault.
type Finding struct {
	Code FindingCode `json:"code"`
	// Text says it to people, with the figures and what to do. On its way to a
	// call, with LegFinding, it lacks its subject, the party.
	Text string `json:"text"`
}

// codes is a set of findings.
type codes uint16

// codeSet is the set of the given ones; a code that nobody knows is in none.
func codeSet(list ...FindingCode) (set codes) {
	for _, code := range list {
		if i := slices.Index(findingCodes[:], code); i >= 0 {
			set |= 1 << i
		}
	}
	return set
}

// droppedCodes say of packets that were dropped why they were: then there is no
// need to say at the end that they were.
var droppedCodes = codeSet(FindingStrangers, FindingPayload, FindingNoCodec, FindingDigits)

// sourceCodes say that audio comes from elsewhere than announced.
var sourceCodes = codeSet(FindingSource, FindingUnreachable)

// found tells of a finding, unless that was done before.
func (c *Call) found(s *seat, f Finding) {
	seen := codeSet(f.Code)
	switch f.Code {
	case FindingStrangers:
		seen = droppedCodes
	case FindingSource:
		seen = sourceCodes
	}
	if s.found&seen != 0 {
		return
	}
	s.found |= codeSet(f.Code)
	c.reg.stats.found(f.Code)
	party := s.leg.Party()
	f.Text = cmp.Or(party.Number, "the party") + " " + f.Text
	c.emit(Event{Kind: EventFinding, Leg: s.leg.ID(), Party: party, Finding: &f})
}

// What a finding about a leg that has ended has to exceed.
const (
	silence     = 2 * time.Second // after the answer without a packet
	lossLimit   = 0.01            // of the packets the party sent
	lossSample  = 100             // packets; fewer make no rate
	jitterLimit = 30              // ms
	strangers   = 10              // packets; fewer are a phone's first STUN or its last report
)

// findings judges the audio of a leg that was answered (zero: never) and ended:
// nothing but what its counters say.
func findings(m *MediaStats, answered, ended time.Time) []Finding {
	var found []Finding
	if m == nil {
		m = &MediaStats{}
	}
	add := func(code FindingCode, text string, args ...any) {
		found = append(found, Finding{code, fmt.Sprintf(text, args...)})
	}
	if !answered.IsZero() {
		late := m.FirstAt.Sub(answered)
		switch talked := ended.Sub(answered); {
		case m.PacketsReceived == 0 && m.Dropped < strangers && talked > silence:
			add(FindingNoMedia, "sent nothing in %v after the answer", talked.Round(time.Second))
		case m.PacketsReceived > 0 && !m.FirstAt.IsZero() && late > silence:
			add(FindingLate, "sent its first packet %v after the answer", late.Round(100*time.Millisecond))
		}
	}
	if a, b := host(m.Signalled), host(m.Source); a != "" && b != "" && a != b {
		add(FindingSource, "sent audio from %s, not from %s as signalled: an address translator is between", m.Source, m.Signalled)
	}
	if sent := m.PacketsReceived + m.Lost; sent >= lossSample && float64(m.Lost) > lossLimit*float64(sent) {
		add(FindingLoss, "lost %d of %d packets on the way to us (%.1f %%)", m.Lost, sent, 100*float64(m.Lost)/float64(sent))
	}
	if m.JitterMS > jitterLimit {
		add(FindingJitter, "sent packets that came with a jitter of %.0f ms", m.JitterMS)
	}
	if m.Dropped >= strangers {
		add(FindingStrangers, "had %d packets dropped: malformed, from a stranger or of an unknown type", m.Dropped)
	}
	return found
}

// host is the host of an address, empty without one.
func host(addr string) string {
	if addr == "" {
		return "" // and no error to be made of it
	}
	h, _, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	return h
}

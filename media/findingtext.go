package media

import (
	"fmt"
	"net/netip"
	"time"
)

// The sentences of the findings: what was seen, then what to do. The party is
// their subject and stands before them.

// sharedSpace is that of address translators of providers (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// private tells whether an address means nothing outside of its own network.
func private(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() || sharedSpace.Contains(a)
}

// unreachable says why nothing can be sent to the announced address from local, or
// nothing if it can. named: an address was announced before, so none means hold.
func (t *terms) unreachable(local netip.Addr, named bool) string {
	a, sip := t.Remote.Addr().Unmap().WithZone(""), t.hosts[1]
	switch {
	case !a.IsValid() || a.IsUnspecified():
		if named || t.Remote.Port() == 0 {
			return ""
		}
		if !a.IsValid() {
			return "which we do not look up"
		}
		return "which is no address; as a hold it comes too early"
	case a.Is4() != local.Is4():
		return "an address of the other family than its leg has here (" + local.String() + ")"
	case a.IsLoopback() && !local.IsLoopback():
		return "which is its own machine to everybody"
	case private(a) && sip.IsValid() && !private(sip):
		return "a private address, but its SIP comes from " + sip.String() + " outside"
	}
	return ""
}

func unreachableText(t *terms, why string, src netip.AddrPort) string {
	now := "it hears nothing until it sends something itself"
	switch {
	case !t.maySend():
		now = "it hears nothing until it announces another"
	case src.IsValid():
		now = "what it is to hear goes to " + src.String() + ", where its own audio comes from"
	}
	return fmt.Sprintf("announced %s for its audio, %s: %s. Give it its outside address, by STUN or by hand, and switch off SIP ALG in its router.",
		host(t.Remote), why, now)
}

// host is an address as a description names it.
func host(a netip.AddrPort) string {
	if !a.Addr().IsValid() {
		return "a name"
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()).String()
}

func sourceText(src, announced netip.AddrPort) string {
	if src.Addr() == announced.Addr() {
		return fmt.Sprintf("sends audio from %s, but announced port %d: we answer to where its audio comes from. If it hears nothing, let it send and receive on one port (symmetric RTP).",
			src, announced.Port())
	}
	return fmt.Sprintf("sends audio from %s, but announced %s: an address translator or a second network interface is between. We answer to where its audio comes from; if it hears nothing, switch off SIP ALG in its router.",
		src, announced)
}

func strangersText(t *terms, from netip.AddrPort, n uint32) string {
	return fmt.Sprintf("announced %s, but %d packets came from %s, which neither its description nor its SIP names: they were dropped. If that is the phone's second address, let it announce it; otherwise somebody is trying to break in.",
		host(t.Remote), n, from)
}

func payloadText(t *terms, pt uint8, n uint32) string {
	return fmt.Sprintf("sends payload type %d, but %s as %d was agreed on: %d packets were dropped. Leave the codecs it shares with us switched on only, or update it.",
		pt, t.Codec.Name, t.Accepted[0].PayloadType, n)
}

func noCodecText(t *terms) string {
	return fmt.Sprintf("speaks %s, which the other party does not understand and which we cannot turn into what it does: nothing of it is passed on. Switch on a codec on both that they share; PCMA is one that all have.",
		t.Codec.Name)
}

func unknownDigitsText(t *terms, pt uint8) string {
	agreed := "no telephone-event was agreed on"
	if t.ReceiveEvents >= 0 {
		agreed = fmt.Sprintf("%d was agreed on", t.ReceiveEvents)
	}
	return fmt.Sprintf("reports keys as payload type %d, but %s: they are lost. Set its DTMF to RFC 2833 (RFC 4733) by negotiation, or to SIP INFO.", pt, agreed)
}

const stuckDigitsText = "presses keys, but the other party agreed on no telephone-event: they do not get there. Set the other party's DTMF to RFC 2833 (RFC 4733)."

func noMediaText(local netip.AddrPort, reported bool) string {
	if reported {
		return "has sent reports (RTCP) but no audio since the answer, so the way is open: look at its microphone, mute key and silence suppression."
	}
	return fmt.Sprintf("has sent nothing since the answer: look for a firewall or router that lets no UDP through to %s, and whether the phone reaches that address.", local)
}

func silenceText(ns int64) string {
	return fmt.Sprintf("has sent neither audio nor reports (RTCP) for %v and is not on hold: it has lost its network or power, or a router has forgotten the way.",
		time.Duration(ns).Round(time.Second))
}

func clippingText(full, samples uint32) string {
	return fmt.Sprintf("is too loud: %.1f %% of its samples are at full scale, so its voice is distorted. Turn down its microphone or the gain of its gateway.",
		100*float64(full)/float64(samples))
}

func lossText(gone, sent int32) string {
	return fmt.Sprintf("loses packets on the way to us: %d of %d (%.1f %%). Look at its Wi-Fi or line, and give voice priority (DSCP EF).",
		gone, sent, 100*float64(gone)/float64(sent))
}

func jitterText(ms float64) string {
	return fmt.Sprintf("sends packets that arrive with a jitter of %.0f ms: its line or Wi-Fi is busy; give voice priority (DSCP EF).", ms)
}

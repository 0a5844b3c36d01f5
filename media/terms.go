package media

import (
	"net/netip"
	"strings"

	"github.com/cordpair/cordpair/media/ice"
	"github.com/cordpair/cordpair/media/sdp"
)

// carriage says what a payload type of a party carries: speech in the format at
// Accepted[carriage-1], or one of these.
type carriage uint8

const (
	nothing    carriage = 0   // not negotiated: dropped (M4)
	background carriage = 254 // RFC 3389
	events     carriage = 255 // RFC 4733
)

// comfortNoise is the static payload type of RFC 3389 at 8000 Hz. Parties that
// suppress silence send it whether it was negotiated or not; it goes no further
// than to where we decode.
const comfortNoise = 13

// law is the G.711 law of a format, or neither.
type law uint8

const (
	notG711 law = iota
	muLaw
	aLaw
)

// lawOf tells how a format codes samples.
func lawOf(c sdp.Codec) law {
	switch {
	case c.Channels > 1 || c.Clock != 8000:
		return notG711
	case strings.EqualFold(c.Name, "PCMU"):
		return muLaw
	case strings.EqualFold(c.Name, "PCMA"):
		return aLaw
	}
	return notG711
}

// terms are what one exchange of offer and answer settled. A value never
// changes once it is given to a stream.
type terms struct {
	sdp.Result
	rtp, rtcp netip.AddrPort // where we may send as signalled; invalid when nowhere
	hosts     [2]netip.Addr  // RTP is taken from
	rtcpHosts [2]netip.Addr
	carries   [128]carriage
	mine      ice.Credentials // ours, where ICE is used
	opus      bool            // the worker encodes Opus
	beside    *beside         // nil for audio only
}

// newTerms makes terms for a stream at local whose SIP comes from source.
func newTerms(r sdp.Result, local, source netip.Addr) *terms {
	t := &terms{Result: r}
	t.rtp, t.hosts = reach(local, source, r.Remote)
	t.rtcp, t.rtcpHosts = reach(local, source, r.RemoteRTCP)
	for i, c := range r.Accepted {
		t.carries[c.PayloadType&0x7f] = carriage(i + 1) // there are 128 at most
	}
	if r.ReceiveEvents >= 0 && r.ReceiveEvents < 128 {
		t.carries[r.ReceiveEvents] = events
	}
	if t.carries[comfortNoise] == nothing && r.Accepted[0].Clock == 8000 {
		t.carries[comfortNoise] = background
	}
	return t
}

// lane is what a payload type of the party carries.
func (t *terms) lane(pt uint8) lane {
	l := lane{pt: pt, what: t.carries[pt]}
	switch l.what {
	case nothing, events:
	case background:
		l.clock = int32(t.Accepted[0].Clock)
	default:
		l.clock = int32(t.Accepted[l.what-1].Clock)
	}
	return l
}

// reach is the signalled address as far as it can be sent to from local, and
// the addresses media may come from (M1). One of another family, or loopback
// when we are not, cannot be reached: then the source that is learnt counts.
func reach(local, source netip.Addr, signalled netip.AddrPort) (netip.AddrPort, [2]netip.Addr) {
	hosts := [2]netip.Addr{{}, source}
	a := signalled.Addr().Unmap().WithZone("")
	if !a.IsValid() || a.IsUnspecified() {
		return netip.AddrPort{}, hosts
	}
	hosts[0] = a
	if a.Is4() != local.Is4() || a.IsLoopback() && !local.IsLoopback() || signalled.Port() == 0 {
		return netip.AddrPort{}, hosts
	}
	return netip.AddrPortFrom(a, signalled.Port()), hosts
}

// signalled is the address the description names, reachable or not; invalid if
// it names none.
func (t *terms) signalled() netip.AddrPort {
	a := t.Remote.Addr().Unmap().WithZone("")
	if !a.IsValid() || a.IsUnspecified() || t.Remote.Port() == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a, t.Remote.Port())
}

// talking tells whether silence of the party means something (M8).
func (t *terms) talking() bool {
	return t != nil && (!t.Held && t.Direction.Receives() || t.silent())
}

// maySend tells whether the party wants to hear us.
func (t *terms) maySend() bool { return t != nil && !t.Held && t.Direction.Sends() }

package media

import (
	"net/netip"
	"strconv"

	"github.com/cordpair/cordpair/media/sdp"
)

// InForce describes what the party and we may send each other now, as if it were
// agreed on in the clear: for a capture, whose packets are, that begins within a
// call. nil before anything was agreed on. These are not the descriptions that were
// sent, which are not kept; each has the address where its packets are seen.
func (s *Session) InForce() (theirs, ours []byte) {
	t := s.terms.Load()
	if t == nil {
		return nil, nil
	}
	at := t.signalled()
	if seen := s.stream.seen.Load(); seen != nil {
		at = seen.source
	}
	local := s.talk.local // never changes
	theirs = inForce(t, at, []sdp.Codec{t.Codec}, t.SendEvents)
	return theirs, inForce(t, local, t.Accepted, t.ReceiveEvents)
}

// inForce writes a description of one line (RFC 8866 section 5).
func inForce(t *terms, at netip.AddrPort, codecs []sdp.Codec, events int) []byte {
	if !at.IsValid() {
		at = netip.AddrPortFrom(netip.IPv4Unspecified(), 9) // RFC 8843 section 7.1.4: none
	}
	kind := "IN IP4 "
	if at.Addr().Is6() {
		kind = "IN IP6 "
	}
	address := kind + at.Addr().WithZone("").String()
	line, maps := "m=audio "+strconv.Itoa(int(at.Port()))+" RTP/AVP", ""
	format := func(pt int, what string) {
		line += " " + strconv.Itoa(pt)
		maps += "a=rtpmap:" + strconv.Itoa(pt) + " " + what + "\r\n"
	}
	for _, c := range codecs {
		what := c.Name + "/" + strconv.Itoa(c.Clock)
		if c.Channels > 1 {
			what += "/" + strconv.Itoa(c.Channels)
		}
		format(int(c.PayloadType), what)
		if c.Fmtp != "" {
			maps += "a=fmtp:" + strconv.Itoa(int(c.PayloadType)) + " " + c.Fmtp + "\r\n"
		}
	}
	if events >= 0 {
		format(events, "telephone-event/"+strconv.Itoa(t.EventClock))
	}
	text := "v=0\r\no=- 0 0 " + address + "\r\ns=in force\r\nc=" + address + "\r\nt=0 0\r\n" + line + "\r\n" + maps
	if t.Mux {
		text += "a=rtcp-mux\r\n"
	}
	return []byte(text)
}

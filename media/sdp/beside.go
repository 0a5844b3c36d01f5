package sdp

import (
	"net/netip"
	"slices"
	"strings"
)

// Lines beside the audio pass from one party to the other in the words of their
// authors: only the address and the port are ours, and what holds on one hop alone is
// left out.

// Crosses tells whether the line can do so: video over plain RTP, or fax over UDPTL
// (T.38). What demands encryption cannot, since its keys are agreed hop by hop.
func (m *Media) Crosses() bool {
	switch {
	case m.Port == 0 || len(m.Formats) == 0:
		return false
	case m.Kind == "video":
		p := m.Profile()
		return p == AVP || p == AVPF
	}
	return m.Kind == "image" && strings.EqualFold(m.Proto, "udptl")
}

// OurDirection is what the author leaves to the other side.
func (m *Media) OurDirection() Direction { return m.direction().Reverse() }

// IsRTP tells whether the packets of the line are RTP.
func (m *Media) IsRTP() bool { return m.isRTP() }

// Remote is where the author wants packets, and reports about them; see Result.Remote.
func (m *Media) Remote() (rtp, rtcp netip.AddrPort) {
	rtp, rtcp = m.remote()
	if m.Mux {
		rtcp = rtp
	}
	return rtp, rtcp
}

// hopByHop are the attributes that say nothing to anybody but whom they were sent to.
// The direction is written anew.
var hopByHop = []string{
	"rtcp", "mid", "bundle-only", "candidate", "remote-candidates", "end-of-candidates", "ice-ufrag", "ice-pwd",
	"ice-options", "ice-lite", "ice-mismatch", "crypto", "fingerprint", "setup", "connection", "key-mgmt", "tls-id",
	"sendrecv", "sendonly", "recvonly", "inactive",
}

// Own is a copy of a line that crosses, without what holds on one hop alone. Nothing
// of the text the line stood in is kept alive.
func (m *Media) Own() *Media {
	out := &Media{
		Kind: own(m.Kind), Proto: strings.Clone(m.Proto), Port: m.Port, Ports: 1, Address: m.Address,
		RTCPAddress: m.RTCPAddress, RTCPPort: m.RTCPPort, Direction: m.direction(), Mux: m.Mux,
		Codecs: slices.Clone(m.Codecs),
	}
	for _, format := range m.Formats {
		out.Formats = append(out.Formats, strings.Clone(format))
	}
	for _, a := range m.Attributes {
		if !slices.Contains(hopByHop, lowerKey(a.Key)) {
			out.Attributes = append(out.Attributes, Attribute{strings.Clone(a.Key), strings.Clone(a.Value)})
		}
	}
	for _, line := range m.Unknown {
		if strings.HasPrefix(line, "b=") {
			out.Unknown = append(out.Unknown, strings.Clone(line))
		}
	}
	return out
}

// Passed is the line for the other party: with an address and a port of ours, a
// direction, and the name the other party has for it, which may be empty.
func (m *Media) Passed(at netip.AddrPort, d Direction, mid string) Media {
	out := *m
	out.Address, out.RTCPAddress = at.Addr(), at.Addr()
	out.Port, out.RTCPPort = at.Port(), at.Port()+1
	out.Direction, out.MID, out.passed = d, strings.Clone(mid), true
	return out
}

// appendPassed writes what follows the m= line of one that Passed made.
func (m *Media) appendPassed(b []byte) []byte {
	for _, line := range m.Unknown {
		b = append(append(b, line...), "\r\n"...)
	}
	for _, a := range m.Attributes {
		b = a.appendTo(b)
	}
	if m.isRTP() || m.Direction != SendRecv {
		b = Attribute{Key: m.Direction.String()}.appendTo(b)
	}
	if m.MID != "" {
		b = Attribute{"mid", m.MID}.appendTo(b)
	}
	return b
}

// Within tells whether a line can answer an offered one: it has nothing that the
// offer does not have, under the same payload types.
func (m *Media) Within(offered *Media) bool {
	if m.Kind != offered.Kind || !strings.EqualFold(m.Proto, offered.Proto) {
		return false
	}
	for _, format := range m.Formats {
		if !offered.has(m, format) {
			return false
		}
	}
	return true
}

// has tells whether the line has a format of another one, meaning the same.
func (m *Media) has(other *Media, format string) bool {
	if !slices.Contains(m.Formats, format) {
		return false
	}
	pt, err := payloadType(format)
	if err != nil || !m.isRTP() {
		return true
	}
	a, said := byType(m.Codecs, pt)
	b, also := byType(other.Codecs, pt)
	return !said || !also || a.Is(b)
}

// Narrowed is the line without the formats that another one does not have, which may
// leave none.
func (m *Media) Narrowed(to *Media) *Media {
	out := *m
	out.Formats = nil
	var gone []string
	for _, format := range m.Formats {
		if to.has(m, format) {
			out.Formats = append(out.Formats, format)
		} else {
			gone = append(gone, format)
		}
	}
	if len(gone) == 0 {
		return m
	}
	out.Attributes = nil
	for _, a := range m.Attributes {
		first, _, _ := strings.Cut(a.Value, " ")
		if !slices.Contains(gone, first) || !ofFormat(a.Key) {
			out.Attributes = append(out.Attributes, a)
		}
	}
	return &out
}

// ofFormat tells whether the value of an attribute begins with a format.
func ofFormat(key string) bool {
	switch lowerKey(key) {
	case "rtpmap", "fmtp", "rtcp-fb", "imageattr":
		return true
	}
	return false
}

// Rejected is the line in an answer or re-offer that does without it (RFC 3264
// sections 6 and 8.2): same place, kind, protocol and formats, port 0.
func (m *Media) Rejected() Media { return m.rejected() }

// AnswerWithoutAudio is an answer that rejects all lines of an offer; the caller puts
// others in the place of those that cross.
func AnswerWithoutAudio(offer *Description, p Policy) *Description {
	answer := p.description(len(offer.Media))
	for i := range offer.Media {
		answer.Media[i] = offer.Media[i].rejected()
	}
	return answer
}

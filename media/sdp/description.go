package sdp

import (
	"net/netip"
	"strings"
)

// What Parse takes at most (security-reliability S5).
const (
	MaxSize    = 64 << 10 // bytes of a description
	MaxMedia   = 16       // m= lines
	MaxFormats = 64       // formats of one m= line
)

// Description is a whole session description.
type Description struct {
	Origin Origin
	// Name is the s= line; empty when missing.
	Name string
	// Connection is the session's c= line, as far as it is an address. Each
	// Media has the address that holds for it.
	Connection netip.Addr
	// Direction is the session's; each Media has the one that holds for it.
	Direction Direction
	// Attributes are the session's a= lines in order, all of them.
	Attributes []Attribute
	// Media are the m= lines in order, the rejected ones too.
	Media []Media
	// Unknown are the session's other lines, verbatim and in order: b=, i=,
	// k=, z=, whatever else was there, and lines that are no "x=value".
	Unknown []string
}

// Origin is the o= line (RFC 8866 section 5.2). Raw is kept when the line is not
// as the RFC wants it; then the fields are as far as they could be read.
type Origin struct {
	Username  string
	SessionID uint64 // 0 when not a number of 64 bits
	Version   uint64 // 0 when not a number of 64 bits
	Address   string // as written: an address or a host name
	Raw       string // the value of the line
}

// Attribute is one a= line; Value is empty for a flag.
type Attribute struct {
	Key, Value string
}

// Media is one m= line and what belongs to it.
type Media struct {
	Kind  string // "audio", "video", "image", …, lower case
	Proto string // "RTP/AVP", "udptl", …, upper case for RTP
	// Formats are those of the m= line, verbatim and in order; nil in a line of our
	// own, whose Codecs say it.
	Formats []string
	// Address is where the author wants media: that of the line's own c=, else
	// the session's. It is invalid when there is none or it is a host name, and
	// unspecified (0.0.0.0, ::) for the old form of hold.
	Address netip.Addr
	// RTCPAddress is Address unless a=rtcp (RFC 3605) says otherwise, RTCPPort is
	// that of a=rtcp, else Port + 1, 0 when there is no such port.
	RTCPAddress netip.Addr
	RTCPPort    uint16

	Port  uint16 // 0: rejected or disabled
	Ports uint16 // the count after the slash, 1 without
	// PTime and MaxPTime are milliseconds of audio per packet, 0 when not said.
	PTime, MaxPTime int16
	Direction       Direction
	// Mux says that RTCP comes on the port of RTP (RFC 5761), MuxOnly that it does
	// so whatever the other side can do (RFC 8858).
	Mux, MuxOnly bool

	ownAddress bool // Address came from a c= of this line
	ours       bool // made by Answer or Offer
	passed     bool // made by Passed

	// Codecs are the RTP formats in order of preference, telephone-event and
	// other companions included. A dynamic type without rtpmap has no entry.
	Codecs []Codec
	// Secure is what holds for the line about encryption and ICE, what the session
	// says included; nil when nothing is said.
	Secure *Secure
	// MID names the line in BUNDLE groups (RFC 5888); empty without.
	MID string
	// Attributes are the line's a= lines in order, all of them; nil in a line of
	// our own, where they follow from Codecs, PTime and Direction.
	Attributes []Attribute
	// Unknown are its other lines, verbatim and in order.
	Unknown []string
}

// newDescription makes one with so many m= lines. It nearly always has one, which
// then lies beside it.
func newDescription(lines int) *Description {
	if lines > 1 {
		return &Description{Media: make([]Media, lines)}
	}
	d := &struct {
		Description
		line [1]Media
	}{}
	d.Media = d.line[:lines]
	return &d.Description
}

// IsAudio tells whether this is audio over RTP, plain or encrypted, that its author
// enabled.
func (m *Media) IsAudio() bool {
	if m.Kind != "audio" || m.Port == 0 {
		return false
	}
	p := m.Profile()
	return p != NoRTP && p != OverTCP
}

// OnHold tells whether the author does not want to hear us: sendonly, inactive,
// or the old form with the address 0.0.0.0 or :: (RFC 3264 section 8.4).
func (m *Media) OnHold() bool { return !m.direction().Receives() }

// Speech lists the codecs that can carry a conversation, preferred first.
func (m *Media) Speech() []Codec {
	var out []Codec
	for _, c := range m.Codecs {
		if c.isSpeech() {
			out = append(out, c)
		}
	}
	return out
}

// noReports tells whether the author wants no RTCP at all: both b=RS and b=RR are 0
// (RFC 3556 section 3), usual in mobile networks.
func (m *Media) noReports() bool {
	var off [2]bool
	for _, line := range m.Unknown {
		switch strings.ToUpper(line) {
		case "B=RS:0":
			off[0] = true
		case "B=RR:0":
			off[1] = true
		}
	}
	return off[0] && off[1]
}

// direction is Direction with the old form of hold worked in. With ICE the address
// 0.0.0.0 only says that the candidates are still to come (RFC 8840 section 4.1.1).
func (m *Media) direction() Direction {
	d := m.Direction
	if m.Address.IsValid() && m.Address.IsUnspecified() && m.ice() == nil {
		return d.And(SendOnly)
	}
	return d
}

// events gives the telephone-event type that fits a codec of the given clock
// rate: the same rate (RFC 4733 section 2.1), else 8000 Hz, which is all that
// many phones list beside a wide-band codec.
func (m *Media) events(clock int) (Codec, bool) {
	var narrow Codec
	for _, c := range m.Codecs {
		if !c.isEvent() {
			continue
		}
		if c.Clock == clock {
			return c, true
		}
		if c.Clock == 8000 && narrow.IsZero() {
			narrow = c
		}
	}
	return narrow, !narrow.IsZero()
}

package sdp

import (
	"net/netip"
	"strconv"
	"strings"
)

// finish works out what the attributes mean, once all lines are there: they may
// stand before the c= or after other lines they refer to.
func (p *parser) finish() {
	p.d.Direction = lastDirection(p.d.Attributes, SendRecv)
	for i := range p.d.Media {
		m := &p.d.Media[i]
		if !m.ownAddress {
			m.Address = p.d.Connection
		}
		m.Direction = lastDirection(m.Attributes, p.d.Direction)
		m.interpret()
	}
}

// lastDirection finds the direction among attributes, else gives the inherited.
func lastDirection(attributes []Attribute, inherited Direction) Direction {
	d := inherited
	for _, a := range attributes {
		if a.Value != "" {
			continue
		}
		if own, ok := parseDirection(strings.ToLower(a.Key)); ok {
			d = own
		}
	}
	return d
}

// interpret fills the fields that come from attributes.
func (m *Media) interpret() {
	m.RTCPAddress = m.Address
	if m.Port != 0 && m.Port != 65535 {
		m.RTCPPort = m.Port + 1
	}
	formats := map[uint8]*Codec{}
	if m.isRTP() {
		formats = m.formats()
	}
	for _, a := range m.Attributes {
		switch strings.ToLower(a.Key) {
		case "rtcp":
			m.readRTCP(a.Value)
		case "ptime":
			m.PTime = readMilliseconds(a.Value)
		case "maxptime":
			m.MaxPTime = readMilliseconds(a.Value)
		case "rtpmap":
			readRTPMap(formats, a.Value)
		case "fmtp":
			readFmtp(formats, a.Value)
		}
	}
	for _, word := range m.Formats {
		pt, err := payloadType(word)
		if c := formats[pt]; err == nil && c != nil && c.Name != "" {
			m.Codecs = append(m.Codecs, *c)
			formats[pt] = nil // a type listed twice counts once
		}
	}
}

// formats has an entry for each payload type of the line, with the static
// meaning where there is one.
func (m *Media) formats() map[uint8]*Codec {
	out := make(map[uint8]*Codec, len(m.Formats))
	for _, word := range m.Formats {
		pt, err := payloadType(word)
		if err != nil {
			continue
		}
		c := Codec{PayloadType: pt}
		if m.Kind == "audio" {
			if known, ok := static(pt); ok {
				c = known
			}
		}
		out[pt] = &c
	}
	return out
}

// readRTCP reads "5005" and "5005 IN IP4 192.0.2.1".
func (m *Media) readRTCP(value string) {
	f := strings.Fields(value)
	if len(f) == 0 {
		return
	}
	port, err := readNumber(f[0], 65535)
	if err != nil {
		return // keep the default: RTCP matters less than the call
	}
	m.RTCPPort = uint16(port)
	if len(f) > 3 {
		if a := readAddress(f[3]); a.IsValid() {
			m.RTCPAddress = a
		}
	}
}

// readMilliseconds reads 1–1000, some phones write "20.0"; anything else is 0.
func readMilliseconds(value string) int {
	whole, _, _ := strings.Cut(value, ".")
	n, err := strconv.Atoi(strings.TrimSpace(whole))
	if err != nil || n < 1 || n > 1000 {
		return 0
	}
	return n
}

// splitFormat reads the payload type in front of a value.
func splitFormat(value string) (pt uint8, rest string, ok bool) {
	word, rest, _ := strings.Cut(value, " ")
	pt, err := payloadType(word)
	return pt, strings.TrimSpace(rest), err == nil
}

// readRTPMap reads "101 telephone-event/8000". Types that are not on the m= line
// and what cannot be read are passed over.
func readRTPMap(formats map[uint8]*Codec, value string) {
	pt, rest, ok := splitFormat(value)
	c := formats[pt]
	if !ok || c == nil {
		return
	}
	parts := strings.Split(rest, "/")
	name := strings.TrimSpace(parts[0])
	if name == "" || !isToken(name) {
		return
	}
	read := Codec{Name: name, Clock: 8000, Channels: 1, PayloadType: pt, Fmtp: c.Fmtp}
	if len(parts) > 1 {
		n, err := readNumber(strings.TrimSpace(parts[1]), 1<<30)
		if err != nil || n == 0 {
			return
		}
		read.Clock = n
	}
	if len(parts) > 2 {
		if n, err := readNumber(strings.TrimSpace(parts[2]), 255); err == nil && n > 0 {
			read.Channels = n
		}
	}
	if strings.EqualFold(name, "G722") {
		read.Clock = 8000 // some phones write the sampling rate instead
	}
	*c = read
}

// readFmtp reads "101 0-16".
func readFmtp(formats map[uint8]*Codec, value string) {
	if pt, rest, ok := splitFormat(value); ok && formats[pt] != nil && formats[pt].Fmtp == "" {
		formats[pt].Fmtp = rest
	}
}

// remote is where the author wants RTP and RTCP.
func (m *Media) remote() (rtp, rtcp netip.AddrPort) {
	return netip.AddrPortFrom(m.Address, m.Port), netip.AddrPortFrom(m.RTCPAddress, m.RTCPPort)
}

package sdp

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// finish works out what the attributes mean, once all lines are there: they may
// stand before the c= or after other lines they refer to.
func (p *parser) finish() {
	end := len(p.attributes)
	for i := len(p.d.Media) - 1; i >= 0; i-- {
		p.d.Media[i].Attributes = p.between(p.starts[i], end)
		end = p.starts[i]
	}
	p.d.Attributes = p.between(0, end)
	p.d.Direction = lastDirection(p.d.Attributes, SendRecv)
	var session Media
	for _, a := range p.d.Attributes {
		session.readSecurity(lowerKey(a.Key), a.Value)
	}
	for i := range p.d.Media {
		m := &p.d.Media[i]
		if !m.ownAddress {
			m.Address = p.d.Connection
		}
		m.Direction = lastDirection(m.Attributes, p.d.Direction)
		m.interpret()
		m.inherit(session.Secure)
	}
}

// between is a part of the attributes, nil when it is empty.
func (p *parser) between(from, to int) []Attribute {
	if from == to {
		return nil
	}
	return p.attributes[from:to:to]
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
	var known types
	if m.isRTP() {
		known = m.formats()
	}
	for _, a := range m.Attributes {
		switch key := lowerKey(a.Key); key {
		case "rtcp":
			m.readRTCP(a.Value)
		case "ptime":
			m.PTime = int16(readMilliseconds(a.Value))
		case "maxptime":
			m.MaxPTime = int16(readMilliseconds(a.Value))
		case "rtpmap":
			known.readRTPMap(a.Value)
		case "fmtp":
			known.readFmtp(a.Value)
		default:
			m.readSecurity(key, a.Value)
		}
	}
	m.Codecs = slices.DeleteFunc(known, func(c Codec) bool { return c.Name == "" })
	if len(m.Codecs) == 0 {
		m.Codecs = nil
	}
}

// lowerKey is the name of an attribute in lower case, which it nearly always is.
func lowerKey(key string) string {
	for i := range len(key) {
		if c := key[i]; c < 'a' || c > 'z' {
			return strings.ToLower(key)
		}
	}
	return key
}

// types are the payload types of a line in their order, each once; one that is not
// known has no name.
type types []Codec

// of finds a payload type, nil if the line does not have it.
func (f types) of(pt uint8) *Codec {
	for i := range f {
		if f[i].PayloadType == pt {
			return &f[i]
		}
	}
	return nil
}

// formats has an entry for each payload type of the line, with the static
// meaning where there is one.
func (m *Media) formats() types {
	out := make(types, 0, len(m.Formats))
	for _, word := range m.Formats {
		pt, err := payloadType(word)
		if err != nil || out.of(pt) != nil {
			continue // a type listed twice counts once
		}
		c := Codec{PayloadType: pt}
		if m.Kind == "audio" {
			if known, ok := static(pt); ok {
				c = known
			}
		}
		out = append(out, c)
	}
	return out
}

// readRTCP reads "5005" and "5005 IN IP4 192.0.2.1".
func (m *Media) readRTCP(value string) {
	var f [4]string
	if firstFields(value, f[:]) == 0 {
		return
	}
	port, err := readNumber(f[0], 65535)
	if err != nil {
		return // keep the default: RTCP matters less than the call
	}
	m.RTCPPort = uint16(port)
	if a := readAddress(f[3]); a.IsValid() {
		m.RTCPAddress = a
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
func (f types) readRTPMap(value string) {
	pt, rest, ok := splitFormat(value)
	c := f.of(pt)
	if !ok || c == nil {
		return
	}
	name, rest, hasClock := strings.Cut(rest, "/")
	clock, rest, hasChannels := strings.Cut(rest, "/")
	channels, _, _ := strings.Cut(rest, "/")
	name = strings.TrimSpace(name)
	if name == "" || !isToken(name) {
		return
	}
	read := Codec{Name: own(name), Clock: 8000, Channels: 1, PayloadType: pt, Fmtp: c.Fmtp}
	if hasClock {
		n, err := readNumber(strings.TrimSpace(clock), 1<<30)
		if err != nil || n == 0 {
			return
		}
		read.Clock = n
	}
	if hasChannels {
		if n, err := readNumber(strings.TrimSpace(channels), 255); err == nil && n > 0 {
			read.Channels = n
		}
	}
	if strings.EqualFold(name, "G722") {
		read.Clock = 8000 // some phones write the sampling rate instead
	}
	*c = read
}

// readFmtp reads "101 0-16".
func (f types) readFmtp(value string) {
	pt, rest, ok := splitFormat(value)
	if c := f.of(pt); ok && c != nil && c.Fmtp == "" {
		c.Fmtp = own(rest)
	}
}

// usual are words of nearly every description.
var usual = [...]string{
	"PCMU", "PCMA", "G722", "G729", "opus", "GSM", "iLBC", telephoneEvent, "CN", "0-15", "0-16", "annexb=no", "annexb=yes", "useinbandfec=1",
}

// own is a word of a description that may outlive it: what a call keeps for hours is
// its codecs, not the text they stood in.
func own(word string) string {
	for _, known := range usual {
		if word == known {
			return known
		}
	}
	return strings.Clone(word)
}

// remote is where the author wants RTP and RTCP.
func (m *Media) remote() (rtp, rtcp netip.AddrPort) {
	return netip.AddrPortFrom(m.Address, m.Port), netip.AddrPortFrom(m.RTCPAddress, m.RTCPPort)
}

package sdp

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"net/netip"
	"strconv"
)

// ptime is the packet length we send and ask for, in ms.
const ptime = 20

// eventRange are the digits we take: 0–9, *, #, A–D and flash (RFC 4733 section 3.2).
const eventRange = "0-16"

// usualSize is more than a description of ours with one line needs, in bytes.
const usualSize = 512

// Writer writes the descriptions of our side of one dialog. The session id stays
// the same, the version rises by one when something changed, and an unchanged
// description gives identical bytes (RFC 3264 section 8, RFC 8829 section 5.2.2).
// It belongs to one session and is not for concurrent use.
type Writer struct {
	// ID is the session id, a random number of at most 31 bits: there is equipment
	// that reads it into an int. 0 draws one at the first Write.
	ID      uint32
	version uint64
	last    []byte
}

// Write gives the bytes of d, whose origin numbers are replaced by the writer's.
// The caller must not change them. What Parse left in Unknown is not written.
func (w *Writer) Write(d *Description) []byte {
	if w.ID == 0 {
		var b [4]byte
		_, _ = rand.Read(b[:]) // never fails: the runtime aborts instead
		w.ID = binary.BigEndian.Uint32(b[:]) >> 1
	}
	var buffer [usualSize]byte
	if w.last != nil && bytes.Equal(d.appendTo(buffer[:0], w.ID, w.version), w.last) {
		return w.last
	}
	w.version++
	w.last = bytes.Clone(d.appendTo(buffer[:0], w.ID, w.version))
	return w.last
}

// appendTo writes d in the order RFC 8866 section 5 wants.
func (d *Description) appendTo(b []byte, id uint32, version uint64) []byte {
	origin := d.Connection
	if !origin.IsValid() {
		origin = netip.IPv4Unspecified()
	}
	b = strconv.AppendUint(append(b, "v=0\r\no=- "...), uint64(id), 10)
	b = strconv.AppendUint(append(b, ' '), version, 10)
	b = appendConnection(append(b, ' '), origin)
	b = append(b, "\r\ns=-\r\n"...)
	if d.Connection.IsValid() {
		b = append(appendConnection(append(b, "c="...), d.Connection), "\r\n"...)
	}
	b = append(b, "t=0 0\r\n"...)
	for _, a := range d.Attributes {
		b = a.appendTo(b)
	}
	for i := range d.Media {
		b = d.Media[i].appendTo(b)
	}
	return b
}

// appendTo writes an m= line and what belongs to it.
func (m *Media) appendTo(b []byte) []byte {
	b = append(append(append(b, "m="...), m.Kind...), ' ')
	b = strconv.AppendUint(b, uint64(m.Port), 10)
	if m.Ports != 1 {
		b = strconv.AppendInt(append(b, '/'), int64(m.Ports), 10)
	}
	b = append(append(b, ' '), m.Proto...)
	for _, format := range m.Formats {
		b = append(append(b, ' '), format...)
	}
	if m.ours {
		for _, c := range m.Codecs {
			b = strconv.AppendUint(append(b, ' '), uint64(c.PayloadType), 10)
		}
	}
	b = append(b, "\r\n"...)
	if m.ownAddress && m.Address.IsValid() {
		b = append(appendConnection(append(b, "c="...), m.Address), "\r\n"...)
	}
	if m.ours {
		return m.appendOurs(b)
	}
	if m.passed {
		return m.appendPassed(b)
	}
	for _, a := range m.Attributes {
		b = a.appendTo(b)
	}
	return b
}

// appendOurs writes the attributes of a line of ours.
func (m *Media) appendOurs(b []byte) []byte {
	for _, c := range m.Codecs {
		b = strconv.AppendUint(append(b, "a=rtpmap:"...), uint64(c.PayloadType), 10)
		b = append(c.appendTo(append(b, ' ')), "\r\n"...)
		if c.Fmtp != "" {
			b = strconv.AppendUint(append(b, "a=fmtp:"...), uint64(c.PayloadType), 10)
			b = append(append(append(b, ' '), c.Fmtp...), "\r\n"...)
		}
	}
	b = strconv.AppendInt(append(b, "a=ptime:"...), int64(m.PTime), 10)
	b = append(append(b, "\r\na="...), m.Direction.String()...)
	b = append(b, "\r\n"...)
	if m.MID != "" {
		b = append(append(append(b, "a=mid:"...), m.MID...), "\r\n"...)
	}
	if m.Mux {
		b = append(b, "a=rtcp-mux\r\n"...)
	}
	if m.Secure != nil {
		b = m.Secure.appendTo(b)
	}
	return b
}

// appendTo writes an a= line.
func (a Attribute) appendTo(b []byte) []byte {
	b = append(append(b, "a="...), a.Key...)
	if a.Value != "" {
		b = append(append(b, ':'), a.Value...)
	}
	return append(b, "\r\n"...)
}

// appendConnection writes what o= and c= say of an address.
func appendConnection(b []byte, a netip.Addr) []byte {
	kind := "IN IP4 "
	if a.Is6() {
		kind = "IN IP6 "
	}
	return a.AppendTo(append(b, kind...))
}

// description begins one of ours with so many lines.
func (p *Policy) description(lines int) *Description {
	d := newDescription(lines)
	d.Origin.Username, d.Name, d.Connection = "-", "-", p.Address.Unmap().WithZone("")
	return d
}

// media makes a line of ours from formats under their payload types.
func (p *Policy) media(proto string, formats []Codec, d Direction) Media {
	a := p.Address.Unmap().WithZone("")
	m := Media{
		Kind: "audio", Port: p.Port, Ports: 1, Proto: proto, Address: a, RTCPAddress: a, Direction: d,
		PTime: ptime, Codecs: formats, ours: true,
	}
	if goodPTime(p.PTime) {
		m.PTime = int16(p.PTime)
	}
	if p.Port != 65535 {
		m.RTCPPort = p.Port + 1
	}
	return m
}

// goodPTime tells whether a packet length is one we ask for: whole frames of what
// we code, 10–60 ms.
func goodPTime(ms int) bool { return ms >= 10 && ms <= 60 && ms%10 == 0 }

// eventCodec is telephone-event as we announce it.
func eventCodec(pt uint8, clock int) Codec {
	return Codec{Name: telephoneEvent, Clock: clock, Channels: 1, PayloadType: pt, Fmtp: eventRange}
}

// rejected is the line in an answer or re-offer that does without it (RFC 3264
// sections 6 and 8.2): same place, kind, protocol and formats, port 0.
func (m *Media) rejected() Media {
	formats := make([]string, 0, len(m.Formats)+len(m.Codecs))
	for _, format := range m.Formats {
		formats = append(formats, own(format))
	}
	for _, c := range m.Codecs {
		if m.ours {
			formats = append(formats, strconv.Itoa(int(c.PayloadType)))
		}
	}
	if len(formats) == 0 {
		formats = []string{"0"} // the line must have one
	}
	out := Media{Kind: own(m.Kind), Ports: 1, Proto: own(m.Proto), Formats: formats, MID: own(m.MID)}
	if m.MID != "" {
		out.Attributes = []Attribute{{"mid", out.MID}} // browsers look lines up by it
	}
	return out
}

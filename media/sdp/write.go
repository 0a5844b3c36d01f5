package sdp

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	pion "github.com/pion/sdp/v3"
)

// ptime is the packet length we send and ask for, in ms.
const ptime = 20

// eventRange are the digits we take: 0–9, *, #, A–D and flash (RFC 4733 section 3.2).
const eventRange = "0-16"

// Writer writes the descriptions of our side of one dialog. The session id stays
// the same, the version rises by one when something changed, and an unchanged
// description gives identical bytes (RFC 3264 section 8, RFC 8829 section 5.2.2).
// It belongs to one session and is not for concurrent use.
type Writer struct {
	id, version uint64
	last        []byte
}

// NewWriter starts the numbering of a dialog with a random session id.
func NewWriter() *Writer {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: the runtime aborts instead
	// 31 bits: there is equipment that reads the number into an int.
	return &Writer{id: uint64(binary.BigEndian.Uint32(b[:]) >> 1)}
}

// Write gives the bytes of d, whose origin numbers are replaced by the writer's.
// The caller must not change them. What Parse left in Unknown is not written.
func (w *Writer) Write(d *Description) ([]byte, error) {
	if w.last != nil {
		same, err := d.marshal(w.id, w.version)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(same, w.last) {
			return w.last, nil
		}
	}
	next, err := d.marshal(w.id, w.version+1)
	if err != nil {
		return nil, err
	}
	w.version, w.last = w.version+1, next
	return next, nil
}

// marshal writes d by way of pion, in the order RFC 8866 wants.
func (d *Description) marshal(id, version uint64) ([]byte, error) {
	origin := netip.IPv4Unspecified()
	if d.Connection.IsValid() {
		origin = d.Connection
	}
	c := connection(origin)
	out := pion.SessionDescription{
		Origin: pion.Origin{
			Username: "-", SessionID: id, SessionVersion: version,
			NetworkType: c.NetworkType, AddressType: c.AddressType, UnicastAddress: c.Address.Address,
		},
		SessionName:           "-",
		ConnectionInformation: connection(d.Connection),
		TimeDescriptions:      []pion.TimeDescription{{}},
		Attributes:            attributes(d.Attributes),
	}
	for i := range d.Media {
		m := &d.Media[i]
		line := &pion.MediaDescription{
			MediaName: pion.MediaName{
				Media: m.Kind, Port: pion.RangedPort{Value: int(m.Port)},
				Protos: strings.Split(m.Proto, "/"), Formats: m.Formats,
			},
			Attributes: attributes(m.Attributes),
		}
		if m.Ports != 1 {
			line.MediaName.Port.Range = &m.Ports
		}
		if m.ownAddress {
			line.ConnectionInformation = connection(m.Address)
		}
		out.MediaDescriptions = append(out.MediaDescriptions, line)
	}
	return out.Marshal()
}

func connection(a netip.Addr) *pion.ConnectionInformation {
	if !a.IsValid() {
		return nil
	}
	kind := "IP4"
	if a.Is6() {
		kind = "IP6"
	}
	return &pion.ConnectionInformation{NetworkType: "IN", AddressType: kind, Address: &pion.Address{Address: a.String()}}
}

func attributes(list []Attribute) []pion.Attribute {
	out := make([]pion.Attribute, len(list))
	for i, a := range list {
		out[i] = pion.Attribute{Key: a.Key, Value: a.Value}
	}
	return out
}

// description begins one of ours.
func (p *Policy) description() *Description {
	a := p.Address.Unmap().WithZone("")
	return &Description{Origin: Origin{Username: "-", Address: a.String()}, Name: "-", Connection: a}
}

// media makes a line of ours from formats under their payload types.
func (p *Policy) media(proto string, formats []Codec, d Direction) Media {
	m := Media{Kind: "audio", Port: p.Port, Ports: 1, Proto: proto, Address: p.Address.Unmap().WithZone(""), Direction: d}
	add := func(key, value string) { m.Attributes = append(m.Attributes, Attribute{key, value}) }
	for _, c := range formats {
		pt := strconv.Itoa(int(c.PayloadType))
		m.Formats = append(m.Formats, pt)
		add("rtpmap", pt+" "+c.String())
		if c.Fmtp != "" {
			add("fmtp", pt+" "+c.Fmtp)
		}
	}
	add("ptime", strconv.Itoa(ptime))
	add(d.String(), "")
	m.interpret()
	return m
}

// eventCodec is telephone-event as we announce it.
func eventCodec(pt uint8, clock int) Codec {
	return Codec{Name: telephoneEvent, Clock: clock, Channels: 1, PayloadType: pt, Fmtp: eventRange}
}

// rejected is the line in an answer or re-offer that does without it (RFC 3264
// sections 6 and 8.2): same place, kind, protocol and formats, port 0.
func (m *Media) rejected() Media {
	formats := m.Formats
	if len(formats) == 0 {
		formats = []string{"0"} // the line must have one
	}
	return Media{Kind: m.Kind, Ports: 1, Proto: m.Proto, Formats: formats}
}

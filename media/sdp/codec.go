package sdp

import (
	"strconv"
	"strings"
)

// Codec is one RTP payload format as one description names it.
type Codec struct {
	// Name is the media subtype, for example "PCMU"; compared without case.
	Name string
	// Clock is the rate of RTP timestamps in Hz. It is 8000 for G722, whatever
	// the phone wrote (RFC 3551 section 4.5.2).
	Clock int
	// Channels is 1 or more.
	Channels int
	// PayloadType is 0–127: the type under which the author of the description
	// wants to receive the format.
	PayloadType uint8
	// Fmtp holds the format parameters, verbatim, or nothing.
	Fmtp string
}

// The formats we decode and encode ourselves, under their static payload types
// (RFC 3551 section 6).
var (
	PCMU = Codec{Name: "PCMU", Clock: 8000, Channels: 1, PayloadType: 0}
	PCMA = Codec{Name: "PCMA", Clock: 8000, Channels: 1, PayloadType: 8}
	G722 = Codec{Name: "G722", Clock: 8000, Channels: 1, PayloadType: 9}
)

// G711 lists the formats we speak ourselves, preferred first.
func G711() []Codec { return []Codec{PCMA, PCMU} }

// telephoneEvent is the payload format of digits (RFC 4733).
const telephoneEvent = "telephone-event"

// Is tells whether both name the same format, so that packets of one can be
// sent as the other by changing nothing but the payload type.
func (c Codec) Is(other Codec) bool {
	if !strings.EqualFold(c.Name, other.Name) || c.Clock != other.Clock || c.Channels != other.Channels {
		return false
	}
	// Bandwidth-efficient and octet-aligned AMR are two different payload
	// layouts under one name (RFC 4867 section 8.1).
	if strings.EqualFold(c.Name, "AMR") || strings.EqualFold(c.Name, "AMR-WB") {
		return octetAligned(c.Fmtp) == octetAligned(other.Fmtp)
	}
	return true
}

// IsZero tells whether c names no format at all.
func (c Codec) IsZero() bool { return c.Name == "" }

// String is the format as in an rtpmap, for example "opus/48000/2".
func (c Codec) String() string { return string(c.appendTo(nil)) }

// appendTo appends what String gives.
func (c Codec) appendTo(b []byte) []byte {
	b = append(append(b, c.Name...), '/')
	b = strconv.AppendInt(b, int64(c.Clock), 10)
	if c.Channels > 1 {
		b = strconv.AppendInt(append(b, '/'), int64(c.Channels), 10)
	}
	return b
}

// isEvent tells whether c carries digits instead of speech.
func (c Codec) isEvent() bool { return strings.EqualFold(c.Name, telephoneEvent) }

// isSpeech tells whether c can carry a conversation by itself; digits, comfort
// noise, redundancy and repair formats only accompany another format.
func (c Codec) isSpeech() bool {
	for _, name := range companions {
		if strings.EqualFold(c.Name, name) {
			return false
		}
	}
	return true
}

// companions are the formats that are no speech, the unknown one included.
var companions = [...]string{"", telephoneEvent, "cn", "red", "rtx", "ulpfec", "parityfec", "flexfec", "x-ulpfecuc", "tone"}

// octetAligned reads octet-align=1 out of format parameters.
func octetAligned(fmtp string) bool {
	for _, p := range strings.FieldsFunc(fmtp, func(r rune) bool { return r == ';' || r == ' ' }) {
		if strings.EqualFold(p, "octet-align=1") {
			return true
		}
	}
	return false
}

// static gives the formats that need no rtpmap (RFC 3551 table 4).
func static(pt uint8) (Codec, bool) {
	c := Codec{PayloadType: pt, Clock: 8000, Channels: 1}
	switch pt {
	case 0:
		c.Name = "PCMU"
	case 3:
		c.Name = "GSM"
	case 4:
		c.Name = "G723"
	case 5:
		c.Name = "DVI4"
	case 6:
		c.Name, c.Clock = "DVI4", 16000
	case 7:
		c.Name = "LPC"
	case 8:
		c.Name = "PCMA"
	case 9:
		c.Name = "G722"
	case 10:
		c.Name, c.Clock, c.Channels = "L16", 44100, 2
	case 11:
		c.Name, c.Clock = "L16", 44100
	case 12:
		c.Name = "QCELP"
	case 13:
		c.Name = "CN"
	case 14:
		c.Name, c.Clock = "MPA", 90000
	case 15:
		c.Name = "G728"
	case 16:
		c.Name, c.Clock = "DVI4", 11025
	case 17:
		c.Name, c.Clock = "DVI4", 22050
	case 18:
		c.Name = "G729"
	default:
		return Codec{}, false
	}
	return c, true
}

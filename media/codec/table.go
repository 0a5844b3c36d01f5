package codec

import (
	"errors"
	"fmt"
	"strings"
)

// Dynamic is the payload type of a format that has no fixed one.
const Dynamic = -1

// Longest is the longest packet we take or make, in ms.
const Longest = 120

// ErrFormat says that a format cannot be decoded or encoded here, or not at that
// rate.
var ErrFormat = errors.New("no codec for the format")

// ErrPayload says that a payload is not what its format makes.
var ErrPayload = errors.New("malformed payload")

// Format is one row of the table.
type Format struct {
	// Name is the media subtype, "PCMA", in the usual case.
	Name string
	// Clock is the rate of the RTP timestamps in Hz, Rate that of the samples: for
	// G722 the one is 8000 and the other 16000 (RFC 3551 section 4.5.2).
	Clock, Rate int
	// Channels is the number in the rtpmap: 2 for opus whatever is in it (RFC 7587
	// section 7).
	Channels int
	// PayloadType is the static one (RFC 3551 table 4) or Dynamic.
	PayloadType int
	// Decodes and Encodes say what this package does by itself.
	Decodes, Encodes bool
	// Worker says that a worker.Worker encodes it, where there is one.
	Worker bool

	decoder func(rate int) Decoder
	encoder func(rate int) Encoder
}

// Decoder is the receiving side of one stream.
type Decoder interface {
	// Decode expands a payload into pcm and returns how many samples it wrote. pcm
	// has room for Longest ms, else the rest of the payload is lost. It fails with
	// ErrPayload, and goes on with the next one.
	Decode(pcm []int16, payload []byte) (n int, err error)
}

// Encoder is the sending side of one stream.
type Encoder interface {
	// Encode compresses samples into payload, which must have room, and returns how
	// many bytes it wrote; 0 means that there is nothing to send. pcm is a whole
	// number of frames of 10 ms.
	Encode(payload []byte, pcm []int16) (n int)
}

// Table lists the formats, those that cost little before the one that does not.
var Table = []Format{
	{Name: "G722", Clock: 8000, Rate: 16000, Channels: 1, PayloadType: 9, Decodes: true, Encodes: true,
		decoder: newG722Decoder, encoder: newG722Encoder},
	{Name: "PCMA", Clock: 8000, Rate: 8000, Channels: 1, PayloadType: 8, Decodes: true, Encodes: true,
		decoder: newALawDecoder, encoder: newALawEncoder},
	{Name: "PCMU", Clock: 8000, Rate: 8000, Channels: 1, PayloadType: 0, Decodes: true, Encodes: true,
		decoder: newMuLawDecoder, encoder: newMuLawEncoder},
	{Name: "opus", Clock: 48000, Rate: 48000, Channels: 2, PayloadType: Dynamic, Decodes: true, Worker: true,
		decoder: newOpusDecoder},
}

// Find gives the row of a format as an rtpmap names it: without regard to case.
func Find(name string, clock, channels int) (*Format, bool) {
	for i := range Table {
		f := &Table[i]
		if f.Clock == clock && f.Channels == channels && strings.EqualFold(f.Name, name) {
			return f, true
		}
	}
	return nil, false
}

// NewDecoder makes the receiving side of a stream; rate is that of the samples in
// Hz. It fails with ErrFormat.
func (f *Format) NewDecoder(rate int) (Decoder, error) {
	if f.decoder == nil || !known(rate) {
		return nil, fmt.Errorf("%w: decode %s at %d Hz", ErrFormat, f.Name, rate)
	}
	return f.decoder(rate), nil
}

// NewEncoder makes the sending side of a stream; rate is that of the samples in
// Hz. It fails with ErrFormat.
func (f *Format) NewEncoder(rate int) (Encoder, error) {
	if f.encoder == nil || !known(rate) {
		return nil, fmt.Errorf("%w: encode %s at %d Hz", ErrFormat, f.Name, rate)
	}
	return f.encoder(rate), nil
}

// known tells whether we work at a rate.
func known(rate int) bool { return rate == 8000 || rate == 16000 || rate == 48000 }

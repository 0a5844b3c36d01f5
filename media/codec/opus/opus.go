package opus

import (
	"errors"
	"fmt"

	"github.com/pion/opus"
)

// ErrPayload says that a payload is no Opus packet.
var ErrPayload = errors.New("malformed opus packet")

// longest is the longest packet, in ms (RFC 6716 section 3.2.5).
const longest = 120

// Decoder is the receiving side of one stream.
type Decoder struct {
	opus opus.Decoder
	rate int
	pcm  []int16 // of a packet
}

// New makes the decoder of a stream; rate is that of the samples, 8000, 16000 or
// 48000 Hz. It panics on one that Opus does not have.
func New(rate int) *Decoder {
	d := &Decoder{rate: rate, pcm: make([]int16, rate/1000*longest)}
	d.reset()
	return d
}

// reset begins anew.
func (d *Decoder) reset() {
	var err error
	if d.opus, err = opus.NewDecoderWithOutput(d.rate, 1); err != nil {
		panic(err)
	}
}

// Decode expands a packet into pcm and returns how many samples it wrote, at most as
// many as there is room for. It fails with ErrPayload, and goes on with the next one.
func (d *Decoder) Decode(pcm []int16, payload []byte) (n int, err error) {
	defer func() {
		// A party must not be able to end a call with a packet that makes the
		// decoder fail.
		if reason := recover(); reason != nil {
			d.reset()
			n, err = 0, fmt.Errorf("%w: %v", ErrPayload, reason)
		}
	}()
	if len(payload) == 0 {
		return 0, ErrPayload
	}
	if n, err = d.opus.DecodeToInt16(payload, d.pcm); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	return copy(pcm, d.pcm[:n]), nil
}

// Silence writes a packet of ms of silence, 10, 20, 40 or 60, and returns its length:
// 7 bytes at most. It is what libopus makes of silence in CELT.
func Silence(payload []byte, ms int) int {
	const ten, twenty, several = 30 << 3, 31 << 3, 3
	var frame = [2]byte{0xff, 0xfe}
	switch {
	case ms == 10:
		payload[0] = ten
	case ms <= 20:
		payload[0] = twenty
	default:
		payload[0], payload[1] = twenty|several, byte(ms/20)
		n := 2
		for range ms / 20 {
			n += copy(payload[n:], frame[:])
		}
		return n
	}
	return 1 + copy(payload[1:], frame[:])
}

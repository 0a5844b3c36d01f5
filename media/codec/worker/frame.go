package worker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Kind is what a frame of the protocol is.
type Kind uint8

// The kinds.
const (
	Ready   Kind = 1 + iota // the version of the library
	Absent                  // why there is no library
	Samples                 // number, rate, samples
	Packet                  // number, Opus packet
)

// Sizes in bytes.
const (
	header = 8
	// MaxPacket is the longest Opus packet that is made.
	MaxPacket = 500
	// MaxFrame is the longest frame: 60 ms at 48 kHz.
	MaxFrame = header + 8 + 2*2880
)

// ErrProtocol says that the other end does not speak the protocol.
var ErrProtocol = errors.New("worker: malformed frame")

// Frame is one frame of the protocol.
type Frame struct {
	Kind   Kind
	Stream uint32
	// Body belongs to the reader, until its next frame.
	Body []byte
}

// Append writes the header of a frame with a body of n bytes, which the caller adds.
func Append(b []byte, kind Kind, stream uint32, n int) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	b = append(b, byte(kind), 0)
	return binary.BigEndian.AppendUint32(b, stream)
}

// Reader reads frames. It belongs to one goroutine.
type Reader struct {
	in   *bufio.Reader
	head [header]byte
	body [MaxFrame]byte
}

// NewReader makes a reader of frames.
func NewReader(in io.Reader) *Reader { return &Reader{in: bufio.NewReaderSize(in, 1<<16)} }

// Next waits for a frame. It fails with io.EOF at the end, else with ErrProtocol or
// what reading failed with.
func (r *Reader) Next() (Frame, error) {
	if _, err := io.ReadFull(r.in, r.head[:]); err != nil {
		return Frame{}, err
	}
	n := int(binary.BigEndian.Uint16(r.head[:]))
	f := Frame{Kind: Kind(r.head[2]), Stream: binary.BigEndian.Uint32(r.head[4:])}
	if n > MaxFrame-header || f.Kind < Ready || f.Kind > Packet || r.head[3] != 0 {
		return Frame{}, fmt.Errorf("%w: kind %d, %d bytes", ErrProtocol, f.Kind, n)
	}
	f.Body = r.body[:n]
	if _, err := io.ReadFull(r.in, f.Body); err != nil {
		return Frame{}, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return f, nil
}

// AppendSamples writes a Samples frame.
func AppendSamples(b []byte, stream, number uint32, rate int, pcm []int16) []byte {
	b = Append(b, Samples, stream, 8+2*len(pcm))
	b = binary.BigEndian.AppendUint32(b, number)
	b = binary.BigEndian.AppendUint32(b, uint32(rate))
	for _, s := range pcm {
		b = binary.BigEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// Samples takes a Samples frame apart; pcm has room for 2880 samples. It fails with
// ErrProtocol.
func (f *Frame) Samples(pcm []int16) (number uint32, rate, n int, err error) {
	if f.Kind != Samples || len(f.Body) < 10 || len(f.Body)%2 != 0 {
		return 0, 0, 0, fmt.Errorf("%w: samples", ErrProtocol)
	}
	number, rate = binary.BigEndian.Uint32(f.Body), int(binary.BigEndian.Uint32(f.Body[4:]))
	for b := f.Body[8:]; len(b) > 0 && n < len(pcm); b = b[2:] {
		pcm[n] = int16(binary.BigEndian.Uint16(b))
		n++
	}
	switch rate {
	case 8000, 16000, 48000:
	default:
		return 0, 0, 0, fmt.Errorf("%w: samples at %d Hz", ErrProtocol, rate)
	}
	switch ms := n * 1000 / rate; {
	case n*1000%rate == 0 && (ms == 10 || ms == 20 || ms == 40 || ms == 60):
		return number, rate, n, nil
	}
	return 0, 0, 0, fmt.Errorf("%w: %d samples at %d Hz", ErrProtocol, n, rate)
}

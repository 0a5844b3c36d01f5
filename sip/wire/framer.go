package wire

import (
	"errors"
	"io"
)

// ErrIncomplete says that Next needs more bytes.
var ErrIncomplete = errors.New("message incomplete")

// ErrTooLarge says that a message on a stream exceeds the limits of S5 and
// could not be answered: close.
var ErrTooLarge = errors.New("message too large")

// Frame is one unit of a stream.
type Frame struct {
	Data []byte // one whole message, valid until the next Fill; nil for a ping
	Ping bool   // CRLFCRLF: answer CRLF (RFC 5626 section 4.4.1)
}

// Framer cuts the bytes of one stream into messages.
type Framer struct{}

// Fill reads once from r.
func (f *Framer) Fill(r io.Reader) error { return nil }

// Next returns the next frame. ErrIncomplete asks for Fill; a *Fault must be
// answered and the connection closed; any other error only closes it.
func (f *Framer) Next() (Frame, error) { return Frame{}, ErrIncomplete }

// Partial reports that a message has begun and is not whole (S8).
func (f *Framer) Partial() bool { return false }

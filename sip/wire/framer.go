package wire

import (
	"bytes"
	"errors"
	"io"
)

// ErrIncomplete says that Framer.Next needs more bytes: call Fill.
var ErrIncomplete = errors.New("message incomplete")

// ErrBroken says that a stream cannot be cut into messages any more and nobody
// can be told: close it.
var ErrBroken = errors.New("stream out of step")

// Buffer sizes in bytes. A connection that waits between messages holds the
// small one; one that outgrew shrunken is replaced when it is empty.
const (
	idleBuffer = 2 << 10
	shrunken   = 8 << 10
)

// Frame is one unit of a stream.
type Frame struct {
	Data []byte // one whole message, valid until the next Fill; nil for a ping
	Ping bool   // CRLF CRLF between messages: answer with one CRLF (RFC 5626 section 4.4.1)
}

// Framer cuts the bytes of one stream into messages (RFC 3261 section 18.3). It
// belongs to the goroutine that reads the connection:
//
//	for {
//		frame, err := framer.Next()
//		switch {
//		case err == nil:
//			handle(frame)
//		case errors.Is(err, wire.ErrIncomplete):
//			setReadDeadline(framer.Partial())
//			err = framer.Fill(conn) // returns at the latest by the deadline
//		}
//		…
//	}
//
// The zero value is ready for use. How the bytes arrive in pieces makes no
// difference to the frames.
type Framer struct {
	buf   []byte // buf[start:] is not used up yet
	start int
	scan  int // no end of the header section before buf[start+scan]
	head  int // length of the header section, 0 while unknown
	total int // length of the message, once head is known
	crlf  int // line ends in a row between messages
	err   error
}

// Fill reads once from r. It returns r's error, io.ErrUnexpectedEOF instead of
// io.EOF inside a message.
func (f *Framer) Fill(r io.Reader) error {
	f.makeRoom()
	n, err := r.Read(f.buf[len(f.buf):cap(f.buf)])
	f.buf = f.buf[:len(f.buf)+n]
	if n > 0 {
		return nil // an error will be there again at the next read
	}
	if err == io.EOF && f.Partial() {
		return io.ErrUnexpectedEOF
	}
	return err
}

// makeRoom moves the rest to the front and gives the buffer a size that fits.
func (f *Framer) makeRoom() {
	rest := f.buf[f.start:]
	if f.start == 0 && len(rest) > 0 && len(rest) < cap(f.buf) {
		return
	}
	f.start = 0
	switch {
	case len(rest) == 0 && (f.buf == nil || cap(f.buf) > shrunken):
		f.buf = make([]byte, 0, idleBuffer)
	case len(rest) == cap(f.buf):
		f.buf = append(make([]byte, 0, 2*cap(f.buf)), rest...)
	default:
		f.buf = f.buf[:copy(f.buf[:cap(f.buf)], rest)]
	}
}

// Partial reports that a message has begun and is not whole (S8).
func (f *Framer) Partial() bool { return f.start < len(f.buf) }

// Held returns the size in bytes of the buffer the framer holds.
func (f *Framer) Held() int { return cap(f.buf) }

// Next returns the next frame. ErrIncomplete asks for Fill. A *Fault must be
// answered and the connection closed, ErrBroken only closes it; both stay.
func (f *Framer) Next() (Frame, error) {
	if f.err != nil {
		return Frame{}, f.err
	}
	if f.head == 0 {
		if f.skipLineEnds() {
			return Frame{Ping: true}, nil
		}
		if err := f.findHead(); err != nil {
			return Frame{}, f.stay(err)
		}
	}
	if len(f.buf)-f.start < f.total {
		return Frame{}, ErrIncomplete
	}
	data := f.buf[f.start : f.start+f.total : f.start+f.total]
	f.start += f.total
	f.head, f.scan, f.total = 0, 0, 0
	return Frame{Data: data}, nil
}

// stay keeps an error that ends the stream.
func (f *Framer) stay(err error) error {
	if !errors.Is(err, ErrIncomplete) {
		f.err = err
	}
	return err
}

// skipLineEnds uses up what stands between messages. It reports true at the
// second line end in a row: a ping. One alone is a pong or nothing.
func (f *Framer) skipLineEnds() (ping bool) {
	for f.scan == 0 && f.start < len(f.buf) {
		b := f.buf[f.start:]
		switch {
		case b[0] == '\n':
			f.start++
		case b[0] == '\r' && len(b) > 1 && b[1] == '\n':
			f.start += 2
			if f.crlf++; f.crlf == 2 {
				f.crlf = 0
				return true
			}
		default:
			return false
		}
	}
	return false
}

// findHead looks for the empty line and reads Content-Length.
func (f *Framer) findHead() error {
	b := f.buf[f.start:]
	if len(b) == 0 || len(b) == 1 && b[0] == '\r' {
		return ErrIncomplete
	}
	f.crlf = 0
	n := headEnd(b, f.scan)
	if f.scan == 0 || n > 0 {
		if err := checkFirst(b); err != nil {
			return err
		}
	}
	if n == 0 {
		if len(b) > MaxMessage {
			return broken(b, 513, "Message Too Large")
		}
		f.scan = max(len(b)-3, 0)
		if bytes.IndexByte(b, '\n') < 0 {
			f.scan = 0 // the start line has yet to be looked at
		}
		return ErrIncomplete
	}
	length, err := bodyLength(b[:n])
	if err != nil {
		return err
	}
	if n+length > MaxMessage {
		return broken(b[:n], 513, "Message Too Large")
	}
	f.head, f.total = n, n+length
	return nil
}

// headEnd returns the length of the header section with its empty line, 0 when
// the end is not there yet. Nothing ends before from.
func headEnd(b []byte, from int) int {
	for i := from; ; {
		j := bytes.IndexByte(b[i:], '\n')
		if j < 0 {
			return 0
		}
		i += j + 1
		switch rest := b[i:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return i + 1
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return i + 2
		}
	}
}

// checkFirst gives up on a stream whose first line cannot be SIP, before it can
// fill a buffer.
func checkFirst(b []byte) error {
	line, _ := nextLine(b)
	if len(line) > maxLine {
		return ErrBroken
	}
	if len(line) == len(b) {
		return nil
	}
	if bytes.IndexByte(line, ' ') <= 0 || !bytes.Contains(line, []byte("SIP/")) && !bytes.Contains(line, []byte("sip/")) {
		return ErrBroken
	}
	return nil
}

// bodyLength reads Content-Length, which a message on a stream must have: once,
// or repeated with the same value (S7). It looks at lines only; Parse reads the
// message afterwards.
func bodyLength(head []byte) (int, error) {
	length := -1
	_, rest := nextLine(head)
	for len(rest) > 0 {
		var line []byte
		line, rest = nextLine(rest)
		i := bytes.IndexByte(line, ':')
		if i <= 0 || isBlank(line[0]) || !named(trimBytes(line[:i]), "content-length", 'l') {
			continue
		}
		value := trimBytes(line[i+1:])
		for len(rest) > 0 && isBlank(rest[0]) {
			line, rest = nextLine(rest)
			if more := trimBytes(line); len(value) == 0 {
				value = more
			} else if len(more) > 0 {
				return 0, broken(head, 400, "Bad Request: Content-Length: malformed number")
			}
		}
		n, ok := digits(string(value), MaxMessage)
		switch {
		case !ok:
			return 0, broken(head, 400, "Bad Request: Content-Length: malformed number")
		case n > MaxMessage:
			return 0, broken(head, 513, "Message Too Large")
		case length >= 0 && length != int(n):
			return 0, broken(head, 400, "Bad Request: Content-Length: more than one")
		}
		length = int(n)
	}
	if length < 0 {
		return 0, broken(head, 400, "Bad Request: Content-Length: missing")
	}
	return length, nil
}

// broken is the fault of a stream, to be answered if a request can be read in
// what there is of it.
func broken(b []byte, status int, reason string) error {
	var s section
	s.split(string(b[:min(len(b), MaxMessage)]))
	err := s.refuse(status, reason)
	if errors.Is(err, ErrUnreadable) {
		return ErrBroken
	}
	return err
}

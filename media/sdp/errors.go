package sdp

import (
	"errors"
	"fmt"
)

// ErrInvalid is matched by every error of Parse; the SIP answer is 400.
var ErrInvalid = errors.New("invalid session description")

// What Parse refuses. Each comes inside a ParseError and matches ErrInvalid too.
var (
	// ErrSyntax is text that is no session description, or an m= line that
	// cannot be read.
	ErrSyntax = fmt.Errorf("%w: syntax", ErrInvalid)
	// ErrLimit is more bytes, m= lines or formats than MaxSize, MaxMedia and
	// MaxFormats allow.
	ErrLimit = fmt.Errorf("%w: too large", ErrInvalid)
	// ErrRange is a port outside 0–65535 or an RTP payload type above 127.
	ErrRange = fmt.Errorf("%w: number out of range", ErrInvalid)
)

// Why an offer and an answer do not meet; the SIP answer is 488.
var (
	// ErrNoMedia says that no m= line is audio we can carry: all are rejected
	// (port 0), video, fax, over TCP or something else.
	ErrNoMedia = errors.New("no usable audio in session description")
	// ErrNoCodec says that there is audio, but in no format both sides know.
	ErrNoCodec = errors.New("no common codec")
	// ErrNoProtection says that there is audio, but encrypted in no way both sides
	// know, or not encrypted where it has to be.
	ErrNoProtection = errors.New("no common encryption of media")
)

// ParseError says which line was refused and why.
type ParseError struct {
	Line int    // counted from 1, blank lines included; 0 for the whole
	Text string // the line, cut to 80 bytes
	Err  error  // ErrSyntax, ErrLimit or ErrRange
}

// Error implements error.
func (e *ParseError) Error() string {
	if e.Line == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v in line %d %q", e.Err, e.Line, e.Text)
}

// Unwrap gives the sentinel.
func (e *ParseError) Unwrap() error { return e.Err }

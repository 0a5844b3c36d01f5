package dialplan

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrInvalid is the sentinel under every FieldErrors and RowError.
var ErrInvalid = errors.New("invalid value")

// FieldError says what is wrong with one field of a resource.
type FieldError struct {
	Field   string // JSON name of the field
	Message string // lower case, without the field's name
}

// FieldErrors are the faults of one resource, in the order of its fields.
type FieldErrors []FieldError

// Error lists the faults on one line.
func (e FieldErrors) Error() string {
	parts := make([]string, len(e))
	for i, f := range e {
		parts[i] = f.Field + ": " + f.Message
	}
	return strings.Join(parts, "; ")
}

// Unwrap makes errors.Is(err, ErrInvalid) true.
func (e FieldErrors) Unwrap() error { return ErrInvalid }

// check appends a fault when ok is false.
func (e *FieldErrors) check(ok bool, field, message string) {
	if !ok {
		*e = append(*e, FieldError{field, message})
	}
}

// err is nil when nothing is wrong; a plain return of e would be a non-nil
// error holding an empty list.
func (e FieldErrors) err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// maxText bounds names people give to things, in bytes.
const maxText = 128

// plainText reports whether s may travel as a display name: valid UTF-8 without
// control characters, so that it cannot break a header or a log line (S15).
func plainText(s string) bool {
	if len(s) > maxText || !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, unicode.IsControl)
}

// digits reports whether s consists of lo to hi ASCII digits.
func digits(s string, lo, hi int) bool {
	if len(s) < lo || len(s) > hi {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

package dialplan

import (
	"errors"
	"fmt"
	"net/mail"
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

// none refuses a reference to something of which the switch has none.
func (e *FieldErrors) none(given bool, field, what string) {
	e.check(!given, field, "there is no such "+what)
}

// text checks free text of people and programs.
func (e *FieldErrors) text(field, s string, limit int) {
	e.check(len(s) <= limit && freeText(s), field, fmt.Sprintf("must be at most %d bytes of text", limit))
}

// mail checks a mail address, which may be empty.
func (e *FieldErrors) mail(field, s string) {
	e.check(s == "" || mailAddress(s), field, "must be a mail address or empty")
}

// Longest texts, in bytes.
const (
	maxText  = 128     // names people give to things
	maxNote  = 1 << 10 // what people write about themselves
	maxExtra = 16 << 10
	maxMail  = 254 // RFC 5321 4.5.3.1.3, without the brackets
)

// plainText reports whether s may travel as a display name: valid UTF-8 without
// control characters, so that it cannot break a header or a log line (S15).
func plainText(s string) bool {
	if len(s) > maxText || !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, unicode.IsControl)
}

// freeText reports whether s is UTF-8 without control characters other than line
// breaks and tabs. It never travels in a header.
func freeText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
	})
}

// mailAddress accepts a bare address (RFC 5322 3.4.1), without a display name.
func mailAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && len(s) <= maxMail && a.Address == s
}

// languageTag accepts the form of a tag (RFC 5646 2.1), not its content: parts
// of letters and digits between hyphens. Empty passes.
func languageTag(s string) bool {
	if s == "" {
		return true
	}
	for part := range strings.SplitSeq(s, "-") {
		if part == "" || len(part) > 8 || strings.Trim(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return len(s) <= 35
}

// countries accepts a list of ISO 3166 alpha-2 codes between single spaces, a
// star for all of them, and nothing.
func countries(s string) bool {
	if s == "" || s == "*" {
		return true
	}
	for code := range strings.SplitSeq(s, " ") {
		if len(code) != 2 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return false
		}
	}
	return len(s) <= maxNote
}

// clone is a pointer to a copy.
func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
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

package store

import (
	"encoding/json"
	"log/slog"
)

// Secret is a text that must not leave the switch: a password, a token. In JSON,
// logs and error texts it shows nothing of itself; the codec of a Table seals it
// with the key of the store. It is read from JSON like any string.
type Secret string

// Reveal returns the text, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// String hides the text from fmt.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[secret]"
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return "store.Secret(" + s.String() + ")" }

// LogValue hides the text from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON answers null.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// UnmarshalJSON reads a string; null leaves the secret as it is.
func (s *Secret) UnmarshalJSON(b []byte) error {
	var text *string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	if text != nil {
		*s = Secret(*text)
	}
	return nil
}

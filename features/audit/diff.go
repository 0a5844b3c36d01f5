package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

const (
	// mask stands for a secret.
	mask = "***"
	// maxValue and maxSide are the most bytes of JSON kept of one field and of
	// all: a call-control document is kept by those who own it, not here.
	maxValue = 16 << 10
	maxSide  = 64 << 10
)

// secretWords make a field a secret, wherever in a name they stand as a word:
// client_secret, moderator_pin, passwordHash.
var secretWords = []string{"password", "passwd", "passphrase", "secret", "pin", "pincode", "token", "credentials"}

// secretNames are secrets that no word of theirs betrays.
var secretNames = []string{"api_key", "private_key", "secret_key", "auth_key"}

// notSecret are names with such a word that say something else.
var notSecret = []string{"token_type"}

// isSecret reports whether a field of this name is not to be shown.
func isSecret(name string) bool {
	name = strings.ToLower(strings.Join(words(name), "_"))
	if slices.Contains(notSecret, name) {
		return false
	}
	return slices.Contains(secretNames, name) || slices.ContainsFunc(strings.Split(name, "_"), func(w string) bool {
		return slices.Contains(secretWords, w)
	})
}

// words splits a JSON name where people see its words begin.
func words(name string) []string {
	var b strings.Builder
	lower := false
	for _, r := range name {
		if lower && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		lower = r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		b.WriteRune(r)
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return r == '_' || r == '-' || r == '.' || r == ' ' })
}

// object is the JSON of v, which must be an object or nothing. Numbers keep
// their digits.
func object(v any) (map[string]any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	if string(raw) == "null" {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var o map[string]any
	if err := d.Decode(&o); err != nil {
		return nil, fmt.Errorf("audit: not a JSON object: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("audit: more than one JSON value")
	}
	return o, nil
}

// diff keeps of two objects the fields that differ; of objects inside them
// likewise. A field that one of them lacks is left out there.
func diff(a, b map[string]any) (before, after map[string]any) {
	before, after = map[string]any{}, map[string]any{}
	for name, was := range a {
		is, both := b[name]
		if !both {
			before[name] = was
			continue
		}
		inA, okA := was.(map[string]any)
		inB, okB := is.(map[string]any)
		switch {
		case reflect.DeepEqual(was, is):
		case okA && okB:
			before[name], after[name] = diff(inA, inB)
		default:
			before[name], after[name] = was, is
		}
	}
	for name, is := range b {
		if _, both := a[name]; !both {
			after[name] = is
		}
	}
	return before, after
}

// masked is a copy of v without its secrets: what is not null or empty under the
// name of a secret becomes a mask.
func masked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, field := range v {
			if isSecret(name) && field != nil && field != "" {
				out[name] = mask
			} else {
				out[name] = masked(field)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, field := range v {
			out[i] = masked(field)
		}
		return out
	}
	return v
}

// side is what an entry keeps of one side of a change.
func side(o map[string]any) (json.RawMessage, error) {
	out := masked(o).(map[string]any)
	for name, v := range out {
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		if len(raw) > maxValue {
			out[name] = leftOut(len(raw))
		}
	}
	raw, err := json.Marshal(out)
	if err == nil && len(raw) > maxSide {
		raw, err = json.Marshal(map[string]any{"left_out": leftOut(len(raw))})
	}
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return raw, nil
}

// leftOut stands for something too long for the log.
func leftOut(n int) string { return fmt.Sprintf("(%d bytes)", n) }

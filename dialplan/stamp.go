package dialplan

import (
	"fmt"
	"time"
)

// Stamp is a time in UTC as the API writes it: "2021-01-01 16:29:38.76", with a
// fraction of hundredths unless that is zero; null for the zero time.
type Stamp struct{ time.Time }

const stampLayout = "2006-01-02 15:04:05"

// StampOf keeps of t what a Stamp can say.
func StampOf(t time.Time) Stamp {
	if t.IsZero() {
		return Stamp{}
	}
	return Stamp{t.UTC().Truncate(10 * time.Millisecond)} // drops the monotonic reading
}

// ParseStamp reads what a Stamp writes, with any number of digits in the
// fraction. It is in UTC.
func ParseStamp(s string) (Stamp, error) {
	t, err := time.Parse(stampLayout, s)
	if err != nil {
		return Stamp{}, fmt.Errorf("time: must be YYYY-MM-DD HH:MM:SS: %w", ErrInvalid)
	}
	return StampOf(t), nil
}

// String writes the time; empty for the zero time.
func (s Stamp) String() string {
	if s.IsZero() {
		return ""
	}
	return string(s.append(nil))
}

func (s Stamp) append(b []byte) []byte {
	layout := stampLayout
	if s.Nanosecond()/int(10*time.Millisecond) != 0 {
		layout += ".00"
	}
	return s.UTC().AppendFormat(b, layout)
}

// MarshalJSON writes the time.
func (s Stamp) MarshalJSON() ([]byte, error) {
	if s.IsZero() {
		return []byte("null"), nil
	}
	return append(s.append([]byte{'"'}), '"'), nil
}

// UnmarshalJSON reads what MarshalJSON writes; the error wraps ErrInvalid.
func (s *Stamp) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*s = Stamp{}
		return nil
	}
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return fmt.Errorf("time: must be a string: %w", ErrInvalid)
	}
	t, err := ParseStamp(string(b[1 : len(b)-1]))
	*s = t
	return err
}

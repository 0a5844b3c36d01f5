package store

import (
	"encoding/binary"
	"strings"
	"time"
)

// Key is the key of a row or of an index entry: one or more parts, each of which
// says itself where it ends. Comparing two keys of the same parts as bytes
// compares the parts one after another. A Key is made by Int, Str, Time and
// Join only; its bytes are not meant to be read by people.
type Key string

// Int is a key that sorts as the number does, negative ones first.
func Int(n int64) Key {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n)^1<<63)
	return Key(b[:])
}

// Time is a key that sorts by time. It keeps microseconds and forgets the zone.
func Time(t time.Time) Key { return Int(t.UnixMicro()) }

// Str is a key that sorts as the bytes of s do. Any string will do.
func Str(s string) Key {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\x00\xff")
	}
	return Key(s + "\x00\x01")
}

// Join makes one key of several parts, the first being the most significant.
func Join(parts ...Key) Key {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	var b strings.Builder
	b.Grow(n)
	for _, p := range parts {
		b.WriteString(string(p))
	}
	return Key(b.String())
}

// CutInt takes the number at the beginning of k, which Int or Time put there,
// and returns what follows it. ErrBadKey if there is none.
func (k Key) CutInt() (n int64, rest Key, err error) {
	if len(k) < 8 {
		return 0, "", ErrBadKey
	}
	return int64(binary.BigEndian.Uint64([]byte(k[:8])) ^ 1<<63), k[8:], nil
}

// CutStr takes the string at the beginning of k, which Str put there, and
// returns what follows it. ErrBadKey if there is none.
func (k Key) CutStr() (s string, rest Key, err error) {
	var b strings.Builder
	for {
		i := strings.IndexByte(string(k), 0)
		if i < 0 || i+1 >= len(k) {
			return "", "", ErrBadKey
		}
		b.WriteString(string(k[:i]))
		end := k[i+1]
		k = k[i+2:]
		switch end {
		case 0x01:
			return b.String(), k, nil
		case 0xff:
			b.WriteByte(0)
		default:
			return "", "", ErrBadKey
		}
	}
}

package secure

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
)

// The errors of this package.
var (
	// ErrKey says that a key cannot be used with its suite.
	ErrKey = errors.New("unusable key")
	// ErrTag says that a packet is not from who has the key.
	ErrTag = errors.New("authentication failed")
	// ErrReplay says that a packet was seen before or is too old to tell.
	ErrReplay = errors.New("replayed packet")
	// ErrSources says that one key was used for more sources than a party has.
	ErrSources = errors.New("too many sources under one key")
	// ErrFingerprint says that a DTLS certificate is not the one the description
	// vouches for.
	ErrFingerprint = errors.New("certificate does not match the fingerprint")
)

// Key is a master key with its salt and the suite it is for. A value never
// changes. It prints as the name of its suite only.
type Key struct {
	suite        Suite
	master, salt []byte
	mki          []byte // what packets carry beside the tag; nil for nothing
}

// NewKey draws a key (RFC 4568 section 10.1.1: from a strong source, for one
// stream only).
func NewKey(s Suite) Key {
	b := make([]byte, s.in().key+s.in().salt)
	_, _ = rand.Read(b) // never fails: it ends the program instead
	k, _ := KeyOf(s, b, nil)
	return k
}

// KeyOf makes a key of the master key followed by the master salt, as descriptions
// and DTLS give them, and the identifier that packets carry, nil for none. It keeps
// both slices, which nobody may change, and fails with ErrKey, whose text holds no
// part of the key.
func KeyOf(s Suite, material, mki []byte) (Key, error) {
	if s.IsZero() || len(material) != s.in().key+s.in().salt {
		return Key{}, fmt.Errorf("%w: %d bytes for %q", ErrKey, len(material), s)
	}
	n := s.in().key
	return Key{suite: s, master: material[:n:n], salt: material[n:], mki: mki}, nil
}

// Material is the master key followed by the master salt, for a description.
func (k Key) Material() []byte { return append(append([]byte(nil), k.master...), k.salt...) }

// Suite is what the key is for.
func (k Key) Suite() Suite { return k.suite }

// IsZero tells whether k is no key.
func (k Key) IsZero() bool { return k.suite.IsZero() }

// Is tells whether both are the same key.
func (k Key) Is(other Key) bool {
	return k.suite == other.suite && bytes.Equal(k.master, other.master) &&
		bytes.Equal(k.salt, other.salt) && bytes.Equal(k.mki, other.mki)
}

// Format implements fmt.Formatter: no verb shows the key.
func (k Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("key of " + k.suite.String())) }

// MarshalText keeps the key out of structured logs and JSON.
func (k Key) MarshalText() ([]byte, error) { return []byte("key of " + k.suite.String()), nil }

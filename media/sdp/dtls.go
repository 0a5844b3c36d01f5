package sdp

import (
	"encoding/hex"
	"strings"
)

// Setup is the part a side takes in setting up a DTLS association (RFC 4145, RFC
// 8842). The zero value is none at all.
type Setup uint8

// The parts.
const (
	NoSetup  Setup = iota
	ActPass        // either, the answerer chooses; only in offers
	Active         // the DTLS client
	Passive        // the DTLS server
	HoldConn       // none for now
)

var setups = [...]string{ActPass: "actpass", Active: "active", Passive: "passive", HoldConn: "holdconn"}

// String is the value of the a=setup line, empty for NoSetup.
func (s Setup) String() string { return setups[s] }

// readSetup reads the value of an a=setup line; NoSetup for any other.
func readSetup(value string) Setup {
	for s, word := range setups {
		if word != "" && strings.EqualFold(word, value) {
			return Setup(s)
		}
	}
	return NoSetup
}

// Fingerprint is the hash of a certificate (RFC 8122).
type Fingerprint struct {
	Hash string // "sha-256", lower case
	Sum  []byte
}

// hashes are those that are read, with their lengths in bytes. What is weaker
// proves nothing (RFC 8122 section 5).
var hashes = []struct {
	name   string
	length int
}{{"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64}, {"sha-1", 20}, {"sha-224", 28}}

// readFingerprint reads "sha-256 4A:AD:…"; it is false for a hash we do not know
// and for a sum of another length.
func readFingerprint(value string) (Fingerprint, bool) {
	name, sum, _ := strings.Cut(value, " ")
	raw, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(sum), ":", ""))
	if err != nil {
		return Fingerprint{}, false
	}
	for _, h := range hashes {
		if strings.EqualFold(name, h.name) && len(raw) == h.length {
			return Fingerprint{Hash: h.name, Sum: raw}, true
		}
	}
	return Fingerprint{}, false
}

// appendTo writes the line.
func (f *Fingerprint) appendTo(b []byte) []byte {
	b = append(append(append(b, "a=fingerprint:"...), f.Hash...), ' ')
	const digits = "0123456789ABCDEF"
	for i, x := range f.Sum {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, digits[x>>4], digits[x&15])
	}
	return append(b, "\r\n"...)
}

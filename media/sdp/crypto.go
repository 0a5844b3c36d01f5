package sdp

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
)

// Suite is an SRTP crypto suite, under its name in the IANA registry.
type Suite string

// The suites whose lines are read; lines of any other count in Secure.Ignored.
const (
	AESCM128SHA80 Suite = "AES_CM_128_HMAC_SHA1_80" // RFC 4568
	AESCM128SHA32 Suite = "AES_CM_128_HMAC_SHA1_32" // RFC 4568
	AESCM256SHA80 Suite = "AES_256_CM_HMAC_SHA1_80" // RFC 6188
	AESCM256SHA32 Suite = "AES_256_CM_HMAC_SHA1_32" // RFC 6188
	AEADAES128    Suite = "AEAD_AES_128_GCM"        // RFC 7714
	AEADAES256    Suite = "AEAD_AES_256_GCM"        // RFC 7714
)

// suites are the names that are read. Some gateways write the 256 in front.
var suites = []struct {
	name  string
	suite Suite
}{
	{string(AESCM128SHA80), AESCM128SHA80}, {string(AESCM128SHA32), AESCM128SHA32},
	{string(AESCM256SHA80), AESCM256SHA80}, {string(AESCM256SHA32), AESCM256SHA32},
	{"AES_CM_256_HMAC_SHA1_80", AESCM256SHA80}, {"AES_CM_256_HMAC_SHA1_32", AESCM256SHA32},
	{string(AEADAES128), AEADAES128}, {string(AEADAES256), AEADAES256},
}

// KeyLen and SaltLen are the lengths of master key and salt in bytes.
func (s Suite) KeyLen() int {
	if strings.Contains(string(s), "256") {
		return 32
	}
	return 16
}

// SaltLen is the length of the master salt in bytes, see KeyLen.
func (s Suite) SaltLen() int {
	if strings.HasPrefix(string(s), "AEAD") {
		return 12
	}
	return 14
}

// Crypto is one a=crypto line (RFC 4568): the key its author encrypts with.
type Crypto struct {
	// Tag is 1–999999999; an answer repeats that of the line it accepts.
	Tag int
	// Suite is never empty in what was read.
	Suite Suite
	// Key is the master key followed by the master salt.
	Key []byte
	// MKI is the identifier that every packet carries, empty without.
	MKI []byte

	name string // of the suite as the far end writes it, empty for Suite
}

// String shows the line without the key, which must not get into a log.
func (c Crypto) String() string { return strconv.Itoa(c.Tag) + " " + string(c.Suite) }

// readCrypto reads the value of an a=crypto line. It is false for a suite we do not
// know and for anything that leaves a doubt about what the packets will look like:
// a key of another length, several keys, a session parameter that changes packets
// or that must be understood and is not (RFC 4568 section 6.3).
func readCrypto(value string) (Crypto, bool) {
	f := strings.Fields(value)
	if len(f) < 3 {
		return Crypto{}, false
	}
	var c Crypto
	tag, err := readNumber(f[0], 999999999)
	if err != nil || tag == 0 {
		return Crypto{}, false
	}
	c.Tag = tag
	for _, known := range suites {
		if strings.EqualFold(f[1], known.name) {
			c.Suite, c.name = known.suite, f[1]
		}
	}
	if c.Suite == "" || !c.readKey(f[2]) {
		return Crypto{}, false
	}
	for _, parameter := range f[3:] {
		if !harmless(parameter) {
			return Crypto{}, false
		}
	}
	return c, true
}

// readKey reads "inline:key|lifetime|MKI:length", the last two optional.
func (c *Crypto) readKey(word string) bool {
	method, info, ok := strings.Cut(word, ":")
	if !ok || !strings.EqualFold(method, "inline") || strings.Contains(info, ";") {
		return false
	}
	key, rest, more := strings.Cut(info, "|")
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(key, "="))
	if err != nil || len(raw) != c.Suite.KeyLen()+c.Suite.SaltLen() {
		return false
	}
	c.Key = raw
	for more {
		var part string
		part, rest, more = strings.Cut(rest, "|")
		if value, length, isMKI := strings.Cut(part, ":"); isMKI {
			if c.MKI != nil || !c.readMKI(value, length) {
				return false
			}
		} else if !isLifetime(part) {
			return false
		}
	}
	return true
}

// readMKI reads "1:4": the value 1 in 4 bytes.
func (c *Crypto) readMKI(value, length string) bool {
	n, err := readNumber(length, 128)
	v, errValue := strconv.ParseUint(value, 10, 64)
	if err != nil || errValue != nil || n == 0 || n < 8 && v>>(8*n) != 0 {
		return false
	}
	c.MKI = make([]byte, max(n, 8))
	binary.BigEndian.PutUint64(c.MKI[len(c.MKI)-8:], v)
	c.MKI = c.MKI[len(c.MKI)-n:]
	return true
}

// isLifetime reads "2^48" and "1048576". A key outlives any call, so the number
// has no use.
func isLifetime(word string) bool {
	word, power := strings.CutPrefix(word, "2^")
	n, err := strconv.ParseUint(word, 10, 64)
	return err == nil && (power && n <= 48 || !power && n > 0 && n <= 1<<48)
}

// harmless tells whether a session parameter changes nothing in the packets. One
// that begins with "-" may be passed over by whoever does not know it.
func harmless(parameter string) bool {
	name, value, _ := strings.Cut(parameter, "=")
	return strings.HasPrefix(name, "-") || strings.EqualFold(name, "WSH") || strings.EqualFold(name, "KDR") && value == "0"
}

// appendTo writes the line.
func (c *Crypto) appendTo(b []byte) []byte {
	name := c.name
	if name == "" {
		name = string(c.Suite)
	}
	b = strconv.AppendInt(append(b, "a=crypto:"...), int64(c.Tag), 10)
	b = append(append(append(b, ' '), name...), " inline:"...)
	b = base64.StdEncoding.AppendEncode(b, c.Key)
	if len(c.MKI) > 0 && len(c.MKI) <= 8 {
		var wide [8]byte
		copy(wide[8-len(c.MKI):], c.MKI)
		b = strconv.AppendUint(append(b, '|'), binary.BigEndian.Uint64(wide[:]), 10)
		b = strconv.AppendInt(append(b, ':'), int64(len(c.MKI)), 10)
	}
	return append(b, "\r\n"...)
}

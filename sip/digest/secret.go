package digest

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
)

// Secret is what the switch knows of an account's password: H(user:realm:password)
// in lower hex for each algorithm. Either may be empty. The zero Secret stands
// for an account that does not exist: it takes the same time to check and no
// password fits it (A3).
type Secret struct {
	HA1MD5    string // 32 hex digits
	HA1SHA256 string // 64 hex digits
}

// NewSecret derives the Secret of a user name as it will stand in Authorization.
func NewSecret(user, realm, password string) Secret {
	return Secret{HA1MD5: HA1(user, realm, password, MD5), HA1SHA256: HA1(user, realm, password, SHA256)}
}

// HA1 is H(user:realm:password) in lower hex (RFC 7616 section 3.4.2).
func HA1(user, realm, password string, alg Algorithm) string {
	b := join(make([]byte, 0, 128), user, realm, password)
	return string(alg.appendHex(nil, b))
}

// String hides the secret from logs.
func (Secret) String() string { return "digest.Secret" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return "digest.Secret" }

func (s Secret) ha1(alg Algorithm) string {
	if alg == SHA256 {
		return s.HA1SHA256
	}
	return s.HA1MD5
}

// size is the length of the algorithm's hash in bytes.
func (a Algorithm) size() int {
	if a == SHA256 {
		return sha256.Size
	}
	return md5.Size
}

// appendHex appends the hash of b in lower hex. MD5 is weak, and it is what
// phones speak (RFC 8760 section 1).
func (a Algorithm) appendHex(dst, b []byte) []byte {
	if a == SHA256 {
		h := sha256.Sum256(b)
		return hex.AppendEncode(dst, h[:])
	}
	h := md5.Sum(b)
	return hex.AppendEncode(dst, h[:])
}

// join appends the parts with colons between them.
func join(b []byte, parts ...string) []byte {
	for i, p := range parts {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, p...)
	}
	return b
}

// answer appends the digest response in hex (RFC 7616 section 3.4.1; RFC 2069
// where c.QOP is not set). buf is scratch space and is returned for reuse.
func (c *Credentials) answer(dst, buf []byte, ha1, method string) (answer, scratch []byte) {
	var ha2 [2 * sha256.Size]byte
	buf = join(buf[:0], method, c.uri)
	h2 := c.Algorithm.appendHex(ha2[:0], buf)
	buf = join(buf[:0], ha1, c.nonce)
	if c.QOP {
		buf = append(buf, ':')
		buf = join(buf, c.nc, c.cnonce, "auth")
	}
	buf = append(buf, ':')
	buf = append(buf, h2...)
	return c.Algorithm.appendHex(dst, buf), buf
}

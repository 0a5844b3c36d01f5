package secure

import (
	"crypto"
	_ "crypto/sha256" // what fingerprints are made with
	_ "crypto/sha512"
	"crypto/subtle"
	"crypto/tls"
	"fmt"
	"strings"

	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
)

// Identity is the certificate we show in DTLS. It says nothing about us: what
// vouches for it is the fingerprint in the description (RFC 5763).
type Identity struct {
	certificate tls.Certificate
	sum         []byte
}

// NewIdentity makes a key (ECDSA, P-256) and a certificate of its own for it.
func NewIdentity() (*Identity, error) {
	c, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return nil, fmt.Errorf("certificate for media: %w", err)
	}
	return &Identity{certificate: c, sum: digest(crypto.SHA256, c.Certificate[0])}, nil
}

// Fingerprint is the hash of the certificate, for a description.
func (i *Identity) Fingerprint() Fingerprint { return Fingerprint{Hash: "sha-256", Sum: i.sum} }

// Fingerprint is what a description says of a certificate (RFC 8122).
type Fingerprint struct {
	Hash string // "sha-256"
	Sum  []byte
}

// hashes are those we believe (RFC 8122 section 5): SHA-1 can be forged.
var hashes = map[string]crypto.Hash{"sha-256": crypto.SHA256, "sha-384": crypto.SHA384, "sha-512": crypto.SHA512}

func digest(h crypto.Hash, b []byte) []byte {
	d := h.New()
	_, _ = d.Write(b) // a hash takes everything
	return d.Sum(nil)
}

// vouched tells whether one of the fingerprints is that of a certificate: a
// description may have several, for several certificates (RFC 8122 section 5).
func vouched(list []Fingerprint, certificate []byte) bool {
	for _, f := range list {
		h, ok := hashes[strings.ToLower(f.Hash)]
		if ok && subtle.ConstantTimeCompare(digest(h, certificate), f.Sum) == 1 {
			return true
		}
	}
	return false
}

package secure

import "github.com/pion/srtp/v3"

// Suite is a crypto suite of SRTP. The zero value is none.
type Suite struct{ n uint8 }

// suite is what one is called and how long its keys are, in bytes.
type suite struct {
	name      string // in the IANA registry
	profile   srtp.ProtectionProfile
	key, salt int
}

// The suites we have, preferred first: every phone has the first, and of those
// with a short tag none is offered by us (RFC 4568 section 6.2, RFC 6188, RFC
// 7714).
var suites = [...]suite{
	{"AES_CM_128_HMAC_SHA1_80", srtp.ProtectionProfileAes128CmHmacSha1_80, 16, 14},
	{"AES_256_CM_HMAC_SHA1_80", srtp.ProtectionProfileAes256CmHmacSha1_80, 32, 14},
	{"AEAD_AES_128_GCM", srtp.ProtectionProfileAeadAes128Gcm, 16, 12},
	{"AEAD_AES_256_GCM", srtp.ProtectionProfileAeadAes256Gcm, 32, 12},
	{"AES_CM_128_HMAC_SHA1_32", srtp.ProtectionProfileAes128CmHmacSha1_32, 16, 14},
	{"AES_256_CM_HMAC_SHA1_32", srtp.ProtectionProfileAes256CmHmacSha1_32, 32, 14},
}

// offered is how many of suites our own offers name.
const offered = 4

// SuiteOf finds a suite by its registered name; false for one we do not have.
func SuiteOf(name string) (Suite, bool) {
	for i := range suites {
		if name == suites[i].name {
			return Suite{uint8(i + 1)}, true
		}
	}
	return Suite{}, false
}

// Offered lists the suites to offer, preferred first.
func Offered() []Suite {
	var out []Suite
	for i := range offered {
		out = append(out, Suite{uint8(i + 1)})
	}
	return out
}

// IsZero tells whether s is none.
func (s Suite) IsZero() bool { return s.n == 0 }

// String is the name of the suite in a description; empty for none.
func (s Suite) String() string {
	if s.IsZero() {
		return ""
	}
	return s.in().name
}

func (s Suite) in() *suite { return &suites[s.n-1] }

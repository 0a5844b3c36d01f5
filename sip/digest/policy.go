package digest

// Policy says which algorithms an account is challenged with (A6).
type Policy string

// The policies. The zero value means PolicyMD5: some phones give up on any
// challenge that mentions SHA-256.
const (
	PolicyMD5    Policy = "md5"
	PolicySHA256 Policy = "sha256"
	PolicyBoth   Policy = "both" // SHA-256 first
)

// Valid reports whether p is one of the three policies.
func (p Policy) Valid() bool {
	return p == PolicyMD5 || p == PolicySHA256 || p == PolicyBoth
}

// Algorithm is a digest algorithm. The zero value is MD5, which is also what a
// header without the parameter means.
type Algorithm int

// The algorithms (RFC 8760 section 2). The session variants are not offered.
const (
	MD5 Algorithm = iota
	SHA256
)

// String is the algorithm's name in a header.
func (a Algorithm) String() string {
	if a == SHA256 {
		return "SHA-256"
	}
	return "MD5"
}

// allows reports whether credentials made with alg are accepted. With
// PolicyBoth a phone chooses.
func (p Policy) allows(alg Algorithm) bool {
	switch p {
	case PolicyBoth:
		return true
	case PolicySHA256:
		return alg == SHA256
	}
	return alg == MD5
}

var offers = map[Policy][]Algorithm{PolicyMD5: {MD5}, PolicySHA256: {SHA256}, PolicyBoth: {SHA256, MD5}}

// Algorithms are those of the challenges of one answer, in order. The slice is
// nobody's to change.
func (p Policy) Algorithms() []Algorithm {
	if !p.Valid() {
		p = PolicyMD5
	}
	return offers[p]
}

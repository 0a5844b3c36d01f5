package digest

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

// HA1 is H(user:realm:password) in lower hex.
func HA1(user, realm, password string, alg Algorithm) string { return "" }

// String hides the secret from logs.
func (Secret) String() string { return "digest.Secret" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return "digest.Secret" }

package digest

import (
	"crypto/rand"
	_ "embed" // the list of common passwords
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// ErrWeakPassword is wrapped by every error of CheckPassword.
var ErrWeakPassword = errors.New("weak password")

// passwordAlphabet has no two characters that are easily confused and none that
// a shell, a CSV file, XML, a URI or a SIP header treats specially.
const (
	passwordAlphabet = "abcdefghjkmnpqrstuvwxyz23456789" // 31: 4.95 bits each
	generatedLen     = 20
	minPasswordLen   = 12
	maxPasswordLen   = 128
)

//go:embed common_passwords.txt
var commonPasswords string

// common are the words of commonPasswords.
var common = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for _, word := range strings.Fields(commonPasswords) {
		words[word] = true
	}
	return words
})

// GeneratePassword makes a password of 99 bits: 20 lower-case letters and digits
// without those that are easily confused. It needs no quoting anywhere.
func GeneratePassword() string {
	const fair = 256 / len(passwordAlphabet) * len(passwordAlphabet)
	out := make([]byte, 0, generatedLen)
	var b [2 * generatedLen]byte
	for len(out) < generatedLen {
		_, _ = rand.Read(b[:]) // never fails: it ends the process instead
		for _, x := range b {
			// Bytes beyond the last whole multiple would favour some letters.
			if int(x) < fair && len(out) < generatedLen {
				out = append(out, passwordAlphabet[int(x)%len(passwordAlphabet)])
			}
		}
	}
	return string(out)
}

// CheckPassword refuses passwords a guesser tries first (A7): shorter than 12
// characters, containing the extension's bare number, built from one short
// repeated part, or common. It also refuses more than 128 bytes and control
// characters, which phones cannot be given. The error wraps ErrWeakPassword and
// does not repeat the password.
func CheckPassword(password, number string) error {
	lower := strings.ToLower(password)
	switch {
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		return fmt.Errorf("%w: it must be text without control characters", ErrWeakPassword)
	case utf8.RuneCountInString(password) < minPasswordLen:
		return fmt.Errorf("%w: it must have at least %d characters", ErrWeakPassword, minPasswordLen)
	case len(password) > maxPasswordLen:
		return fmt.Errorf("%w: it must have at most %d bytes", ErrWeakPassword, maxPasswordLen)
	case number != "" && strings.Contains(password, number):
		return fmt.Errorf("%w: it must not contain the extension's number", ErrWeakPassword)
	case repeated(lower) || common()[lower]:
		return fmt.Errorf("%w: it is among the most common ones", ErrWeakPassword)
	}
	return nil
}

// repeated reports whether s is one part of up to 4 bytes over and over.
func repeated(s string) bool {
	for n := 1; n <= 4; n++ {
		if strings.HasPrefix(s[n:], s[:len(s)-n]) {
			return true
		}
	}
	return false
}

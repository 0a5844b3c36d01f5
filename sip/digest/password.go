package digest

import "errors"

// Errors of CheckPassword; each wraps ErrWeakPassword.
var ErrWeakPassword = errors.New("weak password")

// GeneratePassword makes a password of 99 bits: 20 lower-case letters and digits
// without those that are easily confused. It needs no quoting anywhere.
func GeneratePassword() string { return "" }

// CheckPassword refuses passwords a guesser tries first (A7). number is the
// extension's bare number.
func CheckPassword(password, number string) error { return nil }

package auth

import (
	"errors"
	"fmt"
	"time"
)

// What a request can be refused for. The frame turns each into its HTTP code and
// `status` (spec/http-api-more-b.md 1).
var (
	// ErrToken: no token, or one that is wrong, expired or ended (401).
	ErrToken = errors.New("no valid token")
	// ErrLevel: the user's level does not reach that far (403 access_denied).
	ErrLevel = errors.New("the user may not do that")
	// ErrBlocked: the user's client or extension is blocked (403 user_blocked).
	ErrBlocked = errors.New("the user or its client is blocked")
	// ErrReadOnly: the user may only read (403 user_access_type_deny).
	ErrReadOnly = errors.New("the user may only read")
	// ErrApp: the application may not change the configuration (403
	// app_access_type_deny).
	ErrApp = errors.New("the application may not do that")
	// ErrPassword: unknown login, wrong password, or a user that is blocked; they
	// cannot be told apart (A3).
	ErrPassword = errors.New("wrong login or password")
	// ErrLocked is wrapped by every LockedError.
	ErrLocked = errors.New("too many failed attempts")
	// ErrBusy: too many password checks are waiting (503).
	ErrBusy = errors.New("too many password checks are waiting")
	// ErrLastUser: the client would be left without a user who can manage it (409).
	ErrLastUser = errors.New("a client must keep an active user with full access")
	// ErrTooMany: the user has as many applications as it can have (409).
	ErrTooMany = errors.New("as many as there can be")
	// ErrGrant is wrapped by every GrantError.
	ErrGrant = errors.New("no token granted")
)

// LockedError refuses an attempt after too many failed ones (A8). It wraps
// ErrLocked.
type LockedError struct {
	RetryAfter time.Duration // until the pause ends, above 0
}

// Error names the pause in seconds.
func (e *LockedError) Error() string {
	return fmt.Sprintf("%v: try again in %d s", ErrLocked, int(e.RetryAfter.Seconds()+1))
}

// Unwrap makes errors.Is(err, ErrLocked) true.
func (e *LockedError) Unwrap() error { return ErrLocked }

// GrantCode is an error code of the token endpoint (RFC 6749 section 5.2).
type GrantCode string

// The error codes of the token endpoint.
const (
	InvalidRequest       GrantCode = "invalid_request"        // 400
	InvalidClient        GrantCode = "invalid_client"         // 401
	InvalidGrant         GrantCode = "invalid_grant"          // 400
	UnauthorizedClient   GrantCode = "unauthorized_client"    // 400
	UnsupportedGrantType GrantCode = "unsupported_grant_type" // 400
	InvalidScope         GrantCode = "invalid_scope"          // 400
)

// GrantError is a refusal of the token endpoint: `error` and `error_description`
// of its body. It wraps ErrGrant.
type GrantError struct {
	Code        GrantCode
	Description string
}

// Error names the code and the reason.
func (e *GrantError) Error() string { return string(e.Code) + ": " + e.Description }

// Unwrap makes errors.Is(err, ErrGrant) true.
func (e *GrantError) Unwrap() error { return ErrGrant }

func refuse(code GrantCode, description string) error {
	return &GrantError{Code: code, Description: description}
}

package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/digest"
	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/store"
)

// errorRow says how an error of an owner is answered. The message is ours: an
// owner's text may name what the client must not see (H11).
type errorRow struct {
	err        error
	status     int
	code       string
	documented bool // status carries the code (spec/http-api-more-b.md 1)
	message    string
	retry      string // Retry-After in seconds
}

// errorTable is the one place where errors become answers; the first row that
// errors.Is finds counts. What is not here is a 500 with an id and no more.
var errorTable = []errorRow{
	{auth.ErrLevel, http.StatusForbidden, "access_denied", true, "Access denied", ""},
	{auth.ErrReadOnly, http.StatusForbidden, "user_access_type_deny", true, "The user may only read", ""},
	{auth.ErrApp, http.StatusForbidden, "app_access_type_deny", true, "The application may not change the configuration", ""},
	{auth.ErrBlocked, http.StatusForbidden, "user_blocked", true, "The user or its client is blocked", ""},
	{auth.ErrToken, http.StatusUnauthorized, "unauthorized", false, "Unauthorized", ""},
	{errClient, http.StatusNotFound, "client_not_found", true, "Not found", ""},
	{errExtension, http.StatusNotFound, "extension_not_found", true, "Not found", ""},
	{errGroup, http.StatusNotFound, "extension_group_not_found", true, "Not found", ""},
	{auth.ErrLocked, http.StatusTooManyRequests, "locked", false, "Too many failed attempts", "60"},
	{auth.ErrBusy, http.StatusServiceUnavailable, "overload", false, "Too many logins are waiting", "1"},
	{auth.ErrLastUser, http.StatusConflict, "last_user", false, "A client must keep an active user with full access", ""},
	{auth.ErrTooMany, http.StatusConflict, "too_many", false, "There is no room for another", ""},
	{store.ErrNotFound, http.StatusNotFound, "not_found", false, "Not found", ""},
	{store.ErrTaken, http.StatusConflict, "taken", false, "Already taken", ""},
	{ErrInUse, http.StatusConflict, "in_use", false, "Something else still needs it", ""},
	{digest.ErrWeakPassword, http.StatusBadRequest, "weak_password", false, "The password is too easy to guess", ""},
	{dialplan.ErrCodeClash, http.StatusConflict, "code_clash", false, "One dialled string would match two codes", ""},
	{dialplan.ErrInvalid, http.StatusBadRequest, "bad_request", false, "Bad request", ""},
	{store.ErrTooLarge, http.StatusRequestEntityTooLarge, "too_large", false, "Too large", ""},
	{call.ErrEnded, http.StatusConflict, "call_ended", false, "The call has ended", ""},
	{call.ErrBusy, http.StatusConflict, "call_busy", false, "The call is ringing or talking", ""},
	{call.ErrOverload, http.StatusServiceUnavailable, "overload", false, "Too many calls", "1"},
	{call.ErrDraining, http.StatusServiceUnavailable, "stopping", false, "The switch is stopping", "10"},
	{store.ErrBusy, http.StatusServiceUnavailable, "overload", false, "Too many writes are waiting", "1"},
	{store.ErrClosed, http.StatusServiceUnavailable, "stopping", false, "The switch is stopping", "10"},
	{store.ErrFailed, http.StatusServiceUnavailable, "store_failed", false, "The store takes no writes", "60"},
	{location.ErrClosed, http.StatusServiceUnavailable, "stopping", false, "The switch is stopping", "10"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "timeout", false, "It took too long", "1"},
	{context.Canceled, http.StatusServiceUnavailable, "cancelled", false, "The request was given up", "1"},
}

// Errors of the frame itself.
var (
	errClient    = errors.New("no such client")
	errExtension = errors.New("no such extension")
	errGroup     = errors.New("no such extension group")
)

// answerTo turns any error into its answer; ok is false for one that nobody
// foresaw, which the caller logs.
func answerTo(err error) (p *Problem, ok bool) {
	if errors.As(err, &p) {
		return p, true
	}
	var fields dialplan.FieldErrors
	if errors.As(err, &fields) {
		return badRequest(fieldFaults(fields)...), true
	}
	for _, row := range errorTable {
		if errors.Is(err, row.err) {
			p := newProblem(row.status, row.code, row.message, row.documented)
			if row.retry != "" {
				p.with("Retry-After", row.retry)
			}
			if row.status == http.StatusUnauthorized {
				p.with("WWW-Authenticate", "Bearer")
			}
			return p, true
		}
	}
	return newProblem(http.StatusInternalServerError, "internal", "Internal error", false), false
}

func fieldFaults(fields dialplan.FieldErrors) []FieldError {
	faults := make([]FieldError, len(fields))
	for i, f := range fields {
		faults[i] = FieldError{Pointer: "/" + pointerToken(f.Field), Message: f.Message}
	}
	return faults
}

// pointerToken escapes a member's name for a JSON pointer (RFC 6901 3).
func pointerToken(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
}

package auth

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cordpair/cordpair/store"
)

// Config is what an Authority needs. Space, Client and Extension are required.
type Config struct {
	// Space is the configuration space.
	Space *store.Space
	// Now is the clock; nil: time.Now. It should keep the monotonic reading.
	Now func() time.Time
	// Client says whether a client exists and is active. It must not block.
	Client func(id int64) (active, exists bool)
	// Extension says whose a usable extension is, and in which group (0: none);
	// ok is false for one that is blocked or gone. It must not block.
	Extension func(id int64) (client, group int64, ok bool)
	// Number is the bare number of an extension, which the password of its users
	// must not hold; nil: not checked. It must not block.
	Number func(extension int64) string
	// Audit writes down a change in its own transaction (L14); an error of it
	// undoes the change. what is "user" or "app", before and after are User or App
	// without secrets, nil at creation and deletion. nil: nothing is written down.
	Audit func(tx *store.Tx, ctx context.Context, what string, id any, before, after any) error
	// Logger may be nil.
	Logger *slog.Logger
}

// Authority owns users, applications, tokens and lockouts.
type Authority struct{ cfg Config }

// Stats are counters since the start, and gauges where said.
type Stats struct {
	Tokens   int // gauge: live access tokens
	Families int // gauge: live refresh tokens
	Counters int // gauge: sources and names with failures in the last 5 minutes
	Locked   int // gauge: pauses in force
	Waiting  int // gauge: password checks waiting for their turn

	Issued   uint64 // access tokens
	Refused  uint64 // token requests that were not granted, lockouts left out
	Failures uint64 // wrong logins, passwords or secrets
	Lockouts uint64 // pauses begun
	Pauses   uint64 // attempts refused during a pause
	Reused   uint64 // refresh tokens presented again: their family ended
	Hashes   uint64 // argon2id computations
}

var errSoon = errors.New("not built yet")

// New reads what is stored and returns the authority over it.
func New(cfg Config) (*Authority, error) { return &Authority{cfg}, nil }

// Authenticate says who sent an access token: ErrToken, or ErrBlocked while the
// user's client or extension is blocked. It reads memory only.
func (a *Authority) Authenticate(token string) (Principal, error) { return Principal{}, errSoon }

// Exchange answers a request of the token endpoint. Errors are *GrantError,
// *LockedError, ErrBusy, those of the store, and the context's.
func (a *Authority) Exchange(ctx context.Context, r GrantRequest) (Grant, error) {
	return Grant{}, errSoon
}

// Issue makes an access token for a user without an application, with access
// All: for the command line and the demo. store.ErrNotFound, ErrBlocked.
func (a *Authority) Issue(ctx context.Context, user int64) (Grant, error) { return Grant{}, errSoon }

// Revoke ends a token; a refresh token ends with all that came of it. A token
// that is not known is no error (RFC 7009 section 2.2).
func (a *Authority) Revoke(ctx context.Context, token string) error { return errSoon }

// CheckPassword says whose login and password these are, for requests that bring
// them instead of a token. ErrPassword, *LockedError, ErrBusy or the context's.
func (a *Authority) CheckPassword(ctx context.Context, login, password, source string) (Principal, error) {
	return Principal{}, errSoon
}

// Users lists the users of a scope that the filter wants, by id.
func (a *Authority) Users(s Scope, f UserFilter) ([]User, error) { return nil, errSoon }

// User returns a user of the scope, or store.ErrNotFound.
func (a *Authority) User(s Scope, id int64) (User, error) { return User{}, errSoon }

// AddUser stores a new user. Errors wrap dialplan.ErrInvalid, store.ErrTaken
// (the login), ErrTooMany.
func (a *Authority) AddUser(ctx context.Context, u User) (User, error) { return User{}, errSoon }

// ChangeUser lets change edit a copy of a user of the scope; a Password that is
// not empty becomes the new one. change may be called twice and its error is
// returned as it is. The login, the level and its ids cannot change. Errors wrap
// store.ErrNotFound, dialplan.ErrInvalid, ErrLastUser.
func (a *Authority) ChangeUser(ctx context.Context, s Scope, id int64, change func(*User) error) (User, error) {
	return User{}, errSoon
}

// DeleteUser removes a user of the scope with its applications and tokens.
// Errors wrap store.ErrNotFound, ErrLastUser.
func (a *Authority) DeleteUser(ctx context.Context, s Scope, id int64) error { return errSoon }

// DeleteUsers removes all users of a scope that is not empty, when the client,
// group or extension itself goes. It may be repeated after an error.
func (a *Authority) DeleteUsers(ctx context.Context, s Scope) error { return errSoon }

// Apps lists the applications of a user.
func (a *Authority) Apps(user int64) ([]App, error) { return nil, errSoon }

// App returns an application, or store.ErrNotFound.
func (a *Authority) App(clientID string) (App, error) { return App{}, errSoon }

// AddApp stores a new application of x.UserID and returns it with its secret,
// which is never shown again. Whether the asking user may is MayGrant's answer.
func (a *Authority) AddApp(ctx context.Context, x App) (App, store.Secret, error) {
	return App{}, "", errSoon
}

// ChangeApp lets change edit a copy of an application. Errors wrap
// store.ErrNotFound, dialplan.ErrInvalid; an error of change is returned as it is.
func (a *Authority) ChangeApp(ctx context.Context, clientID string, change func(*App) error) (App, error) {
	return App{}, errSoon
}

// NewSecret gives an application another secret and ends its tokens.
func (a *Authority) NewSecret(ctx context.Context, clientID string) (store.Secret, error) {
	return "", errSoon
}

// DeleteApp removes an application and its tokens, or returns store.ErrNotFound.
func (a *Authority) DeleteApp(ctx context.Context, clientID string) error { return errSoon }

// Stats returns the counters.
func (a *Authority) Stats() Stats { return Stats{} }

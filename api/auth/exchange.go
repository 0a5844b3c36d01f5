package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"

	"github.com/cordpair/cordpair/store"
)

// Exchange answers a request of the token endpoint. Errors are *GrantError,
// *LockedError, ErrBusy, those of the store, and the context's.
//
// A refresh token is good once. The second use of one, be it at the same time,
// ends its whole family and what the first use gave (OAuth 2.1 section 4.3.1):
// the switch cannot know which of the two was the thief.
func (a *Authority) Exchange(ctx context.Context, r GrantRequest) (Grant, error) {
	g, err := a.exchange(ctx, r)
	if errors.Is(err, ErrGrant) {
		a.counts.refused.Add(1)
	}
	return g, err
}

func (a *Authority) exchange(ctx context.Context, r GrantRequest) (Grant, error) {
	if err := ctx.Err(); err != nil {
		return Grant{}, err
	}
	var kind AppType
	switch r.GrantType {
	case "":
		return Grant{}, refuse(InvalidRequest, "grant_type is missing")
	case "client_credentials":
		kind = AppTrusted
	case "password", "refresh_token":
		kind = AppPassword
	default:
		return Grant{}, refuse(UnsupportedGrantType, "grant_type must be client_credentials, password or refresh_token")
	}
	if r.ClientID == "" {
		return Grant{}, refuse(InvalidRequest, "client_id is missing")
	}
	if r.Scope != "" && r.Scope != scopeAll {
		return Grant{}, refuse(InvalidScope, "scope must be all")
	}
	app, err := a.proveApp(r)
	if err != nil {
		return Grant{}, err
	}
	if app.Type != kind {
		return Grant{}, refuse(UnauthorizedClient, "the application's type does not allow this grant_type")
	}
	switch r.GrantType {
	case "client_credentials":
		return a.forApp(app)
	case "password":
		return a.forPassword(ctx, app, r)
	}
	return a.forRefresh(app, r.RefreshToken)
}

const scopeAll = "all"

// proveApp checks the secret of an application. That is cheap, for the secret
// cannot be guessed, but failures count all the same.
func (a *Authority) proveApp(r GrantRequest) (appRow, error) {
	at := a.guard.key(r.Source, "app "+r.ClientID)
	if err := a.guard.admit(at); err != nil {
		return appRow{}, err
	}
	app, err := a.apps.Get(store.Str(r.ClientID))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return appRow{}, err
	}
	want, _ := hex.DecodeString(app.Secret) // empty for no application
	got := sha256.Sum256([]byte(r.ClientSecret))
	if subtle.ConstantTimeCompare(got[:], want) != 1 {
		a.counts.failures.Add(1)
		a.guard.failed(at)
		return appRow{}, refuse(InvalidClient, "unknown client_id or wrong client_secret")
	}
	a.guard.succeeded(at)
	return app, nil
}

// forApp lets a trusted application stand for its owner.
func (a *Authority) forApp(app appRow) (Grant, error) {
	blocked := refuse(UnauthorizedClient, "the application's user is blocked")
	u, err := a.users.Get(store.Int(app.UserID))
	if errors.Is(err, store.ErrNotFound) || err == nil && !a.active(u.User) {
		return Grant{}, blocked
	}
	if err != nil {
		return Grant{}, err
	}
	g, err := a.issue(bearer{u, &app}, nil)
	if errors.Is(err, errChanged) {
		return Grant{}, blocked
	}
	g.Scope = scopeAll
	return g, err
}

func (a *Authority) forPassword(ctx context.Context, app appRow, r GrantRequest) (Grant, error) {
	if r.Username == "" || r.Password == "" {
		return Grant{}, refuse(InvalidRequest, "username or password is missing")
	}
	wrong := refuse(InvalidGrant, ErrPassword.Error())
	u, err := a.proveUser(ctx, r.Username, r.Password, r.Source)
	if errors.Is(err, ErrPassword) {
		return Grant{}, wrong
	}
	if err != nil {
		return Grant{}, err
	}
	b, refresh := bearer{u, &app}, newToken()
	g, err := a.issue(b, func(tx *store.Tx) (string, error) { return a.found(tx, b, refresh) })
	if errors.Is(err, errChanged) {
		return Grant{}, wrong
	}
	g.RefreshToken = refresh
	return g, err
}

func (a *Authority) forRefresh(app appRow, token string) (Grant, error) {
	if token == "" {
		return Grant{}, refuse(InvalidRequest, "refresh_token is missing")
	}
	wrong := refuse(InvalidGrant, "the refresh token is unknown, used, expired or not yours")
	name, ok := familyOf(token)
	if !ok {
		return Grant{}, wrong
	}
	family := familyKey(name)
	b, err := a.familyBearer(family, app)
	if errors.Is(err, store.ErrNotFound) || err == nil && !a.active(b.user.User) {
		return Grant{}, wrong
	}
	if err != nil {
		return Grant{}, err
	}
	next := nextToken(name)
	g, err := a.issue(b, func(tx *store.Tx) (string, error) { return family, a.rotate(tx, b, family, token, next) })
	switch {
	case errors.Is(err, errUsed):
		if err := a.endFamily(family, b.user.ID); err != nil {
			return Grant{}, err
		}
		return Grant{}, wrong
	case errors.Is(err, errChanged), errors.Is(err, store.ErrNotFound):
		return Grant{}, wrong
	}
	g.RefreshToken = next
	return g, err
}

// familyBearer is for whom a family is, if it belongs to app and nothing ended it.
func (a *Authority) familyBearer(family string, app appRow) (bearer, error) {
	row, err := a.tokens.Get(store.Str(family))
	if err != nil {
		return bearer{}, err
	}
	if !row.Refresh || row.App != app.ClientID || row.AppEpoch != app.Epoch {
		return bearer{}, store.ErrNotFound
	}
	u, err := a.users.Get(store.Int(row.User))
	if err == nil && u.Epoch != row.UserEpoch {
		err = store.ErrNotFound
	}
	return bearer{u, &app}, err
}

// errUsed: the refresh token is not the one that is good now.
var errUsed = errors.New("used before")

// rotate replaces the refresh token of a family.
func (a *Authority) rotate(tx *store.Tx, b bearer, family, token, next string) error {
	row, err := a.tokens.In(tx).Get(store.Str(family))
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(row.Current), []byte(fingerprint(token))) != 1 {
		return errUsed
	}
	return a.putFamily(tx, b, family, next)
}

// endFamily ends a family whose refresh token came a second time. It is on the
// disk when it returns.
func (a *Authority) endFamily(family string, user int64) error {
	a.counts.reused.Add(1)
	a.log.Warn("refresh token used again, its family has ended", "user", user)
	err := a.tokens.Delete(store.Str(family))
	a.live.endOf(user, func(t *ticket) bool { return t.family == family })
	return err
}

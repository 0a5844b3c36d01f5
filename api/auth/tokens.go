package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
)

const (
	// accessLife is how long an access token is good (spec/http-api.md 1.2).
	accessLife = 3600 * time.Second
	// refreshLife is how long a refresh token waits for its use.
	refreshLife = 30 * 24 * time.Hour
	// familiesPerUser is how many refresh tokens a user can have; the one unused
	// for longest makes room, and ends.
	familiesPerUser = 50

	tokenLen  = 32 // bytes, all random: 256 bits
	familyLen = 16 // the first bytes of a refresh token: its family's name
)

// newToken makes a token of 43 characters that needs no escaping in a header, a
// form or a URL.
func newToken() string { return base64.RawURLEncoding.EncodeToString(random(tokenLen)) }

// familyOf returns the name of the family a refresh token belongs to; ok is
// false for what no token looks like.
func familyOf(token string) (name []byte, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != tokenLen {
		return nil, false
	}
	return raw[:familyLen], true
}

func familyKey(name []byte) string { return fingerprint(string(name)) }

// Authenticate says who sent an access token: ErrToken, or ErrBlocked while the
// user's client or extension is blocked. It reads memory only.
func (a *Authority) Authenticate(token string) (Principal, error) {
	p, ok := a.live.find(sha256.Sum256([]byte(token)))
	if !ok {
		return Principal{}, ErrToken
	}
	if err := a.usable(&p); err != nil {
		return Principal{}, err
	}
	return p, nil
}

// Issue makes an access token for a user without an application, with access
// All: for the command line and the demo. The log of changes says that it was
// made, and by whom (L14). store.ErrNotFound, ErrBlocked.
func (a *Authority) Issue(ctx context.Context, user int64) (Grant, error) {
	if err := ctx.Err(); err != nil {
		return Grant{}, err
	}
	u, err := a.users.Get(store.Int(user))
	if err != nil {
		return Grant{}, err
	}
	if !a.active(u.User) {
		return Grant{}, ErrBlocked
	}
	g, err := a.issue(bearer{user: u}, func(tx *store.Tx) (string, error) {
		return "", a.audit(tx, ctx, "token", user, nil, u.User)
	})
	if errors.Is(err, errChanged) {
		return Grant{}, ErrBlocked
	}
	return g, err
}

// bearer is who gets a token, as it was when it was proved.
type bearer struct {
	user userRow
	app  *appRow // nil: none
}

func (b bearer) appID() string {
	if b.app == nil {
		return ""
	}
	return b.app.ClientID
}

// errChanged: the user or application changed while the request was checked.
var errChanged = errors.New("changed meanwhile")

// current reports whether what was proved still holds in the transaction that
// makes the token.
func (a *Authority) current(tx *store.Tx, b bearer) error {
	u, err := a.users.In(tx).Get(store.Int(b.user.ID))
	if errors.Is(err, store.ErrNotFound) || err == nil && u.Epoch != b.user.Epoch {
		return errChanged
	}
	if err != nil || b.app == nil {
		return err
	}
	x, err := a.apps.In(tx).Get(store.Str(b.app.ClientID))
	if errors.Is(err, store.ErrNotFound) || err == nil && x.Epoch != b.app.Epoch {
		return errChanged
	}
	return err
}

// issue makes an access token, and in its transaction whatever more adds to the
// grant: more returns the family the token belongs to.
func (a *Authority) issue(b bearer, more func(tx *store.Tx) (family string, err error)) (Grant, error) {
	token := newToken()
	row := a.row(b)
	row.Until = a.now().Add(accessLife)
	var app *App
	if b.app != nil {
		app = &b.app.App
	}
	row.Who = principal(b.user.User, app)
	err := a.cfg.Space.Update(func(tx *store.Tx) error {
		if err := a.current(tx, b); err != nil {
			return err
		}
		if more != nil {
			family, err := more(tx)
			if err != nil {
				return err
			}
			row.Family = family
		}
		for _, key := range a.live.excess(b.user.ID) {
			if err := a.tokens.In(tx).Delete(key); err != nil {
				return err
			}
		}
		return a.tokens.In(tx).Put(store.Str(fingerprint(token)), row)
	})
	if err != nil {
		return Grant{}, err
	}
	a.counts.issued.Add(1)
	return Grant{AccessToken: token, TokenType: "Bearer", ExpiresIn: int(accessLife.Seconds())}, nil
}

// row is a token of b, without its end.
func (a *Authority) row(b bearer) tokenRow {
	row := tokenRow{User: b.user.ID, UserEpoch: b.user.Epoch, App: b.appID()}
	if b.app != nil {
		row.AppEpoch = b.app.Epoch
	}
	return row
}

// found adds a new family to a grant: the refresh token and the row.
func (a *Authority) found(tx *store.Tx, b bearer, refresh string) (family string, err error) {
	name, _ := familyOf(refresh) // made by newToken
	family = familyKey(name)
	if err := a.spareFamily(tx, b.user.ID); err != nil {
		return "", err
	}
	return family, a.putFamily(tx, b, family, refresh)
}

func (a *Authority) putFamily(tx *store.Tx, b bearer, family, refresh string) error {
	row := a.row(b)
	row.Refresh, row.Current = true, fingerprint(refresh)
	row.Until = a.now().Add(refreshLife)
	return a.tokens.In(tx).Put(store.Str(family), row)
}

// spareFamily ends the families of a user that were unused for longest, until one
// more may be founded.
func (a *Authority) spareFamily(tx *store.Tx, user int64) error {
	page, err := a.tokens.In(tx).List(store.Range{Index: byUser, Prefix: store.Int(user)})
	if err != nil {
		return err
	}
	slices.SortFunc(page.Rows, func(x, y store.Row[tokenRow]) int { return x.Value.Until.Compare(y.Value.Until) })
	for _, r := range page.Rows[:max(0, len(page.Rows)-familiesPerUser+1)] {
		if err := a.tokens.In(tx).Delete(r.Key); err != nil {
			return err
		}
	}
	return nil
}

// Revoke ends a token; a refresh token, also one used up, ends with all that came
// of its family. A token that is not known is no error (RFC 7009 section 2.2).
func (a *Authority) Revoke(ctx context.Context, token string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	access := store.Str(fingerprint(token))
	name, isToken := familyOf(token)
	if !isToken {
		return nil
	}
	family := familyKey(name)
	if known, err := a.knows(access, store.Str(family)); err != nil || !known {
		a.live.end(sha256.Sum256([]byte(token))) // the clock may have jumped past its row
		return err                               // no write for whoever sends anything
	}
	var user int64
	err := a.cfg.Space.Update(func(tx *store.Tx) error {
		switch row, err := a.tokens.In(tx).Get(store.Str(family)); {
		case err == nil:
			user = row.User
			return a.tokens.In(tx).Delete(store.Str(family))
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		return a.tokens.In(tx).Delete(access)
	})
	if err != nil {
		return fmt.Errorf("auth: %w", err)
	}
	// Once more, in case the clock jumped and the store counts the row as expired.
	a.live.end(sha256.Sum256([]byte(token)))
	a.live.endOf(user, func(t *ticket) bool { return t.family == family })
	return nil
}

// knows reports whether a token is stored under one of the keys.
func (a *Authority) knows(keys ...store.Key) (bool, error) {
	for _, key := range keys {
		_, err := a.tokens.Get(key)
		if err == nil || !errors.Is(err, store.ErrNotFound) {
			return err == nil, err
		}
	}
	return false, nil
}

// CheckPassword says whose login and password these are, for requests that bring
// them instead of a token. ErrPassword, *LockedError, ErrBusy or the context's.
func (a *Authority) CheckPassword(ctx context.Context, login, password, source string) (Principal, error) {
	row, err := a.proveUser(ctx, login, password, source)
	if err != nil {
		return Principal{}, err
	}
	p := principal(row.User, nil)
	p.AppAccess = AppCallAPI
	if err := a.usable(&p); err != nil {
		return Principal{}, ErrPassword // blocked this instant
	}
	return p, nil
}

// proveUser finds the user of a login and password. Whoever it is not, and
// whatever the reason, the same work is done and the same error returned (A3).
func (a *Authority) proveUser(ctx context.Context, login, password, source string) (userRow, error) {
	at := a.guard.key(source, "user "+login)
	if err := a.guard.admit(at); err != nil {
		return userRow{}, err
	}
	end, err := a.hasher.turn(ctx)
	if err != nil {
		return userRow{}, err
	}
	defer end()
	if err := a.guard.admit(at); err != nil { // a pause that began while we waited
		return userRow{}, err
	}
	found, err := a.users.Lookup(byLogin, loginKey(login))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return userRow{}, err
	}
	row := found.Value
	same := a.hasher.equal(row.Hash.Reveal(), password)
	if !same || err != nil || row.Status != dialplan.StatusActive || !a.active(row.User) {
		a.counts.failures.Add(1)
		a.guard.failed(at)
		return userRow{}, ErrPassword
	}
	a.guard.succeeded(at)
	a.renew(row, password)
	return row, nil
}

// renew hashes a password again that was hashed at another price; the caller has
// a turn. The old hash is good as well, so a failure is only noted.
func (a *Authority) renew(row userRow, password string) {
	if !a.hasher.outdated(row.Hash.Reveal()) {
		return
	}
	salt := random(saltLen)
	next := hashed{a.hasher.cost, salt, a.hasher.sum(a.hasher.cost, salt, password)}
	err := a.cfg.Space.Update(func(tx *store.Tx) error {
		now, err := a.users.In(tx).Get(store.Int(row.ID))
		if err != nil || now.Hash != row.Hash {
			return err
		}
		now.Hash = store.Secret(next.String())
		return a.users.In(tx).Put(store.Int(row.ID), now)
	})
	if err != nil {
		a.log.Warn("password hash not renewed", "user", row.ID, "err", err)
	}
}

// nextToken makes another refresh token of a family.
func nextToken(family []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(family[:familyLen:familyLen], random(tokenLen-familyLen)...))
}

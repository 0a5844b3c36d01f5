package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/cordpair/cordpair/store"
)

// appsPerUser is how many applications a user can have.
const appsPerUser = 100

// Apps lists the applications of a user by their client_id.
func (a *Authority) Apps(user int64) (list []App, err error) {
	err = a.cfg.Space.View(func(tx *store.Tx) error {
		list, err = a.appsOf(tx, user)
		return err
	})
	return list, err
}

func (a *Authority) appsOf(tx *store.Tx, user int64) ([]App, error) {
	list := []App{}
	err := a.apps.In(tx).Each(store.Range{Index: byUser, Prefix: store.Int(user)}, func(r store.Row[appRow]) error {
		list = append(list, r.Value.App)
		return nil
	})
	return list, err
}

// App returns an application, or store.ErrNotFound.
func (a *Authority) App(clientID string) (App, error) {
	row, err := a.apps.Get(store.Str(clientID))
	return row.App, err
}

// AddApp stores a new application of x.UserID and returns it with its secret,
// which is never shown again. Whether the one who asks may have such an
// application is MayGrant's answer. Errors wrap dialplan.ErrInvalid, ErrTooMany.
func (a *Authority) AddApp(ctx context.Context, x App) (App, store.Secret, error) {
	x.ClientID, x.RedirectURLs = hex.EncodeToString(random(16)), urls(x.RedirectURLs)
	if err := x.Validate(); err != nil {
		return App{}, "", err
	}
	secret := newToken()
	err := a.cfg.Space.Update(func(tx *store.Tx) error {
		switch _, err := a.users.In(tx).Get(store.Int(x.UserID)); {
		case errors.Is(err, store.ErrNotFound):
			return fault("user_id", "no such user")
		case err != nil:
			return err
		}
		others, err := a.appsOf(tx, x.UserID)
		if err != nil {
			return err
		}
		if len(others) >= appsPerUser {
			return fmt.Errorf("applications of user %d: %w", x.UserID, ErrTooMany)
		}
		if err := a.apps.In(tx).Put(store.Str(x.ClientID), appRow{App: x, Secret: fingerprint(secret), Epoch: 1}); err != nil {
			return err
		}
		return a.audit(tx, ctx, "app", x.ClientID, nil, x)
	})
	if err != nil {
		return App{}, "", err
	}
	return x, store.Secret(secret), nil
}

// urls is a list that is not nil and nobody else's.
func urls(list []string) []string { return append([]string{}, list...) }

// ChangeApp lets change edit a copy of an application, inside the transaction.
// Its client_id and its owner cannot change; another type or access ends its
// tokens. Errors wrap store.ErrNotFound, dialplan.ErrInvalid; an error of change
// is returned as it is.
func (a *Authority) ChangeApp(ctx context.Context, clientID string, change func(*App) error) (App, error) {
	return a.changeApp(ctx, clientID, func(row *appRow) error {
		before := row.App
		row.RedirectURLs = urls(row.RedirectURLs)
		if row.RateLimit != nil {
			row.RateLimit = new(*row.RateLimit)
		}
		if err := change(&row.App); err != nil {
			return err
		}
		var f faults
		f.check(row.ClientID == before.ClientID, "client_id", "cannot be changed")
		f.check(row.UserID == before.UserID, "user_id", "cannot be changed")
		if row.Type != before.Type || row.Access != before.Access {
			row.Epoch++
		}
		row.RedirectURLs = urls(row.RedirectURLs)
		if err := f.err(); err != nil {
			return err
		}
		return row.Validate()
	}, func(x App) any { return x })
}

// renewed is an application with another secret, as the log of changes is told:
// it would see no change otherwise, for an App shows no secret. The log masks it.
type renewed struct {
	App
	Secret string `json:"client_secret"`
}

// NewSecret gives an application another secret and ends its tokens. The secret
// is never shown again.
func (a *Authority) NewSecret(ctx context.Context, clientID string) (store.Secret, error) {
	secret := newToken()
	_, err := a.changeApp(ctx, clientID, func(row *appRow) error {
		row.Secret = fingerprint(secret)
		row.Epoch++
		return nil
	}, func(x App) any { return renewed{x, "changed"} })
	if err != nil {
		return "", err
	}
	return store.Secret(secret), nil
}

func (a *Authority) changeApp(ctx context.Context, clientID string, change func(*appRow) error, logged func(App) any) (App, error) {
	var next appRow
	err := a.cfg.Space.Update(func(tx *store.Tx) error {
		row, err := a.apps.In(tx).Get(store.Str(clientID))
		if err != nil {
			return err
		}
		next = row
		if err := change(&next); err != nil {
			return err
		}
		if err := a.apps.In(tx).Put(store.Str(clientID), next); err != nil {
			return err
		}
		return a.audit(tx, ctx, "app", clientID, row.App, logged(next.App))
	})
	if err != nil {
		return App{}, err
	}
	return next.App, nil
}

// DeleteApp removes an application and its tokens, or returns store.ErrNotFound.
func (a *Authority) DeleteApp(ctx context.Context, clientID string) error {
	return a.cfg.Space.Update(func(tx *store.Tx) error {
		row, err := a.apps.In(tx).Get(store.Str(clientID))
		if err != nil {
			return err
		}
		return a.removeApp(tx, ctx, row.App)
	})
}

func (a *Authority) removeApp(tx *store.Tx, ctx context.Context, x App) error {
	if err := a.apps.In(tx).Delete(store.Str(x.ClientID)); err != nil {
		return err
	}
	return a.audit(tx, ctx, "app", x.ClientID, x, nil)
}

package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
)

// holds reports whether a user lies in the scope.
func (s Scope) holds(u User) bool {
	return (s.DealerID == 0 || s.DealerID == owner(u.DealerID)) &&
		(s.ClientID == 0 || s.ClientID == owner(u.ClientID)) &&
		(s.GroupID == 0 || s.GroupID == owner(u.GroupID)) &&
		(s.ExtensionID == 0 || s.ExtensionID == owner(u.ExtensionID)) &&
		(s.Level == 0 || s.Level == u.Level)
}

// scan is the shortest walk over the rows of the scope.
func (s Scope) scan() store.Range {
	switch {
	case s.ExtensionID != 0:
		return store.Range{Index: byExtension, Prefix: store.Int(s.ExtensionID)}
	case s.GroupID != 0:
		return store.Range{Index: byGroup, Prefix: store.Int(s.GroupID)}
	case s.ClientID != 0 && s.Level == LevelClient:
		return store.Range{Index: byKeeper, Prefix: store.Int(s.ClientID)}
	case s.ClientID != 0:
		return store.Range{Index: byClient, Prefix: store.Int(s.ClientID)}
	case s.DealerID != 0:
		return store.Range{Index: byDealer, Prefix: store.Int(s.DealerID)}
	}
	return store.Range{}
}

// Users lists the users of a scope that the filter wants, by id.
func (a *Authority) Users(s Scope, f UserFilter) ([]User, error) {
	list := []User{}
	err := a.users.Each(s.scan(), func(r store.Row[userRow]) error {
		if u := r.Value.User; s.holds(u) && f.wants(u) {
			list = append(list, u)
		}
		return nil
	})
	return list, err
}

// User returns a user of the scope, or store.ErrNotFound.
func (a *Authority) User(s Scope, id int64) (User, error) {
	row, err := a.users.Get(store.Int(id))
	return row.User, inScope(s, id, row, err)
}

// userIn reads a user of the scope inside a transaction.
func (a *Authority) userIn(tx *store.Tx, s Scope, id int64) (userRow, error) {
	row, err := a.users.In(tx).Get(store.Int(id))
	return row, inScope(s, id, row, err)
}

// inScope makes a user outside the scope look as if it did not exist (T1).
func inScope(s Scope, id int64, row userRow, err error) error {
	if errors.Is(err, store.ErrNotFound) || err == nil && !s.holds(row.User) {
		return fmt.Errorf("user %d: %w", id, store.ErrNotFound)
	}
	return err
}

// AddUser stores a new user. The client of an extension user need not be given.
// Errors wrap dialplan.ErrInvalid, or store.ErrTaken for the login.
func (a *Authority) AddUser(ctx context.Context, u User) (User, error) {
	u, err := a.prepare(u)
	if err != nil {
		return User{}, err
	}
	hash, err := a.hasher.make(ctx, u.Password.Reveal())
	if err != nil {
		return User{}, err
	}
	u.Password = ""
	err = a.cfg.Space.Update(func(tx *store.Tx) error {
		id, err := tx.NextID(store.Users)
		if err != nil {
			return err
		}
		u.ID = id
		if err := a.users.In(tx).Put(store.Int(id), userRow{User: u, Hash: store.Secret(hash), Epoch: 1}); err != nil {
			return err
		}
		return a.audit(tx, ctx, "user", id, nil, u)
	})
	if err != nil {
		return User{}, err
	}
	return u, nil
}

// prepare completes a new user and checks it.
func (a *Authority) prepare(u User) (User, error) {
	u.Admin = u.Level == LevelPlatform
	if u.Level == LevelExtension && u.ExtensionID != nil {
		client, _, ok := a.cfg.Extension(*u.ExtensionID)
		if !ok {
			return u, fault("extension_id", "no such extension")
		}
		if u.ClientID == nil {
			u.ClientID = &client
		}
		if *u.ClientID != client {
			return u, fault("extension_id", "no such extension")
		}
	}
	if u.Password == "" {
		return u, fault("password", "is required")
	}
	if err := a.valid(u); err != nil {
		return u, err
	}
	if u.ClientID != nil {
		if _, exists := a.cfg.Client(*u.ClientID); !exists {
			return u, fault("client_id", "no such client")
		}
	}
	return u, nil
}

// valid is Validate with what only the extension knows.
func (a *Authority) valid(u User) error {
	if err := u.Validate(); err != nil {
		return err
	}
	if u.Password == "" || u.ExtensionID == nil || a.cfg.Number == nil {
		return nil
	}
	if err := checkPassword(u, a.cfg.Number(*u.ExtensionID)); err != nil {
		return fault("password", err.Error())
	}
	return nil
}

// ChangeUser lets change edit a copy of a user of the scope; a Password that is
// not empty becomes the new one. change runs twice, and its error is returned as
// it is. The login, the level and its ids cannot change. Changing the password,
// the status or the access ends the user's tokens. Errors wrap store.ErrNotFound,
// dialplan.ErrInvalid, ErrLastUser.
func (a *Authority) ChangeUser(ctx context.Context, s Scope, id int64, change func(*User) error) (User, error) {
	row, err := a.users.Get(store.Int(id))
	if err := inScope(s, id, row, err); err != nil {
		return User{}, err
	}
	draft, err := a.changed(row, change)
	if err != nil {
		return User{}, err
	}
	// Hashing takes its time, so it is done before the transaction.
	password, hash := draft.Password, ""
	if password != "" {
		if hash, err = a.hasher.make(ctx, password.Reveal()); err != nil {
			return User{}, err
		}
	}
	var next userRow
	err = a.cfg.Space.Update(func(tx *store.Tx) error {
		row, err := a.userIn(tx, s, id)
		if err != nil {
			return err
		}
		if next, err = a.changed(row, change); err != nil {
			return err
		}
		next.Password = ""
		after := next.User
		if password != "" {
			next.Hash = store.Secret(hash)
			after.Password = "changed" // shows as a null beside nothing: no secret
		}
		if password != "" || next.Status != row.Status || next.Access != row.Access {
			next.Epoch++
		}
		if err := a.keeps(tx, row.User, next.User); err != nil {
			return err
		}
		if err := a.users.In(tx).Put(store.Int(id), next); err != nil {
			return err
		}
		return a.audit(tx, ctx, "user", id, row.User, after)
	})
	if err != nil {
		return User{}, err
	}
	return next.User, nil
}

// changed is a row after change, checked.
func (a *Authority) changed(row userRow, change func(*User) error) (userRow, error) {
	next := row
	next.User = row.clone()
	if err := change(&next.User); err != nil {
		return userRow{}, err
	}
	var f faults
	f.check(next.ID == row.ID, "id", "cannot be changed")
	f.check(next.Level == row.Level, "level", "cannot be changed")
	f.check(same(next.DealerID, row.DealerID), "dealer_id", "cannot be changed")
	f.check(same(next.ClientID, row.ClientID), "client_id", "cannot be changed")
	f.check(same(next.GroupID, row.GroupID), "extension_group_id", "cannot be changed")
	f.check(same(next.ExtensionID, row.ExtensionID), "extension_id", "cannot be changed")
	f.check(next.Login == row.Login, "login", "cannot be changed")
	f.check(next.Admin == row.Admin, "admin", "cannot be changed")
	if err := f.err(); err != nil {
		return userRow{}, err
	}
	return next, a.valid(next.User)
}

// clone is a copy that shares no id with u.
func (u User) clone() User {
	for _, id := range []**int64{&u.DealerID, &u.ClientID, &u.GroupID, &u.ExtensionID} {
		if *id != nil {
			*id = new(**id)
		}
	}
	return u
}

func same(x, y *int64) bool { return owner(x) == owner(y) && (x == nil) == (y == nil) }

// keeper reports whether a user can manage its client.
func keeper(u User) bool {
	return u.Level == LevelClient && u.Status == dialplan.StatusActive && u.Access == AccessFull
}

// keeps refuses to take from a client the last user who can manage it. after is
// the zero User at deletion.
func (a *Authority) keeps(tx *store.Tx, before, after User) error {
	if before.Level != LevelClient || !keeper(before) && after.ID != 0 || keeper(after) {
		return nil
	}
	others, keepers := 0, 0
	err := a.users.In(tx).Each(Scope{ClientID: *before.ClientID, Level: LevelClient}.scan(), func(r store.Row[userRow]) error {
		if r.Value.ID != before.ID {
			others++
			if keeper(r.Value.User) {
				keepers++
			}
		}
		return nil
	})
	if err == nil && (others == 0 || keeper(before) && keepers == 0) {
		err = fmt.Errorf("user %d: %w", before.ID, ErrLastUser)
	}
	return err
}

// DeleteUser removes a user of the scope with its applications and tokens.
// Errors wrap store.ErrNotFound, ErrLastUser.
func (a *Authority) DeleteUser(ctx context.Context, s Scope, id int64) error {
	return a.cfg.Space.Update(func(tx *store.Tx) error {
		row, err := a.userIn(tx, s, id)
		if err != nil {
			return err
		}
		if err := a.keeps(tx, row.User, User{}); err != nil {
			return err
		}
		return a.remove(tx, ctx, row.User)
	})
}

// remove deletes a user with its applications; the tokens of both end with them.
func (a *Authority) remove(tx *store.Tx, ctx context.Context, u User) error {
	apps, err := a.appsOf(tx, u.ID)
	if err != nil {
		return err
	}
	for _, x := range apps {
		if err := a.removeApp(tx, ctx, x); err != nil {
			return err
		}
	}
	if err := a.users.In(tx).Delete(store.Int(u.ID)); err != nil {
		return err
	}
	return a.audit(tx, ctx, "user", u.ID, u, nil)
}

// usersAtOnce is how many users one transaction removes.
const usersAtOnce = 10

// DeleteUsers removes all users of a scope that names somebody, when the client,
// group or extension itself goes: the last one too. It may be repeated after an
// error.
func (a *Authority) DeleteUsers(ctx context.Context, s Scope) error {
	scan := s.scan()
	if scan.Index == "" {
		return fmt.Errorf("auth: scope of the whole switch: %w", dialplan.ErrInvalid)
	}
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := a.cfg.Space.Update(func(tx *store.Tx) error {
			some, err := a.some(tx, s, scan)
			done = len(some) < usersAtOnce
			for _, u := range some {
				if err := a.remove(tx, ctx, u); err != nil {
					return err
				}
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// errEnough ends a walk early; it never leaves the package.
var errEnough = errors.New("enough")

// some is the first users of a scope.
func (a *Authority) some(tx *store.Tx, s Scope, scan store.Range) (list []User, err error) {
	err = a.users.In(tx).Each(scan, func(r store.Row[userRow]) error {
		if s.holds(r.Value.User) {
			list = append(list, r.Value.User)
		}
		if len(list) == usersAtOnce {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return list, err
}

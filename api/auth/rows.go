package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/cordpair/cordpair/store"
)

// userRow is a user as it is stored.
type userRow struct {
	User
	Hash store.Secret `json:"hash"` // of the password, see hashed
	// Epoch moves on when the user's tokens end: those of an earlier one are dead,
	// wherever they lie.
	Epoch int64 `json:"epoch"`
}

// appRow is an application as it is stored.
type appRow struct {
	App
	Secret string `json:"secret_sha256"` // of its secret, which nobody can guess
	Epoch  int64  `json:"epoch"`         // as userRow.Epoch
}

// tokenRow is an access token, or a family of refresh tokens of which one is good
// at a time. The key is the SHA-256 of the access token, or of the family's name,
// which is the first half of each of its refresh tokens.
type tokenRow struct {
	Refresh bool `json:"refresh,omitempty"`
	// Current is the SHA-256 of the refresh token that is good now.
	Current string `json:"current,omitempty"`
	// Family is the key of the family an access token belongs to; empty: none.
	Family string `json:"family,omitempty"`

	User      int64     `json:"user"`
	UserEpoch int64     `json:"user_epoch"`
	App       string    `json:"app,omitempty"` // empty: none
	AppEpoch  int64     `json:"app_epoch,omitempty"`
	Until     time.Time `json:"until"`
	// Who is the bearer of an access token as things stood when it was made.
	Who Principal `json:"who,omitzero"`
}

// Expires implements what the store asks of rows with an end.
func (t tokenRow) Expires() time.Time { return t.Until }

// Index names.
const (
	byLogin     = "login"
	byDealer    = "dealer"
	byClient    = "client"
	byGroup     = "group"
	byExtension = "extension"
	byKeeper    = "keeper" // client-level users by client
	byUser      = "user"   // apps and token families by user
)

func userTable(sp *store.Space) *store.Table[userRow] {
	by := func(name string, id func(User) *int64) store.Index[userRow] {
		return store.Index[userRow]{Name: name, Keys: func(u userRow) []store.Key {
			if id := id(u.User); id != nil {
				return []store.Key{store.Int(*id)}
			}
			return nil
		}}
	}
	return store.NewTable[userRow](sp, store.Users, 1,
		store.Index[userRow]{Name: byLogin, Unique: true, Keys: func(u userRow) []store.Key {
			return []store.Key{loginKey(u.Login)}
		}},
		by(byDealer, func(u User) *int64 { return u.DealerID }),
		by(byClient, func(u User) *int64 { return u.ClientID }),
		by(byGroup, func(u User) *int64 { return u.GroupID }),
		by(byExtension, func(u User) *int64 { return u.ExtensionID }),
		by(byKeeper, func(u User) *int64 {
			if u.Level != LevelClient {
				return nil
			}
			return u.ClientID
		}),
	)
}

// loginKey is the same for logins that differ in case only.
func loginKey(login string) store.Key { return store.Str(strings.ToLower(login)) }

func appTable(sp *store.Space) *store.Table[appRow] {
	return store.NewTable[appRow](sp, store.Apps, 1, store.Index[appRow]{
		Name: byUser,
		Keys: func(x appRow) []store.Key { return []store.Key{store.Int(x.UserID)} },
	})
}

func tokenTable(sp *store.Space) *store.Table[tokenRow] {
	return store.NewTable[tokenRow](sp, store.Tokens, 1, store.Index[tokenRow]{
		Name: byUser,
		Keys: func(t tokenRow) []store.Key {
			if !t.Refresh {
				return nil
			}
			return []store.Key{store.Int(t.User)}
		},
	})
}

// fingerprint is what is stored of a token or secret.
func fingerprint(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// owner is an id of a row, 0 for none.
func owner(id *int64) int64 {
	if id == nil {
		return 0
	}
	return *id
}

// principal is a user by way of an application, or of none.
func principal(u User, x *App) Principal {
	p := Principal{
		UserID: u.ID, Login: u.Login, Level: u.Level, Access: u.Access, Admin: u.Admin, Timezone: u.Timezone,
		DealerID: owner(u.DealerID), ClientID: owner(u.ClientID), GroupID: owner(u.GroupID), ExtensionID: owner(u.ExtensionID),
		AppAccess: AppAll,
	}
	if x != nil {
		p.App, p.AppAccess, p.AppLimit = x.ClientID, x.Access, x.limit()
	}
	return p
}

func (x App) limit() int {
	if x.RateLimit == nil {
		return 0
	}
	return *x.RateLimit
}

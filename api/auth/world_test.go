package auth

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

const (
	goodPassword = "tree-lamp-river"
	here         = "192.0.2.1"
)

// cheap keeps argon2id real and the tests quick.
var cheap = cost{memory: 64, passes: 1, threads: 1}

// world is an authority over a real store, with two clients: client 1 has the
// extensions 11 (in group 7) and 12, client 2 has extension 21.
type world struct {
	t     testing.TB
	space *store.Space
	*Authority

	mu      sync.Mutex
	clients map[int64]bool     // id -> active
	groups  map[int64][2]int64 // usable extension -> client and group
	entries []entry
	refuse  error // what Audit says
}

type entry struct {
	what          string
	id            any
	before, after any
}

func newWorld(t testing.TB) *world { return openWorld(t, storetest.Open(t), cheap) }

func openWorld(t testing.TB, db *store.DB, c cost) *world {
	w := &world{
		t: t, space: db.Config(),
		clients: map[int64]bool{1: true, 2: true},
		groups:  map[int64][2]int64{11: {1, 7}, 12: {1, 0}, 21: {2, 0}},
	}
	w.restart(c)
	return w
}

// restart opens a new authority over the same store.
func (w *world) restart(c cost) {
	w.t.Helper()
	a, err := open(Config{
		Space: w.space, Logger: slog.New(slog.DiscardHandler),
		Client: func(id int64) (bool, bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			active, exists := w.clients[id]
			return active, exists
		},
		Extension: func(id int64) (int64, int64, bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			x, ok := w.groups[id]
			return x[0], x[1], ok
		},
		Number: func(id int64) string { return map[int64]string{11: "101", 12: "102", 21: "101"}[id] },
		Audit: func(_ *store.Tx, _ context.Context, what string, id, before, after any) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.entries = append(w.entries, entry{what, id, before, after})
			return w.refuse
		},
	}, c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Authority = a
}

// set changes what the callbacks say.
func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// person is a valid user of a level, bound to client 1, group 7, extension 11,
// dealer 3.
func person(login string, level Level) User {
	u := DefaultUser()
	u.Login, u.Level, u.Name, u.Password = login, level, "Somebody", goodPassword
	switch level {
	case LevelExtension:
		u.ExtensionID = new(int64(11))
	case LevelGroup:
		u.ClientID, u.GroupID = new(int64(1)), new(int64(7))
	case LevelClient:
		u.ClientID = new(int64(1))
	case LevelDealer:
		u.DealerID = new(int64(3))
	}
	return u
}

func (w *world) user(login string, level Level) User {
	w.t.Helper()
	u, err := w.AddUser(w.t.Context(), person(login, level))
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// client is an application with its secret, as a request of it begins.
type client struct {
	App
	GrantRequest
}

func (w *world) app(user int64, kind AppType, access AppAccess) client {
	w.t.Helper()
	x := DefaultApp()
	x.UserID, x.Name, x.Type, x.Access = user, "program", kind, access
	x, secret, err := w.AddApp(w.t.Context(), x)
	if err != nil {
		w.t.Fatal(err)
	}
	return client{x, GrantRequest{ClientID: x.ClientID, ClientSecret: secret.Reveal(), Source: here}}
}

func (c client) credentials() GrantRequest {
	r := c.GrantRequest
	r.GrantType = "client_credentials"
	return r
}

func (c client) password(login, password string) GrantRequest {
	r := c.GrantRequest
	r.GrantType, r.Username, r.Password = "password", login, password
	return r
}

func (c client) refresh(token string) GrantRequest {
	r := c.GrantRequest
	r.GrantType, r.RefreshToken = "refresh_token", token
	return r
}

func (w *world) grant(r GrantRequest) Grant {
	w.t.Helper()
	g, err := w.Exchange(w.t.Context(), r)
	if err != nil {
		w.t.Fatalf("%s: %v", r.GrantType, err)
	}
	return g
}

// alive and dead say what a token must be.
func (w *world) alive(token string) Principal {
	w.t.Helper()
	p, err := w.Authenticate(token)
	if err != nil {
		w.t.Fatalf("token: %v", err)
	}
	return p
}

func (w *world) dead(token string) {
	w.t.Helper()
	if p, err := w.Authenticate(token); !errors.Is(err, ErrToken) {
		w.t.Fatalf("token: %+v, %v", p, err)
	}
}

// code wants a refusal of the token endpoint.
func (w *world) code(r GrantRequest, want GrantCode) {
	w.t.Helper()
	g, err := w.Exchange(w.t.Context(), r)
	var refused *GrantError
	if !errors.As(err, &refused) || !errors.Is(err, ErrGrant) || refused.Code != want || g != (Grant{}) {
		w.t.Fatalf("%s: %+v, %v, want %s", r.GrantType, g, err, want)
	}
}

func (w *world) change(id int64, change func(*User)) User {
	w.t.Helper()
	u, err := w.ChangeUser(w.t.Context(), Scope{}, id, func(u *User) error { change(u); return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// fields names the fields of a validation error.
func fields(err error) (names []string) {
	var list dialplan.FieldErrors
	errors.As(err, &list)
	for _, f := range list {
		names = append(names, f.Field)
	}
	return names
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

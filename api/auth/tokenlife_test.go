package auth

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		x := w.app(w.user("root", LevelPlatform).ID, AppPassword, AppAll)
		g := w.grant(x.password("root", goodPassword))
		time.Sleep(30 * time.Minute)
		w.restart(cheap)
		time.Sleep(30*time.Minute - 100*time.Millisecond)
		w.alive(g.AccessToken)
		time.Sleep(200 * time.Millisecond)
		w.dead(g.AccessToken)
		if n := w.Stats().Tokens; n != 0 {
			t.Errorf("%d tokens in memory", n)
		}
		w.restart(cheap)
		w.dead(g.AccessToken)
		w.grant(x.refresh(g.RefreshToken))
		time.Sleep(20 * time.Minute) // the store sweeps every 10
		if rows := w.rows(); rows != 2 {
			t.Errorf("%d rows, want the family and its new token", rows)
		}
	})
}

// rows counts what the token table holds, expired or not: Check reads the index
// entries too.
func (w *world) rows() (n int) {
	w.t.Helper()
	if err := w.tokens.Check(); err != nil {
		w.t.Error(err)
	}
	if err := w.tokens.Each(store.Range{}, func(store.Row[tokenRow]) error { n++; return nil }); err != nil {
		w.t.Error(err)
	}
	return n
}

// A token of a change that was made while the credentials were checked is none.
func TestChangedMeanwhile(t *testing.T) {
	w := newWorld(t)
	u := w.user("root", LevelPlatform)
	row, err := w.users.Get(store.Int(u.ID))
	if err != nil {
		t.Fatal(err)
	}
	w.change(u.ID, func(u *User) { u.Password = "river-lamp-tree" })
	if g, err := w.issue(bearer{user: row}, nil); !errors.Is(err, errChanged) {
		t.Errorf("%+v, %v", g, err)
	}
	if err := w.DeleteUser(t.Context(), Scope{}, u.ID); err != nil {
		t.Fatal(err)
	}
	if g, err := w.issue(bearer{user: row}, nil); !errors.Is(err, errChanged) {
		t.Errorf("%+v, %v", g, err)
	}
}

// What a user can have is bounded, and the oldest makes room.
func TestBounds(t *testing.T) {
	w := newWorld(t)
	u := w.user("root", LevelPlatform)
	x := w.app(u.ID, AppPassword, AppAll)
	first := w.grant(x.password("root", goodPassword))
	for range familiesPerUser {
		w.grant(x.password("root", goodPassword))
	}
	w.code(x.refresh(first.RefreshToken), InvalidGrant)
	w.dead(first.AccessToken)
	second, err := w.Issue(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	for range tokensPerUser {
		if _, err := w.Issue(t.Context(), u.ID); err != nil {
			t.Fatal(err)
		}
	}
	w.dead(second.AccessToken)
	if n := w.Stats().Tokens; n != tokensPerUser {
		t.Errorf("%d tokens", n)
	}
}

// Nothing that is good for a request lies in the store.
func TestOnlyFingerprints(t *testing.T) {
	dir := t.TempDir()
	db := storetest.OpenDir(t, dir)
	w := openWorld(t, db, cheap)
	x := w.app(w.user("root", LevelPlatform).ID, AppPassword, AppAll)
	g := w.grant(x.password("root", goodPassword))
	name, _ := familyOf(g.RefreshToken)
	var stored strings.Builder
	for _, read := range []func() error{
		func() error {
			return w.tokens.Each(store.Range{}, func(r store.Row[tokenRow]) error {
				stored.WriteString(string(r.Key) + text(r.Value))
				return nil
			})
		},
		func() error {
			return w.apps.Each(store.Range{}, func(r store.Row[appRow]) error {
				stored.WriteString(text(r.Value))
				return nil
			})
		},
		func() error {
			return w.users.Each(store.Range{}, func(r store.Row[userRow]) error {
				stored.WriteString(text(r.Value) + r.Value.Hash.Reveal())
				return nil
			})
		},
	} {
		if err := read(); err != nil {
			t.Fatal(err)
		}
	}
	for _, secret := range []string{g.AccessToken, g.RefreshToken, x.ClientSecret, goodPassword, hex.EncodeToString(name)} {
		if strings.Contains(stored.String(), secret) {
			t.Errorf("%q is stored", secret)
		}
	}
	if !strings.Contains(stored.String(), fingerprint(g.AccessToken)) {
		t.Error("the test reads the wrong thing")
	}
}

package auth

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

func TestHashForm(t *testing.T) {
	h := newHasher(cheap)
	text, err := h.make(t.Context(), goodPassword)
	if err != nil || !strings.HasPrefix(text, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatalf("%s, %v", text, err)
	}
	if !h.equal(text, goodPassword) || h.equal(text, goodPassword+" ") || h.equal("", goodPassword) || h.equal("x", "") {
		t.Error("compared wrongly")
	}
	if dear != (cost{19456, 2, 1}) {
		t.Errorf("%+v", dear)
	}
	again, err := h.make(t.Context(), goodPassword)
	if err != nil || again == text {
		t.Errorf("the same salt twice: %v", err)
	}
	for _, bad := range []string{
		strings.Replace(text, "argon2id", "argon2i", 1), strings.Replace(text, "v=19", "v=16", 1),
		strings.Replace(text, "m=64", "m=064", 1), strings.Replace(text, "m=64", "m=999999999", 1),
		strings.Replace(text, "t=1", "t=0", 1), strings.Replace(text, "p=1", "p=-1", 1), text + "$", text[:len(text)-1], text + "A",
	} {
		if _, err := parseHash(bad); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// Six computations at once, a bounded queue behind them, and whoever gives up
// leaves it.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(cheap)
		var ends []func()
		for range hashesAtOnce {
			end, err := h.turn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, end)
		}
		ctx, cancel := context.WithCancel(t.Context())
		answers := make(chan error, hashesWaiting)
		for range hashesWaiting {
			// ends with the cancelled ctx
			go func() { _, err := h.turn(ctx); answers <- err }()
		}
		synctest.Wait()
		if len(answers) != 0 || h.waiting.Load() != hashesWaiting {
			t.Errorf("%d answered, %d wait", len(answers), h.waiting.Load())
		}
		cancel()
		for range hashesWaiting {
			if err := <-answers; !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		if _, err := h.make(ctx, "x"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		h.waiting.Store(hashesAtOnce + hashesWaiting)
		if _, err := h.turn(t.Context()); !errors.Is(err, ErrBusy) {
			t.Error(err)
		}
		h.waiting.Store(0)
		ends[0]()
		if end, err := h.turn(t.Context()); err != nil {
			t.Error(err)
		} else {
			end()
		}
	})
}

// When the price goes up, a login pays the difference once.
func TestDearer(t *testing.T) {
	w := openWorld(t, storetest.Open(t), cheap)
	u := w.user("root", LevelPlatform)
	g := w.grant(w.app(u.ID, AppTrusted, AppAll).credentials())
	w.restart(cost{memory: 128, passes: 1, threads: 1})
	for _, want := range []uint64{2, 1} {
		before := w.Stats().Hashes
		if _, err := w.CheckPassword(t.Context(), "root", goodPassword, here); err != nil {
			t.Fatal(err)
		}
		if n := w.Stats().Hashes - before; n != want {
			t.Errorf("%d hashes, want %d", n, want)
		}
	}
	row, err := w.users.Get(store.Int(u.ID))
	if err != nil || !strings.Contains(row.Hash.Reveal(), "m=128,") {
		t.Errorf("%v", err)
	}
	w.alive(g.AccessToken) // the password is the same
}

func FuzzParseHash(f *testing.F) {
	f.Add(newHasher(cheap).nobody.String())
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseHash(s)
		if err == nil && h.String() != s {
			t.Errorf("%q was read as %q", s, h)
		}
	})
}

// Whatever a stranger sends as a token is refused, and ends nobody's.
func FuzzTokens(f *testing.F) {
	w := newWorld(f)
	x := w.app(w.user("root", LevelPlatform).ID, AppPassword, AppAll)
	g := w.grant(x.password("root", goodPassword))
	family, _ := familyOf(g.RefreshToken)
	f.Add(newToken())
	f.Add(g.AccessToken + "=")
	f.Add(g.RefreshToken[:42])
	f.Fuzz(func(t *testing.T, s string) {
		if s == g.AccessToken || s == g.RefreshToken {
			return
		}
		if name, ok := familyOf(s); ok && string(name) == string(family) {
			return // whoever knows the family's name has had a token of it
		}
		if _, err := w.Authenticate(s); !errors.Is(err, ErrToken) {
			t.Errorf("%q: %v", s, err)
		}
		if _, err := w.Exchange(t.Context(), x.refresh(s)); !errors.Is(err, ErrGrant) {
			t.Errorf("%q: %v", s, err)
		}
		if err := w.Revoke(t.Context(), s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if _, err := w.Authenticate(g.AccessToken); err != nil {
			t.Errorf("%q ended another token: %v", s, err)
		}
	})
}

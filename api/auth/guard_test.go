package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

// try logs in and says how long the source has to wait, -1 when it was not
// refused for that.
func (w *world) try(login, password, source string) (left time.Duration, err error) {
	_, err = w.CheckPassword(context.Background(), login, password, source)
	var locked *LockedError
	if errors.As(err, &locked) {
		return locked.RetryAfter, err
	}
	return -1, err
}

// fail wants a wrong password to be refused as such, n times.
func (w *world) fail(n int, login, source string) {
	w.t.Helper()
	for range n {
		if _, err := w.try(login, "wrong", source); !errors.Is(err, ErrPassword) {
			w.t.Fatalf("%s from %s: %v", login, source, err)
		}
	}
}

// waits wants a pause of about d; 0: none, with the right password.
func (w *world) waits(d time.Duration, login, source string) {
	w.t.Helper()
	left, err := w.try(login, goodPassword, source)
	if d == 0 && err == nil || d > 0 && left > d-time.Second && left <= d {
		return
	}
	w.t.Fatalf("%s from %s: %v, %v, want a pause of %v", login, source, left, err, d)
}

// lockWorld has users anna and boss. Only in a bubble does its time move.
func lockWorld(t *testing.T) *world {
	w := newWorld(t)
	w.user("anna", LevelClient)
	w.user("boss", LevelClient)
	return w
}

func TestLockoutOfName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lockWorld(t)
		w.fail(4, "anna", here)
		time.Sleep(failureWindow) // they do not count any more
		w.fail(4, "anna", here)
		w.waits(0, "Anna", here) // a success forgets them
		w.fail(5, "ANNA", here)
		hashes := w.Stats().Hashes
		w.waits(15*time.Minute, "anna", here)
		if n := w.Stats().Hashes - hashes; n != 0 {
			t.Errorf("%d hashes during a pause", n)
		}
		w.waits(0, "anna", "192.0.2.2") // nobody else is locked out
		w.waits(0, "boss", here)
		time.Sleep(5 * time.Minute)
		w.restart(cheap)
		w.waits(10*time.Minute, "anna", here)
		time.Sleep(10 * time.Minute)
		w.waits(0, "anna", here)
		if s := w.Stats(); s.Locked != 0 || s.Pauses != 1 || s.Lockouts != 0 {
			t.Errorf("after the restart: %+v", s)
		}
	})
}

// Days pass here, so the guard has a clock of its own: a store in a bubble pays
// for each minute.
func TestLockoutDoubles(t *testing.T) {
	db := storetest.Open(t)
	now := time.Now()
	clock := func() time.Time { return now }
	g := newGuard(db.Config(), clock, slog.New(slog.DiscardHandler))
	at := g.key(here, "user anna")
	lock := func(want time.Duration) {
		t.Helper()
		for range nameFailures {
			if err := g.admit(at); err != nil {
				t.Fatal(err)
			}
			g.failed(at)
		}
		var locked *LockedError
		if err := g.admit(at); !errors.As(err, &locked) || locked.RetryAfter != want {
			t.Fatalf("%v, want %v", err, want)
		}
		now = now.Add(want)
	}
	for i, minutes := range []int{15, 30, 60, 120, 240, 480, 960, 1440, 1440} {
		lock(time.Duration(minutes) * time.Minute)
		if i%2 == 0 {
			g = newGuard(db.Config(), clock, g.log)
			if err := g.load(); err != nil {
				t.Fatal(err)
			}
		}
	}
	now = now.Add(strikesLast)
	lock(15 * time.Minute)
}

func TestLockoutOfSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lockWorld(t)
		w.waits(0, "anna", here) // known from now on
		for i := range sourceFailures {
			w.fail(1, fmt.Sprint("guess", i), here)
		}
		for range 2 {
			w.waits(15*time.Minute, "boss", here)
			w.waits(15*time.Minute, "nobody", here)
			w.waits(0, "anna", here)
			w.restart(cheap)
		}
		w.waits(0, "boss", "192.0.2.2")
		w.fail(5, "anna", here) // what is tried at her own name counts
		w.waits(15*time.Minute, "anna", here)
	})
}

// A source is known for 30 days after its last success.
func TestKnownEnds(t *testing.T) {
	db := storetest.Open(t)
	now := time.Now()
	g := newGuard(db.Config(), func() time.Time { return now }, slog.New(slog.DiscardHandler))
	at := g.key(here, "user anna")
	g.succeeded(at)
	for _, tt := range []struct {
		later time.Duration
		known bool
	}{{29 * 24 * time.Hour, true}, {24 * time.Hour, false}} {
		now = now.Add(tt.later)
		for i := range sourceFailures {
			g.failed(g.key(here, fmt.Sprint("user guess", i)))
		}
		if err := g.admit(at); (err == nil) != tt.known {
			t.Errorf("%v later: %v, known %v", tt.later, err, tt.known)
		}
	}
}

// Attempts at once get through no more than one turn of hashing beyond the limit.
func TestLockoutAtOnce(t *testing.T) {
	w := lockWorld(t)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { _, _ = w.try("anna", "wrong", here) }) // ends with its answer
	}
	all.Wait()
	if n := w.Stats().Hashes - 2; n < nameFailures || n >= nameFailures+hashesAtOnce { // two for the users
		t.Errorf("%d passwords were tried", n)
	}
	if s := w.Stats(); s.Lockouts != 1 || s.Locked != 1 {
		t.Errorf("%+v", s)
	}
}

func TestAppLockout(t *testing.T) {
	w := newWorld(t)
	x := w.app(w.user("root", LevelPlatform).ID, AppTrusted, AppAll)
	wrong := x.credentials()
	wrong.ClientSecret = "wrong"
	for range nameFailures {
		w.code(wrong, InvalidClient)
	}
	if _, err := w.Exchange(t.Context(), x.credentials()); !errors.Is(err, ErrLocked) {
		t.Errorf("%v", err)
	}
	elsewhere := x.credentials()
	elsewhere.Source = "192.0.2.2"
	w.grant(elsewhere)
}

// Unknown login, wrong password, blocked user, blocked client: one error, one
// computation, and the same pause in the end (A3).
func TestSameForAll(t *testing.T) {
	w := lockWorld(t)
	blocked := w.user("blocked", LevelClient)
	w.change(blocked.ID, func(u *User) { u.Status = dialplan.StatusBlocked })
	stranger := person("stranger", LevelClient)
	stranger.ClientID = new(int64(2))
	if _, err := w.AddUser(t.Context(), stranger); err != nil {
		t.Fatal(err)
	}
	w.set(func() { w.clients[2] = false })
	x := w.app(w.user("root", LevelPlatform).ID, AppPassword, AppAll)
	for i, who := range [][2]string{
		{"nobody", goodPassword}, {"anna", "wrong"}, {"blocked", goodPassword}, {"blocked", "wrong"}, {"stranger", goodPassword},
		{"", ""}, {"anna\x00", goodPassword}, {string(make([]byte, 5000)), "x"},
	} {
		source := fmt.Sprint("192.0.2.", i+10)
		for n := range nameFailures + 1 {
			before := w.Stats().Hashes
			_, err := w.CheckPassword(t.Context(), who[0], who[1], source)
			done := w.Stats().Hashes - before
			if n < nameFailures && (err != ErrPassword || done != 1) || n == nameFailures && (!errors.Is(err, ErrLocked) || done != 0) {
				t.Errorf("%q, attempt %d: %v after %d hashes", who[0], n, err, done)
			}
		}
		if who[0] == "" {
			continue // the token endpoint wants a name
		}
		r := x.password(who[0], who[1])
		r.Source = fmt.Sprint("198.51.100.", i+10)
		before := w.Stats().Hashes
		_, err := w.Exchange(t.Context(), r)
		if err == nil || err.Error() != "invalid_grant: wrong login or password" || w.Stats().Hashes-before != 1 {
			t.Errorf("%q: %v", who[0], err)
		}
	}
}

func TestSources(t *testing.T) {
	for _, tt := range [][2]string{
		{"192.0.2.1", "192.0.2.1"}, {"::ffff:192.0.2.1", "192.0.2.1"}, {"2001:db8::1", "2001:db8::/64"},
		{"2001:db8::ffff:0:0:1", "2001:db8::/64"}, {"fe80::1%eth0", "fe80::/64"}, {"", ""}, {"socket", "socket"},
	} {
		if got := Network(tt[0]); got != tt[1] {
			t.Errorf("%s: %s, want %s", tt[0], got, tt[1])
		}
	}
}

// A flood of sources and names costs bounded memory.
func TestGuardBounds(t *testing.T) {
	db := storetest.Open(t)
	now := time.Now()
	g := newGuard(db.Config(), func() time.Time { return now }, slog.New(slog.DiscardHandler))
	for i := range maxTallies + 1000 {
		g.count(attempt{fmt.Sprint(i), "x"}, nameFailures)
		g.count(attempt{fmt.Sprint(i), ""}, 1) // pauses at once
	}
	if len(g.tallies) != maxTallies || len(g.pauses) != maxPauses {
		t.Errorf("%d tallies, %d pauses", len(g.tallies), len(g.pauses))
	}
	now = now.Add(longestPause + strikesLast)
	var s Stats
	if g.stats(&s); len(g.tallies) != 0 || len(g.pauses) != 0 || s.Locked != 0 {
		t.Errorf("%d tallies, %d pauses are left", len(g.tallies), len(g.pauses))
	}
	for i := range 2 * maxKnownSources {
		now = now.Add(time.Second)
		g.succeeded(g.key(fmt.Sprint("192.0.2.", i), "user anna"))
	}
	row, err := g.table.Get(knownKey("user anna"))
	if err != nil || len(row.Known) != maxKnownSources || row.Known[0].Source != fmt.Sprint("192.0.2.", 2*maxKnownSources-1) {
		t.Errorf("%d known sources, %v", len(row.Known), err)
	}
	if err := g.table.Each(store.Range{}, func(store.Row[guardRow]) error { return nil }); err != nil {
		t.Error(err)
	}
}

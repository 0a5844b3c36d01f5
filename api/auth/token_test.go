package auth

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/cordpair/cordpair/dialplan"
)

func TestTrustedApp(t *testing.T) {
	w := newWorld(t)
	u := w.user("anna", LevelClient)
	x := w.app(u.ID, AppTrusted, AppCallAPI)
	g := w.grant(x.credentials())
	if g.TokenType != "Bearer" || g.ExpiresIn != 3600 || g.Scope != "all" || g.RefreshToken != "" || len(g.AccessToken) != 43 {
		t.Errorf("%+v", g)
	}
	want := Principal{
		UserID: u.ID, Login: "anna", Level: LevelClient, ClientID: 1, Access: AccessFull,
		App: x.App.ClientID, AppAccess: AppCallAPI, Timezone: "UTC",
	}
	if p := w.alive(g.AccessToken); p != want {
		t.Errorf("%+v, want %+v", p, want)
	}
}

func TestPasswordApp(t *testing.T) {
	w := newWorld(t)
	x := w.app(w.user("root", LevelPlatform).ID, AppPassword, AppAll)
	w.user("Erik", LevelExtension)
	g := w.grant(x.password("eRIK", goodPassword))
	if g.Scope != "" || g.RefreshToken == "" || g.TokenType != "Bearer" || g.ExpiresIn != 3600 {
		t.Errorf("%+v", g)
	}
	p := w.alive(g.AccessToken)
	if p.Login != "Erik" || p.ExtensionID != 11 || p.ClientID != 1 || p.GroupID != 7 || p.Level != LevelExtension || p.Admin {
		t.Errorf("%+v", p)
	}
	if text(g) == text(w.grant(x.password("erik", goodPassword))) {
		t.Error("the same tokens twice")
	}
}

func TestGrantRefusals(t *testing.T) {
	w := newWorld(t)
	u := w.user("anna", LevelClient)
	trusted, pass, public := w.app(u.ID, AppTrusted, AppAll), w.app(u.ID, AppPassword, AppAll), w.app(u.ID, AppPublic, AppAll)
	with := func(r GrantRequest, change func(*GrantRequest)) GrantRequest { change(&r); return r }
	for _, tt := range []struct {
		name string
		r    GrantRequest
		want GrantCode
	}{
		{"nothing", GrantRequest{}, InvalidRequest},
		{"no client", with(trusted.credentials(), func(r *GrantRequest) { r.ClientID = "" }), InvalidRequest},
		{"authorization code", with(public.GrantRequest, func(r *GrantRequest) { r.GrantType = "authorization_code" }), UnsupportedGrantType},
		{"another grant type", with(trusted.GrantRequest, func(r *GrantRequest) { r.GrantType = "Password" }), UnsupportedGrantType},
		{"another scope", with(trusted.credentials(), func(r *GrantRequest) { r.Scope = "all calls" }), InvalidScope},
		{"unknown client", with(trusted.credentials(), func(r *GrantRequest) { r.ClientID = "x" }), InvalidClient},
		{"wrong secret", with(trusted.credentials(), func(r *GrantRequest) { r.ClientSecret += "x" }), InvalidClient},
		{"no secret", with(trusted.credentials(), func(r *GrantRequest) { r.ClientSecret = "" }), InvalidClient},
		{"secret of another", with(trusted.credentials(), func(r *GrantRequest) { r.ClientSecret = pass.ClientSecret }), InvalidClient},
		{"password of a trusted one", trusted.password("anna", goodPassword), UnauthorizedClient},
		{"own name of a password one", pass.credentials(), UnauthorizedClient},
		{"own name of a public one", public.credentials(), UnauthorizedClient},
		{"no user", pass.password("", goodPassword), InvalidRequest},
		{"no password", pass.password("anna", ""), InvalidRequest},
		{"unknown user", pass.password("annb", goodPassword), InvalidGrant},
		{"wrong password", pass.password("anna", goodPassword+"x"), InvalidGrant},
		{"no refresh token", pass.refresh(""), InvalidRequest},
		{"unknown refresh token", pass.refresh(newToken()), InvalidGrant},
		{"malformed refresh token", pass.refresh("x"), InvalidGrant},
	} {
		tt.r.Source = tt.name // so that no source is refused
		before := w.Stats().Refused
		w.code(tt.r, tt.want)
		if n := w.Stats().Refused - before; n != 1 {
			t.Errorf("%s: %d refusals counted", tt.name, n)
		}
	}
}

// Whatever takes a user's or an application's rights takes its tokens at once,
// and they do not come back with a restart.
func TestEndings(t *testing.T) {
	ctx := context.Background()
	for _, tt := range []struct {
		name string
		do   func(w *world, u User, x client) error
		ends bool
	}{
		{"status", func(w *world, u User, x client) error {
			w.change(u.ID, func(u *User) { u.Status = dialplan.StatusBlocked })
			w.change(u.ID, func(u *User) { u.Status = dialplan.StatusActive })
			return nil
		}, true},
		{"access", func(w *world, u User, x client) error {
			w.change(u.ID, func(u *User) { u.Access = AccessReadOnly })
			return nil
		}, true},
		{"password", func(w *world, u User, x client) error {
			w.change(u.ID, func(u *User) { u.Password = "river-lamp-tree" })
			return nil
		}, true},
		{"name", func(w *world, u User, x client) error {
			w.change(u.ID, func(u *User) { u.Name, u.Timezone = "Other", "Europe/Berlin" })
			return nil
		}, false},
		{"delete", func(w *world, u User, x client) error { return w.DeleteUser(ctx, Scope{}, u.ID) }, true},
		{"app access", func(w *world, u User, x client) error {
			_, err := w.ChangeApp(ctx, x.App.ClientID, func(x *App) error { x.Access = AppCallAPI; return nil })
			return err
		}, true},
		{"app type", func(w *world, u User, x client) error {
			_, err := w.ChangeApp(ctx, x.App.ClientID, func(x *App) error { x.Type = AppPublic; return nil })
			return err
		}, true},
		{"app limit", func(w *world, u User, x client) error {
			_, err := w.ChangeApp(ctx, x.App.ClientID, func(x *App) error { x.RateLimit = new(5); return nil })
			return err
		}, false},
		{"app secret", func(w *world, u User, x client) error {
			_, err := w.NewSecret(ctx, x.App.ClientID)
			return err
		}, true},
		{"app delete", func(w *world, u User, x client) error { return w.DeleteApp(ctx, x.App.ClientID) }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.user("keeper", LevelClient)
			u := w.user("anna", LevelClient)
			x := w.app(u.ID, AppPassword, AppAll)
			other := w.grant(w.app(w.user("root", LevelPlatform).ID, AppTrusted, AppAll).credentials())
			g := w.grant(x.password("anna", goodPassword))
			w.alive(g.AccessToken)
			if err := tt.do(w, u, x); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				w.alive(other.AccessToken)
				if tt.ends {
					w.dead(g.AccessToken)
					if n := w.Stats().Tokens; n != 1 {
						t.Errorf("%d live tokens", n)
					}
				} else if p := w.alive(g.AccessToken); tt.name == "name" && p.Timezone != "Europe/Berlin" || tt.name == "app limit" && p.AppLimit != 5 {
					t.Errorf("%+v", p)
				}
				w.restart(cheap)
			}
			if _, err := w.Exchange(ctx, x.refresh(g.RefreshToken)); (err != nil) != tt.ends {
				t.Errorf("refresh: %v", err)
			}
		})
	}
}

// A blocked or deleted client or extension takes the rights at once, and gives
// them back when it is unblocked.
func TestTenantsEndings(t *testing.T) {
	w := newWorld(t)
	x := w.app(w.user("root", LevelPlatform).ID, AppPassword, AppAll)
	w.user("anna", LevelExtension)
	boss := w.user("boss", LevelClient)
	trusted := w.app(boss.ID, AppTrusted, AppAll)
	g := w.grant(x.password("anna", goodPassword))
	check := func(name string, want error, change func()) {
		t.Helper()
		w.set(change)
		if _, err := w.Authenticate(g.AccessToken); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		_, err := w.CheckPassword(t.Context(), "anna", goodPassword, here)
		if (err == nil) != (want == nil) || err != nil && !errors.Is(err, ErrPassword) {
			t.Errorf("%s: password: %v", name, err)
		}
	}
	check("nothing", nil, func() {})
	check("client blocked", ErrBlocked, func() { w.clients[1] = false })
	w.code(trusted.credentials(), UnauthorizedClient)
	if _, err := w.Issue(t.Context(), boss.ID); !errors.Is(err, ErrBlocked) {
		t.Errorf("issued: %v", err)
	}
	check("client back", nil, func() { w.clients[1] = true })
	check("extension blocked", ErrBlocked, func() { delete(w.groups, 11) })
	check("extension moved to another client", ErrBlocked, func() { w.groups[11] = [2]int64{2, 0} })
	check("extension back in another group", nil, func() { w.groups[11] = [2]int64{1, 8} })
	if p := w.alive(g.AccessToken); p.GroupID != 8 {
		t.Errorf("group %d", p.GroupID)
	}
	check("client gone", ErrToken, func() { delete(w.clients, 1) })
}

func TestRefresh(t *testing.T) {
	w := newWorld(t)
	x := w.app(w.user("root", LevelPlatform).ID, AppPassword, AppAll)
	other := w.app(w.user("anna", LevelClient).ID, AppPassword, AppAll)
	first := w.grant(x.password("anna", goodPassword))
	w.code(other.refresh(first.RefreshToken), InvalidGrant) // and is no use of it
	second := w.grant(x.refresh(first.RefreshToken))
	if second.RefreshToken == "" || second.RefreshToken == first.RefreshToken || second.Scope != "" {
		t.Errorf("%+v", second)
	}
	w.restart(cheap)
	w.alive(first.AccessToken)
	w.alive(second.AccessToken)
	bystander := w.grant(x.password("anna", goodPassword))
	w.code(x.refresh(first.RefreshToken), InvalidGrant) // reuse: the family dies
	for range 2 {
		w.dead(first.AccessToken)
		w.dead(second.AccessToken)
		w.code(x.refresh(second.RefreshToken), InvalidGrant)
		w.alive(bystander.AccessToken)
		w.restart(cheap)
	}
}

// One refresh token used many times at once: one use at most gets an answer, and
// nothing of the family is left.
func TestRefreshAtOnce(t *testing.T) {
	w := newWorld(t)
	x := w.app(w.user("root", LevelPlatform).ID, AppPassword, AppAll)
	for range 20 {
		g := w.grant(x.password("root", goodPassword))
		var mu sync.Mutex
		var won []Grant
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { // ends with its answer
				next, err := w.Exchange(t.Context(), x.refresh(g.RefreshToken))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won = append(won, next)
				} else if !errors.Is(err, ErrGrant) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(won) != 1 {
			t.Fatalf("%d uses won", len(won))
		}
		w.dead(g.AccessToken)
		w.dead(won[0].AccessToken)
		w.code(x.refresh(won[0].RefreshToken), InvalidGrant)
	}
	if s := w.Stats(); s.Reused == 0 || s.Tokens != 0 {
		t.Errorf("%+v", s)
	}
}

func TestRevoke(t *testing.T) {
	w := newWorld(t)
	x := w.app(w.user("root", LevelPlatform).ID, AppPassword, AppAll)
	a, b := w.grant(x.password("root", goodPassword)), w.grant(x.password("root", goodPassword))
	for _, token := range []string{a.AccessToken, b.RefreshToken, newToken(), "", "no token"} {
		if err := w.Revoke(t.Context(), token); err != nil {
			t.Errorf("%q: %v", token, err)
		}
	}
	for range 2 {
		w.dead(a.AccessToken)
		w.dead(b.AccessToken)
		w.restart(cheap)
	}
	w.code(x.refresh(b.RefreshToken), InvalidGrant)
	w.grant(x.refresh(a.RefreshToken)) // an access token ends alone
}

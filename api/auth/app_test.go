package auth

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cordpair/cordpair/store"
)

func TestAppValidate(t *testing.T) {
	good := DefaultApp()
	good.UserID, good.Name, good.RateLimit = 1, "program", new(100)
	good.RedirectURLs = []string{"https://example.test/back?x=1", "http://127.0.0.1:8000/", "http://[::1]/", "http://localhost/x"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		field  string
		change func(*App)
	}{
		{"user_id", func(x *App) { x.UserID = 0 }},
		{"name", func(x *App) { x.Name = "" }},
		{"redirect_urls", func(x *App) { x.RedirectURLs = make([]string, 1) }},
		{"redirect_urls", func(x *App) { x.RedirectURLs = []string{"http://example.test/"} }},
		{"redirect_urls", func(x *App) { x.RedirectURLs = []string{"https://example.test/#x"} }},
		{"redirect_urls", func(x *App) { x.RedirectURLs = []string{"https://example.test/#"} }},
		{"redirect_urls", func(x *App) { x.RedirectURLs = []string{"javascript:alert(1)"} }},
		{"redirect_urls", func(x *App) { x.RedirectURLs = []string{"https://a:b@example.test/"} }},
		{"redirect_urls", func(x *App) { x.RedirectURLs = slices.Repeat([]string{"https://example.test/"}, 11) }},
		{"type", func(x *App) { x.Type = "other" }},
		{"access", func(x *App) { x.Access = "" }},
		{"rate_limit", func(x *App) { x.RateLimit = new(0) }},
	} {
		x := good
		tt.change(&x)
		if err := x.Validate(); !slices.Equal(fields(err), []string{tt.field}) {
			t.Errorf("%s: %v", tt.field, err)
		}
	}
}

func TestApps(t *testing.T) {
	w := newWorld(t)
	u := w.user("root", LevelPlatform)
	x := w.app(u.ID, AppTrusted, AppAll)
	if len(x.App.ClientID) != 32 || len(x.ClientSecret) != 43 || strings.Contains(text(x.App), x.ClientSecret) {
		t.Errorf("%s", text(x.App))
	}
	if got, err := w.App(x.App.ClientID); err != nil || text(got) != text(x.App) {
		t.Errorf("%s, %v", text(got), err)
	}
	for field, change := range map[string]func(*App){
		"client_id": func(x *App) { x.ClientID = "x" },
		"user_id":   func(x *App) { x.UserID++ },
		"type":      func(x *App) { x.Type = "" },
	} {
		_, err := w.ChangeApp(t.Context(), x.App.ClientID, func(x *App) error { change(x); return nil })
		if !slices.Equal(fields(err), []string{field}) {
			t.Errorf("%s: %v", field, err)
		}
	}
	secret, err := w.NewSecret(t.Context(), x.App.ClientID)
	if err != nil {
		t.Fatal(err)
	}
	w.code(x.credentials(), InvalidClient)
	x.ClientSecret = secret.Reveal()
	w.grant(x.credentials())
	stray := DefaultApp()
	stray.UserID, stray.Name = 99, "program"
	if _, _, err := w.AddApp(t.Context(), stray); !slices.Equal(fields(err), []string{"user_id"}) {
		t.Errorf("%v", err)
	}
	for range appsPerUser - 1 {
		w.app(u.ID, AppTrusted, AppAll)
	}
	stray.UserID = u.ID
	if _, _, err := w.AddApp(t.Context(), stray); !errors.Is(err, ErrTooMany) {
		t.Errorf("%v", err)
	}
	if err := w.DeleteUsers(t.Context(), Scope{ClientID: 1}); err != nil {
		t.Error(err)
	}
	if err := w.DeleteUser(t.Context(), Scope{}, u.ID); err != nil {
		t.Fatal(err)
	}
	if list, err := w.Apps(u.ID); err != nil || len(list) != 0 {
		t.Errorf("%d applications are left, %v", len(list), err)
	}
	if err := w.DeleteApp(t.Context(), x.App.ClientID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

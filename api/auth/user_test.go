package auth

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
)

func TestUserValidate(t *testing.T) {
	for _, l := range Levels() {
		u := person("anna", l)
		if l == LevelExtension {
			u.ClientID = new(int64(1))
		}
		if err := u.Validate(); err != nil {
			t.Errorf("%v: %v", l, err)
		}
	}
	for _, tt := range []struct {
		field  string
		change func(*User)
	}{
		{"level", func(u *User) { u.Level, u.ClientID = LevelPlatform+1, nil }},
		{"client_id", func(u *User) { u.ClientID = nil }},
		{"client_id", func(u *User) { u.ClientID = new(int64(0)) }},
		{"dealer_id", func(u *User) { u.DealerID = new(int64(3)) }},
		{"extension_group_id", func(u *User) { u.GroupID = new(int64(3)) }},
		{"extension_id", func(u *User) { u.ExtensionID = new(int64(3)) }},
		{"login", func(u *User) { u.Login = "" }},
		{"login", func(u *User) { u.Login = "an na" }},
		{"login", func(u *User) { u.Login = strings.Repeat("x", 65) }},
		{"login", func(u *User) { u.Login = "anna\x01" }},
		{"password", func(u *User) { u.Password = "elevenchars" }},
		{"password", func(u *User) { u.Password = "xx-ANNA-tree-xx" }},
		{"password", func(u *User) { u.Password = "password1234" }},
		{"password", func(u *User) { u.Password = "aaaaaaaaaaaaaaaa" }},
		{"name", func(u *User) { u.Name = "" }},
		{"name", func(u *User) { u.Name = "a\nb" }},
		{"email", func(u *User) { u.Email = "nobody" }},
		{"email", func(u *User) { u.Email = "A <a@example.test>" }},
		{"comment", func(u *User) { u.Comment = strings.Repeat("x", 1025) }},
		{"timezone", func(u *User) { u.Timezone = "Local" }},
		{"timezone", func(u *User) { u.Timezone = "Moon/Base" }},
		{"extra_params", func(u *User) { u.ExtraParams = "\xff" }},
		{"status", func(u *User) { u.Status = "away" }},
		{"access", func(u *User) { u.Access = "all" }},
	} {
		u := person("anna", LevelClient)
		tt.change(&u)
		err := u.Validate()
		if !errors.Is(err, dialplan.ErrInvalid) || !slices.Equal(fields(err), []string{tt.field}) {
			t.Errorf("%s: %v", tt.field, err)
		}
		if err != nil && len(u.Password) > 12 && strings.Contains(err.Error(), u.Password.Reveal()) {
			t.Errorf("repeats the password: %v", err)
		}
	}
}

func TestAddUser(t *testing.T) {
	w := newWorld(t)
	u := w.user("Anna", LevelExtension)
	if u.ID == 0 || owner(u.ClientID) != 1 || u.Password != "" || u.Admin || strings.Contains(text(u), "password") {
		t.Errorf("%s", text(u))
	}
	if root := w.user("root", LevelPlatform); !root.Admin {
		t.Error("the platform's user is no administrator")
	}
	if _, err := w.AddUser(t.Context(), person("aNNA", LevelClient)); !errors.Is(err, store.ErrTaken) {
		t.Errorf("the same login: %v", err)
	}
	for _, tt := range []struct {
		field  string
		change func(*User)
	}{
		{"password", func(u *User) { u.Password = "" }},
		{"password", func(u *User) { u.Password = "tree-101-river" }},
		{"extension_id", func(u *User) { u.ExtensionID = new(int64(99)) }},
		{"extension_id", func(u *User) { u.ClientID = new(int64(2)) }},
		{"client_id", func(u *User) { *u = person("new", LevelClient); u.ClientID = new(int64(9)) }},
	} {
		u := person("new", LevelExtension)
		tt.change(&u)
		if _, err := w.AddUser(t.Context(), u); !slices.Equal(fields(err), []string{tt.field}) {
			t.Errorf("%s: %v", tt.field, err)
		}
	}
	if list, err := w.Users(Scope{}, UserFilter{}); err != nil || len(list) != 2 {
		t.Errorf("%d users, %v", len(list), err)
	}
}

func TestScopesAndFilters(t *testing.T) {
	w := newWorld(t)
	for i, l := range Levels() {
		w.user(string(rune('0'+i)), l)
	}
	other := person("5", LevelExtension)
	other.ExtensionID, other.Access = new(int64(21)), AccessReadOnly
	other, err := w.AddUser(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		scope  Scope
		filter UserFilter
		want   string
	}{
		{Scope{}, UserFilter{}, "012345"},
		{Scope{ClientID: 1}, UserFilter{}, "012"},
		{Scope{ClientID: 1, Level: LevelClient}, UserFilter{}, "2"},
		{Scope{ClientID: 2}, UserFilter{}, "5"},
		{Scope{ClientID: 2, ExtensionID: 11}, UserFilter{}, ""},
		{Scope{ExtensionID: 11}, UserFilter{}, "0"},
		{Scope{GroupID: 7}, UserFilter{}, "1"},
		{Scope{DealerID: 3}, UserFilter{}, "3"},
		{Scope{Level: LevelPlatform}, UserFilter{}, "4"},
		{Scope{}, UserFilter{Login: []string{"0", "4", "x"}}, "04"},
		{Scope{}, UserFilter{Login: []string{"0", "5"}, Access: []Access{AccessReadOnly}}, "5"},
		{Scope{}, UserFilter{ID: []int64{other.ID}, Status: []dialplan.Status{dialplan.StatusActive}}, "5"},
		{Scope{}, UserFilter{Timezone: []string{"Europe/Berlin"}}, ""},
	} {
		list, err := w.Users(tt.scope, tt.filter)
		got := ""
		for _, u := range list {
			got += u.Login
		}
		if err != nil || got != tt.want {
			t.Errorf("%+v %+v: %q, %v, want %q", tt.scope, tt.filter, got, err, tt.want)
		}
	}
	// Outside the scope is as if it did not exist, to the byte but the id (T1).
	foreign := Scope{ClientID: 1}
	touch := func(id int64) (texts []string) {
		_, e1 := w.User(foreign, id)
		_, e2 := w.ChangeUser(t.Context(), foreign, id, func(u *User) error { u.Name = "x"; return nil })
		e3 := w.DeleteUser(t.Context(), foreign, id)
		for _, err := range []error{e1, e2, e3} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Fatalf("user %d: %v", id, err)
			}
			texts = append(texts, strings.ReplaceAll(err.Error(), text(id), "N"))
		}
		return texts
	}
	if a, b := touch(other.ID), touch(999); !slices.Equal(a, b) {
		t.Errorf("%q, %q", a, b)
	}
	if u, err := w.User(Scope{ClientID: 2}, other.ID); err != nil || text(u) != text(other) {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestChangeUser(t *testing.T) {
	w := newWorld(t)
	u := w.user("anna", LevelExtension)
	for field, change := range map[string]func(*User){
		"id":           func(u *User) { u.ID++ },
		"level":        func(u *User) { u.Level = LevelPlatform },
		"client_id":    func(u *User) { *u.ClientID = 2 },
		"extension_id": func(u *User) { u.ExtensionID = nil },
		"login":        func(u *User) { u.Login = "bert" },
		"admin":        func(u *User) { u.Admin = true },
		"password":     func(u *User) { u.Password = "tree-101-river" },
		"timezone":     func(u *User) { u.Timezone = "" },
	} {
		_, err := w.ChangeUser(t.Context(), Scope{}, u.ID, func(u *User) error { change(u); return nil })
		if !slices.Equal(fields(err), []string{field}) {
			t.Errorf("%s: %v", field, err)
		}
	}
	own := errors.New("own")
	if _, err := w.ChangeUser(t.Context(), Scope{}, u.ID, func(*User) error { return own }); err != own {
		t.Errorf("%v", err)
	}
	if now, err := w.User(Scope{}, u.ID); err != nil || text(now) != text(u) {
		t.Errorf("changed to %s, %v", text(now), err)
	}
	w.change(u.ID, func(u *User) { u.Password, u.Comment = "river-lamp-tree", "new" })
	if _, err := w.CheckPassword(t.Context(), "anna", goodPassword, here); err != ErrPassword {
		t.Errorf("the old password: %v", err)
	}
	if p, err := w.CheckPassword(t.Context(), "anna", "river-lamp-tree", here); err != nil || p.Login != "anna" {
		t.Errorf("the new password: %+v, %v", p, err)
	}
}

// A client keeps a user who can manage it, whoever else asks at the same time.
func TestLastUser(t *testing.T) {
	w := newWorld(t)
	a, b := w.user("u1", LevelClient), w.user("u2", LevelClient)
	w.user("x9", LevelExtension)
	var left sync.WaitGroup
	errs := make([]error, 2)
	for i, u := range []User{a, b} {
		left.Go(func() { errs[i] = w.DeleteUser(t.Context(), Scope{}, u.ID) }) // ends with its answer
	}
	left.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), ErrLastUser) {
		t.Fatalf("%v", errs)
	}
	last := a
	if errs[0] == nil {
		last = b
	}
	for _, change := range []func(*User){
		func(u *User) { u.Status = dialplan.StatusBlocked },
		func(u *User) { u.Access = AccessReadOnly },
	} {
		_, err := w.ChangeUser(t.Context(), Scope{}, last.ID, func(u *User) error { change(u); return nil })
		if !errors.Is(err, ErrLastUser) {
			t.Errorf("%v", err)
		}
	}
	w.change(last.ID, func(u *User) { u.Password = "river-lamp-tree" })
	reader := person("reader", LevelClient)
	reader.Access = AccessReadOnly
	reader, err := w.AddUser(t.Context(), reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteUser(t.Context(), Scope{}, last.ID); !errors.Is(err, ErrLastUser) {
		t.Errorf("only a reader would be left: %v", err)
	}
	if err := w.DeleteUser(t.Context(), Scope{}, reader.ID); err != nil {
		t.Error(err)
	}
	if err := w.DeleteUsers(t.Context(), Scope{ClientID: 1}); err != nil {
		t.Error(err)
	}
	if err := w.DeleteUsers(t.Context(), Scope{Level: LevelClient}); !errors.Is(err, dialplan.ErrInvalid) {
		t.Errorf("the whole switch: %v", err)
	}
	if list, _ := w.Users(Scope{}, UserFilter{}); len(list) != 0 {
		t.Errorf("%d users are left", len(list))
	}
}

// Every change is written down in its transaction, without secrets; when it
// cannot be, nothing changes.
func TestAudit(t *testing.T) {
	w := newWorld(t)
	w.user("keeper", LevelClient)
	u := w.user("anna", LevelClient)
	x := w.app(u.ID, AppTrusted, AppAll)
	w.change(u.ID, func(u *User) { u.Password = "river-lamp-tree" })
	row, _ := w.users.Get(store.Int(u.ID))
	secret, err := w.NewSecret(t.Context(), x.App.ClientID)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteUser(t.Context(), Scope{}, u.ID); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range w.entries {
		got = append(got, e.what+map[bool]string{true: "+", false: "-"}[e.after != nil])
		all := text(e.before) + text(e.after)
		for _, s := range []string{goodPassword, "river-lamp-tree", row.Hash.Reveal(), x.ClientSecret, secret.Reveal()} {
			if strings.Contains(all, s) {
				t.Errorf("%q in %s", s, all)
			}
		}
	}
	if want := []string{"user+", "user+", "app+", "user+", "app+", "app-", "user-"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if text(w.entries[3].before) == text(w.entries[3].after) {
		t.Error("a new password leaves no trace")
	}
	w.refuse = errors.New("no room")
	if _, err := w.AddUser(t.Context(), person("new", LevelClient)); err != w.refuse {
		t.Errorf("%v", err)
	}
	if list, _ := w.Users(Scope{}, UserFilter{}); len(list) != 1 {
		t.Errorf("%d users", len(list))
	}
}

// What gives somebody the rights of somebody else stands in the log (L14), and a
// token that nobody has costs no write.
func TestTheLogKnowsOfTokensAndSecrets(t *testing.T) {
	w := newWorld(t)
	u := w.user("boss", LevelClient)
	x, _, err := w.AddApp(t.Context(), App{UserID: u.ID, Name: "crm", Type: AppTrusted, Access: AppAll})
	if err != nil {
		t.Fatal(err)
	}
	w.entries = nil
	if _, err := w.NewSecret(t.Context(), x.ClientID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Issue(t.Context(), u.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.Revoke(t.Context(), newToken()); err != nil {
		t.Fatal(err)
	}
	if len(w.entries) != 2 || w.entries[0].what != "app" || w.entries[1].what != "token" {
		t.Fatalf("%+v", w.entries)
	}
	before, _ := json.Marshal(w.entries[0].before)
	after, _ := json.Marshal(w.entries[0].after)
	if string(before) == string(after) || !strings.Contains(string(after), `"client_secret":"changed"`) {
		t.Errorf("another secret shows as no change: %s, %s", before, after)
	}
}

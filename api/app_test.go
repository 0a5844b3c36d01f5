package api

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store/storetest"
)

// withIdentity gives the world users: 1 of client 1, 2 of client 2, 3 a dealer
// that has client 1.
func withIdentity(t *testing.T) *world {
	t.Helper()
	var w *world
	identity, err := auth.New(auth.Config{
		Space: storetest.Open(t).Config(),
		Client: func(id int64) (active, exists bool) {
			_, ok := w.memory.Client(id)
			return ok, ok
		},
		Extension: func(int64) (client, group int64, ok bool) { return 0, 0, false },
	})
	if err != nil {
		t.Fatal(err)
	}
	w = newWorld(t, func(c *Config) { c.Identity = identity })
	for i, u := range []auth.User{
		{Level: auth.LevelClient, ClientID: new(int64(1))}, {Level: auth.LevelClient, ClientID: new(int64(2))},
		{Level: auth.LevelDealer, DealerID: new(int64(5))},
	} {
		u.Login, u.Name, u.Password = fmt.Sprint("login", i+1), "Somebody", "tree-lamp-river"
		u.Timezone, u.Status, u.Access = "UTC", dialplan.StatusActive, auth.AccessFull
		if u, err = identity.AddUser(t.Context(), u); err != nil || u.ID != int64(i+1) {
			t.Fatal(u.ID, err)
		}
	}
	for token, id := range map[string]int64{"client": 1, "other": 2, "dealer": 3} {
		p := w.tokens[token]
		p.UserID = id
		w.tokens[token] = p
	}
	c, _ := w.memory.Client(1)
	c.DealerID = new(int64(5))
	w.memory.clients[1] = c
	return w
}

// Only an administrator gives an application access All, so it has to be able to
// give it to those it is an administrator of; and to nobody else.
func TestAnAdministratorGivesAccess(t *testing.T) {
	w := withIdentity(t)
	const all = "/user/app/"
	for _, c := range []struct {
		token, body string
		status      int
		code        string
	}{
		{"client", `{"name":"crm"}`, 201, ""},
		{"client", `{"name":"crm","user_id":1}`, 201, ""},
		{"client", `{"name":"crm","user_id":2}`, 400, "bad_request"},
		{"client", `{"name":"crm","access":"All"}`, 403, "access_denied"},
		{"dealer", `{"name":"crm","access":"All","user_id":1}`, 201, ""},
		{"dealer", `{"name":"crm","access":"All","user_id":2}`, 400, "bad_request"},
		{"dealer", `{"name":"crm","access":"All","user_id":99}`, 400, "bad_request"},
		{"platform", `{"name":"crm","access":"All","user_id":2}`, 201, ""},
		{"platform", `{"name":"crm","type":"password_credentials","user_id":99}`, 400, "bad_request"},
	} {
		if v := w.ok(c.status, "POST", all, c.token, c.body); c.code != "" && v["code"] != c.code {
			t.Errorf("%s %s: %v", c.token, c.body, v)
		}
	}
	list := func(token, query string) (apps []auth.App) {
		rec := w.do("GET", all+query, token, "")
		if err := json.Unmarshal(rec.Body.Bytes(), &apps); err != nil {
			t.Fatal(rec.Body, err)
		}
		return apps
	}
	if len(list("client", "")) != 3 || len(list("dealer", "?user_id=1")) != 3 || len(list("platform", "?user_id=2")) != 1 {
		t.Error("the lists are not whole")
	}
	if len(list("client", "?user_id=2")) != 0 || len(list("dealer", "?user_id=2")) != 0 || len(list("dealer", "")) != 0 {
		t.Error("a list of somebody else")
	}
	theirs := all + list("other", "")[0].ClientID
	w.ok(200, "PUT", theirs, "platform", `{"access":"Call API"}`)
	for _, token := range []string{"client", "dealer"} {
		for _, method := range []string{"GET", "DELETE"} {
			w.problem(404, method, theirs, token, "")
		}
		w.problem(404, "POST", theirs+"/secret/", token, "")
	}
	if v := w.ok(200, "GET", theirs, "other", ""); v["access"] != "Call API" {
		t.Errorf("%v", v)
	}
}

package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
)

// tokens are principals by their token.
type tokens map[string]auth.Principal

func (t tokens) Authenticate(token string) (auth.Principal, error) {
	if p, ok := t[token]; ok {
		return p, nil
	}
	if token == "blocked" {
		return auth.Principal{}, auth.ErrBlocked
	}
	return auth.Principal{}, auth.ErrToken
}

func principal(level auth.Level, client int64) auth.Principal {
	return auth.Principal{
		UserID: int64(level)*10 + client, Login: fmt.Sprintf("%s%d", level, client), Level: level, ClientID: client,
		Access: auth.AccessFull, AppAccess: auth.AppAll, Timezone: "UTC",
	}
}

// world is a server over two clients with extensions 11, 12 and 21, 22.
type world struct {
	t      testing.TB
	server *Server
	memory *memory
	tokens tokens
}

func newWorld(t testing.TB, options ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, memory: newMemory(), tokens: tokens{}}
	for client := int64(1); client <= 2; client++ {
		c := dialplan.DefaultClient()
		c.ID, c.Name, c.Prefix = client, fmt.Sprintf("client %d", client), fmt.Sprintf("000%d", client)
		c.Domain = fmt.Sprintf("c%d.example.test", client)
		w.memory.clients[client] = c
		for n := int64(1); n <= 2; n++ {
			x := dialplan.DefaultExtension()
			x.ID, x.ClientID, x.Name = client*10+n, client, fmt.Sprintf("%s*10%d", c.Prefix, n)
			w.memory.extensions[x.ID] = dialplan.Row{Extension: x, Phone: dialplan.DefaultPhone()}
		}
		g := dialplan.Group{ID: client * 100, ClientID: client, Name: "sales"}
		w.memory.groups[g.ID] = g
	}
	w.tokens["platform"] = principal(auth.LevelPlatform, 0)
	dealer := principal(auth.LevelDealer, 0)
	dealer.DealerID = 5
	w.tokens["dealer"] = dealer
	w.tokens["client"] = principal(auth.LevelClient, 1)
	w.tokens["other"] = principal(auth.LevelClient, 2)
	w.tokens["group"] = principal(auth.LevelGroup, 1)
	extension := principal(auth.LevelExtension, 1)
	extension.ExtensionID = 11
	w.tokens["extension"] = extension
	reader := principal(auth.LevelClient, 1)
	reader.Access = auth.AccessReadOnly
	w.tokens["reader"] = reader
	app := principal(auth.LevelClient, 1)
	app.AppAccess = auth.AppCallAPI
	w.tokens["callapi"] = app
	cfg := Config{Tokens: w.tokens, Configuration: w.memory, Version: "test"}
	for _, option := range options {
		option(&cfg)
	}
	w.server = New(cfg)
	return w
}

// request builds one; body is sent as JSON unless it is empty.
func request(method, path, token, body string) *http.Request {
	if !strings.HasPrefix(path, "/oauth") && !strings.HasPrefix(path, "/api") {
		path = Base + path
	}
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func (w *world) serve(r *http.Request) *httptest.ResponseRecorder {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	return rec
}

func (w *world) do(method, path, token, body string) *httptest.ResponseRecorder {
	w.t.Helper()
	return w.serve(request(method, path, token, body))
}

// ok runs a request that must answer with the status, and decodes its body.
func (w *world) ok(status int, method, path, token, body string) map[string]any {
	w.t.Helper()
	rec := w.do(method, path, token, body)
	if rec.Code != status {
		w.t.Fatalf("%s %s %s = %d %s, want %d", method, path, body, rec.Code, rec.Body, status)
	}
	var v map[string]any
	if rec.Body.Len() > 0 && rec.Body.Bytes()[0] == '{' {
		if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
			w.t.Fatal(err)
		}
	}
	return v
}

// problem runs a request that must fail, and returns its body.
func (w *world) problem(status int, method, path, token, body string) Problem {
	w.t.Helper()
	return problemIn(w.t, w.do(method, path, token, body), status)
}

func problemIn(t testing.TB, rec *httptest.ResponseRecorder, status int) Problem {
	t.Helper()
	var p Problem
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
		t.Fatalf("%d %s: %v", rec.Code, rec.Body, err)
	}
	if rec.Code != status || p.HTTPStatus != status || p.TraceID == "" || p.Message == "" {
		t.Fatalf("status %d, body %s; want %d", rec.Code, rec.Body, status)
	}
	if got := rec.Header().Get("Content-Type"); got != problemType {
		t.Fatalf("Content-Type = %q", got)
	}
	return p
}

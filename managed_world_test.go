package cordpair_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/sip/siptest"
	"github.com/cordpair/cordpair/store"
)

const apiBase = "/api/ver1.0"

// Marks of what must not be seen: everything of the first client holds familiar,
// everything of the second foreign,
// every password holds planted.
const (
	familiar = "mARKa"
	foreign  = "mARKb"
	planted  = "pLaNtEd-0nce-"
)

// managed is a running switch with two clients, ours (of dealer 7) and theirs
// (of dealer 9), whose API is called without sockets.
type managed struct {
	t      testing.TB
	net    *siptest.Net
	sw     *cordpair.Switch
	log    *logBuffer
	users  map[string]int64  // by name of the principal
	tokens map[string]string // by name of the principal
	ours   tenant
	theirs tenant
}

// tenant are the ids of a client's things.
type tenant struct {
	mark                                 string
	client, phone, second, ivr           int64
	group, user, groupUser, phoneUser    int64
	app, appSecret, number, secondNumber string
}

// newManaged opens and runs a switch until the test ends.
func newManaged(t testing.TB, change ...func(*cordpair.Config)) *managed {
	t.Helper()
	m := &managed{t: t, net: siptest.NewNet(t), log: &logBuffer{}, users: map[string]int64{}, tokens: map[string]string{}}
	cfg := cordpair.InMemory(m.net, m.net.Switch)
	cfg.Logger = slog.New(slog.NewTextHandler(m.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg.API.RequestsPerHour = 10_000_000
	for _, c := range change {
		c(&cfg)
	}
	sw, err := cordpair.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	m.sw = sw
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { // ends with stop
		ended <- sw.RunThen(ctx, func() error { close(ready); return nil })
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("stopping: %v", err)
		}
	})
	<-ready
	m.ours, m.theirs = m.tenant(familiar, 7), m.tenant(foreign, 9)
	m.principals()
	return m
}

// tenant makes a client with phones 101 and 102, an IVR, a group and users.
func (m *managed) tenant(mark string, dealer int64) tenant {
	m.t.Helper()
	at := tenant{mark: mark, number: "101", secondNumber: "102"}
	domain := strings.ToLower(mark) + ".example"
	at.client = m.id(m.operate(201, "POST", "/admin/client/", object{
		"name": mark, "domain": domain, "dealer_id": dealer, "reg_status_log": true, "ambassadors": mark,
	}))
	client := fmt.Sprintf("/client/%d", at.client)
	at.group = m.id(m.operate(201, "POST", client+"/extension_group/", object{"name": mark + " group"}))
	at.phone = m.id(m.operate(201, "POST", client+"/extension/", object{"name": "101", "label": mark, "extension_group_id": at.group}))
	at.second = m.id(m.operate(201, "POST", client+"/extension/", object{"name": "102", "label": mark}))
	at.ivr = m.id(m.operate(201, "POST", client+"/extension/", object{"name": "103", "type": "ivr", "label": mark}))
	for _, x := range []int64{at.phone, at.second} {
		m.operate(200, "PUT", fmt.Sprintf("/extension/%d/phone/", x), object{"password": planted + fmt.Sprint("phone ", x)})
	}
	at.user = m.newUser(client+"/user/client/", mark+"-client", object{})
	at.groupUser = m.newUser(fmt.Sprintf("/extension_group/%d/user/extension_group/", at.group), mark+"-group", object{})
	at.phoneUser = m.newUser(fmt.Sprintf("/extension/%d/user/extension/", at.phone), mark+"-phone", object{})
	m.newApp(&at)
	return at
}

// newApp gives a client's user an application.
func (m *managed) newApp(of *tenant) {
	m.t.Helper()
	x := auth.DefaultApp()
	x.UserID, x.Name = of.user, of.mark+" app"
	x, secret, err := m.sw.Authority().AddApp(m.t.Context(), x)
	if err != nil {
		m.t.Fatal(err)
	}
	of.app, of.appSecret = x.ClientID, secret.Reveal()
}

// newUser makes a user at a path of the API.
func (m *managed) newUser(path, login string, more object) int64 {
	m.t.Helper()
	body := object{"login": login, "name": login, "email": login + "@example.org", "password": planted + "for-a-person"}
	for k, v := range more {
		body[k] = v
	}
	return m.id(m.operate(201, "POST", path, body))
}

// principals gives a token to everyone who asks in these tests.
func (m *managed) principals() {
	m.t.Helper()
	m.users["platform"] = m.newUser("/admin/user/", "root", object{})
	m.users["client"], m.users["group"], m.users["extension"] = m.ours.user, m.ours.groupUser, m.ours.phoneUser
	m.users["theirs"] = m.theirs.user
	m.users["reader"] = m.newUser(fmt.Sprintf("/client/%d/user/client/", m.ours.client), "reader", object{"access": "read_only"})
	u := auth.DefaultUser()
	u.Level, u.Login, u.Name, u.Password = auth.LevelDealer, "dealer", "dealer", store.Secret(planted+"for-someone")
	dealer := int64(7)
	u.DealerID = &dealer
	u, err := m.sw.Authority().AddUser(m.t.Context(), u)
	if err != nil {
		m.t.Fatal(err)
	}
	m.users["dealer"] = u.ID
	for name := range m.users {
		m.issue(name)
	}
	m.tokens["callapi"] = m.exchange(m.ours)
	m.tokens["wrong"] = strings.Repeat("f", 43)
	m.tokens["gone"] = m.tokens["reader"]
	m.issue("reader")
	if err := m.sw.Authority().Revoke(m.t.Context(), m.tokens["gone"]); err != nil {
		m.t.Fatal(err)
	}
}

// issue gives a user another token.
func (m *managed) issue(name string) {
	m.t.Helper()
	grant, err := m.sw.Authority().Issue(m.t.Context(), m.users[name])
	if err != nil {
		m.t.Fatalf("%s: %v", name, err)
	}
	m.tokens[name] = grant.AccessToken
}

// exchange gets a token for the application of a client, which may control calls
// and nothing more.
func (m *managed) exchange(of tenant) string {
	m.t.Helper()
	grant, err := m.sw.Authority().Exchange(m.t.Context(), auth.GrantRequest{
		GrantType: "client_credentials", ClientID: of.app, ClientSecret: of.appSecret,
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return grant.AccessToken
}

// object is a JSON object.
type object map[string]any

func (o object) String() string {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err) // tests put in what can be written
	}
	return string(b)
}

// at is where a path of the document lies.
func at(path string) string {
	if strings.HasPrefix(path, "/oauth/") {
		return path
	}
	return apiBase + path
}

// send makes a request with a principal's token; "operator" needs none.
func (m *managed) send(as, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(m.t.Context(), method, at(path), strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return m.serve(as, r)
}

func (m *managed) serve(as string, r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	if as == "operator" {
		m.sw.OperatorAPI().ServeHTTP(rec, r)
		return rec
	}
	if token := m.tokens[as]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	m.sw.API().ServeHTTP(rec, r)
	return rec
}

// operate makes a request of the operator's and wants a status.
func (m *managed) operate(status int, method, path string, body object) object {
	m.t.Helper()
	return m.want("operator", status, method, path, body)
}

// want makes a request and wants a status.
func (m *managed) want(as string, status int, method, path string, body object) object {
	m.t.Helper()
	text := ""
	if body != nil {
		text = body.String()
	}
	rec := m.send(as, method, path, text)
	if rec.Code != status {
		m.t.Fatalf("%s: %s %s %s = %d %s, want %d", as, method, path, text, rec.Code, rec.Body, status)
	}
	return decoded(m.t, rec.Body.Bytes())
}

// decoded is a JSON object, or nil if the text is none.
func decoded(t testing.TB, text []byte) object {
	t.Helper()
	if len(text) == 0 || text[0] != '{' {
		return nil
	}
	var o object
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&o); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

func (m *managed) id(o object) int64 {
	m.t.Helper()
	n, _ := o["id"].(json.Number)
	id, err := n.Int64()
	if err != nil {
		m.t.Fatalf("%v has no id", o)
	}
	return id
}

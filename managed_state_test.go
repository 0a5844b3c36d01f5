package cordpair_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/sip/siptest"
)

// ended is the context of a request whose client has gone.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// lasting tells whether what a request changes can be read where it was written:
// registrations and calls change by themselves, and an answer kept for its
// Idempotency-Key may be older than the present.
func (g *generator) lasting(s shot) bool {
	return !strings.Contains(s.op.path, "registration") && !strings.Contains(s.op.path, "current_calls") &&
		!strings.Contains(s.op.path, "/secret/") && !strings.HasPrefix(s.op.path, "/oauth/")
}

// eyes is who looks at what a request has left: the operator sees everything but
// the applications of a user.
func (g *generator) eyes(s shot) string {
	if strings.HasPrefix(s.op.path, "/user/") {
		return s.as
	}
	return "operator"
}

// look reads the resource that a write is about, or the list it adds to.
func (g *generator) look(s shot) (body []byte, ok bool) {
	if s.op.method == "GET" || !g.lasting(s) || g.d.at("GET", s.op.path) == nil {
		return nil, false
	}
	rec := g.m.send(g.eyes(s), "GET", g.canonical(s), "")
	return rec.Body.Bytes(), rec.Code == http.StatusOK
}

// canonical is the path of a request without the names that mean something else
// to everyone who asks.
func (g *generator) canonical(s shot) string {
	of := g.m.ours
	if s.as == "theirs" {
		of = g.m.theirs
	}
	path := s.op.path
	for name, value := range s.params {
		switch {
		case name == "client_id" && (value == "@me" || value == "%40me"):
			value = fmt.Sprint(of.client)
		case name == "extension_id" && (value == "@me" || value == "%40me"):
			value = fmt.Sprint(of.phone)
		case name == "extension_id" && strings.HasPrefix(value, "@"):
			client := fmt.Sprint(of.client)
			if named := s.params["client_id"]; named != "" && named[0] != '@' && named[0] != '%' {
				client = named
			}
			rec := g.m.send("operator", "GET", "/client/"+client+"/extension/"+value, "")
			value = fmt.Sprint(decoded(g.m.t, rec.Body.Bytes())["id"])
		}
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	return path
}

// offPath asks for what the document does not know.
func (g *generator) offPath() {
	t := g.m.t
	t.Helper()
	method := pick(g, "GET", "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "TRACE", "BREW")
	path, as := g.oddPath(), pick(g, "platform", "client", "")
	rec := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), method, apiBase+path, strings.NewReader(""))
	if as != "" {
		r.Header.Set("Authorization", "Bearer "+g.m.tokens[as])
	}
	g.m.sw.API().ServeHTTP(rec, r)
	if rec.Code < 400 || rec.Code >= 500 {
		t.Errorf("%s %s = %d %.300s", method, path, rec.Code, rec.Body)
		return
	}
	if p := problemOf(t, rec); p.Message == "" || p.TraceID == "" || strings.Contains(rec.Body.String(), "etc") {
		t.Errorf("%s %s = %d %s", method, path, rec.Code, rec.Body)
	}
	g.confidential(as, method+" "+path, rec)
}

// repair undoes what would keep the principals from asking any further: deletions
// and blocks that other requests have rightly made.
func (g *generator) repair() {
	m := g.m
	m.t.Helper()
	for at, dealer := range map[*tenant]int{&m.ours: 7, &m.theirs: 9} {
		m.operate(200, "PUT", fmt.Sprintf("/admin/client/%d", at.client), object{"status": "active", "dealer_id": dealer})
		client := fmt.Sprintf("/client/%d", at.client)
		found := m.send("operator", "GET", fmt.Sprintf("%s/extension/%d", client, at.phone), "")
		if found.Code != 200 {
			x, err := m.freeNumber(client)
			if err != nil {
				m.t.Fatal(err)
			}
			at.phone = x
			g.pools["extension_id"] = append(g.pools["extension_id"], fmt.Sprint(x))
		}
		m.operate(200, "PUT", fmt.Sprintf("%s/extension/%d", client, at.phone), object{"status": "active"})
		if m.send("operator", "GET", fmt.Sprintf("%s/extension_group/%d", client, at.group), "").Code != 200 {
			at.group = m.id(m.operate(201, "POST", client+"/extension_group/", object{"name": at.mark}))
			g.pools["extension_group_id"] = append(g.pools["extension_group_id"], fmt.Sprint(at.group))
		}
	}
	for name, path := range m.homes() {
		g.revive(name, path)
	}
	if m.send("callapi", "GET", "/user/", "").Code != 200 {
		m.ours.user = m.users["client"]
		m.newApp(&m.ours)
		m.tokens["callapi"] = m.exchange(m.ours)
	}
}

// homes is where the users of the principals hang.
func (m *managed) homes() map[string]string {
	ours := fmt.Sprintf("/client/%d/user/client/", m.ours.client)
	return map[string]string{
		"platform": "/admin/user/", "client": ours, "reader": ours,
		"theirs":    fmt.Sprintf("/client/%d/user/client/", m.theirs.client),
		"group":     fmt.Sprintf("/extension_group/%d/user/extension_group/", m.ours.group),
		"extension": fmt.Sprintf("/extension/%d/user/extension/", m.ours.phone),
	}
}

// revive gives a principal its user and its token back.
func (g *generator) revive(name, path string) {
	m := g.m
	m.t.Helper()
	access := string(auth.AccessFull)
	if name == "reader" {
		access = string(auth.AccessReadOnly)
	}
	one := fmt.Sprintf("%s%d", path, m.users[name])
	if m.send("operator", "GET", one, "").Code != 200 {
		g.made++
		m.users[name] = m.newUser(path, fmt.Sprintf("revived%d", g.made), object{"access": access})
	} else if rec := m.send(name, "GET", "/user/", ""); rec.Code == 200 && strings.Contains(rec.Body.String(), `"access":"`+access+`"`) {
		return
	} else {
		m.operate(200, "PUT", one, object{"status": "active", "access": access})
	}
	m.issue(name)
}

// freeNumber adds a phone under some number that nobody has.
func (m *managed) freeNumber(client string) (int64, error) {
	for n := 200; n < 999; n++ {
		rec := m.send("operator", "POST", client+"/extension/", object{"name": fmt.Sprint(n)}.String())
		if rec.Code == http.StatusCreated {
			return m.id(decoded(m.t, rec.Body.Bytes())), nil
		}
	}
	return 0, fmt.Errorf("%s has no free number", client)
}

// secrets wants no password, token or secret in what was logged, and none in the
// audit log.
func (m *managed) secrets(t *testing.T) {
	t.Helper()
	text := map[string]string{"the log": m.log.String()}
	for _, at := range []tenant{m.ours, m.theirs} {
		text["the audit log"] += m.send("operator", "GET", fmt.Sprintf("/client/%d/audit_log/", at.client), "").Body.String()
	}
	hidden := []string{planted, m.ours.appSecret, m.theirs.appSecret}
	for _, token := range m.tokens {
		hidden = append(hidden, token)
	}
	for where, all := range text {
		for _, secret := range hidden {
			if at := strings.Index(all, secret); at >= 0 {
				t.Errorf("%s holds a secret: %s", where, all[max(0, at-200):min(len(all), at+200)])
			}
		}
	}
	if !strings.Contains(text["the audit log"], "***") {
		t.Error("no change of a password is in the audit log")
	}
}

// talk registers the phones of both clients and leaves two calls in the records
// of each and one up.
func (m *managed) talk() {
	m.t.Helper()
	ctx := m.t.Context()
	must := func(err error) {
		m.t.Helper()
		if err != nil {
			m.t.Fatal(err)
		}
	}
	for _, at := range []tenant{m.ours, m.theirs} {
		var phones []*siptest.Phone
		for i, x := range []int64{at.phone, at.second} {
			p := m.net.Phone(fmt.Sprint(101+i), planted+fmt.Sprint("phone ", x), strings.ToLower(at.mark)+".example")
			must(p.Register(ctx))
			phones = append(phones, p)
		}
		for i := range 3 {
			out, err := phones[0].Call(ctx, "102")
			must(err)
			in, err := phones[1].Incoming(ctx)
			must(err)
			must(in.Answer())
			must(out.WaitAnswered(ctx))
			must(in.WaitAnswered(ctx))
			if i < 2 {
				must(out.Hangup(ctx))
			}
		}
	}
	for _, at := range []tenant{m.ours, m.theirs} { // the records are written behind
		for m.t.Context().Err() == nil && len(namesIn(m.send("operator", "GET", fmt.Sprintf("/client/%d/call_history/", at.client), "").Body.String())) < 2 {
			runtime.Gosched()
		}
	}
}

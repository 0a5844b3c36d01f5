package api

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
)

// operationsOf lists what the server serves, by id.
func operationsOf(s *Server) map[string]operation {
	all := map[string]operation{}
	for _, item := range s.huma.OpenAPI().Paths {
		for _, op := range methodsOf(item) {
			all[op.OperationID] = op.Metadata["operation"].(operation)
		}
	}
	return all
}

func TestEveryOperationHasItsNeed(t *testing.T) {
	all := operationsOf(newWorld(t).server)
	for id, o := range all {
		need, ok := needs[id]
		if !ok && !o.Public {
			t.Errorf("%s has no row", id)
		}
		if ok && (need.Act == auth.Read) != (o.Method == http.MethodGet) {
			t.Errorf("%s: %s is %v", id, o.Method, need.Act)
		}
	}
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "unheardOf") {
			t.Errorf("panic = %q", got)
		}
	}()
	register(newWorld(t).server, operation{ID: "unheardOf", Method: "GET", Path: "/unheard/"}, (*Server)(nil).getGroup)
}

// TestMatrix walks every operation with every kind of caller: the level, the
// access of the user and of the application decide, in this order (T5).
func TestMatrix(t *testing.T) {
	w := newWorld(t)
	for id, o := range operationsOf(w.server) {
		if o.Public {
			continue
		}
		for token, p := range w.tokens {
			want := ""
			switch err := p.May(needs[id]); {
			case err != nil:
				answer, _ := answerTo(err)
				want = answer.Code
			}
			rec := w.do(o.Method, example(o.Path, 1), token, "")
			if want != "" {
				if got := problemIn(t, rec, 403); got.Code != want || got.Status.Code != want {
					t.Errorf("%s as %s: %+v, want %s", id, token, got, want)
				}
			} else if rec.Code == 403 || rec.Code == 401 || rec.Code >= 500 {
				t.Errorf("%s as %s: %d %s", id, token, rec.Code, rec.Body)
			}
			if p := w.problem(401, o.Method, example(o.Path, 1), "wrong", ""); p.Message != "Unauthorized" || p.Status.Number != 401 {
				t.Errorf("%s: %+v", id, p)
			}
		}
		if p := w.problem(403, o.Method, example(o.Path, 1), "blocked", ""); p.Status.Code != "user_blocked" {
			t.Errorf("%s: %+v", id, p)
		}
		restore(w)
	}
}

// restore puts back what a DELETE of the matrix took away.
func restore(w *world) {
	fresh := newWorld(w.t)
	w.memory.clients, w.memory.extensions, w.memory.groups = fresh.memory.clients, fresh.memory.extensions, fresh.memory.groups
	w.memory.lists = map[int64][]dialplan.Row{}
}

// example fills a path with ids of a client.
func example(path string, client int) string {
	return strings.NewReplacer("{client_id}", fmt.Sprint(client), "{extension_id}", fmt.Sprint(client*10+1),
		"{extension_group_id}", fmt.Sprint(client*100)).Replace(path)
}

var traces = regexp.MustCompile(`"trace_id":"[0-9a-f]{16}"`)

// TestForeignIsMissing: somebody else's id and one that does not exist are
// answered alike, byte for byte but for the trace (T1).
func TestForeignIsMissing(t *testing.T) {
	w := newWorld(t)
	for id, o := range operationsOf(w.server) {
		body := ""
		if o.Method == http.MethodPost || o.Method == http.MethodPut {
			body = "{}"
		}
		for token, p := range w.tokens {
			if p.May(needs[id]) != nil || p.Level == auth.LevelPlatform || token == "other" || !strings.Contains(o.Path, "{") {
				continue
			}
			for _, ids := range [][2][]string{
				{{"2", "21", "200"}, {"997", "998", "999"}}, // all foreign
				{{"1", "21", "200"}, {"1", "998", "999"}},   // below the caller's own client
				{{"@me", "21", "200"}, {"@me", "998", "999"}},
			} {
				foreign, missing := pathWith(o.Path, ids[0]), pathWith(o.Path, ids[1])
				if foreign == missing {
					continue
				}
				a, b := w.do(o.Method, foreign, token, body), w.do(o.Method, missing, token, body)
				if a.Code != 404 || b.Code != 404 || mask(a.Body.String()) != mask(b.Body.String()) {
					t.Errorf("%s as %s: %s = %d %s\n%s = %d %s", id, token, foreign, a.Code, a.Body, missing, b.Code, b.Body)
				}
				for name := range a.Header() {
					if name != limitHeaders[1] && !slices.Equal(a.Header()[name], b.Header()[name]) {
						t.Errorf("%s: header %s tells them apart", id, name)
					}
				}
			}
		}
	}
}

// TestForeignGroupIsMissing does the same for ids inside of bodies.
func TestForeignGroupIsMissing(t *testing.T) {
	w := newWorld(t)
	for _, o := range [][2]string{{"PUT", "/client/1/extension/11"}, {"POST", "/client/1/extension/"}} {
		body := `{"name":"0001*101","extension_group_id":%d}`
		a := w.do(o[0], o[1], "client", fmt.Sprintf(body, 200))
		b := w.do(o[0], o[1], "client", fmt.Sprintf(body, 999))
		if p := problemIn(t, a, 400); p.Errors[0].Pointer != "/extension_group_id" || mask(a.Body.String()) != mask(b.Body.String()) {
			t.Errorf("%s: %s\n%s", o, a.Body, b.Body)
		}
	}
	w.ok(200, "PUT", "/client/1/extension/11", "client", `{"extension_group_id":100}`)
	w.tokens["group"] = func() auth.Principal { p := w.tokens["group"]; p.GroupID = 100; return p }()
	w.ok(200, "GET", "/extension/11/extension/", "group", "")
	w.problem(404, "GET", "/extension/12/extension/", "group", "")
	x := w.ok(200, "PUT", "/client/1/extension/11", "client", `{"extension_group_id":0}`)
	if x["extension_group_id"] != nil {
		t.Errorf("0 is not null: %v", x)
	}
	w.problem(404, "GET", "/extension/11/extension/", "group", "")
}

// TestDealersKeepTheirClients: a dealer sees and makes clients of its own only.
func TestDealersKeepTheirClients(t *testing.T) {
	w := newWorld(t)
	c := w.ok(201, "POST", "/admin/client/", "dealer", `{"name":"third","prefix":"0003","domain":"c3.example.test"}`)
	if c["dealer_id"] != 5.0 {
		t.Errorf("created %v", c)
	}
	w.problem(400, "POST", "/admin/client/", "dealer", `{"name":"x","prefix":"0004","domain":"c4.example.test","dealer_id":6}`)
	w.problem(400, "PUT", "/admin/client/1001", "dealer", `{"dealer_id":6}`)
	w.problem(404, "GET", "/admin/client/1", "dealer", "")
	w.ok(200, "GET", "/client/1001/client/", "dealer", "")
	rec := w.do("GET", "/admin/client/", "dealer", "")
	if got := strings.Count(rec.Body.String(), `"prefix"`); got != 1 {
		t.Errorf("the dealer sees %d clients", got)
	}
	c = w.ok(200, "PUT", "/admin/client/1001", "platform", `{"dealer_id":0,"sbc_mode":true}`)
	if c["dealer_id"] != nil || c["sbc_mode"] != "yes" {
		t.Errorf("%v", c)
	}
	w.problem(404, "GET", "/admin/client/1001", "dealer", "")
}

func pathWith(path string, ids []string) string {
	return strings.NewReplacer("{client_id}", ids[0], "{extension_id}", ids[1], "{extension_group_id}", ids[2]).Replace(path)
}

func mask(body string) string { return traces.ReplaceAllString(body, "") }

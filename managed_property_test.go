package cordpair_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestGeneratedClient reads the document and asks the switch for everything in
// it, soundly and not, as everybody (H1, H3, T4): no 5xx, no status, body or
// header outside the document, every fault named, nothing half-written, nothing
// of another client and no secret in any answer or log line.
func TestGeneratedClient(t *testing.T) {
	n := 20_000
	if testing.Short() || raceEnabled {
		n = 3_000
	}
	seed := rand.Uint64()
	t.Logf("seed %d, %d requests", seed, n)
	m := newManaged(t)
	m.talk()
	g := &generator{Rand: rand.New(rand.NewPCG(seed, seed)), m: m, d: readDocument(m), pools: m.pools(), there: m.there()}
	reached := map[string]map[int]int{}
	for i := range n {
		if i%100 == 99 {
			g.repair()
		}
		if i%20 == 19 {
			g.offPath()
			continue
		}
		s := g.draw()
		status := g.fire(s)
		if reached[s.op.ID] == nil {
			reached[s.op.ID] = map[int]int{}
		}
		reached[s.op.ID][status]++
		if t.Failed() {
			break
		}
	}
	for _, op := range g.d.operations {
		good := 0
		for status, times := range reached[op.ID] {
			if status < 300 {
				good += times
			}
		}
		// What needs a call, a phone or a password that is not drawn here.
		apart := slices.ContainsFunc([]string{"{call_", "{registration", "/pcap/", "/oauth/"}, func(s string) bool { return strings.Contains(op.path, s) })
		if t.Logf("%-28s %v", op.ID, reached[op.ID]); good == 0 && n >= 20_000 && !apart {
			t.Errorf("%s never succeeded", op.ID)
		}
	}
	m.secrets(t)
}

// pools are the ids that exist, of both clients.
func (m *managed) pools() map[string][]string {
	pools := map[string][]string{}
	add := func(name string, ids ...int64) {
		for _, id := range ids {
			pools[name] = append(pools[name], fmt.Sprint(id))
		}
	}
	for _, at := range []tenant{m.ours, m.ours, m.theirs} {
		add("client_id", at.client)
		add("extension_id", at.phone, at.second, at.ivr)
		add("extension_group_id", at.group)
		add("user_id", at.user, at.groupUser, at.phoneUser)
		pools["app_id"] = append(pools["app_id"], at.app)
	}
	return pools
}

// there are things of both clients by their paths in the document.
func (m *managed) there() map[string][]thing {
	there := map[string][]thing{}
	for _, at := range []tenant{m.ours, m.ours, m.theirs} {
		client, phone := fmt.Sprintf("/client/%d", at.client), fmt.Sprintf("/extension/%d", at.phone)
		there["/client/{client_id}/user/client/{user_id}"] = append(there["/client/{client_id}/user/client/{user_id}"],
			thing{path: fmt.Sprintf("%s/user/client/%d", client, at.user)})
		for list, paths := range map[string][]string{
			client + "/call_history/":  {"/client/{client_id}/call_history/{call_uuid}", "/client/{client_id}/call_history/{call_uuid}/trace/", "/client/{client_id}/call_history/{call_uuid}/ladder/"},
			client + "/current_calls/": {"/client/{client_id}/current_calls/{call_api_id}"},
			phone + "/current_calls/":  {"/extension/{extension_id}/current_calls/{call_api_id}"},
			phone + "/registration/":   {"/extension/{extension_id}/registration/{registration_id}"},
		} {
			for _, id := range namesIn(m.send("operator", "GET", list, "").Body.String()) {
				for _, path := range paths {
					_, tail, _ := strings.Cut(path[strings.LastIndex(path, "{"):], "}")
					there[path] = append(there[path], thing{path: list + id + tail})
				}
			}
		}
	}
	return there
}

// namesIn are the ids of calls, legs and registrations in a list.
func namesIn(list string) (ids []string) {
	for _, name := range []string{`"call_uuid":"`, `"call_api_id":"`, `"registration_id":"`} {
		for i, part := range strings.Split(list, name) {
			if id, _, ok := strings.Cut(part, `"`); ok && i > 0 {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// fire makes a request and judges the answer and what it left behind.
func (g *generator) fire(s shot) int {
	t := g.m.t
	t.Helper()
	before, comparable := g.look(s)
	rec := g.m.serve(s.as, g.request(s))
	if s.as == "operator" { // is never refused for asking too often
		for _, name := range limitHeaders {
			rec.Header()[name] = []string{"0"}
		}
	}
	if fault := g.d.undocumented(s.op, rec); fault != "" {
		t.Errorf("%v\n%d %.600s\n%s", s, rec.Code, rec.Body, fault)
	}
	g.confidential(s.as, s.String(), rec)
	if known := !slices.Contains([]string{"", "wrong", "gone", "operator"}, s.as); known && rec.Code != 401 && len(s.op.Security) > 0 && s.broken != "escapes" &&
		rec.Code != 403 && rec.Header()[limitHeaders[1]] == nil {
		t.Errorf("%v\n%d without X-RateLimit headers", s, rec.Code)
	}
	switch {
	case rec.Code >= 400:
		g.refused(s, rec)
		if after, again := g.look(s); comparable && again && !bytes.Equal(before, after) {
			t.Errorf("%v\nwas refused with %d, and changed\n%.600s\nto\n%.600s", s, rec.Code, before, after)
		}
	case s.status >= 400:
		t.Errorf("%v\nwas taken: %d %.300s", s, rec.Code, rec.Body)
	default:
		g.accepted(s, rec)
	}
	return rec.Code
}

func (g *generator) request(s shot) *http.Request {
	r := httptest.NewRequestWithContext(g.m.t.Context(), s.op.method, at(s.target), strings.NewReader(s.body))
	if _, stream := s.op.Responses["200"].Content["text/event-stream"]; stream {
		r = r.WithContext(ended) // or it would last
	}
	if s.op.Body != nil && s.kind != "" {
		r.Header.Set("Content-Type", s.kind)
	}
	if s.op.method == "POST" && g.chance(20) {
		r.Header.Set("Idempotency-Key", pick(g, fmt.Sprint("key-", g.Uint64()), strings.Repeat("k", 300)))
	}
	return r
}

// confidential wants nothing of the other client and no password in an answer.
func (g *generator) confidential(as, what string, rec *httptest.ResponseRecorder) {
	g.m.t.Helper()
	text := strings.ToLower(fmt.Sprint(rec.Header(), rec.Body))
	marks := []string{planted}
	switch as {
	case "theirs":
		marks = append(marks, familiar)
	case "platform", "operator":
	default:
		marks = append(marks, foreign)
	}
	for _, mark := range marks {
		if strings.Contains(text, strings.ToLower(mark)) {
			g.m.t.Errorf("%s\nthe answer holds %s: %.600s", what, mark, text)
		}
	}
}

// refused judges an error: it says what is wrong, and where.
func (g *generator) refused(s shot, rec *httptest.ResponseRecorder) {
	g.m.t.Helper()
	if strings.HasPrefix(s.op.path, "/oauth/") {
		return // its errors are those of RFC 6749
	}
	p := problemOf(g.m.t, rec)
	if p.Message == "" || p.TraceID == "" || p.HTTPStatus != rec.Code {
		g.m.t.Errorf("%v\n%d %s", s, rec.Code, rec.Body)
	}
	if slices.Contains([]int{401, 403, 404, 429}, rec.Code) || s.status == 0 {
		return
	}
	if rec.Code != s.status {
		g.m.t.Errorf("%v\n%d %s, want %d", s, rec.Code, rec.Body, s.status)
	}
	if s.status == 400 && s.broken != "escapes" && len(p.Errors) == 0 {
		g.m.t.Errorf("%v\nnames no field: %s", s, rec.Body)
	}
	if s.broken == "query" && s.op.method == "POST" {
		return // the body and the Idempotency-Key are looked at first
	}
	if s.place != "" && !slices.ContainsFunc(p.Errors, func(f fieldFault) bool { return strings.HasPrefix(f.Pointer, s.place) && f.Message != "" }) {
		g.m.t.Errorf("%v\ndoes not name %s: %s", s, s.place, rec.Body)
	}
}

// accepted judges what a request has done: what was made or changed reads so, and
// what was deleted is gone.
func (g *generator) accepted(s shot, rec *httptest.ResponseRecorder) {
	t := g.m.t
	t.Helper()
	if !g.lasting(s) {
		return
	}
	path := g.canonical(s)
	switch s.op.method {
	case "PUT", "DELETE":
		if g.d.at("GET", s.op.path) == nil {
			return
		}
	case "POST":
		name := ""
		if path, name = g.made201(s, rec); name == "" {
			return
		}
	default:
		return
	}
	seen := g.m.send(g.eyes(s), "GET", path, "")
	want := decoded(t, rec.Body.Bytes())
	delete(want, "client_secret")
	if s.op.method == "DELETE" {
		for where, list := range g.there {
			g.there[where] = slices.DeleteFunc(list, func(x thing) bool { return strings.HasPrefix(x.path+"/", strings.TrimSuffix(path, "/")+"/") })
		}
		if seen.Code != 404 {
			t.Errorf("%v\nis still there: %d %s", s, seen.Code, seen.Body)
		}
	} else if got := decoded(t, seen.Body.Bytes()); seen.Code != 200 || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%d %s\nreads afterwards as\n%d %s", s, rec.Code, rec.Body, seen.Code, seen.Body)
	}
}

// made201 is where a created thing is read; its id goes into the pool.
func (g *generator) made201(s shot, rec *httptest.ResponseRecorder) (path, name string) {
	for _, op := range g.d.operations {
		rest, ok := strings.CutPrefix(op.path, s.op.path+"{")
		if !ok || op.method != "GET" || strings.Contains(rest, "/") {
			continue
		}
		name = strings.TrimSuffix(rest, "}")
	}
	o := decoded(g.m.t, rec.Body.Bytes())
	id := fmt.Sprint(o["id"])
	if name == "app_id" {
		id = fmt.Sprint(o["client_id"])
	}
	if name == "" {
		return "", ""
	}
	if pool := g.pools[name]; len(pool) < 30 {
		g.pools[name] = append(pool, id)
	} else {
		pool[g.IntN(len(pool))] = id
	}
	path = strings.TrimSuffix(g.canonical(s), "/") + "/" + id
	x := thing{path: path}
	if g.eyes(s) != "operator" {
		x.as = s.as
	}
	for _, op := range g.d.operations { // its own path and what lies below
		if head := s.op.path + "{" + name + "}"; op.path == head || op.path == head+"/secret/" {
			g.there[op.path] = append(g.there[op.path], thing{strings.Replace(op.path, head, path, 1), x.as})
		}
	}
	return path, name
}

// problem is an error as a client reads it.
type problem struct {
	Message    string       `json:"message"`
	HTTPStatus int          `json:"http_status"`
	TraceID    string       `json:"trace_id"`
	Errors     []fieldFault `json:"errors"`
}

type fieldFault struct {
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

func problemOf(t testing.TB, rec *httptest.ResponseRecorder) (p problem) {
	t.Helper()
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || rec.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %q: %v", rec.Code, rec.Body, err)
	}
	return p
}

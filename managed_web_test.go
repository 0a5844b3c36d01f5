package cordpair_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair"
)

// onWeb is a managed switch with real listeners of HTTP over a folder.
func onWeb(t testing.TB, change ...func(*cordpair.Config)) *managed {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	return newManaged(t, append([]func(*cordpair.Config){func(cfg *cordpair.Config) {
		cfg.Network, cfg.InMemory, cfg.DataDir = nil, false, dir
		cfg.Listen = cordpair.Listen{
			SIP:  []cordpair.SIPListener{{Name: "udp", Transport: "udp", Addr: "127.0.0.1:0"}},
			HTTP: "127.0.0.1:0", Metrics: "127.0.0.1:0",
		}
	}}, change...)...)
}

// stream is an event stream read over HTTP.
type stream struct {
	t      testing.TB
	res    *http.Response
	lines  *bufio.Scanner
	cancel context.CancelFunc
}

func (m *managed) stream(as, path, last string) *stream {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute) // bounds a test that hangs
	m.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+m.sw.WebAddr("http")+apiBase+path, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+m.tokens[as])
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := m.client().Do(r)
	if err != nil {
		m.t.Fatal(err)
	}
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		m.t.Fatalf("%s: %d %s", path, res.StatusCode, res.Header.Get("Content-Type"))
	}
	s := &stream{t: m.t, res: res, lines: bufio.NewScanner(res.Body), cancel: cancel}
	m.t.Cleanup(s.close)
	return s
}

// client is an HTTP client that leaves no connection behind.
func (m *managed) client() *http.Client {
	tr := &http.Transport{DisableKeepAlives: true}
	m.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func (s *stream) close() { s.cancel(); _ = s.res.Body.Close() } // its error says what we did

// next is the next event, ok false at the end of the stream.
func (s *stream) next() (id, kind, data string, ok bool) {
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch name {
		case "id":
			id = value
		case "event":
			kind = value
		case "data":
			data = value
		case "":
			if kind != "" {
				return id, kind, data, true
			}
		}
	}
	return "", "", "", false
}

// begun waits until the stream has said how to come back: it is subscribed then.
func (s *stream) begun() *stream {
	s.t.Helper()
	if !s.lines.Scan() || s.lines.Text() != "retry: 2000" {
		s.t.Fatalf("the stream begins with %q", s.lines.Text())
	}
	return s
}

func (m *managed) relabel(label string) {
	m.t.Helper()
	m.operate(200, "PUT", fmt.Sprintf("/client/%d/extension/%d", m.ours.client, m.ours.phone), object{"label": label})
}

// TestStreamOverHTTP: events arrive, a reader that comes back misses none, types
// are chosen, nothing of another client comes, and a token that ends cuts.
func TestStreamOverHTTP(t *testing.T) {
	m := onWeb(t)
	all := m.stream("client", "/client/@me/events/stream/", "").begun()
	theirs := m.stream("theirs", "/client/@me/events/stream/?types=config.changed", "").begun()
	none := m.stream("client", "/client/@me/events/stream/?types=call.*", "").begun()
	m.relabel("one")
	first, kind, data, ok := all.next()
	if !ok || kind != "config.changed" || !json.Valid([]byte(data)) || !strings.Contains(data, fmt.Sprint(`"id":`, m.ours.phone)) {
		t.Fatalf("%s %s %v", kind, data, ok)
	}
	all.close()
	m.relabel("two")
	m.relabel("three")
	again := m.stream("client", "/client/@me/events/stream/", first).begun()
	before := first
	for range 2 {
		id, kind, _, ok := again.next()
		if !ok || kind != "config.changed" || fmt.Sprint(len(id), id) <= fmt.Sprint(len(before), before) {
			t.Fatalf("after %s comes %s %s %v", before, id, kind, ok)
		}
		before = id
	}
	m.operate(200, "PUT", fmt.Sprintf("/client/%d/extension/%d", m.theirs.client, m.theirs.phone), object{"label": "theirs"})
	if _, _, data, ok := theirs.next(); !ok || !strings.Contains(data, fmt.Sprint(`"id":`, m.theirs.phone)) {
		t.Errorf("they were told %s first", data)
	}
	if err := m.sw.Authority().Revoke(t.Context(), m.tokens["client"]); err != nil {
		t.Fatal(err)
	}
	m.relabel("four") // nobody may be told of it any more
	if _, kind, data, ok := again.next(); ok {
		t.Errorf("%s %s went to a token that has ended", kind, data)
	}
	none.close()
}

// TestStopDoesNotWaitForStreams (L1): open streams end with the switch.
func TestStopDoesNotWaitForStreams(t *testing.T) {
	m := onWeb(t)
	var open []*stream
	for range 20 {
		open = append(open, m.stream("client", "/client/@me/events/stream/", "").begun())
	}
	if err := m.sw.Close(); err != nil {
		t.Errorf("stopping: %v", err)
	}
	for _, s := range open {
		if _, kind, _, ok := s.next(); ok {
			t.Errorf("%s after the end", kind)
		}
	}
	if log := m.log.String(); strings.Contains(log, "panic") {
		t.Error(log)
	}
}

// TestReadyAndHealthy (L12, H11): both are answered on the machine's own listener
// and nowhere else, and readiness ends with the switch.
func TestReadyAndHealthy(t *testing.T) {
	m := onWeb(t)
	get := func(listener, path string) int {
		res, err := m.client().Get("http://" + m.sw.WebAddr(listener) + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/debug/pprof/cmdline"} {
		if code := get("metrics", path); code != 200 {
			t.Errorf("%s = %d", path, code)
		}
		if code := get("http", path); code != 404 {
			t.Errorf("%s on the world's listener = %d", path, code)
		}
	}
	if err := m.sw.Close(); err != nil {
		t.Error(err)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503} {
		rec := httptest.NewRecorder()
		m.sw.Monitor().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if rec.Code != want {
			t.Errorf("%s after the end = %d, want %d", path, rec.Code, want)
		}
	}
}

// TestReloadAllOrNothing (L11).
func TestReloadAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	var was cordpair.Config
	m := onWeb(t, func(cfg *cordpair.Config) { cfg.DataDir = dir; was = *cfg })
	bad := was
	bad.Log.Level, bad.DrainTime = "debug", -1
	worse := was
	worse.DrainTime, worse.RTP.Ports = time.Minute, "20000-20099"
	for _, cfg := range []cordpair.Config{bad, worse} {
		if err := m.sw.Reload(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
	good := was
	good.DrainTime = time.Millisecond
	if err := m.sw.Reload(good); err != nil {
		t.Error(err)
	}
	if err := m.sw.Reload(worse); err == nil || !strings.Contains(err.Error(), "rtp") {
		t.Errorf("the key is not named: %v", err)
	}
	if rec := m.send("client", "GET", "/user/", ""); rec.Code != 200 {
		t.Errorf("after all that: %d", rec.Code)
	}
}

// TestEveryWriteIsAudited (L14): each kind of write leaves an entry that says
// who, from where, what before and what after, without secrets.
func TestEveryWriteIsAudited(t *testing.T) {
	m := newManaged(t)
	phone := fmt.Sprintf("/extension/%d", m.ours.phone)
	type step struct{ method, path, body, what, action string }
	for _, s := range []step{
		{"POST", "/client/@me/extension/", `{"name":"150","label":"a"}`, "extension", "create"},
		{"PUT", "/client/@me/extension/@150", `{"label":"b"}`, "extension", "change"},
		{"DELETE", "/client/@me/extension/@150", "", "extension", "delete"},
		{"PUT", phone + "/phone/", `{"hangup_timeout":7}`, "phone", "change"},
		{"PUT", phone + "/phone/", `{"password":"` + planted + `changed"}`, "phone", "change"},
		{"POST", "/client/@me/extension_group/", `{"name":"g"}`, "extension_group", "create"},
		{"PUT", "/client/@me/client/", `{"language":"de"}`, "client", "change"},
		{"POST", "/client/@me/user/client/", `{"login":"new","name":"n","email":"n@example.org","password":"` + planted + `"}`, "user", "create"},
		{"PUT", fmt.Sprintf("/extension_group/%d/user/extension_group/%d", m.ours.group, m.ours.groupUser), `{"password":"` + planted + `changed"}`, "user", "change"},
		{"DELETE", fmt.Sprintf("/extension_group/%d/user/extension_group/%d", m.ours.group, m.ours.groupUser), "", "user", "delete"},
		{"POST", "/user/app/", `{"name":"app"}`, "app", "create"},
	} {
		newest := func() object {
			rec := m.send("operator", "GET", fmt.Sprintf("/client/%d/audit_log/?per_page=1", m.ours.client), "")
			var list []object
			if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil || len(list) != 1 {
				t.Fatalf("%s: %v", rec.Body, err)
			}
			return list[0]
		}
		was := newest()
		if rec := m.send("client", s.method, s.path, s.body); rec.Code >= 300 {
			t.Fatalf("%s %s = %d %s", s.method, s.path, rec.Code, rec.Body)
		}
		e := newest()
		by, _ := e["by"].(map[string]any)
		if e["number"] == was["number"] || e["what"] != s.what || e["action"] != s.action || by["login"] != ourLogin(m) || by["from"] != "192.0.2.1" {
			t.Errorf("%s %s left %v", s.method, s.path, e)
		}
		if (e["before"] == nil) != (s.action == "create") || (e["after"] == nil) != (s.action == "delete") {
			t.Errorf("%s %s: before %v, after %v", s.method, s.path, e["before"], e["after"])
		}
		if text := e.String(); strings.Contains(text, planted) || s.method == "PUT" && strings.Contains(s.body, "password") && !strings.Contains(text, `"password"`) {
			t.Errorf("%s %s: %s", s.method, s.path, text)
		}
	}
}

// ourLogin is the login of our client's user.
func ourLogin(m *managed) any {
	return decoded(m.t, m.send("client", "GET", "/user/", "").Body.Bytes())["login"]
}

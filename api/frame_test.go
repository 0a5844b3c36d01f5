package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/features/audit"
	"github.com/cordpair/cordpair/store"
)

func TestErrorsAreAnsweredFromTheTable(t *testing.T) {
	for _, row := range errorTable {
		p, known := answerTo(fmt.Errorf("deep: %w", fmt.Errorf("inside /secret/path: %w", row.err)))
		if !known || p.HTTPStatus != row.status || p.Code != row.code || strings.Contains(p.Message+p.Detail, "secret") {
			t.Errorf("%v: %+v", row.err, p)
		}
		if p.HTTPStatus == 503 && p.GetHeaders().Get("Retry-After") == "" {
			t.Errorf("%v: 503 without Retry-After", row.err)
		}
	}
	for err, want := range map[error]string{
		auth.ErrToken:     `"message":"Unauthorized","type":"about:blank","title":"Unauthorized","status":401,"http_status":401,"code":"unauthorized"`,
		auth.ErrReadOnly:  `"status":"user_access_type_deny","http_status":403,"code":"user_access_type_deny"`,
		store.ErrNotFound: `"message":"Not found","type":"about:blank","title":"Not Found","status":404,"http_status":404`,
		&wrapped{dialplan.FieldErrors{{Field: "a/b", Message: "is odd"}}}: `"errors":[{"pointer":"/a~1b","message":"is odd"}]`,
		errors.New("nobody foresaw"):                                      `"message":"Internal error"`,
	} {
		p, _ := answerTo(err)
		rec := httptest.NewRecorder()
		writeProblem(rec, httptest.NewRequest("GET", "/", nil), p)
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%v: %s, want %s", err, rec.Body, want)
		}
	}
}

func TestPanicsAreAnsweredAndCounted(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	w.memory.hook = func() { panic("the secret of the stack") }
	p := w.problem(500, "POST", "/client/1/extension/", "client", `{"name":"103"}`)
	if strings.Contains(p.Message+p.Detail, "secret") || !strings.Contains(log.String(), p.TraceID) || !strings.Contains(log.String(), "secret") {
		t.Errorf("%+v\n%s", p, log.String())
	}
	if w.server.Stats().Panics != 1 {
		t.Errorf("%+v", w.server.Stats())
	}
	w.server.route("GET", Base+"/half/", func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(rw, strings.Repeat("x", 5000))
		panic("too late")
	})
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("recovered %v: the connection must end", got)
		}
	}()
	w.do("GET", "/half/", "", "")
}

func TestUnforeseenErrorIsLoggedUnderItsID(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	needs["broken"] = auth.Need{Level: auth.LevelClient, Act: auth.Read}
	defer delete(needs, "broken")
	register(w.server, operation{ID: "broken", Method: "GET", Path: "/broken/"}, func(ctx context.Context, _ *struct{}) (*groupOut, error) {
		if a := audit.By(ctx); a.Level != "client" || a.From != "192.0.2.1" || a.Login != "client1" {
			t.Errorf("actor %+v", a)
		}
		return nil, errors.New("disk on fire")
	})
	p := w.problem(500, "GET", "/broken?token=secret", "client", "")
	if !strings.Contains(log.String(), p.TraceID) || !strings.Contains(log.String(), "disk on fire") || strings.Contains(log.String(), "secret") {
		t.Errorf("%s", log.String())
	}
}

func TestGzip(t *testing.T) {
	w := newWorld(t)
	for i := range 60 {
		x := dialplan.DefaultExtension()
		x.ID, x.ClientID, x.Name = int64(500+i), 1, fmt.Sprintf("0001*2%02d", i)
		w.memory.extensions[x.ID] = dialplan.Row{Extension: x}
	}
	plain := w.do("GET", "/client/1/extension/", "client", "").Body.String()
	for asked, want := range map[string]string{
		"gzip": "gzip", "deflate, gzip;q=0.5": "gzip", "*": "gzip", "gzip;q=0": "", "br": "", "": "", "GZIP": "gzip",
	} {
		r := request("GET", "/client/1/extension/", "client", "")
		r.Header.Set("Accept-Encoding", asked)
		rec := w.serve(r)
		if rec.Header().Get("Content-Encoding") != want {
			t.Errorf("%q: %q", asked, rec.Header().Get("Content-Encoding"))
		}
		if want == "gzip" {
			z, err := gzip.NewReader(rec.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(z); err != nil || string(got) != plain {
				t.Errorf("%q: %v, %d bytes of %d", asked, err, len(got), len(plain))
			}
		}
	}
	r := request("GET", "/client/1/client/x", "client", "")
	r.Header.Set("Accept-Encoding", "gzip")
	if rec := w.serve(r); rec.Header().Get("Content-Encoding") != "" || rec.Code != 404 {
		t.Errorf("a short answer: %v", rec.Header())
	}
	w.server.route("GET", Base+"/stream/", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(rw, "data: 1\n\n")
		if err := http.NewResponseController(rw).Flush(); err != nil {
			t.Error(err)
		}
	})
	r = request("GET", "/stream", "", "")
	r.Header.Set("Accept-Encoding", "gzip")
	if rec := w.serve(r); !rec.Flushed || rec.Body.String() != "data: 1\n\n" {
		t.Errorf("a stream: %q", rec.Body)
	}
}

func TestHeadersAreSafe(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Origins = []string{"https://crm.example.test"} })
	for _, path := range []string{"/client/1/client/", "/nothing/", "/openapi.json", "/client_api_explorer/", "/client_api_explorer/swagger-ui-bundle.js"} {
		h := w.do("GET", path, "client", "").Header()
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") == "" {
			t.Errorf("%s: %v", path, h)
		}
	}
	if h := w.do("GET", "/client/1/client/", "client", "").Header(); h.Get("Cache-Control") != "no-store" {
		t.Errorf("data may be kept: %v", h)
	}
	for origin, want := range map[string]string{"https://crm.example.test": "https://crm.example.test", "https://evil.example.test": "", "": ""} {
		r := request("OPTIONS", "/client/1/client/", "", "")
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "PUT")
		rec := w.serve(r)
		if rec.Code != 204 || rec.Header().Get("Access-Control-Allow-Origin") != want {
			t.Errorf("%q: %d %v", origin, rec.Code, rec.Header())
		}
	}
}

func TestExplorerIsWhole(t *testing.T) {
	w := newWorld(t)
	page := w.do("GET", "/client_api_explorer/", "", "")
	body := page.Body.String()
	if page.Code != 200 || strings.Contains(body, "http://") || strings.Contains(body, "https://") || strings.Contains(body, "<style") || strings.Contains(body, "onclick") {
		t.Errorf("%d %s", page.Code, body)
	}
	for part := range strings.SplitSeq(body, `"`+Base) {
		path, _, _ := strings.Cut(part, `"`)
		if !strings.HasPrefix(path, "/") {
			continue
		}
		rec := w.do("GET", path, "", "")
		if rec.Code != 200 || rec.Body.Len() < 500 {
			t.Errorf("%s: %d, %d bytes", path, rec.Code, rec.Body.Len())
		}
	}
}

// wrapped makes an error comparable.
type wrapped struct{ error }

func (w *wrapped) Unwrap() error { return w.error }

package api

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

type echoOut struct {
	Body struct {
		Name string `json:"name"`
	}
}

// ownAnswer is an error with a body of its own, as the token endpoint has.
type ownAnswer struct {
	Code string `json:"error"`
}

func (ownAnswer) Error() string  { return "own" }
func (ownAnswer) GetStatus() int { return 400 }

// TestFormsOutsideTheBase is what the token endpoint stands on.
func TestFormsOutsideTheBase(t *testing.T) {
	w := newWorld(t)
	register(w.server, operation{ID: "echo", Method: "POST", Path: "/oauth/echo", Root: true, Public: true, Form: true},
		func(ctx context.Context, _ *struct{}) (*echoOut, error) {
			out := &echoOut{}
			if out.Body.Name = formOf(ctx).Get("name"); out.Body.Name == "nobody" {
				return nil, ownAnswer{"invalid_client"}
			}
			return out, nil
		})
	var parts bytes.Buffer
	form := multipart.NewWriter(&parts)
	_ = form.WriteField("name", "multi")
	_ = form.Close()
	for _, c := range []struct {
		path, kind, body string
		status           int
		want             string
	}{
		{"/oauth/echo", "application/x-www-form-urlencoded", "name=form", 201, `{"name":"form"}`},
		{"/oauth/echo/", "application/x-www-form-urlencoded", "name=form", 201, `{"name":"form"}`},
		{"/oauth/echo", form.FormDataContentType(), parts.String(), 201, `{"name":"multi"}`},
		{"/oauth/echo?name=query", "", "", 201, `{"name":"query"}`},
		{"/oauth/echo?name=query", "application/x-www-form-urlencoded", "name=form", 201, `{"name":"form"}`},
		{"/oauth/echo?name=nobody", "", "", 400, `{"error":"invalid_client"}`},
		{"/oauth/echo", "application/json", `{}`, 415, "unsupported_media_type"},
		{"/oauth/echo", "application/x-www-form-urlencoded", "name=%zz", 400, "bad_request"},
		{"/oauth/echo", "application/x-www-form-urlencoded", "name=%ff", 400, "UTF-8"},
		{"/oauth/echo", "multipart/form-data; boundary=x", "--x\r\nbroken", 400, "bad_request"},
		{"/oauth/echo", "application/x-www-form-urlencoded", "name=" + strings.Repeat("a", maxBody), 413, "too_large"},
	} {
		r := httptest.NewRequest("POST", c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		rec := w.serve(r)
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.want) {
			t.Errorf("%s %s %.20s: %d %s", c.path, c.kind, c.body, rec.Code, rec.Body)
		}
	}
	if rec := w.do("POST", Base+"/oauth/echo", "", ""); rec.Code != 404 {
		t.Errorf("below the base: %d", rec.Code)
	}
}

type streamOut struct{ Body func(huma.Context) }

// TestStreams is what the event stream stands on: every flush is sent.
func TestStreams(t *testing.T) {
	w := newWorld(t)
	register(w.server, operation{ID: "drip", Method: "GET", Path: "/drip/", Public: true, Type: "text/event-stream"},
		func(context.Context, *struct{}) (*streamOut, error) {
			return &streamOut{func(ctx huma.Context) {
				_, rw := humago.Unwrap(ctx)
				rw.Header().Set("Content-Type", "text/event-stream")
				for range 3 {
					_, _ = io.WriteString(rw, "data: x\n\n")
					if err := http.NewResponseController(rw).Flush(); err != nil {
						t.Error(err)
					}
				}
			}}, nil
		})
	r := request("GET", "/drip", "", "")
	r.Header.Set("Accept-Encoding", "gzip")
	rec := w.serve(r)
	if rec.Code != 200 || !rec.Flushed || rec.Body.String() != strings.Repeat("data: x\n\n", 3) {
		t.Errorf("%d %v %q", rec.Code, rec.Flushed, rec.Body)
	}
}

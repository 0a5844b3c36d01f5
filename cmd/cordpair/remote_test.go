package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRefusals: what the switch answers is said in words that help.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		status     int
		body, want string
	}{
		{401, `{"message":"Unauthorized","code":"unauthorized"}`, "the switch does not know this token, or not any more; cordpair token LOGIN prints another"},
		{404, `{"message":"Not found","code":"client_not_found"}`, "client not found"},
		{400, `{"message":"/name: is taken","errors":[{"pointer":"/name","message":"is taken"},{"pointer":"","message":"is odd"}]}`, "name: is taken; is odd"},
		{403, `{"message":"Access denied","code":"access_denied"}`, "Access denied"},
		{429, "{\"message\":\"Too \\u001b[2Jmany\"}", "Too �[2Jmany"},
		{502, `<html>`, "502 Bad Gateway"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != apiPath+"/client/7/x" || r.Header.Get("Authorization") != "Bearer T" {
				t.Errorf("%s with %q", r.URL.Path, r.Header.Get("Authorization"))
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		for _, url := range []string{srv.URL, srv.URL + "/", srv.URL + apiPath + "/"} {
			if err := (remote{URL: url, Token: "T"}).get(t.Context(), "/client/7/x", nil); err == nil || err.Error() != c.want {
				t.Errorf("%d: %q, want %q", c.status, err, c.want)
			}
		}
		srv.Close()
	}
}

// TestUnreachable: each way of not finding a switch has its own advice.
func TestUnreachable(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	t.Chdir(t.TempDir())
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		r    remote
		want string
	}{
		{remote{}, errNoSwitch.Error()},
		{remote{DataDir: "nowhere"}, "no switch is running over nowhere"},
		{remote{URL: "127.0.0.1:8080", Token: "T"}, errBadURL.Error()},
		{remote{URL: gone.URL}, errNoToken.Error()},
		{remote{URL: gone.URL, Token: "T"}, "no answer from " + gone.URL + ": dial tcp "},
	} {
		if err := c.r.get(t.Context(), "/x", nil); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.r, err, c.want)
		}
	}
	if err := (remote{URL: gone.URL, Token: "T"}).get(cancelled, "/x", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Ctrl-C: %v", err)
	}
}

// TestWhichClient: the only client needs no name, of several the choice is shown.
func TestWhichClient(t *testing.T) {
	for answer, want := range map[string]string{
		`[{"id":4,"name":"Acme"}]`: "/client/4",
		`[]`:                       "there is no client yet; make one with: cordpair client add",
		`[{"id":1,"name":"Demo"},{"id":2,"name":"B\u0007"}]`:           "which --client? there are 1 (Demo), 2 (B�)",
		`[` + strings.Repeat(`{"id":1,"name":"A"},`, 11) + `{"id":2}]`: "which --client? there are " + strings.Repeat("1 (A), ", 10) + "and 2 more",
	} {
		dir := t.TempDir()
		serveOperator(t, dir, answer)
		path, err := (remote{DataDir: dir}).client(t.Context())
		if err != nil {
			path = err.Error()
		}
		if path != want {
			t.Errorf("%s: %q, want %q", answer, path, want)
		}
	}
}

// serveOperator answers at the operator's socket of a data folder.
func serveOperator(t *testing.T, dir, answer string) {
	t.Helper()
	ln, err := net.Listen("unix", filepath.Join(dir, "operator.sock"))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
	_ = srv.Listener.Close()
	srv.Listener = ln
	srv.Start()
	t.Cleanup(srv.Close)
}

// TestPlaces: what a crash left behind is not taken for a switch that runs.
func TestPlaces(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"data", "demo/data"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: "data/operator.sock", Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	serveOperator(t, "demo/data", `[{"id":9,"name":"Demo"}]`)
	if path, err := (remote{}).client(t.Context()); err != nil || path != "/client/9" {
		t.Errorf("%s, %v", path, err)
	}
}

func TestQuestion(t *testing.T) {
	_, cli := parse(t, "explain", "--from", "101", "--to", "102", "--assume", "102=busy,103=no_answer", "--press", "1,3", "--at", "2026-12-25T10:00:00Z")
	got, err := cli.Explain.question()
	want := map[string]any{
		"from": "101", "to": "102", "at": "2026-12-25T10:00:00Z", "press": []string{"1", "3"},
		"assume": map[string]string{"102": "busy", "103": "no_answer"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, bad := range []explainCmd{{At: "tomorrow"}, {Assume: []string{"102"}}} {
		if _, err := bad.question(); err == nil || !strings.Contains(err.Error(), "write ") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestTokenWithDash: a token may begin like a flag.
func TestTokenWithDash(t *testing.T) {
	_, cli := parse(t, joinToken([]string{"calls", "--url", "http://h", "--token", "-2Hil", "--json"})...)
	if cli.Calls.Token != "-2Hil" || !cli.Calls.JSON {
		t.Errorf("%+v", cli.Calls)
	}
	if got := joinToken([]string{"calls", "--token"}); len(got) != 2 {
		t.Errorf("%q", got)
	}
}

package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

func TestBodiesAreStrict(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ name, body, pointer, message string }{
		{"twice", `{"label":"a","label":"b"}`, "/label", "twice"},
		{"twice by escape", `{"label":"a","\u006cabel":"b"}`, "/label", "twice"},
		{"twice below", `{"label":{"a":{"b":1,"b":2}}}`, "/label/a/b", "twice"},
		{"trailing", `{"label":"a"} {}`, "", "follows"},
		{"trailing text", `{"label":"a"}x`, "", "follows"},
		{"not UTF-8", "{\"label\":\"a\xff\"}", "/label", "UTF-8"},
		{"name not UTF-8", "{\"lab\xc0el\":1}", "", "UTF-8"},
		{"NaN", `{"id":NaN}`, "/id", "not JSON"},
		{"cut", `{"label":"a"`, "", "not JSON"},
		{"empty object cut", `{`, "", "not JSON"},
		{"comma", `{"label":"a",}`, "", "not JSON"},
		{"single quotes", `{'label':'a'}`, "", "not JSON"},
		{"deep", strings.Repeat(`[`, 33) + strings.Repeat(`]`, 33), strings.Repeat("/0", 32), "deeper"},
		{"very deep", strings.Repeat(`[`, 500000), strings.Repeat("/0", 32), "deeper"},
		{"no object", `[]`, "", "object"},
		{"null", `null`, "", "null"},
		{"a string", `"label"`, "", "object"},
		{"wrong type", `{"label":1}`, "/label", "string"},
		{"another wrong type", `{"id":"11"}`, "/id", "integer"},
		{"fraction", `{"id":1.5}`, "/id", "integer"},
		{"too large", `{"id":9223372036854775808}`, "/id", "range"},
		{"huge", `{"id":1e999}`, "/id", "integer"},
		{"unknown", `{"lable":"a"}`, "/lable", "not a known field"},
		{"unknown with a slash", `{"a/b~c":"a"}`, "/a~1b~0c", "not a known field"},
		{"wrong case", `{"Label":"a"}`, "/Label", "not a known field"},
		{"value", `{"status":"asleep"}`, "/status", `must be one of "active, blocked, null"`},
		{"too long", `{"label":"` + strings.Repeat("a", 129) + `"}`, "/label", "must have a length <= 128"},
		{"too small", `{"dial_rule_limit":-1}`, "/dial_rule_limit", "must be >= 0"},
		{"no boolean", `{"ani_rfc3325":"yes"}`, "/ani_rfc3325", "must be true or false"},
		{"control character", `{"label":"a\u0000"}`, "/label", "plain text"},
		{"none at all", "", "", "required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			before, _ := w.memory.Extension(11)
			r := request("PUT", "/client/1/extension/11", "client", c.body)
			p := problemIn(t, w.serve(r), 400)
			if len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer || !strings.Contains(p.Errors[0].Message, c.message) {
				t.Errorf("errors = %+v; want %q %q", p.Errors, c.pointer, c.message)
			}
			if p.Status.Number != 400 || p.Code != "bad_request" {
				t.Errorf("%+v", p)
			}
			if after, _ := w.memory.Extension(11); after.Extension.Label != before.Extension.Label {
				t.Error("something was written")
			}
		})
	}
}

func TestBodySizeAndType(t *testing.T) {
	w := newWorld(t)
	big := `{"label":"` + strings.Repeat("a", maxBody) + `"}`
	if p := w.problem(413, "PUT", "/client/1/extension/11", "client", big); p.Code != "too_large" {
		t.Errorf("%+v", p)
	}
	for kind, want := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON;charset=UTF-8": 200, "": 200,
		"text/plain": 415, "application/x-www-form-urlencoded": 415, "application/json; charset=utf-16": 415,
		"application/xml": 415, "multipart/form-data; boundary=x": 415, "application/json;;": 415, "nonsense": 415,
	} {
		r := request("PUT", "/client/1/extension/11", "client", `{"label":"a"}`)
		r.Header.Set("Content-Type", kind)
		if rec := w.serve(r); rec.Code != want {
			t.Errorf("%q: %d %s", kind, rec.Code, rec.Body)
		}
	}
}

func TestMethodsAndPaths(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"POST", "/client/1/extension/11", 405, "GET, HEAD, PUT, DELETE, OPTIONS"},
		{"DELETE", "/client/1/extension/", 405, "GET, HEAD, POST, OPTIONS"},
		{"PATCH", "/client/1/client/", 405, "GET, HEAD, PUT, OPTIONS"},
		{"BREW", "/admin/client", 405, "GET, HEAD, POST, OPTIONS"},
		{"POST", "/openapi.json", 405, "GET, HEAD, OPTIONS"},
		{"OPTIONS", "/admin/client/", 204, "GET, HEAD, POST, OPTIONS"},
		{"OPTIONS", "/nothing/", 404, ""},
		{"GET", "/nothing/", 404, ""},
		{"GET", "/", 404, ""},
		{"GET", "/client/1//extension/", 404, ""},
		{"GET", "/client/1/extension//", 404, ""},
		{"GET", "/client/2/../1/extension/", 404, ""},
		{"GET", "/client/1/./extension/", 404, ""},
		{"GET", "/client/%2e%2e/extension/", 404, ""},
		{"GET", "/client/1%00/extension/", 404, ""},
		{"GET", "/client/1%2fextension/", 404, ""},
		{"GET", "/client/01/extension/", 404, ""},
		{"GET", "/client/+1/extension/", 404, ""},
		{"GET", "/client/-1/extension/", 404, ""},
		{"GET", "/client/99999999999999999999/extension/", 404, ""},
		{"GET", "/client/1/extension/@", 404, ""},
		{"GET", "/client/1/extension/@nobody", 404, ""},
		{"GET", "/extension/@me/extension/", 404, ""},
		{"GET", "/client_info/1", 404, ""},
	} {
		rec := w.do(c.method, c.path, "client", "")
		if rec.Code != c.status || rec.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s = %d, Allow %q", c.method, c.path, rec.Code, rec.Header().Get("Allow"))
		}
		if c.status >= 400 {
			problemIn(t, rec, c.status)
		}
	}
	star := request(http.MethodOptions, "/", "", "")
	star.URL.Path = "*"
	if rec := w.serve(star); rec.Code != 404 {
		t.Errorf("OPTIONS * = %d", rec.Code)
	}
	if rec := w.do("HEAD", "/client/1/extension/", "client", ""); rec.Code != 200 {
		t.Errorf("HEAD = %d", rec.Code)
	}
}

func FuzzParseStrict(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":null}]}`, `[]`, `1e5`, `{"a":1,"a":2}`, "\"\xff\"", `[[[[`, `{"a"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		v, p := parseStrict(body)
		if (p == nil) == (len(p.faultsOf()) > 0) {
			t.Fatalf("%q: %v, %+v", body, v, p)
		}
		if p == nil && !json.Valid(body) {
			t.Fatalf("%q was accepted", body)
		}
	})
}

// faultsOf serves a nil Problem too.
func (p *Problem) faultsOf() []FieldError {
	if p == nil {
		return nil
	}
	return p.Errors
}

// A body costs about its length, however its names and values are arranged: a
// long name above many elements must not be written once for each (H2).
func TestNoBodyCostsFarMoreThanItsLength(t *testing.T) {
	name := strings.Repeat("k", maxBody/4)
	for what, body := range map[string]string{
		"elements below a long name": `{"` + name + `":[` + strings.Repeat("0,", maxBody/4) + `0]}`,
		"members below a long name":  `{"` + name + `":{` + members(maxBody/16) + `}}`,
		"objects below a long name":  `{"` + name + `":[` + strings.Repeat(`{"a":0},`, maxBody/16) + `0]}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, p := parseStrict([]byte(body)); p != nil {
			t.Fatal(what, p)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 256*maxBody {
			t.Errorf("%s: %d bytes take %d bytes of memory", what, len(body), took)
		}
	}
}

// members are n members of an object.
func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"m%d":0,`, i)
	}
	return b.String() + `"last":0`
}

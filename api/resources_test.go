package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestExtensionsAreManaged(t *testing.T) {
	w := newWorld(t)
	x := w.ok(201, "POST", "/client/@me/extension/", "client", `{"name":"103","type":"phone","label":"Desk"}`)
	if x["name"] != "0001*103" || x["label"] != "Desk" || x["status"] != "active" {
		t.Errorf("created %v", x)
	}
	for _, path := range []string{
		"/client/1/extension/11", "/client/@me/extension/11/", "/client/@me/extension/@101", "/extension/11/extension",
		"/extension/@101/extension/", "/client/1/extension/@0001*101", "/client/1/extension/@0001%2A101", "/client/%40me/extension/11",
	} {
		if x := w.ok(200, "GET", path, "client", ""); x["id"] != 11.0 {
			t.Errorf("%s = %v", path, x)
		}
	}
	if x := w.ok(200, "GET", "/extension/@me/extension/", "extension", ""); x["id"] != 11.0 {
		t.Errorf("@me = %v", x)
	}
	x = w.ok(200, "PUT", "/client/1/extension/11", "client", `{"label":"Ann","status":"blocked","name":"0001*101","id":11}`)
	if x["label"] != "Ann" || x["status"] != "blocked" {
		t.Errorf("changed %v", x)
	}
	x = w.ok(200, "PUT", "/client/1/extension/11", "client", `{"status":null}`)
	if x["label"] != "Ann" || x["status"] != "active" {
		t.Errorf("null did not reset: %v", x)
	}
	w.ok(204, "DELETE", "/client/1/extension/12/", "client", "")
	w.problem(404, "GET", "/client/1/extension/12", "client", "")
	if p := w.problem(409, "POST", "/client/1/extension/", "client", `{"name":"101"}`); p.Code != "taken" {
		t.Errorf("code = %q", p.Code)
	}
}

func TestListsAreFilteredAndPaged(t *testing.T) {
	w := newWorld(t)
	w.ok(201, "POST", "/client/1/extension/", "client", `{"name":"103","type":"queue"}`)
	for query, want := range map[string][]float64{
		"":                                {11, 12, 1001},
		"?per_page=2":                     {11, 12},
		"?per_page=2&page=2":              {1001},
		"?per_page=2&page=3":              {},
		"?page=2":                         {11, 12, 1001},
		"?id=11&id=1001":                  {11, 1001},
		"?id[0]=11&id[1]=12":              {11, 12},
		"?id%5B%5D=11&id%5B%5D=12":        {11, 12},
		"?id=11&id=12&type=queue":         {},
		"?type=phone&name=102":            {12},
		"?name=0001*102":                  {12},
		"?order=desc":                     {1001, 12, 11},
		"?status=active&unheard=of":       {11, 12, 1001},
		"?per_page=1000&page=1000000000":  {},
		"?type[]=queue&type[]=conference": {1001},
	} {
		rec := w.do("GET", "/client/@me/extension/"+query, "client", "")
		var list []map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil || rec.Code != 200 {
			t.Errorf("%s: %d %s", query, rec.Code, rec.Body)
			continue
		}
		got := []float64{}
		for _, x := range list {
			got = append(got, x["id"].(float64))
		}
		if len(got) != len(want) {
			t.Errorf("%s = %v, want %v", query, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s = %v, want %v", query, got, want)
			}
		}
	}
	for query, pointer := range map[string]string{
		"?page=0": "page", "?page=x": "page", "?per_page=1001": "per_page", "?per_page=-1": "per_page",
		"?id=eleven": "id", "?id=11&id=99999999999999999999": "id", "?order=up": "order", "?type=phone&type=toaster": "type[1]",
	} {
		p := w.problem(400, "GET", "/client/@me/extension/"+query, "client", "")
		if len(p.Errors) != 1 || p.Errors[0].Pointer != pointer {
			t.Errorf("%s: %+v, want %s", query, p, pointer)
		}
	}
	w.problem(400, "GET", "/client/@me/extension/?id=%zz", "client", "")
}

func TestClientsAreManaged(t *testing.T) {
	w := newWorld(t)
	c := w.ok(201, "POST", "/admin/client/", "platform", `{"name":"third","prefix":"0003","domain":"c3.example.test"}`)
	if c["timezone"] != "UTC" || c["prefix"] != "0003" {
		t.Errorf("created %v", c)
	}
	for _, path := range []string{"/client/1/client/", "/client/@me/client", "/client/client_info/1/", "/client/client_info/@me"} {
		if c := w.ok(200, "GET", path, "client", ""); c["id"] != 1.0 {
			t.Errorf("%s = %v", path, c)
		}
	}
	c = w.ok(200, "PUT", "/client/@me/client/", "client", `{"timezone":"Europe/Berlin"}`)
	if c["timezone"] != "Europe/Berlin" {
		t.Errorf("changed %v", c)
	}
	for _, body := range []string{`{"status":"blocked"}`, `{"prefix":"0009"}`, `{"id":7}`} {
		if p := w.problem(400, "PUT", "/client/@me/client/", "client", body); p.Errors[0].Message != "cannot be changed" {
			t.Errorf("%s: %+v", body, p)
		}
	}
	w.ok(200, "PUT", "/admin/client/1", "platform", `{"status":"blocked"}`)
	w.problem(409, "DELETE", "/admin/client/1", "platform", "")
	w.ok(204, "DELETE", "/admin/client/1001/", "platform", "")
	p := w.problem(400, "PUT", "/admin/client/2", "platform", `{"timezone":"Mars/Base"}`)
	if p.Errors[0].Pointer != "/timezone" {
		t.Errorf("%+v", p)
	}
}

func TestGroupsAreManaged(t *testing.T) {
	w := newWorld(t)
	g := w.ok(201, "POST", "/client/1/extension_group/", "client", `{"name":"support"}`)
	if g["client_id"] != 1.0 || g["name"] != "support" {
		t.Errorf("created %v", g)
	}
	w.ok(200, "PUT", "/client/1/extension_group/1001", "client", `{"extra_params":"x","client_id":1}`)
	if g := w.ok(200, "GET", "/client/1/extension_group/1001/", "client", ""); g["extra_params"] != "x" {
		t.Errorf("changed %v", g)
	}
	w.ok(204, "DELETE", "/client/1/extension_group/1001", "client", "")
	w.problem(404, "GET", "/client/1/extension_group/1001/", "client", "")
	w.problem(404, "GET", "/client/1/extension_group/200", "client", "")
}

func TestOperatorNeedsNoToken(t *testing.T) {
	w := newWorld(t)
	r := request(http.MethodGet, "/admin/client/", "", "")
	w.problem(401, "GET", "/admin/client/", "", "")
	rec := w.do("GET", "/admin/client/", "platform", "")
	op := httptest.NewRecorder()
	w.server.Operator().ServeHTTP(op, r)
	if op.Code != 200 || op.Body.String() != rec.Body.String() {
		t.Errorf("operator: %d %s", op.Code, op.Body)
	}
}

package cordpair_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// everybody are the principals that belong to our client or its dealer, and the
// platform, to whom a thing below another client's path is missing, too.
var everybody = []string{"extension", "group", "reader", "callapi", "client", "dealer", "platform"}

// TestForeignIsMissingEverywhere (T1): for every operation and every id in its
// path, what belongs to somebody else is answered byte for byte like what does
// not exist.
func TestForeignIsMissingEverywhere(t *testing.T) {
	m := newManaged(t)
	m.talk()
	d := readDocument(m)
	own, theirs := m.names(t, m.ours), m.names(t, m.theirs)
	compared := 0
	for _, op := range d.operations {
		for _, name := range op.ids() {
			if own[name] == "" {
				t.Errorf("%s has an id %s that this test does not know", op.ID, name)
				continue
			}
			for _, as := range everybody {
				if as == "platform" && op.ids()[0] == name {
					continue // reaches it
				}
				ids := maps.Clone(own)
				ids[name] = theirs[name]
				foreign := m.send(as, op.method, op.fill(ids), op.sample())
				ids[name] = missing(theirs[name])
				absent := m.send(as, op.method, op.fill(ids), op.sample())
				if a, b := masked(foreign), masked(absent); a != b || foreign.Code < 400 {
					t.Errorf("%s of %s as %s: foreign %d\n%s\nmissing %d\n%s", op.ID, name, as, foreign.Code, a, absent.Code, b)
				}
				compared++
			}
		}
	}
	if compared < 300 {
		t.Errorf("%d comparisons", compared)
	}
}

// TestForeignInBodyAndQuery (T1) is the same for ids elsewhere.
func TestForeignInBodyAndQuery(t *testing.T) {
	m := newManaged(t)
	m.talk()
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/extension/registration/?extension_id=%d", ""},
		{"GET", "/client/@me/cdr/?extension_id=%d", ""},
		{"GET", "/client/@me/calls/?extension_id=%d", ""},
		{"GET", "/client/@me/call_history/?extension_id=%d", ""},
		{"GET", "/client/@me/calls/stats/?extension_id=%d", ""},
		{"GET", "/client/@me/extension/?id=%d", ""},
		{"GET", "/client/@me/extension_group/?id=%d", ""},
		{"GET", "/client/@me/user/client/?id=%d", ""},
		{"GET", "/client/@me/audit_log/?id=%d", ""},
		{"POST", "/client/@me/extension/", `{"name":"150","extension_group_id":%d}`},
		{"PUT", "/client/@me/extension/@101", `{"extension_group_id":%d}`},
	} {
		ask := func(id int64) string {
			path, body := c.path, c.body
			if body != "" {
				body = fmt.Sprintf(body, id)
			} else {
				path = fmt.Sprintf(path, id)
			}
			rec := m.send("client", c.method, path, body)
			if rec.Code == http.StatusCreated {
				t.Errorf("%s %s was taken", c.path, body)
			}
			return masked(rec)
		}
		for _, id := range []int64{m.theirs.phone, m.theirs.second, m.theirs.group, m.theirs.user} {
			if slices.Contains([]int64{m.ours.phone, m.ours.second, m.ours.ivr, m.ours.group, m.ours.user, m.ours.groupUser, m.ours.phoneUser}, id) {
				continue // an id of ours in another list
			}
			if a, b := ask(id), ask(987654); a != b {
				t.Errorf("%s %s\nforeign %d: %s\nmissing: %s", c.method, c.path+c.body, id, a, b)
			}
		}
	}
}

// TestLevelsOnTheSwitch is a look at T5 with real tokens; the whole matrix is the
// api's test.
func TestLevelsOnTheSwitch(t *testing.T) {
	m := newManaged(t)
	for _, c := range []struct {
		as, method, path, body string
		want                   int
		code                   string
	}{
		{"", "GET", "/user/", "", 401, "unauthorized"},
		{"wrong", "GET", "/user/", "", 401, "unauthorized"},
		{"gone", "GET", "/user/", "", 401, "unauthorized"},
		{"extension", "GET", "/extension/@me/extension/", "", 200, ""},
		{"extension", "GET", "/client/@me/extension/", "", 403, "access_denied"},
		{"group", "GET", "/extension/@101/extension/", "", 200, ""},
		{"group", "GET", "/extension/@101/registration/", "", 200, ""},
		{"group", "GET", "/extension/@102/registration/", "", 404, "extension_not_found"},
		{"reader", "GET", "/client/@me/extension/@101", "", 200, ""},
		{"reader", "PUT", "/client/@me/extension/@101", "{}", 403, "user_access_type_deny"},
		{"callapi", "GET", "/client/@me/extension/@101", "", 200, ""},
		{"callapi", "PUT", "/client/@me/extension/@101", "{}", 403, "app_access_type_deny"},
		{"callapi", "DELETE", "/client/@me/current_calls/none", "", 404, "not_found"},
		{"client", "PUT", "/client/@me/extension/@101", "{}", 200, ""},
		{"client", "GET", "/admin/client/", "", 403, "access_denied"},
		{"dealer", "GET", "/admin/client/", "", 200, ""},
		{"dealer", "GET", "/admin/user/", "", 403, "access_denied"},
		{"platform", "GET", "/admin/user/", "", 200, ""},
		{"theirs", "GET", fmt.Sprintf("/client/%d/client/", m.ours.client), "", 404, "client_not_found"},
	} {
		rec := m.send(c.as, c.method, c.path, c.body)
		code, _ := decoded(t, rec.Body.Bytes())["code"].(string)
		if rec.Code != c.want || c.code != "" && code != c.code {
			t.Errorf("%s: %s %s = %d %s, want %d %s", c.as, c.method, c.path, rec.Code, rec.Body, c.want, c.code)
		}
	}
	if body := m.send("dealer", "GET", "/admin/client/", "").Body.String(); strings.Contains(body, foreign) || !strings.Contains(body, familiar) {
		t.Errorf("the dealer sees %s", body)
	}
}

// names are ids of a client's things, by the names of the document's parameters.
func (m *managed) names(t *testing.T, of tenant) map[string]string {
	t.Helper()
	client := fmt.Sprintf("/client/%d", of.client)
	first := func(list string) string {
		ids := namesIn(m.send("operator", "GET", list, "").Body.String())
		if len(ids) == 0 {
			t.Fatalf("%s is empty", list)
		}
		return ids[0]
	}
	return map[string]string{
		"client_id": fmt.Sprint(of.client), "extension_id": fmt.Sprint(of.phone), "extension_group_id": fmt.Sprint(of.group),
		"user_id": fmt.Sprint(of.user), "app_id": of.app, "call_uuid": first(client + "/call_history/"),
		"call_api_id":     callIDs.FindStringSubmatch(m.send("operator", "GET", client+"/current_calls/", "").Body.String())[1],
		"registration_id": first(fmt.Sprintf("/extension/%d/registration/", of.phone)),
	}
}

var (
	callIDs  = regexp.MustCompile(`"call_api_id":"([^"]+)"`)
	traceIDs = regexp.MustCompile(`"trace_id":"[0-9a-f]+"`)
)

// missing is an id of the same form that nothing has.
func missing(id string) string {
	if len(id) < 8 {
		return "987654"
	}
	turned := []byte(id)
	for i, c := range turned {
		switch {
		case c >= '0' && c <= '8':
			turned[i] = c + 1
		case c == '9':
			turned[i] = '0'
		}
	}
	return string(turned)
}

// limitHeaders stand on every answer to somebody known, spelt as documented and not as
// Go would have it.
var limitHeaders = []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}

// masked is an answer without what no two answers share.
func masked(rec *httptest.ResponseRecorder) string {
	header := rec.Header().Clone()
	delete(header, limitHeaders[1])
	delete(header, limitHeaders[2])
	return fmt.Sprint(rec.Code, header, traceIDs.ReplaceAllString(rec.Body.String(), `"trace_id":""`))
}

// ids are the parameters of the path in their order.
func (op *operation) ids() (names []string) {
	for segment := range strings.SplitSeq(op.path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

func (op *operation) fill(ids map[string]string) string {
	path := op.path
	for name, id := range ids {
		path = strings.ReplaceAll(path, "{"+name+"}", id)
	}
	return path
}

// sample is a body that changes nothing.
func (op *operation) sample() string {
	switch {
	case op.Body == nil:
		return ""
	case op.ID == "explainCall":
		return `{"from":"101","to":"102"}`
	}
	return "{}"
}

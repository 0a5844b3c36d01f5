package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
)

// plainContext is huma's view of a request outside of its operations.
func plainContext(w http.ResponseWriter, r *http.Request) huma.Context {
	return humago.NewContext(&huma.Operation{}, r, w)
}

// ask answers questions about client 1 of newWorld as the root does.
func ask(t testing.TB) func(context.Context, int64, dialplan.Question) (dialplan.Explanation, error) {
	c := dialplan.DefaultClient()
	c.ID, c.Name, c.Prefix, c.Domain = 1, "client 1", "0001", "c1.example.test"
	rows := dialplan.Rows{Client: c, Demo: true}
	for n := int64(1); n <= 2; n++ {
		x := dialplan.DefaultExtension()
		x.ID, x.ClientID, x.Name = 10+n, 1, fmt.Sprintf("0001*10%d", n)
		rows.Extensions = append(rows.Extensions, dialplan.Row{Extension: x, Phone: dialplan.DefaultPhone()})
	}
	view, err := dialplan.Compile(rows)
	if err != nil {
		t.Fatal(err)
	}
	return func(_ context.Context, client int64, q dialplan.Question) (dialplan.Explanation, error) {
		if client != 1 {
			return dialplan.Explanation{}, store.ErrNotFound
		}
		if q.At.IsZero() {
			q.At = time.Date(2026, 12, 25, 10, 0, 0, 0, time.UTC)
		}
		e, err := view.Explain(q, func(extension int64) bool { return extension == 11 })
		e.ConfigVersion = 42
		return e, err
	}
}

func newAsking(t testing.TB) *world {
	return newWorld(t, func(c *Config) { c.Explain = ask(t) })
}

func TestExplain(t *testing.T) {
	w := newAsking(t)
	for _, c := range []struct{ body, would, cause, assumed string }{
		{`{"from":"102","to":"101"}`, "ring", "normal", `{"101":"answered"}`},
		{`{"from":"101","to":"102"}`, "ring", "unreachable", `{"102":"unreachable"}`},
		{`{"from":"0001*101","to":"102","assume":{"102":"busy"}}`, "ring", "busy", `{"102":"busy"}`},
		{`{"from":"101","to":"199"}`, "reject", "not_found", `{}`},
		{`{"from":"101","to":"*43"}`, "echo", "normal", `{}`},
		{`{"from":"101","to":"102","at":"2026-12-25T13:00:00+03:00","draft":{"extensions":{"102":{"status":"blocked"}}}}`, "reject", "", `{}`},
	} {
		for _, token := range []string{"client", "reader", "callapi"} {
			e := w.ok(200, "POST", "/client/@me/explain/", token, c.body)
			assumed, _ := json.Marshal(e["assumed"])
			if e["would"] != c.would && c.cause != "" || c.cause != "" && e["cause"] != c.cause || string(assumed) != c.assumed {
				t.Errorf("%s: %v %v %s", c.body, e["would"], e["cause"], assumed)
			}
			if e["config_version"] != 42.0 || e["at"] != "2026-12-25T10:00:00Z" || len(e["trace"].([]any)) == 0 {
				t.Errorf("%s: %v", c.body, e)
			}
		}
	}
	w.problem(403, "POST", "/client/1/explain/", "extension", `{"from":"101","to":"102"}`)
	e := w.ok(200, "POST", "/client/1/explain/", "client", `{"from":"101","to":"102","press":["1"]}`)
	if fmt.Sprint(e["unused"]) != "[1]" {
		t.Errorf("unused keys: %v", e["unused"])
	}
}

func TestExplainErrors(t *testing.T) {
	w := newAsking(t)
	for _, c := range []struct{ body, at string }{
		{`{"to":"102"}`, "/from"},
		{`{"from":"101"}`, "/to"},
		{`{"from":"199","to":"102"}`, "/from"},
		{`{"from":"0002*101","to":"102"}`, "/from"},
		{`{"from":"101","to":""}`, "/to"},
		{`{"from":"101","to":"sip:x@y z"}`, "/to"},
		{`{"from":"101","to":"102","at":"tomorrow"}`, "/at"},
		{`{"from":"101","to":"102","at":null}`, "/at"},
		{`{"from":"101","to":"102","assume":{"199":"busy"}}`, "/assume/199"},
		{`{"from":"101","to":"102","assume":{"102":"asleep"}}`, "/assume/102"},
		{`{"from":"101","to":"102","assume":{"a/b":"busy"}}`, "/assume/a~1b"},
		{`{"from":"101","to":"102","assume":{"102":7}}`, "/assume/102"},
		{`{"from":"101","to":"102","draft":{"extensions":{"102":{"status":"asleep"}}}}`, "/draft/extensions/102/status"},
		{`{"from":"101","to":"102","draft":{"extensions":{"102":{"colour":1}}}}`, "/draft/extensions/102/colour"},
		{`{"from":"101","to":"102","draft":{"extension":{}}}`, "/draft/extension"},
		{`{"from":"101","to":"102","colour":1}`, "/colour"},
		{`{"from":"101","to":"102","to":"103"}`, ""},
		{``, ""},
	} {
		for _, format := range []string{"", "?format=text"} {
			p := w.problem(400, "POST", "/client/1/explain/"+format, "client", c.body)
			if len(p.Errors) == 0 || c.at != "" && p.Errors[0].Pointer != c.at {
				t.Errorf("%s: %+v", c.body, p.Errors)
			}
		}
	}
	w.problem(400, "POST", "/client/1/explain/?format=svg", "client", `{"from":"101","to":"102"}`)
	a := w.do("POST", "/client/2/explain/", "client", `{"from":"101","to":"102"}`)
	b := w.do("POST", "/client/9/explain/", "client", `{"from":"101","to":"102"}`)
	if a.Code != 404 || mask(a.Body.String()) != mask(b.Body.String()) {
		t.Errorf("%d %s\n%s", a.Code, a.Body, b.Body)
	}
}

// TestExplainIsDocumented: what is answered is what the document says, and a
// question that was sent again with its key is answered alike.
func TestExplainIsDocumented(t *testing.T) {
	w := newAsking(t)
	op := w.server.huma.OpenAPI().Paths["/client/{client_id}/explain/"].Post
	if op.Responses["201"] != nil || op.Responses["200"].Content[plainText] == nil {
		t.Errorf("%v", op.Responses)
	}
	for _, body := range []string{`{"from":"101","to":"102"}`, `{"from":"101","to":"102","assume":{"102":"no_answer"}}`, `{"from":"101","to":"199"}`, `{}`} {
		var answers []string
		for range 2 {
			r := request("POST", "/client/1/explain/", "client", body)
			r.Header.Set("Idempotency-Key", body)
			rec := w.serve(r)
			if fault := undocumented(w.server, op, rec); fault != "" {
				t.Errorf("%s: %d %s\n%s", body, rec.Code, rec.Body, fault)
			}
			answers = append(answers, mask(rec.Body.String()))
		}
		if len(slices.Compact(answers)) != 1 {
			t.Errorf("%q", answers)
		}
	}
}

func TestExplainText(t *testing.T) {
	w := newAsking(t)
	rec := w.do("POST", "/client/1/explain/?format=text", "client", `{"from":"101","to":"102","assume":{"102":"busy"},"press":["\u202e"]}`)
	want := `"101" dials "102" at 2026-12-25 10:00:00 UTC

would    ring, the call ends: busy
path     ring
assumed  102 busy
unused   keys ["\u202e"]

extension 101
`
	if !strings.HasPrefix(rec.Body.String(), want) || rec.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%s\n%s", rec.Header().Get("Content-Type"), rec.Body)
	}
}

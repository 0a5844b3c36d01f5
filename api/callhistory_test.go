package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/history"
	"github.com/cordpair/cordpair/store/storetest"
)

// past is a world with a history at work, in a synctest bubble: it begins at
// 2000-01-01 00:00:00.
type past struct {
	*world
	bus     *call.Bus
	history History
}

// Extensions of newWorld, and somebody outside.
var (
	reception = call.Party{Extension: 11, Number: "101", Name: "Reception", Domain: "c1.example.test"}
	workshop  = call.Party{Extension: 12, Number: "102", Domain: "c1.example.test"}
	stranger  = call.Party{Extension: 21, Number: "101", Domain: "c2.example.test"}
	outside   = call.Party{Number: "+15550100"}
)

// remember runs test in a bubble with a history. See calls of happened.
func remember(t *testing.T, test func(p *past)) {
	synctest.Test(t, func(t *testing.T) {
		p := &past{bus: call.NewBus()}
		h := history.New(storetest.Open(t), p.bus, history.Options{Messages: signalling})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- h.Run(ctx) }() // ends with stop
		defer func() {
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}()
		p.history = h
		p.world = newWorld(t, func(c *Config) { c.History, c.Explain = h, ask(t) })
		test(p)
	})
}

// signalling is what the phones of every call said.
func signalling(leg call.LegID) []call.Message {
	at := time.Date(1999, 12, 31, 23, 59, 59, 999e6, time.UTC) // the INVITE comes before there is a call
	if strings.HasSuffix(string(leg), ".b") {
		return []call.Message{{At: at, Sent: true, Line: "INVITE sip:102@192.0.2.12", Of: "1 INVITE", Peer: "UDP 192.0.2.12:5060"}}
	}
	return []call.Message{
		{At: at, Line: "INVITE sip:102@c1.example.test", Of: "1 INVITE", Body: "application/sdp", Peer: "UDP 192.0.2.11:5060"},
		{At: at, Sent: true, Line: "180 Ringing </text><script>", Of: "1 INVITE", Peer: "UDP 192.0.2.11:5060"},
	}
}

// placed publishes a call; with a callee it is answered for that long, else
// refused as not found. With no time it goes on.
func (p *past) placed(id call.ID, client int64, caller, callee call.Party, dialled string, long time.Duration) {
	seq := 0
	a, b := call.LegID(id)+".a", call.LegID(id)+".b"
	say := func(ev call.Event) {
		seq++
		ev.Call, ev.Client, ev.Seq, ev.At = id, client, seq, time.Now()
		if ev.Trace != nil {
			ev.Trace.Seq, ev.Trace.At = ev.Seq, ev.At
		}
		p.bus.Publish(ev)
	}
	say(call.Event{Kind: call.EventStarted, Leg: a, Party: caller, Dialled: dialled})
	say(call.Event{Kind: call.EventLegStarted, Leg: a, Party: caller, Direction: call.Inbound})
	say(call.Event{Kind: call.EventDecided, Trace: &call.TraceEntry{
		Kind: call.TraceNumber, Name: "extension", Who: "extension 101", Branch: "1", Verdict: call.VerdictTaken,
		Step: &call.Step{Name: "ring", Branch: "1", Args: map[string]any{"extension_id": 12}},
	}})
	cause := call.CauseNotFound
	if callee.Number != "" {
		cause = call.CauseNormal
		say(call.Event{Kind: call.EventLegStarted, Leg: b, Party: callee, Direction: call.Outbound})
		say(call.Event{Kind: call.EventAnswered, Leg: b, Party: callee})
		say(call.Event{Kind: call.EventAnswered, Leg: a, Party: caller})
		if long == 0 {
			return
		}
		time.Sleep(long)
		say(call.Event{Kind: call.EventLegEnded, Leg: b, Party: callee, Cause: cause, Stats: &call.MediaStats{PacketsReceived: 50, Codec: "PCMA"}})
	}
	say(call.Event{Kind: call.EventLegEnded, Leg: a, Party: caller, Cause: cause, Remote: callee.Number != ""})
	say(call.Event{Kind: call.EventEnded, Cause: cause, By: a})
}

// happened is what the client 1 has behind it when it is 00:05, and a call of
// client 2.
func (p *past) happened() {
	p.placed("TALK", 1, reception, workshop, "102", 10*time.Second)
	time.Sleep(50 * time.Second)
	p.placed("WRONG", 1, reception, call.Party{}, "199", 0)
	time.Sleep(time.Minute)
	p.placed("IN", 1, outside, workshop, "102", 20*time.Second)
	time.Sleep(40 * time.Second)
	p.placed("FOREIGN", 2, stranger, outside, "+15550100", time.Second)
	time.Sleep(119 * time.Second)
	p.placed("NOW", 1, workshop, reception, "101", 0)
	time.Sleep(time.Second)
	synctest.Wait()
}

// get reads an answer of 200 into v, and holds it against the document.
func (p *past) get(method, target, token, body string, v any) *httptest.ResponseRecorder {
	p.t.Helper()
	rec := p.do(method, target, token, body)
	if rec.Code != 200 {
		p.t.Fatalf("%s = %d %s", target, rec.Code, rec.Body)
	}
	if err := json.Unmarshal(rec.Body.Bytes(), v); err != nil {
		p.t.Fatalf("%s: %v in %s", target, err, rec.Body)
	}
	return rec
}

// uuids are the calls of a list, with or without a head.
func (p *past) uuids(target, token string) string {
	p.t.Helper()
	var list []struct {
		Call string `json:"call_uuid"`
		Leg  string `json:"call_api_id"`
	}
	if strings.Contains(target, "call_history") {
		head := struct {
			Calls any `json:"call_history"`
		}{&list}
		p.get("GET", target, token, "", &head)
	} else {
		p.get("GET", target, token, "", &list)
	}
	var names []string
	for _, x := range list {
		if names = append(names, x.Call); x.Leg != "" {
			names[len(names)-1] = x.Leg
		}
	}
	return strings.Join(names, " ")
}

func TestCallLists(t *testing.T) {
	remember(t, func(p *past) {
		p.happened()
		for _, c := range []struct{ target, want string }{
			{"/client/1/call_history/", "IN WRONG TALK"},
			{"/client/@me/call_history", "IN WRONG TALK"},
			{"/client/1/calls/", "IN WRONG TALK"},
			{"/client/1/calls/?order=asc", "TALK WRONG IN"},
			{"/client/1/calls/?per_page=2", "IN WRONG"},
			{"/client/1/call_history/?per_page=2&page=2", "TALK"},
			{"/client/1/call_history/?per_page=2&page=3", ""},
			{"/client/1/call_history/?page=2", "IN WRONG TALK"},
			{"/client/1/calls/?per_page=1&page=2&order=asc", "WRONG"},
			{"/client/1/calls/?extension_id=11", "WRONG TALK"},
			{"/client/1/calls/?extension_id=11&extension_id=12", "IN WRONG TALK"},
			{"/client/1/calls/?extension_id[]=12&extension_id[]=77", "IN TALK"},
			{"/client/1/calls/?extension_id=21", ""}, // foreign
			{"/client/1/calls/?extension_id=999", ""},
			{"/client/1/calls/?flow=out", "WRONG TALK"},
			{"/client/1/calls/?flow=transfer", ""},
			{"/client/1/calls/?result=failed", "WRONG"},
			{"/client/1/calls/?result=bridged&to_username=102", "IN TALK"},
			{"/client/1/calls/?from_username=101&per_page=1&page=2", "TALK"},
			{"/client/1/calls/?from_username=%2B15550100", "IN"},
			{"/client/1/calls/?start_datetime=2000-01-01+00:01:00", "IN WRONG"},
			{"/client/1/calls/?start_datetime=2000-01-01+00:01:00&end_datetime=2000-01-01+00:02:00", "WRONG"},
			{"/client/1/calls/?end_datetime=2000-01-01%2000:01:00", "TALK"},
			{"/client/1/cdr/", "IN.b IN.a WRONG.a TALK.b TALK.a"},
			{"/client/1/cdr/?extension_id=12", "IN.b TALK.b"},
			{"/client/1/cdr/?flow=in&per_page=1&page=2", "IN.a"},
			{"/extension/11/cdr/", "WRONG.a TALK.a"},
			{"/extension/@102/cdr?order=asc", "TALK.b IN.b"},
			{"/extension/11/cdr/?extension_id=12", "WRONG.a TALK.a"}, // the path says which
		} {
			if got := p.uuids(c.target, "client"); got != c.want {
				t.Errorf("%s: %s, want %s", c.target, got, c.want)
			}
		}
		if got := p.uuids("/client/2/call_history/", "other"); got != "FOREIGN" {
			t.Errorf("the other client sees %s", got)
		}
		if got := p.uuids("/extension/@me/cdr/", "extension"); got != "WRONG.a TALK.a" {
			t.Errorf("the user of the extension sees %s", got)
		}
		p.problem(404, "GET", "/extension/12/cdr/", "extension", "")
		p.problem(403, "GET", "/client/1/cdr/", "extension", "")
	})
}

func TestCallHistoryHead(t *testing.T) {
	remember(t, func(p *past) {
		for _, c := range []struct{ query, want string }{
			{"", `{"page":1,"per_page":null,"order":"desc","call_history":[]}`},
			{"?per_page=20&page=3&order=asc", `{"page":3,"per_page":20,"order":"asc","call_history":[]}`},
		} {
			rec := p.do("GET", "/client/1/call_history/"+c.query, "client", "")
			if got := strings.TrimSpace(rec.Body.String()); got != c.want || rec.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%q: %s", c.query, got)
			}
		}
		if rec := p.do("GET", "/client/1/cdr/", "client", ""); strings.TrimSpace(rec.Body.String()) != "[]" {
			t.Errorf("%s", rec.Body)
		}
	})
}

// documentedNames are those of spec/http-api.md 2.18, which integrators read
// whether they have a value or not.
const documentedNames = `record_uuid record_file_size call_uuid flow application init_time_gmt start_time_gmt hangup_time_gmt duration
	result hangup_cause hangup_disposition extension_id extension_name extension_type extension_group_owner_id client_owner_id
	from_username from_domain from_screen_name to_username to_domain dest_number dest_domain source_number source_domain
	did_number did_domain ani_number ext_number_reg`

func TestCallMembers(t *testing.T) {
	remember(t, func(p *past) {
		p.happened()
		names := strings.Fields(documentedNames)
		bridged := strings.Fields("bridged bridged_duration bridged_time_gmt bridged_username bridged_domain")
		one := p.ok(200, "GET", "/client/1/call_history/TALK", "client", "")
		leg := one["cdr"].([]any)[1].(map[string]any)
		for _, name := range slices.Concat(names, bridged, []string{"cdr", "running"}) {
			if _, ok := one[name]; !ok {
				t.Errorf("a call lacks %s", name)
			}
		}
		for _, name := range slices.Concat(names, []string{"calls_result", "calls_hangup_disposition", "call_api_id"}) {
			if _, ok := leg[name]; !ok {
				t.Errorf("a leg lacks %s", name)
			}
		}
		for _, name := range []string{"events", "trace", "messages"} {
			if one[name] != nil || leg[name] != nil {
				t.Errorf("%s is shown", name)
			}
		}
		want := map[string]any{
			"running": false, "bridged": true, "bridged_duration": 10.0, "bridged_username": "102", "result": "bridged",
			"init_time_gmt": "2000-01-01 00:00:00", "hangup_time_gmt": "2000-01-01 00:00:10", "duration": 10.0,
			"hangup_disposition": "caller_bye", "extension_id": 11.0, "application": nil,
		}
		for name, value := range want {
			if one[name] != value {
				t.Errorf("%s = %v, want %v", name, one[name], value)
			}
		}
		now := p.ok(200, "GET", "/client/1/call_history/NOW/", "reader", "")
		if now["running"] != true || now["hangup_time_gmt"] != nil || now["result"] != "bridged" || len(now["cdr"].([]any)) != 2 {
			t.Errorf("%v", now)
		}
	})
}

func TestCallStats(t *testing.T) {
	remember(t, func(p *past) {
		p.happened()
		for _, c := range []struct {
			target          string
			count, duration int64
			results         string
		}{
			{"/client/1/calls/stats", 3, 30, "map[bridged:{2 30} failed:{1 0}]"},
			{"/client/1/calls/stats/?per_page=1&page=7", 3, 30, "map[bridged:{2 30} failed:{1 0}]"},
			{"/client/1/calls/stats/?flow=in", 1, 20, "map[bridged:{1 20}]"},
			{"/client/1/cdr/stats/", 5, 60, "map[answered:{4 60} failed:{1 0}]"},
			{"/extension/12/cdr/stats/", 2, 30, "map[answered:{2 30}]"},
		} {
			var got history.Totals
			p.get("GET", c.target, "client", "", &got)
			if got.Count != c.count || got.Duration != c.duration || fmt.Sprint(got.Results) != c.results {
				t.Errorf("%s: %+v", c.target, got)
			}
		}
	})
}

func TestWrongCallFilters(t *testing.T) {
	remember(t, func(p *past) {
		for query, at := range map[string]string{
			"start_datetime=yesterday": "/start_datetime", "end_datetime=2000-13-01+00:00:00": "/end_datetime", "flow=up": "flow",
			"start_datetime=2001-01-01+00:00:00&end_datetime=2000-01-01+00:00:00": "/end_datetime", "order=up": "order",
			"per_page=1001": "per_page", "page=0": "page", "extension_id=x": "extension_id", "result=odd": "result",
		} {
			for _, path := range []string{"/client/1/call_history/", "/client/1/calls/", "/client/1/cdr/stats/", "/extension/11/cdr/"} {
				if query == "extension_id=x" && path == "/extension/11/cdr/" {
					continue
				}
				got := p.problem(400, "GET", path+"?"+query, "client", "")
				if strings.Trim(got.Errors[0].Pointer, "/[0]") != strings.Trim(at, "/") {
					t.Errorf("%s?%s: %+v", path, query, got.Errors)
				}
			}
		}
	})
}

// TestForeignCalls: somebody else's call is one that never was (T1).
func TestForeignCalls(t *testing.T) {
	remember(t, func(p *past) {
		p.happened()
		for _, rest := range []string{"", "/trace/", "/ladder/", "/trace/?format=text", "/ladder/?format=svg"} {
			for _, ids := range [][2]string{{"FOREIGN", "NOWHERE"}, {"%2e%2e", "x"}} {
				a := p.do("GET", "/client/1/call_history/"+ids[0]+rest, "client", "")
				b := p.do("GET", "/client/1/call_history/"+ids[1]+rest, "client", "")
				if a.Code != 404 || mask(a.Body.String()) != mask(b.Body.String()) {
					t.Errorf("%s: %d %s\n%s", rest, a.Code, a.Body, b.Body)
				}
			}
			p.problem(404, "GET", "/client/2/call_history/FOREIGN"+rest, "client", "")
			p.problem(404, "GET", "/client/2/call_history/TALK"+rest, "other", "")
			p.problem(404, "GET", "/client/1/call_history/NOW"+rest, "other", "")
		}
	})
}

// TestAnswersOfTheHistoryAreDocumented holds what the operations answer against
// the document, with values, nulls and all formats.
func TestAnswersOfTheHistoryAreDocumented(t *testing.T) {
	remember(t, func(p *past) {
		p.happened()
		for id, o := range operationsOf(p.server) {
			if o.Tag != callHistoryTag {
				continue
			}
			for _, uuid := range []string{"TALK", "NOW", "WRONG", "IN", "FOREIGN"} {
				for _, query := range []string{"", "?per_page=2", "?flow=odd"} {
					target := strings.ReplaceAll(example(o.Path, 1), "{call_uuid}", uuid) + query
					rec := p.do(o.Method, target, "client", "")
					op := p.server.huma.OpenAPI().Paths[o.Path].Get
					if fault := undocumented(p.server, op, rec); fault != "" {
						t.Errorf("%s: %s: %d %s\n%s", id, target, rec.Code, rec.Body, fault)
					}
				}
			}
		}
	})
}

// TestHistoryFieldsConvert: the document's fields are those of the records.
func TestHistoryFieldsConvert(t *testing.T) {
	ours, theirs := reflect.TypeFor[CallFields](), reflect.TypeFor[history.Fields]()
	for i := range theirs.NumField() {
		if ours.Field(i).Tag.Get("json") != theirs.Field(i).Tag.Get("json") || ours.Field(i).Tag.Get("doc") == "" {
			t.Errorf("%s: %q and %q", theirs.Field(i).Name, ours.Field(i).Tag, theirs.Field(i).Tag)
		}
	}
}

// TestWhoSeesCalls: the table of access.go decides, and a foreign client is one
// that is not there.
func TestWhoSeesCalls(t *testing.T) {
	remember(t, func(p *past) {
		p.happened()
		for id, o := range operationsOf(p.server) {
			if o.Tag != callHistoryTag && o.Tag != "Explain" {
				continue
			}
			at := func(path string) string { return strings.ReplaceAll(path, "{call_uuid}", "TALK") }
			body := ""
			if o.Method == http.MethodPost {
				body = `{"from":"101","to":"102"}`
			}
			for token, principal := range p.tokens {
				own, foreign, missing := at(example(o.Path, 1)), at(example(o.Path, 2)), at(example(o.Path, 97))
				switch {
				case principal.May(needs[id]) != nil:
					p.problem(403, o.Method, own, token, body)
				case slices.Contains([]string{"client", "reader", "callapi"}, token), token == "extension":
					p.ok(200, o.Method, own, token, body)
					a, b := p.do(o.Method, foreign, token, body), p.do(o.Method, missing, token, body)
					if a.Code != 404 || mask(a.Body.String()) != mask(b.Body.String()) {
						t.Errorf("%s as %s: %d %s\n%s", id, token, a.Code, a.Body, b.Body)
					}
				}
			}
		}
	})
}

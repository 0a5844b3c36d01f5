package api

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/ladder"
)

func TestTraceOfACall(t *testing.T) {
	remember(t, func(p *past) {
		p.happened()
		for _, uuid := range []string{"TALK", "NOW"} {
			var trace []map[string]any
			p.get("GET", "/client/1/call_history/"+uuid+"/trace/", "client", "", &trace)
			if len(trace) != 1 {
				t.Fatalf("%v", trace)
			}
			for _, name := range strings.Fields("seq at branch who kind name verdict because step outcome") {
				if _, ok := trace[0][name]; !ok {
					t.Errorf("%s: an entry lacks %s", uuid, name)
				}
			}
			if e := trace[0]; e["because"] == nil || e["outcome"] != nil || e["step"].(map[string]any)["name"] != "ring" {
				t.Errorf("%s: %v", uuid, e)
			}
			rec := p.do("GET", "/client/1/call_history/"+uuid+"/trace/?format=text", "reader", "")
			want := "extension 101\n└─ ◆ extension  taken  next: ring extension_id=12\n"
			if got := strings.ReplaceAll(rec.Body.String(), "taken\n", "taken  "); rec.Code != 200 || !strings.Contains(squeeze(got), squeeze(want)) {
				t.Errorf("%s: %d\n%s", uuid, rec.Code, rec.Body)
			}
			if got := rec.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
				t.Errorf("%s", got)
			}
		}
	})
}

// TestLastCall: @last is the call that ended last, in the moment it has.
func TestLastCall(t *testing.T) {
	remember(t, func(p *past) {
		p.problem(404, "GET", "/client/1/call_history/@last/", "client", "not_found")
		p.happened()
		for _, view := range []string{"", "ladder/"} {
			var c struct {
				ID string `json:"call_uuid"`
			}
			if p.get("GET", "/client/1/call_history/@last/"+view, "client", "", &c); c.ID != "IN" {
				t.Errorf("%q: %q", view, c.ID)
			}
		}
	})
}

// squeeze makes every run of spaces one.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestLadderOfACall(t *testing.T) {
	remember(t, func(p *past) {
		p.happened()
		for uuid, lanes := range map[string]string{
			"TALK": "101 Reception|switch|102", "NOW": "102|switch|101", "IN": "+15550100|switch|102", "WRONG": "101 Reception|switch",
		} {
			at := "/client/1/call_history/" + uuid + "/ladder/"
			var l ladder.Ladder
			p.get("GET", at, "client", "", &l)
			var titles []string
			for _, col := range l.Columns {
				titles = append(titles, col.Title)
			}
			kinds := map[ladder.Kind]int{}
			for _, row := range l.Rows {
				kinds[row.Kind]++
			}
			if l.Rows[0].OffsetMS != 0 || l.Rows[len(l.Rows)-1].OffsetMS < 1 {
				t.Errorf("%s begins at %v ms", uuid, l.Rows[0].OffsetMS)
			}
			if strings.Join(titles, "|") != lanes || kinds[ladder.KindMessage] < 2 || kinds[ladder.KindDecision] != 1 || kinds[ladder.KindEvent] < 4 {
				t.Errorf("%s: %q %v", uuid, titles, kinds)
			}
			text := p.do("GET", at+"?format=text", "client", "")
			if text.Header().Get("Content-Type") != "text/plain; charset=utf-8" || !strings.Contains(text.Body.String(), "call "+uuid) {
				t.Errorf("%s", text.Body)
			}
			svg := p.do("GET", at+"?format=svg", "client", "")
			if svg.Header().Get("Content-Type") != "image/svg+xml" || !strings.Contains(svg.Header().Get("Content-Security-Policy"), "default-src 'none'; sandbox;") {
				t.Errorf("%v", svg.Header())
			}
			if svg.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Error("a browser may guess")
			}
			wellFormed(t, svg.Body.String())
		}
		p.problem(400, "GET", "/client/1/call_history/TALK/ladder/?format=png", "client", "")
		p.problem(400, "GET", "/client/1/call_history/TALK/trace/?format=svg", "client", "")
	})
}

// wellFormed reads a picture and finds nothing in it that could run.
func wellFormed(t *testing.T, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && (e.Name.Local == "script" || e.Name.Local == "style") {
			t.Errorf("<%s> in the picture", e.Name.Local)
		}
	}
}

// TestTraceDocument: every member of an entry is described, and those that may be
// null say so.
func TestTraceDocument(t *testing.T) {
	s := newAsking(t).server
	schemas := s.huma.OpenAPI().Components.Schemas
	entry := schemas.SchemaFromRef(schemaOf[call.TraceEntry](schemas).Ref)
	for name, p := range entry.Properties {
		if p.Description == "" {
			t.Errorf("%s is not described", name)
		}
	}
	for _, name := range []string{"step", "outcome"} {
		if len(entry.Properties[name].OneOf) != 2 {
			t.Errorf("%s cannot be null", name)
		}
	}
}

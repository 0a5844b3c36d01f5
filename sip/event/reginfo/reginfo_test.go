package reginfo

import (
	"encoding/xml"
	"testing"
	"time"

	"github.com/cordpair/cordpair/sip/event"
	"github.com/cordpair/cordpair/sip/location"
)

type bindings []location.Binding

func (b bindings) Lookup(_ int64, _ time.Time, _ []location.Binding) []location.Binding { return b }

func read(t *testing.T, doc event.Document) (d document) {
	t.Helper()
	if err := xml.Unmarshal(doc.Body, &d); err != nil {
		t.Fatalf("%v in\n%s", err, doc.Body)
	}
	return d
}

// TestDocument: what a phone is told of contacts that come, move, run out and
// leave, and that a contact cannot break out of its element (H6).
func TestDocument(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	evil := `sip:a"><uri>@x&y`
	one := location.Binding{ID: "1", Contact: evil, Q: 500, Registered: now.Add(-time.Minute), Expires: now.Add(time.Hour)}
	two := location.Binding{ID: "2", Contact: "sip:b@10.0.0.2", Q: 1000, Registered: now, Expires: now.Add(time.Minute)}
	moved := two
	moved.Contact = "sip:b@10.0.0.3"
	var seen any
	for _, step := range []struct {
		name  string
		has   bindings
		after time.Duration
		full  bool
		state string
		want  map[string]string // state and event by contact
	}{
		{"full", bindings{one, two}, 0, true, "active", map[string]string{"1": "active registered", "2": "active registered"}},
		{"nothing new", bindings{one, two}, 0, false, "", nil},
		{"moved", bindings{one, moved}, 0, false, "active", map[string]string{"2": "active refreshed"}},
		{"ran out", bindings{one}, time.Minute, false, "active", map[string]string{"2": "terminated expired"}},
		{"left", nil, time.Minute, false, "terminated", map[string]string{"1": "terminated unregistered"}},
		{"came", bindings{two}, 0, false, "active", map[string]string{"2": "active created"}},
		{"full and empty", nil, 0, true, "init", map[string]string{}},
	} {
		q := event.Query{Resource: event.Resource{Extension: 7, URI: "sip:101@acme.example"}, Full: step.full, Now: now.Add(step.after), Version: 3}
		if !step.full {
			q.Seen = seen
		}
		doc, ok := New(step.has).Document(q)
		if ok != (step.want != nil) {
			t.Errorf("%s: something to say: %v", step.name, ok)
		}
		if !ok {
			continue
		}
		seen = doc.Seen
		d := read(t, doc)
		if d.Registration.State != step.state || d.Version != 3 || (d.State == "full") != step.full || len(d.Registration.Contacts) != len(step.want) {
			t.Errorf("%s: %s", step.name, doc.Body)
		}
		for _, c := range d.Registration.Contacts {
			if c.State+" "+c.Event != step.want[c.ID] || c.ID == "1" && c.URI != evil {
				t.Errorf("%s: %+v", step.name, c)
			}
		}
	}
}

func TestAccess(t *testing.T) {
	p, w := New(nil), event.Watcher{Client: 1, Extension: 7}
	for extension, want := range map[int64]event.Access{7: event.Open, 8: event.Refused, 0: event.Refused} {
		if got := p.Access(w, event.Resource{Extension: extension}); got != want {
			t.Errorf("extension %d: %v", extension, got)
		}
	}
}

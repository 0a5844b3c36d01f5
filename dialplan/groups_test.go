package dialplan

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGroups(t *testing.T) {
	rows := testRows()
	rows.Groups = []Group{{ID: 9, ClientID: 1, Name: "B"}, {ID: 7, ClientID: 1, Name: "A"}}
	v := compile(t, rows)
	if diff := cmp.Diff([]Group{{ID: 7, ClientID: 1, Name: "A"}, {ID: 9, ClientID: 1, Name: "B"}}, v.Groups()); diff != "" {
		t.Error(diff)
	}
	r, _ := v.Extension(2)
	seven, eight := int64(7), int64(8)
	r.Extension.GroupID = &eight
	if _, err := v.WithExtension(r); strings.Join(fields(err), " ") != "extension_group_id" {
		t.Errorf("a group that is not there: %v", err)
	}
	r.Extension.GroupID = &seven
	member, err := v.WithExtension(r)
	if err != nil {
		t.Fatal(err)
	}
	seven = 8 // the view has its own
	var at *RowError
	if _, err := member.WithoutGroup(7); !errors.As(err, &at) || at.Row != "extension 2 (0001*102)" {
		t.Errorf("a group in use: %v", err)
	}
	n, err := member.WithoutGroup(9)
	if err != nil {
		t.Fatal(err)
	}
	if n, err = n.WithGroup(Group{ID: 7, ClientID: 1, Name: "C"}); err != nil {
		t.Fatal(err)
	}
	if g, ok := n.Group(7); !ok || g.Name != "C" || len(n.Groups()) != 1 || len(v.Groups()) != 2 {
		t.Errorf("new %v, old %v", n.Groups(), v.Groups())
	}
	for _, g := range []Group{{}, {ID: 1, ClientID: 2, Name: "x"}, {ID: 1, ClientID: 1}, {ID: 1, ClientID: 1, Name: "x", ExtraParams: "\x00"}} {
		if _, err := v.WithGroup(g); !errors.As(err, &at) || !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", g, err)
		}
		if _, err := Compile(Rows{Client: testClient(), Groups: []Group{g}}); !errors.Is(err, ErrInvalid) {
			t.Errorf("compiled %+v: %v", g, err)
		}
	}
}

// TestRowsOfTheFirstVersion: rows stored before a field existed have its default.
func TestRowsOfTheFirstVersion(t *testing.T) {
	var rows Rows
	var x Extension
	for text, to := range map[string]any{
		`{"id":1,"name":"Example","prefix":"0001","domain":"sip.example.org","domain_prefix":"","extension_len":3,
			"status":"active","timezone":"UTC","emergency_numbers":["112"],"codes":null}`: &rows.Client,
		`{"id":1,"client_id":1,"type":"phone","status":"active","name":"0001*101","label":"","caller_id_name":""}`: &x,
	} {
		if err := json.Unmarshal([]byte(text), to); err != nil {
			t.Fatal(err)
		}
	}
	rows.Extensions = []Row{{x, DefaultPhone()}}
	c := compile(t, rows).Client()
	if c.Type != TypeCompany || c.Presence != No || !c.CreateDate.IsZero() {
		t.Errorf("%+v", c)
	}
}

// TestDomainIsTheClients: nobody has to keep an extension's domain.
func TestDomainIsTheClients(t *testing.T) {
	rows := testRows()
	rows.Extensions[1].Extension.Domain = "other.example.org"
	v := compile(t, rows)
	c := v.Client()
	c.Domain = "new.example.org"
	n, err := v.WithClient(c)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := v.Extension(2)
	now, _ := n.Lookup("102")
	if old.Extension.Domain != "sip.example.org" || now.Extension.Domain != "new.example.org" {
		t.Errorf("old %s, new %s", old.Extension.Domain, now.Extension.Domain)
	}
}

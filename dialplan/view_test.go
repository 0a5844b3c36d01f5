package dialplan

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cordpair/cordpair/dialplan/call"
)

func TestCompileNamesTheBadRow(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Rows)
		want   string
	}{
		{"client", func(r *Rows) { r.Client.Prefix = "" }, "client 1: prefix: "},
		{"extension by itself", func(r *Rows) { r.Extensions[2].Extension.Label = "\x00" }, "extension 3 (0001*103): label: "},
		{"phone", func(r *Rows) { r.Extensions[2].Phone.HangupTimeout = 0 }, "extension 3 (0001*103): hangup_timeout: "},
		{"phone of a queue is not looked at", func(r *Rows) { r.Extensions[5].Phone.HangupTimeout = 0 }, ""},
		{"other client", func(r *Rows) { r.Extensions[2].Extension.ClientID = 2 }, "extension 3 (0001*103): client_id: "},
		{"other prefix", func(r *Rows) { r.Extensions[2].Extension.Name = "0002*103" }, "extension 3 (0002*103): name: "},
		{"other length", func(r *Rows) { r.Extensions[2].Extension.Name = "0001*1030" }, "extension 3 (0001*1030): name: "},
		{"emergency number", func(r *Rows) { r.Extensions[2].Extension.Name = "0001*112" }, "extension 3 (0001*112): name: "},
		{"id twice", func(r *Rows) { r.Extensions[2].Extension.ID = 1 }, "extension 1 (0001*103): id: "},
		{"name twice", func(r *Rows) { r.Extensions[2].Extension.Name = "0001*101" }, "extension 3 (0001*101): name: "},
	}
	for _, tt := range tests {
		rows := testRows()
		tt.change(&rows)
		_, err := Compile(rows)
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if !errors.Is(err, ErrInvalid) || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s…", tt.name, err, tt.want)
		}
	}
}

func TestViewLookup(t *testing.T) {
	v := compile(t, testRows())
	tests := []struct {
		name string
		id   int64
	}{
		{"101", 1},
		{"0001*101", 1},
		{"12345*0001*101", 1},
		{"0001*101@sip.example.org", 1},
		{"0001*101@SIP.example.org", 1},
		{"12345*0001*101@sip.example.org", 1},
		{"105", 5}, // blocked, but there
		{"107", 0},
		{"10", 0},
		{"", 0},
		{"*101", 0},
		{"0002*101", 0},       // another client's
		{"0001*0001*101", 0},  // one prefix too many
		{"12345*101", 0},      // the client's prefix is missing
		{"54321*0001*101", 0}, // another domain's
		{"12345*12345*0001*101", 0},
		{"101@sip.example.org", 0}, // at a domain the full name is needed
		{"0001*101@example.org", 0},
		{"0001*101@", 0},
		{"0001*101@sip.example.org@x", 0},
		{"@sip.example.org", 0},
	}
	for _, tt := range tests {
		row, ok := v.Lookup(tt.name)
		if row.Extension.ID != tt.id || ok != (tt.id != 0) {
			t.Errorf("Lookup(%q) = %d, %v; want %d", tt.name, row.Extension.ID, ok, tt.id)
		}
		if p := v.LookupRow(tt.name); p != v.ExtensionRow(tt.id) || ok && p.Extension.Name != row.Extension.Name {
			t.Errorf("LookupRow(%q) = %v", tt.name, p)
		}
	}
	allocs(t, 0, func() {
		for _, tt := range tests {
			v.Lookup(tt.name)
		}
		v.Extension(1)
		v.Party(1)
	})
}

func TestLookupWithoutDomainPrefix(t *testing.T) {
	rows := testRows()
	rows.Client.DomainPrefix = ""
	v := compile(t, rows)
	for _, name := range []string{"*0001*101", "12345*0001*101"} {
		if _, ok := v.Lookup(name); ok {
			t.Errorf("Lookup(%q) finds an extension", name)
		}
	}
}

func TestViewParty(t *testing.T) {
	rows := testRows()
	rows.Extensions[1].Extension.Label = "label"
	rows.Extensions[2].Extension.Label, rows.Extensions[2].Phone.Label = "label", "phone"
	rows.Extensions[3].Phone.Label, rows.Extensions[3].Extension.CallerIDName = "phone", "caller"
	v := compile(t, rows)
	for id, name := range []string{1: "", 2: "label", 3: "phone", 4: "caller"} {
		if id == 0 {
			continue
		}
		want := call.Party{Extension: int64(id), Number: fmt.Sprint(100 + id), Name: name, Domain: "sip.example.org"}
		if got, ok := v.Party(int64(id)); !ok || got != want {
			t.Errorf("Party(%d) = %+v, %v; want %+v", id, got, ok, want)
		}
	}
	if p, ok := v.Party(99); ok {
		t.Errorf("Party(99) = %+v", p)
	}
	if r, ok := v.Extension(99); ok {
		t.Errorf("Extension(99) = %+v", r)
	}
}

// content is what can be seen of a View.
func content(v *View) map[int64]Row {
	m := map[int64]Row{}
	for r := range v.Extensions() {
		m[r.Extension.ID] = r
	}
	return m
}

// TestViewIsPersistent plays random writes against a plain map, and at the end
// looks at every View on the way again.
func TestViewIsPersistent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, err := Compile(Rows{Client: testClient()})
		if err != nil {
			t.Fatal(err)
		}
		type moment struct {
			view *View
			want map[int64]Row
		}
		history := []moment{{v, map[int64]Row{}}}
		for range rapid.IntRange(1, 30).Draw(t, "writes") {
			now := history[len(history)-1]
			want := map[int64]Row{}
			for id, r := range now.want {
				want[id] = r
			}
			id := rapid.Int64Range(1, 8).Draw(t, "id")
			next := now.view
			if rapid.Bool().Draw(t, "delete") {
				next = next.WithoutExtension(id)
				delete(want, id)
			} else {
				r := row(id, fmt.Sprint(rapid.IntRange(200, 208).Draw(t, "number")))
				taken := false
				for other, o := range want {
					taken = taken || other != id && o.Extension.Name == r.Extension.Name
				}
				written, err := next.WithExtension(r)
				if (err != nil) != taken {
					t.Fatalf("writing %s: %v, taken %v", r.Extension.Name, err, taken)
				}
				if err == nil {
					r.Extension.Domain = "sip.example.org"
					next, want[id] = written, r
				}
			}
			history = append(history, moment{next, want})
		}
		for i, m := range history {
			if diff := cmp.Diff(m.want, content(m.view)); diff != "" {
				t.Fatalf("view %d: %s", i, diff)
			}
			if m.view.Len() != len(m.want) || m.view.byNumber.len != len(m.want) {
				t.Fatalf("view %d: %d and %d, want %d", i, m.view.Len(), m.view.byNumber.len, len(m.want))
			}
			for id, r := range m.want {
				if got, _ := m.view.Lookup(r.Extension.Number()); got.Extension.ID != id {
					t.Fatalf("view %d: %s is %d, want %d", i, r.Extension.Number(), got.Extension.ID, id)
				}
			}
		}
	})
}

func TestWithClient(t *testing.T) {
	v := compile(t, testRows())
	c := testClient()
	c.Status = StatusBlocked
	n, err := v.WithClient(c)
	if err != nil {
		t.Fatal(err)
	}
	if v.Client().Status != StatusActive || n.Client().Status != StatusBlocked || n.Len() != v.Len() {
		t.Errorf("old %s, new %s with %d extensions", v.Client().Status, n.Client().Status, n.Len())
	}
	c.EmergencyNumbers = []string{"102"}
	var at *RowError
	if _, err := v.WithClient(c); !errors.As(err, &at) || at.Row != "extension 2 (0001*102)" {
		t.Errorf("an extension became an emergency number: %v", err)
	}
	c.Timezone = ""
	if _, err := v.WithClient(c); !errors.As(err, &at) || at.Row != "client 1" {
		t.Errorf("bad client: %v", err)
	}
}

// TestCompileKeepsNothingOfTheCaller changes the rows after compiling.
func TestCompileKeepsNothingOfTheCaller(t *testing.T) {
	rows := testRows()
	rows.Client.Codes = []Code{{ContextDialled, "*50", StepEcho}}
	v := compile(t, rows)
	rows.Client.EmergencyNumbers[0], rows.Client.Codes[0].Pattern = "000", "*99"
	rows.Extensions[0].Extension.Name = "0001*999"
	if c := v.Client(); c.EmergencyNumbers[0] != "112" || c.Codes[0].Pattern != "*50" {
		t.Errorf("client is now %+v", c)
	}
	if r, _ := v.Extension(1); r.Extension.Number() != "101" {
		t.Errorf("extension is now %+v", r)
	}
}

// manyRows is a client with n extensions of 4 digits.
func manyRows(n int) Rows {
	rows := Rows{Client: testClient()}
	rows.Client.ExtensionLen = 4
	rows.Client.EmergencyNumbers = []string{"112"}
	for i := range n {
		rows.Extensions = append(rows.Extensions, row(int64(i+1), fmt.Sprintf("%04d", i)))
	}
	return rows
}

func BenchmarkCompile10k(b *testing.B) {
	rows := manyRows(10000)
	b.ReportAllocs()
	for b.Loop() {
		compile(b, rows)
	}
}

func BenchmarkWithExtension10k(b *testing.B) {
	v := compile(b, manyRows(10000))
	r, _ := v.Extension(5000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.WithExtension(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup10k(b *testing.B) {
	v := compile(b, manyRows(10000))
	b.ReportAllocs()
	for b.Loop() {
		v.Lookup("0001*5000")
	}
}

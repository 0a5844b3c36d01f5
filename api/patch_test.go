package api

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cordpair/cordpair/dialplan"
)

type mood string

type inner1 struct {
	Depth int `json:"depth"`
}

type thing struct {
	ID     int64    `json:"id" readonly:"true"`
	Name   string   `json:"name" required:"true"`
	Mood   *mood    `json:"mood" enum:"good,bad"`
	Sound  *int64   `json:"sound_id"`
	Count  *int     `json:"count"`
	List   []string `json:"list"`
	inner1          // its exported fields are members
	Hidden int      `json:"-"`
}

func ptr[T any](v T) *T { return &v }

func TestPatch(t *testing.T) {
	stored := thing{ID: 7, Name: "a", Mood: ptr(mood("bad")), Sound: ptr(int64(3)), Count: ptr(2), List: []string{"x"}, inner1: inner1{4}}
	defaults := thing{Name: "unnamed", Mood: ptr(mood("good")), List: []string{}}
	for _, c := range []struct {
		body   string
		change func(*thing)
		fault  string
	}{
		{`{}`, func(*thing) {}, ""},
		{`{"name":"b"}`, func(x *thing) { x.Name = "b" }, ""},
		{`{"name":null}`, func(x *thing) { x.Name = "unnamed" }, ""},
		{`{"mood":null}`, func(x *thing) { x.Mood = defaults.Mood }, ""},
		{`{"mood":"None"}`, func(x *thing) { x.Mood = defaults.Mood }, ""},
		{`{"mood":"good"}`, func(x *thing) { x.Mood = ptr(mood("good")) }, ""},
		{`{"name":"None"}`, func(x *thing) { x.Name = "None" }, ""},
		{`{"sound_id":0}`, func(x *thing) { x.Sound = nil }, ""},
		{`{"sound_id":9}`, func(x *thing) { x.Sound = ptr(int64(9)) }, ""},
		{`{"count":0}`, func(x *thing) { x.Count = ptr(0) }, ""},
		{`{"count":null,"list":null}`, func(x *thing) { x.Count, x.List = nil, []string{} }, ""},
		{`{"list":["y","z"]}`, func(x *thing) { x.List = []string{"y", "z"} }, ""},
		{`{"depth":5}`, func(x *thing) { x.Depth = 5 }, ""},
		{`{"id":7,"name":"b"}`, func(x *thing) { x.Name = "b" }, ""},
		{`{"id":null}`, func(*thing) {}, ""},
		{`{"id":8,"name":"b"}`, nil, "id: cannot be changed"},
		{`{"count":5}`, nil, "count: cannot be changed"},
		{`{"count":99999999999999999999}`, nil, "count: has a wrong value"},
	} {
		var p Patch[thing]
		if err := json.Unmarshal([]byte(c.body), &p); err != nil {
			t.Fatal(err)
		}
		var fixed []string
		if c.fault == "count: cannot be changed" {
			fixed = []string{"count"}
		}
		got := stored
		err := p.Apply(&got, defaults, fixed...)
		want := stored
		if c.change != nil {
			c.change(&want)
		} else if err == nil || err.Error() != c.fault || !errors.Is(err, dialplan.ErrInvalid) {
			t.Errorf("%s: %v, want %s", c.body, err, c.fault)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(thing{})); diff != "" || c.change != nil && err != nil {
			t.Errorf("%s: %v\n%s", c.body, err, diff)
		}
	}
	if stored.List[0] != "x" || *stored.Count != 2 {
		t.Errorf("the stored value was written to: %+v", stored)
	}
}

// A client that sends back what it read changes nothing; one that sends parts
// one after the other ends where it would have got with all at once.
func TestPatchProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z]{0,5}`)
		some := rapid.Custom(func(t *rapid.T) thing {
			return thing{ID: 7, Name: text.Draw(t, "name"), Count: rapid.Ptr(rapid.IntRange(0, 9), true).Draw(t, "count"),
				List: rapid.SliceOfN(text, 1, 3).Draw(t, "list"), inner1: inner1{rapid.IntRange(0, 3).Draw(t, "depth")}}
		})
		from, to := some.Draw(t, "from"), some.Draw(t, "to")
		whole, _ := json.Marshal(to)
		var all Patch[thing]
		if err := json.Unmarshal(whole, &all); err != nil {
			t.Fatal(err)
		}
		once, stepwise := from, from
		if err := all.Apply(&once, thing{}); err != nil {
			t.Fatal(err)
		}
		for name, raw := range all.fields {
			part := Patch[thing]{map[string]json.RawMessage{name: raw}}
			if err := part.Apply(&stepwise, thing{}); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(once, stepwise, cmp.AllowUnexported(thing{})); diff != "" {
			t.Fatal(diff)
		}
		again, _ := json.Marshal(once)
		if string(again) != string(whole) {
			t.Fatalf("%s became %s", whole, again)
		}
	})
}

func TestCreationRequires(t *testing.T) {
	s := newWorld(t).server
	r := s.huma.OpenAPI().Components.Schemas
	schema := Creation[thing]{}.Schema(r)
	for body, want := range map[string]string{
		`{"name":"a"}`:                            "",
		`{"name":"a","mood":null,"count":null}`:   "",
		`{"name":"a","mood":"None","sound_id":0}`: "",
		`{}`:                                "/name",
		`{"name":null}`:                     "/name",
		`{"name":"a","mood":"ugly"}`:        "/mood",
		`{"name":"a","list":["x",null]}`:    "/list/1",
		`{"name":"a","depth":1,"Hidden":1}`: "/Hidden",
	} {
		v, p := parseStrict([]byte(body))
		if p != nil {
			t.Fatal(p)
		}
		c := checker{schemas: r}
		c.check(schema, v, "")
		got := ""
		if len(c.faults) > 0 {
			got = c.faults[0].Pointer
		}
		if got != want {
			t.Errorf("%s: %+v, want %q", body, c.faults, want)
		}
	}
}

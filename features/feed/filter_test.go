package feed

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParseTypes(t *testing.T) {
	for list, want := range map[string]struct {
		types Types
		err   bool
		bad   string
	}{
		"":                           {},
		" , ,":                       {},
		"call.started":               {types: Types{"call.started"}},
		"call.*":                     {types: Types{"call"}},
		"call":                       {types: Types{"call"}},
		"call,call.*, leg.ended":     {types: Types{"call", "leg.ended"}},
		"media,registration,config":  {types: Types{"media", "registration", "config"}},
		"queue":                      {types: Types{"queue"}},
		"queue.*,queue.agent.logout": {types: Types{"queue", "queue.agent.logout"}},
		"call.start":                 {err: true, bad: "call.start"},
		"call.":                      {err: true, bad: "call."},
		"ca":                         {err: true, bad: "ca"},
		"call.started.*":             {types: Types{"call.started"}},
		"call.decided":               {err: true, bad: "call.decided"},
		"leg.digit":                  {err: true, bad: "leg.digit"},
		"*":                          {err: true, bad: "*"},
		".*":                         {err: true, bad: ""},
		"queue.":                     {err: true, bad: "queue."},
		"call;leg":                   {err: true, bad: "call;leg"},
	} {
		types, err := ParseTypes(list)
		switch {
		case want.err != (err != nil):
			t.Errorf("%q: err %v", list, err)
		case err != nil && (!errors.Is(err, ErrType) || !strings.Contains(err.Error(), want.bad)):
			t.Errorf("%q: %v does not name %q", list, err, want.bad)
		case !slices.Equal(types, want.types):
			t.Errorf("%q: %v, want %v", list, types, want.types)
		}
	}
	many := "queue.a"
	for range maxTypes {
		many += "," + many[strings.LastIndex(many, ",")+1:] + "x"
	}
	if _, err := ParseTypes(many); !errors.Is(err, ErrType) {
		t.Errorf("more than %d types: %v", maxTypes, err)
	}
}

func TestTypesWant(t *testing.T) {
	for _, row := range []struct {
		types string
		kind  Kind
		want  bool
	}{
		{"", "leg.ended", true},
		{"call", "call.started", true},
		{"call.*", "call.ended", true},
		{"call.*", "leg.ended", false},
		{"call.held", "call.held", true},
		{"call.held", "call.resumed", false},
		{"leg,queue", "queue.joined", true},
		{"queue.agent", "queue.agents", false},
		{"queue.agent", "queue.agent.paused", true},
	} {
		types, err := ParseTypes(row.types)
		if err != nil {
			t.Fatal(err)
		}
		if got := types.want(row.kind); got != row.want {
			t.Errorf("%q wants %q: %v", row.types, row.kind, got)
		}
	}
}

// Whatever somebody asks for, each name that is accepted wants some kind, and a
// list that was accepted is accepted again.
func FuzzParseTypes(f *testing.F) {
	for _, seed := range []string{"", "call.*,leg", "queue.x", "call.started,,", "..*", "*", "queue.\xff", strings.Repeat("call,", 100)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		types, err := ParseTypes(list)
		if err != nil {
			if !errors.Is(err, ErrType) || types != nil || len(err.Error()) > 400 {
				t.Fatalf("%q: %v, %v", list, types, err)
			}
			return
		}
		for _, name := range types {
			some := slices.ContainsFunc(kinds, func(k Kind) bool { return Types{name}.want(k) })
			if !some && !Types(types).want(Kind(name)) {
				t.Fatalf("%q: %q wants nothing", list, name)
			}
		}
		again, err := ParseTypes(strings.Join(types, ","))
		if err != nil || !slices.Equal(again, types) {
			t.Fatalf("%q: %v, then %v, %v", list, types, again, err)
		}
	})
}

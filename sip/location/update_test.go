package location

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const hour = time.Hour

type updateStep struct {
	r       Request
	err     error
	bound   []string
	events  []string
	durable bool
}

type updateTest struct {
	name  string
	steps []updateStep
}

func updateTests() []updateTest {
	with := func(uri string, change func(*Contact)) Contact {
		c := contact(uri)
		change(&c)
		return c
	}
	expires := func(uri string, d time.Duration) Contact { return with(uri, func(c *Contact) { c.Expires = d }) }
	device := func(uri, id string, reg int) Contact {
		return with(uri, func(c *Contact) { c.Instance, c.RegID = id, reg })
	}
	star := func(callID string, cseq uint32, d time.Duration) Request {
		r := register(callID, cseq, d)
		r.Wildcard = true
		return r
	}
	return []updateTest{
		{"add, refresh, remove", []updateStep{
			{register("a", 1, hour, contact("sip:x@h")), nil, []string{"sip:x@h"}, []string{"added sip:x@h 1"}, true},
			{register("a", 2, hour, contact("sip:x@h")), nil, []string{"sip:x@h"}, []string{"refreshed sip:x@h 1"}, false},
			{register("b", 1, hour, contact("sip:x@h")), nil, []string{"sip:x@h"}, []string{"refreshed sip:x@h 1"}, false},
			{register("b", 2, 0, contact("sip:x@h")), nil, []string{}, []string{"removed (unregistered) sip:x@h 0"}, true},
			{register("b", 3, 0, contact("sip:x@h")), nil, []string{}, nil, false},
		}},
		{"fetch", []updateStep{
			{register("a", 1, NoExpires), nil, []string{}, nil, false},
			{register("a", 2, hour, contact("sip:x@h")), nil, []string{"sip:x@h"}, []string{"added sip:x@h 1"}, true},
			{register("a", 1, 0), nil, []string{"sip:x@h"}, nil, false},
		}},
		{"order", []updateStep{
			{register("a", 5, hour, contact("sip:x@h")), nil, []string{"sip:x@h"}, []string{"added sip:x@h 1"}, true},
			{register("a", 5, hour, contact("sip:x@h")), ErrOutOfOrder, []string{"sip:x@h"}, nil, false},
			{register("a", 4, 0, contact("sip:x@h")), ErrOutOfOrder, []string{"sip:x@h"}, nil, false},
			{star("a", 4, 0), ErrOutOfOrder, []string{"sip:x@h"}, nil, false},
			{register("a", 4, hour, contact("sip:y@h"), contact("sip:x@h")), ErrOutOfOrder, []string{"sip:x@h"}, nil, false},
			{register("a", 4, hour, contact("sip:y@h")), nil, []string{"sip:x@h", "sip:y@h"}, []string{"added sip:y@h 2"}, true},
		}},
		{"all or nothing", []updateStep{
			{register("a", 1, hour, contact("sip:x@h"), expires("sip:y@h", 5*time.Second)), ErrTooBrief, []string{}, nil, false},
			{register("a", 1, hour, contact("sip:x@h"), contact("sip:y@h")), nil, []string{"sip:x@h", "sip:y@h"},
				[]string{"added sip:x@h 1", "added sip:y@h 2"}, true},
			{register("a", 2, hour, expires("sip:x@h", 0), expires("sip:z@h", 29*time.Second)), ErrTooBrief,
				[]string{"sip:x@h", "sip:y@h"}, nil, false},
			{register("a", 2, hour, expires("sip:x@h", 0), expires("sip:z@h", 30*time.Second)), nil,
				[]string{"sip:y@h", "sip:z@h"}, []string{"removed (unregistered) sip:x@h 1", "added sip:z@h 2"}, true},
		}},
		{"wildcard", []updateStep{
			{star("a", 1, 0), nil, []string{}, nil, false},
			{register("a", 2, hour, contact("sip:x@h"), contact("sip:y@h")), nil, []string{"sip:x@h", "sip:y@h"},
				[]string{"added sip:x@h 1", "added sip:y@h 2"}, true},
			{star("a", 3, hour), ErrWildcard, []string{"sip:x@h", "sip:y@h"}, nil, false},
			{star("a", 3, NoExpires), ErrWildcard, []string{"sip:x@h", "sip:y@h"}, nil, false},
			{func() Request { r := star("a", 3, 0); r.Contacts = []Contact{contact("sip:x@h")}; return r }(),
				ErrWildcard, []string{"sip:x@h", "sip:y@h"}, nil, false},
			{star("a", 3, 0), nil, []string{},
				[]string{"removed (unregistered) sip:x@h 1", "removed (unregistered) sip:y@h 0"}, true},
		}},
		{"comparison", []updateStep{
			{register("a", 1, hour, contact("sip:%78@H;transport=tcp;ob")), nil, []string{"sip:%78@H;transport=tcp;ob"},
				[]string{"added sip:%78@H;transport=tcp;ob 1"}, true},
			{register("a", 2, hour, contact("sip:x@h;Transport=TCP")), nil, []string{"sip:x@h;Transport=TCP"},
				[]string{"changed sip:x@h;Transport=TCP 1"}, true},
			{register("a", 3, 0, contact("sip:x@h")), nil, []string{"sip:x@h;Transport=TCP"}, nil, false},
		}},
		{"said twice", []updateStep{
			{register("a", 1, hour, contact("sip:x@h"), contact("sip:x@H")), nil, []string{"sip:x@H"}, []string{"added sip:x@H 1"}, true},
			{register("a", 2, hour, contact("sip:x@h"), expires("sip:x@h", 0)), nil, []string{},
				[]string{"removed (unregistered) sip:x@H 0"}, true},
		}},
		{"a device at a new address", []updateStep{
			{register("a", 1, hour, device("sip:x@h:1", "i", 0), contact("sip:z@h")), nil, []string{"sip:x@h:1", "sip:z@h"},
				[]string{"added sip:x@h:1 1", "added sip:z@h 2"}, true},
			{register("b", 1, hour, device("sip:x@h:2", "i", 0)), nil, []string{"sip:x@h:2", "sip:z@h"},
				[]string{"changed sip:x@h:2 2"}, true},
			{register("b", 1, hour, device("sip:x@h:3", "i", 0)), ErrOutOfOrder, []string{"sip:x@h:2", "sip:z@h"}, nil, false},
			{register("c", 1, hour, device("sip:x@h:3", "j", 0)), nil, []string{"sip:x@h:2", "sip:x@h:3", "sip:z@h"},
				[]string{"added sip:x@h:3 3"}, true},
			{register("d", 1, 0, device("sip:x@h:9", "i", 0)), nil, []string{"sip:x@h:3", "sip:z@h"},
				[]string{"removed (unregistered) sip:x@h:2 2"}, true},
		}},
		{"a device with two contacts", []updateStep{
			{register("a", 1, hour, device("sip:x@h:1", "i", 0), device("sip:x@h:2", "i", 0)), nil, []string{"sip:x@h:1", "sip:x@h:2"},
				[]string{"added sip:x@h:1 1", "added sip:x@h:2 2"}, true},
			{register("a", 2, hour, device("sip:x@h:2", "i", 0), device("sip:x@h:1", "i", 0)), nil, []string{"sip:x@h:1", "sip:x@h:2"},
				[]string{"refreshed sip:x@h:2 2", "refreshed sip:x@h:1 2"}, false},
			{register("b", 1, hour, device("sip:x@h:3", "i", 0)), nil, []string{"sip:x@h:3"},
				[]string{"removed (replaced) sip:x@h:2 1", "changed sip:x@h:3 1"}, true},
		}},
		{"a device with two flows", []updateStep{
			{register("a", 1, hour, device("sip:x@h:1", "i", 1)), nil, []string{"sip:x@h:1"}, []string{"added sip:x@h:1 1"}, true},
			{register("b", 1, hour, device("sip:x@h:2", "i", 2)), nil, []string{"sip:x@h:1", "sip:x@h:2"}, []string{"added sip:x@h:2 2"}, true},
			{register("c", 1, hour, device("sip:x@h:3", "i", 1)), nil, []string{"sip:x@h:2", "sip:x@h:3"}, []string{"changed sip:x@h:3 2"}, true},
		}},
		{"something else than time moves", []updateStep{
			{register("a", 1, hour, contact("sip:x@h")), nil, []string{"sip:x@h"}, []string{"added sip:x@h 1"}, true},
			{register("a", 2, hour, with("sip:x@h", func(c *Contact) { c.Q = 500 })), nil, []string{"sip:x@h"}, []string{"changed sip:x@h 1"}, true},
			{func() Request {
				r := register("a", 3, hour, with("sip:x@h", func(c *Contact) { c.Q = 500 }))
				r.Path = []string{"<sip:p;lr>"}
				return r
			}(), nil, []string{"sip:x@h"}, []string{"changed sip:x@h 1"}, true},
			{func() Request {
				r := register("a", 4, hour, with("sip:x@h", func(c *Contact) { c.Q = 500 }))
				r.Path, r.Flow = []string{"<sip:p;lr>"}, tcp(1)
				return r
			}(), nil, []string{"sip:x@h"}, []string{"changed sip:x@h 1"}, true},
		}},
	}
}

// One REGISTER after the other: what is bound afterwards, what was reported and
// whether it had to be durable.
func TestUpdate(t *testing.T) {
	for _, tt := range updateTests() {
		t.Run(tt.name, func(t *testing.T) {
			var events log
			b := open(t, Config{Store: newShelf(), Events: events.add})
			for i, s := range tt.steps {
				done := 0
				res, err := b.Update(s.r, time.Now(), func(error) { done++ })
				if !errors.Is(err, s.err) || (err == nil) != (s.err == nil) {
					t.Fatalf("step %d: %v, want %v", i+1, err, s.err)
				}
				now := b.Lookup(1, time.Now(), nil)
				if err == nil && !cmp.Equal(contacts(res.Bindings), contacts(now)) {
					t.Errorf("step %d: answer %q, bound %q", i+1, contacts(res.Bindings), contacts(now))
				}
				got := contacts(now)
				slices.Sort(got)
				if d := cmp.Diff(s.bound, got); d != "" {
					t.Errorf("step %d, bound: %s", i+1, d)
				}
				if d := cmp.Diff(s.events, events.take()); d != "" {
					t.Errorf("step %d, events: %s", i+1, d)
				}
				if res.Pending != s.durable || done == 1 != s.durable {
					t.Errorf("step %d: pending %v, done %d times", i+1, res.Pending, done)
				}
				if b.Len() != len(s.bound) {
					t.Errorf("step %d: Len %d", i+1, b.Len())
				}
			}
		})
	}
}

func TestExpiryBounds(t *testing.T) {
	b := open(t, Config{})
	tests := []struct {
		param, header time.Duration
		want          int
		err           error
	}{
		{NoExpires, NoExpires, 3600, nil},
		{NoExpires, 90 * time.Second, 90, nil},
		{120 * time.Second, 90 * time.Second, 120, nil},
		{120 * time.Second, 0, 120, nil},
		{30 * time.Second, NoExpires, 30, nil},
		{29 * time.Second, NoExpires, 0, ErrTooBrief},
		{time.Second, hour, 0, ErrTooBrief},
		{2 * hour, NoExpires, 3600, nil},
		{1<<63 - 1, NoExpires, 3600, nil},
	}
	for i, tt := range tests {
		c := contact("sip:x@h")
		c.Expires = tt.param
		now := time.Now()
		res, err := b.Update(register("a", uint32(i+1), tt.header, c), now, nil)
		if !errors.Is(err, tt.err) {
			t.Fatalf("row %d: %v", i, err)
		}
		if err == nil && (res.Bindings[0].Remaining(now) != tt.want || res.Bindings[0].Granted != tt.want) {
			t.Errorf("row %d: %d s, want %d", i, res.Bindings[0].Remaining(now), tt.want)
		}
	}
}

func TestRemaining(t *testing.T) {
	now := time.Now()
	for left, want := range map[time.Duration]int{
		0: 0, -time.Hour: 0, 1: 1, time.Second: 1, time.Second + 1: 2, hour: 3600,
	} {
		x := Binding{Expires: now.Add(left)}
		if got := x.Remaining(now); got != want {
			t.Errorf("%v left: %d", left, got)
		}
	}
}

func TestContactLimit(t *testing.T) {
	b := open(t, Config{MaxContacts: 3})
	for i := range 3 {
		mustUpdate(t, b, register(fmt.Sprint(i), 1, hour, contact(fmt.Sprintf("sip:%d@h", i))))
	}
	if _, err := b.Update(register("x", 1, hour, contact("sip:x@h")), time.Now(), nil); !errors.Is(err, ErrTooMany) {
		t.Errorf("a fourth: %v", err)
	}
	mustUpdate(t, b, register("0", 2, hour, contact("sip:0@h")))
	c := contact("sip:1@h")
	c.Expires = 0
	mustUpdate(t, b, register("x", 1, hour, c, contact("sip:x@h"))) // one goes, one comes
	many := register("y", 1, hour)
	for i := range 4 {
		many.Contacts = append(many.Contacts, contact(fmt.Sprintf("sip:y%d@h", i)))
	}
	many.Extension = 2
	if _, err := b.Update(many, time.Now(), nil); !errors.Is(err, ErrTooMany) || b.Len() != 3 {
		t.Errorf("four at once: %v, %d bound", err, b.Len())
	}
}

// A phone that lost its connection three times must not lock itself out.
func TestLostContactsMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events log
		b := open(t, Config{MaxContacts: 2, Events: events.add})
		for i := range uint64(2) {
			r := register(fmt.Sprint(i), 1, hour, contact(fmt.Sprintf("sip:%d@h", i)))
			r.Flow = tcp(i + 1)
			mustUpdate(t, b, r)
		}
		b.FlowClosed(2, time.Now())
		time.Sleep(time.Second)
		b.FlowClosed(1, time.Now())
		events.take()
		mustUpdate(t, b, register("x", 1, hour, contact("sip:x@h")))
		if d := cmp.Diff([]string{"removed (replaced) sip:1@h 1", "added sip:x@h 2"}, events.take()); d != "" {
			t.Error(d)
		}
	})
}

func TestLookupOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, Config{})
		for i, q := range []int{500, 1000, 500, 0, 1000} {
			c := contact(fmt.Sprintf("sip:%d@h", i))
			c.Q = q
			mustUpdate(t, b, register(fmt.Sprint(i), 1, hour, c))
			time.Sleep(time.Second)
		}
		got := contacts(b.Lookup(1, time.Now(), nil))
		if d := cmp.Diff([]string{"sip:4@h", "sip:1@h", "sip:2@h", "sip:0@h", "sip:3@h"}, got); d != "" {
			t.Error(d)
		}
		if got := b.Lookup(2, time.Now(), nil); len(got) != 0 {
			t.Errorf("somebody else's: %v", got)
		}
	})
}

// The registration id stays with the device and cannot be guessed.
func TestRegistrationID(t *testing.T) {
	b := open(t, Config{})
	first := mustUpdate(t, b, register("a", 1, hour, contact("sip:x@h"))).Bindings[0].ID
	again := mustUpdate(t, b, register("a", 2, hour, contact("sip:x@h"))).Bindings[0].ID
	mustUpdate(t, b, register("a", 3, 0, contact("sip:x@h")))
	later := mustUpdate(t, b, register("a", 4, hour, contact("sip:x@h"))).Bindings[0].ID
	if len(first) != 32 || again != first || later == first {
		t.Errorf("ids %q, %q, %q", first, again, later)
	}
}

// What is kept must not hold on to the packet it came from, nor change with it.
func TestUpdateCopies(t *testing.T) {
	b := open(t, Config{})
	path := []string{"<sip:p;lr>"}
	r := register("a", 1, hour, contact("sip:x@h"))
	r.Path = path
	mustUpdate(t, b, r)
	path[0], r.Contacts[0].URI = "spoilt", "spoilt"
	got := b.Lookup(1, time.Now(), nil)[0]
	if got.Path[0] != "<sip:p;lr>" || got.Contact != "sip:x@h" {
		t.Errorf("%+v", got)
	}
}

// TestSpread (O4): what is granted lies 0 to 20 % below what was asked, everywhere in
// between, never below the minimum, and is the same for one phone each time.
func TestSpread(t *testing.T) {
	b := open(t, Config{Spread: 20})
	var tenths [10]int
	for i := range 2000 {
		r := register(fmt.Sprintf("call %d", i), 1, hour, contact(fmt.Sprintf("sip:%d@h", i)))
		r.Extension = int64(i + 1)
		first := mustUpdate(t, b, r).Bindings[0].Granted
		if first > 3600 || first < 2880 {
			t.Fatalf("%d s granted of 3600", first)
		}
		tenths[min((3600-first)/72, 9)]++
		r.CSeq++
		if again := mustUpdate(t, b, r).Bindings[0].Granted; again != first {
			t.Fatalf("%d s granted after %d", again, first)
		}
		r.CSeq, r.Expires = r.CSeq+1, 31*second
		if brief := mustUpdate(t, b, r).Bindings[0].Granted; brief < 30 || brief > 31 {
			t.Fatalf("%d s granted of 31", brief)
		}
	}
	for i, n := range tenths {
		if n < 100 || n > 300 {
			t.Errorf("%d of 2000 phones in part %d of 10", n, i)
		}
	}
}

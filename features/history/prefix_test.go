package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cordpair/cordpair/dialplan/call"
)

// TestAnyPrefixIsARecord: wherever the switch is killed, in whatever order the
// events come, the journal holds a record that is complete and makes sense.
func TestAnyPrefixIsARecord(t *testing.T) {
	kinds := []call.EventKind{
		call.EventRinging, call.EventAnswered, call.EventHeld, call.EventResumed, call.EventJoined, call.EventTransferred, call.EventEnded,
		call.EventLegStarted, call.EventLegEnded, call.EventDecided, call.EventDigit,
	}
	causes := []call.Cause{"", "unheard of"}
	for c := range verdicts {
		causes = append(causes, c)
	}
	legs := []call.LegID{"a", "b", "c", ""}
	base := time.Now()
	rapid.Check(t, func(t *rapid.T) {
		at := base
		r := begin(&call.Event{Call: "X", Client: 7, At: at, Kind: call.EventStarted, Leg: "a", Party: alice, Dialled: "102"})
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			at = at.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
			r.apply(&call.Event{
				Call: "X", Client: 7, At: at,
				Kind:      rapid.SampledFrom(kinds).Draw(t, "kind"),
				Leg:       rapid.SampledFrom(legs).Draw(t, "leg"),
				Party:     rapid.SampledFrom([]call.Party{alice, bob, world}).Draw(t, "party"),
				Direction: rapid.SampledFrom([]call.Direction{call.Inbound, call.Outbound}).Draw(t, "direction"),
				Cause:     rapid.SampledFrom(causes).Draw(t, "cause"),
				By:        rapid.SampledFrom(legs).Draw(t, "by"),
				Remote:    rapid.Bool().Draw(t, "remote"),
				Trace:     &call.TraceEntry{Name: "x"},
			})
			if err := valid(r.record(at, nil)); err != nil {
				t.Fatal(err)
			}
			if err := sameEntry(r, at); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestLongCallInTheJournal: however much has been said in a call, and however many legs
// it had, the journal knows who came, talked, went over and left after that.
func TestLongCallInTheJournal(t *testing.T) {
	long := map[string]func(n int) call.Event{
		"keys": func(int) call.Event { return call.Event{Kind: call.EventDigit, Leg: "a"} },
		"decisions": func(n int) call.Event {
			return call.Event{Kind: call.EventDecided, Trace: &call.TraceEntry{Name: fmt.Sprint(n, strings.Repeat("x", 4096))}}
		},
		"forks": func(n int) call.Event {
			kind := []call.EventKind{call.EventLegStarted, call.EventLegEnded}[n%2]
			return call.Event{Kind: kind, Leg: call.LegID(fmt.Sprint(n / 2 % (maxLegs - 2))), Party: bob, Direction: call.Outbound}
		},
	}
	for name, event := range long {
		t.Run(name, func(t *testing.T) {
			at := time.Now()
			r := begin(&call.Event{Call: "X", Client: 7, At: at, Kind: call.EventStarted, Leg: "a", Party: alice, Dialled: "102"})
			tell := func(ev call.Event) {
				at = at.Add(time.Second)
				ev.At = at
				r.apply(&ev)
			}
			tell(call.Event{Kind: call.EventLegStarted, Leg: "a", Party: alice, Direction: call.Inbound})
			for n := range 2 * maxEvents {
				tell(event(n))
			}
			for _, ev := range []call.Event{
				{Kind: call.EventLegStarted, Leg: "b", Party: bob, Direction: call.Outbound}, {Kind: call.EventAnswered, Leg: "b"},
				{Kind: call.EventAnswered, Leg: "a"}, {Kind: call.EventJoined, Leg: "b", Other: "Y"}, {Kind: call.EventJoined, Leg: "b", Other: "Y"},
				{Kind: call.EventLegEnded, Leg: "b", Cause: call.CauseNormal, Remote: true},
			} {
				tell(ev)
				if err := sameEntry(r, at); err != nil {
					t.Fatalf("after %s: %v", ev.Kind, err)
				}
			}
			if rec := r.record(at, nil); !rec.Bridged || rec.Left == 0 || len(r.tale.b) > 2*maxTale {
				t.Errorf("%d bytes: %+v", len(r.tale.b), rec.Fields)
			}
		})
	}
}

// sameEntry says what a call loses on its way through the journal.
func sameEntry(r *running, now time.Time) error {
	killed := r.over.IsZero()
	if !killed {
		now = r.over
	}
	var back Record
	if err := parseEntry(&back, r.id, r.appendEntry(nil, now), time.Time{}, nil); err != nil {
		return err
	}
	if killed {
		if err := valid(back); err != nil {
			return err
		}
		n := len(back.Events) - 2
		if end := back.Events[n+1]; end.Kind != call.EventEnded || end.Cause != call.CauseRestart || !end.At.Equal(now) {
			return fmt.Errorf("ends with %+v", end)
		}
		back.Events = back.Events[:n]
	}
	if d := cmp.Diff(r.record(now, nil), back); d != "" {
		return errors.New(d)
	}
	return nil
}

// FuzzEntry: no entry of the journal makes its reader fail, and what it reads is a
// record.
func FuzzEntry(f *testing.F) {
	r := begin(&call.Event{Call: "X", Client: 7, Seq: 1, At: time.Now(), Kind: call.EventStarted, Leg: "a", Party: alice, Dialled: "102"})
	r.apply(&call.Event{Seq: 2, At: time.Now(), Kind: call.EventLegStarted, Leg: "a", Party: alice, Direction: call.Inbound})
	r.apply(&call.Event{Seq: 3, At: time.Now(), Kind: call.EventDecided, Trace: &call.TraceEntry{Name: "102"}})
	f.Add(r.appendEntry(nil, time.Now()))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var rec Record
		if parseEntry(&rec, "X", b, time.Time{}, nil) != nil {
			return
		}
		if _, err := rec.AppendRow(nil); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzBlock: no block makes its reader fail, and places are read as they were written.
func FuzzBlock(f *testing.F) {
	name := func(n int) call.ID { return call.ID(fmt.Sprint("call", n)) }
	f.Add(appendBlock(nil, []spot{{at: 5, call: 1, leg: theCall}, {at: 5, call: 1, leg: 0}, {at: 1 << 21, call: 2, leg: 7}}, name))
	all := func(place) bool { return true }
	f.Fuzz(func(t *testing.T, b []byte) {
		places, err := row(b).places(nil, 3, all)
		if err != nil {
			return
		}
		var spots []spot
		for i, p := range places {
			if p.at>>spanBits != 3 {
				return // no span has that
			}
			spots = append(spots, spot{at: p.at - 3<<spanBits, leg: p.leg, call: i})
		}
		back, err := row(appendBlock(nil, spots, func(n int) call.ID { return places[n].call })).places(nil, 3, all)
		if d := cmp.Diff(places, back, cmp.AllowUnexported(place{})); d != "" && len(places) > 0 || err != nil {
			t.Fatal(d, err)
		}
	})
}

// valid says what is wrong with a record.
func valid(r Record) error {
	known := map[string]bool{
		ResultBridged: true, ResultAnswered: true, ResultNotAnswered: true, ResultBusy: true, ResultRejected: true,
		ResultFailed: true, ResultAnsweredElsewhere: true,
		CalleeBye: true, CallerBye: true, CallerCancel: true, CalleeRefuse: true, InternalCancel: true,
		"in": true, "out": true,
	}
	check := func(f Fields) error {
		switch {
		case !known[f.Result] || !known[f.Disposition] || !known[f.Flow] || f.Q850 == "" || f.Cause == "":
			return fmt.Errorf("unknown word in %+v", f)
		case f.InitTime.IsZero() || f.HangupTime.IsZero() || f.HangupTime.Before(f.InitTime.Time):
			return fmt.Errorf("times of %+v", f)
		case f.StartTime.IsZero() != (f.Duration == 0) && f.StartTime.IsZero():
			return fmt.Errorf("duration of %+v", f)
		case f.Duration < 0 || f.Duration > int64(f.HangupTime.Sub(f.InitTime.Time)/time.Second)+1:
			return fmt.Errorf("duration of %+v", f)
		}
		return nil
	}
	if err := check(r.Fields); err != nil {
		return err
	}
	if r.Bridged != (r.Result == ResultBridged) || r.Bridged != (r.BridgedDuration != nil) {
		return fmt.Errorf("bridge of %+v", r)
	}
	for _, l := range r.CDR {
		if err := check(l.Fields); err != nil {
			return err
		}
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	var back Record
	if err := json.Unmarshal(body, &back); err != nil {
		return err
	}
	if d := cmp.Diff(r, back); d != "" {
		return errors.New(d)
	}
	return sameRow(r)
}

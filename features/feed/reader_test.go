package feed

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store/storetest"
)

func TestReaderBeginsNow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{})
		b.note(1, 0, 3)
		r := b.f.Read(1, 0, Filter{})
		defer r.Close()
		quiet(t, r)
		b.note(1, 3, 2)
		if events := next(t, r); len(events) != 2 || counted(t, events[0]) != 4 || events[1].ID != events[0].ID+1 {
			t.Errorf("got %+v, want events 4 and 5", events)
		}
		quiet(t, r)
	})
}

func TestReaderWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{})
		r := b.f.Read(1, 0, Filter{})
		defer r.Close()
		got := make(chan []Event)
		go func() { got <- next(t, r) }() // ends with the first event
		synctest.Wait()
		begun := time.Now()
		b.note(1, 0, 1)
		time.Sleep(linger / 2)
		b.note(1, 1, 1)
		if events := <-got; len(events) != 2 {
			t.Errorf("%d events; want both that came within the lingering", len(events))
		}
		if took := time.Since(begun); took != linger {
			t.Errorf("woken after %v, want %v", took, linger)
		}
	})
}

func TestReaderResumes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{Events: 4})
		b.note(1, 0, 10) // 7 to 10 are kept
		first := b.last(1) - 9
		for name, row := range map[string]struct {
			after    ID
			gap      bool
			from, to ID
			want     int // the first number read, 0: none
		}{
			"the last":        {after: first + 9},
			"one before":      {after: first + 8, want: 10},
			"the oldest kept": {after: first + 5, want: 7},
			"just gone":       {after: first + 4, gap: true, from: first + 5, to: first + 5, want: 7},
			"long gone":       {after: first, gap: true, from: first + 1, to: first + 5, want: 7},
			"life before":     {after: 1, gap: true, from: 2, to: first + 5, want: 7},
			"never given":     {after: first + 10, gap: true, from: 0, to: first + 5, want: 7},
			"nonsense":        {after: 1<<64 - 1, gap: true, from: 0, to: first + 5, want: 7},
		} {
			r := b.f.Read(1, row.after, Filter{})
			if row.want == 0 {
				quiet(t, r)
				r.Close()
				continue
			}
			events := next(t, r)
			if row.gap {
				if from, to := bounds(t, events[0]); from != row.from || to != row.to {
					t.Errorf("%s: gap %d to %d, want %d to %d", name, from, to, row.from, row.to)
				}
				events = events[1:]
			}
			if len(events) != 11-row.want || counted(t, events[0]) != row.want {
				t.Errorf("%s: %d events beginning with %d, want them from %d to 10", name, len(events), counted(t, events[0]), row.want)
			}
			quiet(t, r)
			r.Close()
		}
	})
}

// A client that asks again with the id of the gap it was told of gets no second one.
func TestGapIsToldOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{})
		r := b.f.Read(1, 5, Filter{Types: Types{"lamp"}})
		events := next(t, r)
		bounds(t, events[0])
		r.Close()
		r = b.f.Read(1, events[0].ID, Filter{})
		defer r.Close()
		quiet(t, r)
	})
}

func TestReaderFallsBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{Events: 8})
		r := b.f.Read(1, 0, Filter{})
		defer r.Close()
		b.note(1, 0, 8)
		if events := next(t, r); len(events) != 8 {
			t.Fatalf("%d events, want 8", len(events))
		}
		b.note(1, 8, 9)
		for range 2 {
			if _, err := r.Next(t.Context()); !errors.Is(err, ErrBehind) {
				t.Errorf("err %v, want %v", err, ErrBehind)
			}
		}
		again := b.f.Read(1, r.At(), Filter{})
		defer again.Close()
		events := next(t, again)
		if from, to := bounds(t, events[0]); from != to || len(events) != 9 {
			t.Errorf("gap %d to %d and %d events, want one missed and 8", from, to, len(events)-1)
		}
	})
}

// Reading much at once comes in parts, whatever the filter leaves out.
func TestReaderReadsInParts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{})
		all := b.f.Read(1, 0, Filter{})
		rare := b.f.Read(1, 0, Filter{Types: Types{"lamp.changed"}})
		defer all.Close()
		defer rare.Close()
		b.note(1, 0, 600)
		b.f.Publish(1, KindLamp, 2, nil)
		var n []int
		for all.At() < b.last(1) {
			n = append(n, len(next(t, all)))
		}
		if !slices.Equal(n, []int{256, 256, 89}) {
			t.Errorf("parts of %v", n)
		}
		if events := next(t, rare); len(events) != 1 || events[0].Kind != KindLamp {
			t.Errorf("got %v, want the lamp", kindsOf(events))
		}
		if rare.At() != all.At() {
			t.Errorf("reader of lamps is at %d, the other at %d", rare.At(), all.At())
		}
	})
}

func TestReaderEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{})
		r := b.f.Read(1, 0, Filter{})
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("client went away")
		cancel(gone)
		if _, err := r.Next(ctx); err != gone {
			t.Errorf("err %v, want the cause of the ctx", err)
		}
		b.note(1, 0, 1)
		b.stop()
		if events := next(t, r); len(events) != 1 {
			t.Errorf("%d events, want the one from before the end", len(events))
		}
		if _, err := r.Next(t.Context()); err != ErrClosed {
			t.Errorf("err %v, want %v", err, ErrClosed)
		}
		if n := b.f.Stats().Readers; n != 1 {
			t.Errorf("%d readers, want 1", n)
		}
		r.Close()
		r.Close()
		if n := b.f.Stats().Readers; n != 0 {
			t.Errorf("%d readers, want none", n)
		}
	})
}

func TestReaderIsReleasedAtTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{})
		r := b.f.Read(1, 0, Filter{})
		defer r.Close()
		got := make(chan error)
		go func() { _, err := r.Next(context.Background()); got <- err }() // ends with the feed
		synctest.Wait()
		b.stop()
		if err := <-got; err != ErrClosed {
			t.Errorf("err %v, want %v", err, ErrClosed)
		}
	})
}

// T4: what one client does is nowhere in the stream of another.
func TestClientsAreApart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{})
		first := b.f.numbers.first
		one, two := b.f.Read(1, 0, Filter{}), b.f.Read(2, first-1, Filter{})
		defer one.Close()
		defer two.Close()
		b.note(1, 0, 5)
		b.f.Registered(1, Registration{Extension: 7, ID: "x"})
		quiet(t, two)
		b.note(2, 100, 1)
		events := next(t, two)
		if len(events) != 1 || counted(t, events[0]) != 101 || events[0].ID != first {
			t.Errorf("client 2 got %+v; its ids must not tell what client 1 does", events)
		}
		if events := next(t, one); len(events) != 6 {
			t.Errorf("client 1 got %v", kindsOf(events))
		}
	})
}

// TestUnreadCallsAreNotKept: what calls say before the first reader comes, and when
// none has been there for long, has a number and nothing else. A reader is told of
// it, and of what follows with all that went before.
func TestUnreadCallsAreNotKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{Keep: 5 * time.Minute})
		c := teller{b: b, id: "C"}
		told := func() (ID, int) {
			c.say(call.Event{Kind: call.EventRinging, Leg: "b", Party: bob})
			time.Sleep(time.Second)
			return b.last(7), b.f.Stats().Kept
		}
		c.say(call.Event{Kind: call.EventStarted, Leg: "a", Party: alice, Dialled: "102"})
		first, kept := told()
		if kept != 0 {
			t.Errorf("%d events kept for nobody", kept)
		}
		r := b.f.Read(7, 0, Filter{})
		last, _ := told()
		events := next(t, r)
		if len(events) != 1 || events[0].ID != last || last != first+1 || !strings.Contains(string(events[0].Data), alice.Name) {
			t.Errorf("%+v; want number %d only, which knows who calls", events, first+1)
		}
		r.Close()
		r.Close()
		time.Sleep(4 * time.Minute)
		if missed, kept := told(); missed != last+1 || kept != 2 {
			t.Errorf("%d is kept, %d in all; its reader may come back", missed, kept)
		}
		time.Sleep(time.Minute)
		gone, kept := told()
		if gone != last+2 || kept != 0 {
			t.Errorf("number %d, %d kept after all this time", gone, kept)
		}
		r = b.f.Read(7, last, Filter{})
		defer r.Close()
		if from, to := bounds(t, next(t, r)[0]); from != last+1 || to != gone {
			t.Errorf("gap %d to %d, want %d to %d", from, to, last+1, gone)
		}
	})
}

// TestUnreadCallIsOnePiece: what is remembered of a call is one object.
func TestUnreadCallIsOnePiece(t *testing.T) {
	f := newFeed(storetest.Open(t), Options{}, blockBits)
	if err := f.numbers.begin(); err != nil {
		t.Fatal(err)
	}
	events := []call.Event{
		{Kind: call.EventStarted, Leg: "a", Party: alice, Dialled: "102"},
		{Kind: call.EventLegStarted, Leg: "a", Party: alice, Direction: call.Inbound},
		{Kind: call.EventLegStarted, Leg: "b", Party: call.Party{Extension: 2, Number: "102"}, Direction: call.Outbound},
		{Kind: call.EventAnswered, Leg: "b"}, {Kind: call.EventAnswered, Leg: "a"},
		{Kind: call.EventLegEnded, Leg: "b"}, {Kind: call.EventLegEnded, Leg: "a"},
		{Kind: call.EventEnded},
	}
	n := testing.AllocsPerRun(100, func() {
		for i := range events {
			events[i].Call, events[i].Client = "C", 7
			f.take(&events[i])
		}
	})
	if n > 1 || len(f.calls) != 0 {
		t.Errorf("%v objects, %d calls remembered", n, len(f.calls))
	}
}

func TestOldEventsGo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{Keep: 5 * time.Minute})
		b.note(1, 0, 3)
		time.Sleep(3 * time.Minute)
		b.note(1, 3, 1)
		last := b.last(1)
		time.Sleep(3*time.Minute + time.Second)
		if s := b.f.Stats(); s.Kept != 1 || s.Bytes != baseCost {
			t.Errorf("%d events of %d bytes kept, want the one of 3 minutes ago", s.Kept, s.Bytes)
		}
		time.Sleep(5 * time.Minute)
		if s := b.f.Stats(); s.Kept != 0 || s.Bytes != 0 || b.room(1) != 0 {
			t.Errorf("%+v; an idle ring must hold nothing", s)
		}
		r := b.f.Read(1, last-1, Filter{})
		defer r.Close()
		if from, to := bounds(t, next(t, r)[0]); from != last || to != last {
			t.Errorf("gap %d to %d, want %d", from, to, last)
		}
		b.note(1, 4, 1)
		if events := next(t, r); events[0].ID != last+1 {
			t.Errorf("id %d after %d", events[0].ID, last)
		}
	})
}

func TestRingIsBoundedInBytes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{Bytes: 20_000})
		long := make([]byte, 1000)
		for range 100 {
			b.f.Registered(1, Registration{Extension: 1, Device: string(long)})
		}
		if s := b.f.Stats(); s.Bytes > 20_000 || s.Kept != 20_000/(baseCost+2000) {
			t.Errorf("%d events of %d bytes", s.Kept, s.Bytes)
		}
		b.f.Registered(1, Registration{Extension: 1, Device: string(make([]byte, 30_000))})
		if s := b.f.Stats(); s.Kept != 1 {
			t.Errorf("%d events kept; want the last, whatever its size", s.Kept)
		}
	})
}

// H10: readers that do not read are not even looked at when something happens.
func TestIdleReadersCostNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{})
		for range 1000 {
			r := b.f.Read(1, 0, Filter{})
			defer r.Close()
		}
		b.note(1, 0, 2000)
		if !b.f.wakes.Empty() || b.f.ring(1).waiting != nil {
			t.Error("readers that do not read are to be woken")
		}
		if s := b.f.Stats(); s.Readers != 1000 || s.Kept != 1024 {
			t.Errorf("%+v", s)
		}
	})
}

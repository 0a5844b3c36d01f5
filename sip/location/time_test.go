package location

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const second = time.Second

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events log
		shelf := newShelf()
		b := open(t, Config{Store: shelf, Events: events.add})
		mustUpdate(t, b, register("a", 1, 60*second, contact("sip:x@h")))
		time.Sleep(50 * second)
		mustUpdate(t, b, register("a", 2, 60*second, contact("sip:x@h")))
		mustUpdate(t, b, register("b", 1, 90*second, contact("sip:y@h")))
		events.take()
		time.Sleep(60*second - time.Nanosecond)
		if got := b.Lookup(1, time.Now(), nil); len(got) != 2 {
			t.Errorf("before the end: %q", contacts(got))
		}
		time.Sleep(time.Nanosecond)
		if d := cmp.Diff([]string{"sip:y@h"}, contacts(b.Lookup(1, time.Now(), nil))); d != "" {
			t.Errorf("at the end: %s", d)
		}
		time.Sleep(second)
		if d := cmp.Diff([]string{"expired (timeout) sip:x@h 1"}, events.take()); d != "" {
			t.Error(d)
		}
		time.Sleep(30 * second)
		if d := cmp.Diff([]string{"expired (timeout) sip:y@h 0"}, events.take()); d != "" {
			t.Error(d)
		}
		list, registered := b.Registrations(1, time.Now())
		if registered || !cmp.Equal(contacts(list), []string{"sip:y@h"}) || list[0].Remaining(time.Now()) != 0 {
			t.Errorf("last known: %q, registered %v", contacts(list), registered)
		}
		time.Sleep(second)
		if row := shelf.row(1); len(row.Bindings) != 0 || !cmp.Equal(contacts(row.Ended), []string{"sip:y@h"}) {
			t.Errorf("stored: %+v", row)
		}
		if b.Len() != 0 {
			t.Errorf("Len %d", b.Len())
		}
	})
}

// A shorter interval than before counts from now.
func TestExpiryShortened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events log
		b := open(t, Config{Events: events.add})
		mustUpdate(t, b, register("a", 1, hour, contact("sip:x@h")))
		mustUpdate(t, b, register("a", 2, 30*second, contact("sip:x@h")))
		time.Sleep(31 * second)
		if d := cmp.Diff([]string{"added sip:x@h 1", "refreshed sip:x@h 1", "expired (timeout) sip:x@h 0"}, events.take()); d != "" {
			t.Error(d)
		}
	})
}

// An Update between the end and its collection sees the end.
func TestUpdateMeetsExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events log
		b := open(t, Config{Events: events.add})
		time.Sleep(100 * time.Millisecond) // so that the end falls between two rounds
		mustUpdate(t, b, register("a", 7, 30*second, contact("sip:x@h")))
		events.take()
		time.Sleep(30 * second)
		if list, ok := b.Registrations(1, time.Now()); ok || len(list) != 1 {
			t.Errorf("registered %v, %d listed", ok, len(list))
		}
		mustUpdate(t, b, register("a", 1, hour, contact("sip:x@h"))) // a lower CSeq: the old one is gone
		if d := cmp.Diff([]string{"expired (timeout) sip:x@h 0", "added sip:x@h 1"}, events.take()); d != "" {
			t.Error(d)
		}
	})
}

func TestRegistrationsShowTheLastSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, Config{})
		show := func(registered bool, want ...string) {
			t.Helper()
			list, ok := b.Registrations(1, time.Now())
			if ok != registered || !cmp.Equal(append([]string{}, want...), contacts(list)) {
				t.Errorf("registered %v, %q; want %v, %q", ok, contacts(list), registered, want)
			}
		}
		show(false)
		mustUpdate(t, b, register("a", 1, 60*second, contact("sip:x@h"), contact("sip:y@h")))
		show(true, "sip:x@h", "sip:y@h")
		time.Sleep(61 * second)
		show(false, "sip:x@h", "sip:y@h")
		mustUpdate(t, b, register("a", 2, 60*second, contact("sip:z@h")))
		show(true, "sip:z@h")
		mustUpdate(t, b, register("b", 1, 60*second, contact("sip:w@h")))
		c := contact("sip:w@h")
		c.Expires = 0
		mustUpdate(t, b, register("b", 2, 60*second, c))
		time.Sleep(61 * second)
		show(false, "sip:z@h")
		mustUpdate(t, b, register("c", 1, 60*second, contact("sip:v@h"), contact("sip:u@h")))
		r := register("c", 2, 0)
		r.Wildcard = true
		mustUpdate(t, b, r)
		show(false, "sip:v@h", "sip:u@h")
		b.Forget(1, time.Now(), nil)
		show(false)
	})
}

func TestFlowClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events log
		b := open(t, Config{Events: events.add})
		on := func(conn uint64, cseq uint32, uri string, extension int64) {
			r := register("a", cseq, hour, contact(uri))
			r.Flow, r.Extension = tcp(conn), extension
			mustUpdate(t, b, r)
		}
		on(1, 1, "sip:x@h", 1)
		on(1, 1, "sip:y@h", 2)
		on(2, 1, "sip:z@h", 1)
		mustUpdate(t, b, register("u", 1, hour, contact("sip:udp@h")))
		events.take()
		b.FlowClosed(1, time.Now())
		b.FlowClosed(1, time.Now())
		b.FlowClosed(99, time.Now())
		got := events.take()
		if len(got) != 2 {
			t.Errorf("events %q", got)
		}
		for _, x := range b.Lookup(1, time.Now(), nil) {
			if x.Suspended != (x.Contact == "sip:x@h") {
				t.Errorf("%s suspended: %v", x.Contact, x.Suspended)
			}
		}
		time.Sleep(59 * second)
		on(3, 2, "sip:x@h", 1) // back in time, on another connection
		if d := cmp.Diff([]string{"resumed sip:x@h 3"}, events.take()); d != "" {
			t.Error(d)
		}
		time.Sleep(2 * second)
		if d := cmp.Diff([]string{"expired (flow lost) sip:y@h 0"}, events.take()); d != "" {
			t.Error(d)
		}
		b.FlowClosed(1, time.Now()) // nobody is there any more
		b.FlowClosed(3, time.Now())
		if d := cmp.Diff([]string{"suspended sip:x@h 3"}, events.take()); d != "" {
			t.Error(d)
		}
		time.Sleep(61 * second)
		if d := cmp.Diff([]string{"expired (flow lost) sip:x@h 2"}, events.take()); d != "" {
			t.Error(d)
		}
	})
}

// A connection may be lost while its REGISTER is on its way here.
func TestFlowClosedBeforeUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events log
		b := open(t, Config{Events: events.add})
		on := func(conn uint64, cseq uint32) Binding {
			r := register("a", cseq, hour, contact("sip:x@h"))
			r.Flow = tcp(conn)
			return mustUpdate(t, b, r).Bindings[0]
		}
		b.FlowClosed(1, time.Now())
		if !on(1, 1).Suspended {
			t.Error("added over a lost connection and not suspended")
		}
		if on(2, 2).Suspended {
			t.Error("suspended over a connection that is up")
		}
		b.FlowClosed(3, time.Now())
		if !on(3, 3).Suspended {
			t.Error("moved to a lost connection and not suspended")
		}
		if !on(3, 4).Suspended {
			t.Error("refreshed over a lost connection and not suspended")
		}
		want := []string{"added sip:x@h 1", "resumed sip:x@h 1", "changed sip:x@h 1", "refreshed sip:x@h 1"}
		if d := cmp.Diff(want, events.take()); d != "" {
			t.Error(d)
		}
		time.Sleep(61 * second)
		if d := cmp.Diff([]string{"expired (flow lost) sip:x@h 0"}, events.take()); d != "" {
			t.Error(d)
		}
		for conn := range uint64(3 * goneKept) {
			b.FlowClosed(conn+10, time.Now())
		}
		if got := len(b.flows.gone); got != goneKept {
			t.Errorf("%d lost connections are remembered", got)
		}
	})
}

// Connections leave nothing behind in the index of flows.
func TestFlowsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, Config{})
		known := func() int {
			b.flows.mu.Lock()
			defer b.flows.mu.Unlock()
			return len(b.flows.extensions)
		}
		for i := range uint64(20) {
			r := register("a", uint32(i+1), 30*second, contact("sip:x@h"), contact("sip:y@h"))
			r.Flow = tcp(i + 1)
			mustUpdate(t, b, r)
		}
		if got := known(); got != 1 {
			t.Errorf("%d connections known, one is used", got)
		}
		time.Sleep(31 * second)
		if got := known(); got != 0 {
			t.Errorf("%d connections known, none is used", got)
		}
	})
}

func TestRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events log
		shelf := newShelf()
		b := open(t, Config{Store: shelf, Events: events.add})
		id := mustUpdate(t, b, register("a", 1, hour, contact("sip:x@h"))).Bindings[0].ID
		mustUpdate(t, b, register("b", 1, hour, contact("sip:y@h"), contact("sip:z@h")))
		events.take()
		done := 0
		count := func(err error) {
			if err != nil {
				t.Error(err)
			}
			done++
		}
		if b.Remove(1, "no such id", time.Now(), count) || b.Remove(2, "", time.Now(), count) || done != 0 {
			t.Error("removed what is not there")
		}
		if !b.Remove(1, id, time.Now(), count) || done != 1 || len(shelf.row(1).Bindings) != 2 {
			t.Errorf("one: done %d, stored %+v", done, shelf.row(1))
		}
		time.Sleep(second)
		if !b.Remove(1, "", time.Now(), count) || done != 2 || len(shelf.row(1).Ended) != 2 {
			t.Errorf("all: done %d, stored %+v", done, shelf.row(1))
		}
		want := []string{"removed (removed) sip:x@h 2", "removed (removed) sip:y@h 1", "removed (removed) sip:z@h 0"}
		if d := cmp.Diff(want, events.take()); d != "" {
			t.Error(d)
		}
		b.Forget(1, time.Now(), count)
		if _, there := shelf.rows[1]; there || done != 3 {
			t.Errorf("forgotten: stored %v, done %d", there, done)
		}
	})
}

func TestClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := newShelf()
		b := open(t, Config{Store: shelf})
		mustUpdate(t, b, register("a", 1, hour, contact("sip:x@h")))
		time.Sleep(10 * second)
		mustUpdate(t, b, register("a", 2, hour, contact("sip:x@h")))
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if got := shelf.row(1).Bindings[0].CSeq; got != 2 {
			t.Errorf("Close lost a refresh: CSeq %d", got)
		}
		if _, err := b.Update(register("a", 3, hour, contact("sip:x@h")), time.Now(), nil); err != ErrClosed {
			t.Errorf("Update: %v", err)
		}
		if b.Remove(1, "", time.Now(), nil) {
			t.Error("Remove worked")
		}
		b.FlowClosed(1, time.Now())
		b.Forget(1, time.Now(), func(err error) {
			if err != ErrClosed {
				t.Errorf("Forget: %v", err)
			}
		})
	})
}

// More refreshes than the store takes at once are all written in the end, and
// a store that fails to the end is told of.
func TestCloseWritesEverything(t *testing.T) {
	shelf := newShelf()
	b, err := Open(Config{Store: shelf})
	if err != nil {
		t.Fatal(err)
	}
	const phones = maxBehind + 500
	r := register("a", 1, hour, contact("sip:x@h"))
	for r.CSeq = 1; r.CSeq <= 2; r.CSeq++ {
		for r.Extension = 1; r.Extension <= phones; r.Extension++ {
			mustUpdate(t, b, r)
		}
		shelf.mu.Lock()
		shelf.held = true // the store is slow from the second round on
		shelf.mu.Unlock()
	}
	closed := make(chan error)
	go func() { closed <- b.Close() }() // ends when the store has answered
	for err = errDisk; err == errDisk; {
		select {
		case err = <-closed:
		default:
			shelf.release()
			runtime.Gosched()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	for id := range int64(phones) {
		if got := shelf.row(id + 1).Bindings[0].CSeq; got != 2 {
			t.Fatalf("phone %d: CSeq %d", id+1, got)
		}
	}
}

func TestCloseTellsOfAFailingStore(t *testing.T) {
	shelf := newShelf()
	b, err := Open(Config{Store: shelf})
	if err != nil {
		t.Fatal(err)
	}
	mustUpdate(t, b, register("a", 1, hour, contact("sip:x@h")))
	mustUpdate(t, b, register("a", 2, hour, contact("sip:x@h")))
	shelf.fail = errDisk
	if err := b.Close(); err == nil {
		t.Error("a lost refresh is not told")
	}
}
